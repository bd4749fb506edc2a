"""What needs no socket: retries, subscriptions, signatures, messages, addresses as they are shown."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Receiver

from milepost_collector.controller.rows import TaskRow, TransitionRow
from milepost_collector.errors import InvalidParameterError
from milepost_collector.webhooks import slack
from milepost_collector.webhooks.events import Happening, of_transition
from milepost_collector.webhooks.message import check_secret, headers, make_secret
from milepost_collector.webhooks.registry import shown_url
from milepost_collector.webhooks.retry import DELAYS_S, LONGEST_THROTTLE_S, MAX_TRIES, decide, parse_retry_after
from milepost_collector.webhooks.subscriptions import Subscription, fits_any
from tests.controller.store import rows

NOW = 1_767_225_600_000
WORD = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)


@given(
    status=st.none() | st.integers(100, 599),
    retry_after=st.none() | st.floats(0, 1e9),
    tries=st.integers(1, 30),
    jitter=st.floats(0, 1, exclude_max=True),
)
def test_verdict_is_bounded_and_only_2xx_is_delivered(
    status: int | None, retry_after: float | None, tries: int, jitter: float
) -> None:
    verdict = decide(status, retry_after, tries=tries, jitter=jitter, max_tries=MAX_TRIES)
    assert (verdict.kind == "delivered") == (status is not None and 200 <= status < 300)
    assert (verdict.kind == "gone") == (status == 410)
    assert (verdict.kind == "again") <= (tries < MAX_TRIES)
    assert 0 <= verdict.throttle_ms <= LONGEST_THROTTLE_S * 1000
    if verdict.kind == "again":
        longest = max(DELAYS_S[tries - 1] * 1200, verdict.throttle_ms)
        assert max(DELAYS_S[tries - 1] * 1000, verdict.throttle_ms) <= verdict.delay_ms <= longest


def test_tries_span_three_days() -> None:
    assert MAX_TRIES == 10
    assert 3 <= sum(DELAYS_S) / 86_400 <= 4


@given(st.text(max_size=40))
def test_any_retry_after_is_read_or_ignored(text: str) -> None:
    found = parse_retry_after(text, NOW)
    assert found is None or found >= 0


@given(st.sampled_from(["task", "run", "ask"]), st.from_regex(r"[a-z_]{1,10}", fullmatch=True))
def test_patterns_mean_a_type_a_family_or_all(family: str, event: str) -> None:
    kind = f"{family}.{event}"
    assert all(fits_any(kind, (pattern,)) for pattern in ("*", f"{family}.*", kind))
    assert not any(fits_any(kind, (pattern,)) for pattern in ("other.*", f"{kind}x", f"{family}", ""))


@given(st.lists(st.sampled_from("ab"), max_size=2), st.lists(st.sampled_from("ab"), max_size=2))
def test_filter_lets_through_what_has_one_of_its_values(wanted: list[str], tags: list[str]) -> None:
    row = rows.webhook("h", tags=msgspec.json.encode(wanted).decode(), created_at=0)
    happening = Happening("task.created", 1, "t", {}, tags=tuple(tags))
    assert Subscription.of(row).wants(happening) == (not wanted or bool(set(wanted) & set(tags)))


def test_signature_is_the_one_of_the_specification_s_example() -> None:
    # https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Signature scheme";
    # the vector is that of its reference libraries' tests.
    body = b'{"test": 2432232314}'
    made = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330_000, body, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert made["webhook-timestamp"] == "1614265330"


@given(WORD, st.binary(min_size=24, max_size=64), st.binary(min_size=24, max_size=64))
def test_receivers_accept_either_secret_and_nothing_that_was_changed(text: str, new: bytes, old: bytes) -> None:
    body = msgspec.json.encode({"text": text})
    now = int(datetime.now(UTC).timestamp() * 1000)
    secrets = [make_secret(new), make_secret(old)]
    made = headers("evt_1", now, body, secrets)
    for secret in secrets:
        check_secret(secret)
        assert Receiver(secret).verify(body, made) == {"text": text}
    assert len(made["webhook-signature"].split(" ")) == 2


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_!!!!", "plain", base64.b64encode(b"x" * 32).decode(), "whsec_" + "QQ" * 4]
)
def test_what_is_no_secret_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        check_secret(secret)
    assert len(secret) < 8 or secret not in str(refused.value)


@given(WORD, WORD, WORD)
def test_message_for_slack_never_lets_a_text_be_markup(name: str, reason: str, agent: str) -> None:
    happening = Happening("task.failed", NOW, "t1", {"task_id": "t1", "name": name, "reason": reason, "agent": agent})
    told = msgspec.json.decode(slack.message(happening.payload(), "http://viewer"))
    link = "<http://viewer/tasks/t1|Open in Milepost>"
    texts = [told["text"].removesuffix(link)]
    texts += [field["text"] for block in told["blocks"] for field in block.get("fields", ())]
    assert all("<" not in text and ">" not in text for text in texts)
    assert told["blocks"][-1]["elements"][0]["text"] == link


@given(WORD, st.text(max_size=30_000), st.lists(st.text(max_size=200), max_size=20))
def test_payload_is_thin_whatever_a_task_holds(name: str, reason: str, tags: list[str]) -> None:
    task: TaskRow = rows.task("t1", name=name, tags=msgspec.json.encode(tags).decode(), error_message=reason)
    row = TransitionRow(time=NOW, task_id="t1", event="failed", to_status="failed", reason=reason)
    assert len(of_transition("task.failed", row, task).payload().encode()) < 20_000


@pytest.mark.parametrize(
    ("url", "kind", "shown"),
    [
        ("https://hooks.slack.com/services/T0/B0/xyz", "slack", "https://hooks.slack.com/services/T0/…"),
        ("https://chat.example/hooks/secret", "slack", "https://chat.example/…"),
        ("https://hooks.example/a/b?token=secret", "standard", "https://hooks.example/a/b?…"),
        ("https://hooks.example:8443/a", "standard", "https://hooks.example:8443/a"),
    ],
)
def test_what_is_secret_in_an_address_is_not_shown(url: str, kind: str, shown: str) -> None:
    assert shown_url(url, kind) == shown
    assert "secret" not in shown.replace("hooks/secret", "")
