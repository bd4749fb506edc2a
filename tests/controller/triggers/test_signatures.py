"""Who sent it: what each scheme's documentation gives as examples, and that nothing else passes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.wire.triggers import Signature
from milepost_collector.errors import InvalidParameterError
from milepost_collector.triggers.errors import DeliveryRefusedError
from milepost_collector.triggers.signatures import (
    check_secret,
    delivery_id,
    new_secret,
    secret_headers,
    verify,
)


class Vector(NamedTuple):
    """A delivery that must be taken at a time."""

    signature: Signature
    secret: str
    headers: dict[str, str]
    body: bytes
    now_s: float


SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack"
    b".com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0b"
    b"c887a14d10d2c447fce8b6703c"
)


def hexed(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


DOCUMENTED = {
    # docs.github.com, "Validating webhook deliveries": testing the webhook payload validation
    "github": Vector(
        Signature(scheme="github"),
        "It's a Secret to Everybody",
        {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
        b"Hello, World!",
        0,
    ),
    # api.slack.com, "Verifying requests from Slack"
    "slack": Vector(
        Signature(scheme="slack"),
        "8f742231b10e8888abcd99yyyzzz85a5",
        {
            "x-slack-request-timestamp": "1531420618",
            "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        },
        SLACK_BODY,
        1531420618,
    ),
    # standard-webhooks, spec/standard-webhooks.md and the libraries' own tests
    "standard-webhooks": Vector(
        Signature(scheme="standard-webhooks"),
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        b'{"test": 2432232314}',
        1614265330,
    ),
    # docs.stripe.com, "Verify webhook signatures manually": HMAC-SHA256 of `timestamp.payload`; it gives no digest
    "stripe": Vector(
        Signature(scheme="stripe"),
        "whsec_test_secret",
        {"stripe-signature": "t=1492774577,v1=" + hexed("whsec_test_secret", b"1492774577.{}") + ",v0=6ffbb59b2300aae"},
        b"{}",
        1492774577,
    ),
    "hmac": Vector(
        Signature(scheme="hmac", header="X-Sig", algorithm="sha512", encoding="base64", prefix="v2:"),
        "a generic secret",
        {"x-sig": "v2:" + base64.b64encode(hmac.digest(b"a generic secret", b"{}", "sha512")).decode()},
        b"{}",
        0,
    ),
    "bearer": Vector(
        Signature(scheme="bearer"), "0123456789abcdef", {"authorization": "Bearer 0123456789abcdef"}, b"", 0
    ),
    # RFC 7617, section 2
    "basic": Vector(
        Signature(scheme="basic", user="Aladdin"),
        "open sesame",
        {"authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
        b"",
        0,
    ),
}
SIGNED = ("github", "slack", "standard-webhooks", "stripe", "hmac")
TIMED = ("slack", "standard-webhooks", "stripe")


def check(vector: Vector, **changes: object) -> None:
    other = vector._replace(**changes)  # type: ignore[arg-type]
    verify(other.signature, [other.secret], other.headers, other.body, now_s=other.now_s)


def changed(text: str, place: int, turn: int) -> str:
    """Return a text with one character changed to another that is printable."""
    at = place % len(text)
    other = chr(33 + (ord(text[at]) - 33 + 1 + turn % 93) % 94)
    return text[:at] + other + text[at + 1 :]


@pytest.mark.parametrize("scheme", DOCUMENTED)
def test_documented_delivery_is_taken(scheme: str) -> None:
    check(DOCUMENTED[scheme])


@given(scheme=st.sampled_from(SIGNED), place=st.integers(0, 2000), turn=st.integers(0, 254))
def test_any_changed_byte_of_the_body_is_refused(scheme: str, place: int, turn: int) -> None:
    vector = DOCUMENTED[scheme]
    body = bytearray(vector.body)
    body[place % len(body)] ^= 1 + turn
    with pytest.raises(DeliveryRefusedError):
        check(vector, body=bytes(body))


@given(scheme=st.sampled_from(list(DOCUMENTED)), data=st.data(), place=st.integers(0, 500), turn=st.integers(0, 92))
def test_any_changed_character_of_what_proves_is_refused(
    scheme: str, data: st.DataObject, place: int, turn: int
) -> None:
    vector = DOCUMENTED[scheme]
    name = data.draw(st.sampled_from(list(vector.headers)))
    value = changed(vector.headers[name], place, turn)
    if scheme == "stripe":  # the older scheme's signature stands there too, and proves nothing
        value = changed(vector.headers[name].partition(",v0=")[0], place, turn)
    with pytest.raises(DeliveryRefusedError):
        check(vector, headers={**vector.headers, name: value})


@given(scheme=st.sampled_from(list(DOCUMENTED)), place=st.integers(0, 100), turn=st.integers(0, 92))
def test_another_secret_is_refused(scheme: str, place: int, turn: int) -> None:
    vector = DOCUMENTED[scheme]
    secret = changed(vector.secret, place, turn)
    if scheme == "standard-webhooks":
        key = bytearray(base64.b64decode(vector.secret.removeprefix("whsec_")))
        key[place % len(key)] ^= 1 + turn
        secret = "whsec_" + base64.b64encode(key).decode()
    with pytest.raises(DeliveryRefusedError):
        check(vector, secret=secret)


@pytest.mark.parametrize("scheme", DOCUMENTED)
def test_missing_header_is_named_and_refused(scheme: str) -> None:
    for name in DOCUMENTED[scheme].headers:
        headers = {other: value for other, value in DOCUMENTED[scheme].headers.items() if other != name}
        with pytest.raises(DeliveryRefusedError, match=rf"(?i){name} is missing"):
            check(DOCUMENTED[scheme], headers=headers)


@pytest.mark.parametrize("scheme", TIMED)
@pytest.mark.parametrize(("late_s", "is_taken"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_signed_time_must_lie_within_the_tolerance(scheme: str, late_s: int, is_taken: bool) -> None:
    vector = DOCUMENTED[scheme]
    moved = vector._replace(now_s=vector.now_s + late_s)
    if is_taken:
        check(moved)
    else:
        with pytest.raises(DeliveryRefusedError, match="300 s are allowed"):
            check(moved)


@pytest.mark.parametrize("scheme", DOCUMENTED)
def test_either_secret_is_taken_while_both_are_valid(scheme: str) -> None:
    vector = DOCUMENTED[scheme]
    other = new_secret(vector.signature)
    for secrets in ([vector.secret, other], [other, vector.secret]):
        verify(vector.signature, secrets, vector.headers, vector.body, now_s=vector.now_s)
    with pytest.raises(DeliveryRefusedError):
        verify(vector.signature, [], vector.headers, vector.body, now_s=vector.now_s)


def test_several_signatures_of_one_sender_are_all_tried() -> None:
    stripe = DOCUMENTED["stripe"]
    right = stripe.headers["stripe-signature"].split(",")[1]
    check(stripe, headers={"stripe-signature": f"t=1492774577,v1={'0' * 64},{right}"})
    standard = DOCUMENTED["standard-webhooks"]
    several = f"v1,AAAA v1a,BBBB {standard.headers['webhook-signature']}"
    check(standard, headers={**standard.headers, "webhook-signature": several})


@pytest.mark.parametrize(
    "odd",
    ["", ",", "t=", "t=1,v1=", "v1", "v1,", "v1,=", "v1,a,b", " ", "é", "v0=é", "Basic é", "sha256=\udcff", "t=²,v1=a"],
)
@pytest.mark.parametrize("scheme", DOCUMENTED)
def test_malformed_proof_is_refused(scheme: str, odd: str) -> None:
    vector = DOCUMENTED[scheme]
    for name in vector.headers:
        if name != "webhook-id":
            with pytest.raises(DeliveryRefusedError):
                check(vector, headers={**vector.headers, name: odd})


def test_time_with_leading_zeros_is_not_what_was_signed() -> None:
    vector = DOCUMENTED["standard-webhooks"]
    with pytest.raises(DeliveryRefusedError):
        check(vector, headers={**vector.headers, "webhook-timestamp": "01614265330"})


def test_refusal_tells_neither_secret_nor_right_signature() -> None:
    vector = DOCUMENTED["github"]
    with pytest.raises(DeliveryRefusedError) as caught:
        check(vector, body=b"other")
    assert vector.secret not in str(caught.value)
    assert hexed(vector.secret, b"other") not in str(caught.value)


@pytest.mark.parametrize(
    ("signature", "headers", "payload", "expected"),
    [
        (Signature(scheme="github"), {"x-github-delivery": "72d3162e"}, {}, "72d3162e"),
        (Signature(scheme="standard-webhooks"), {"webhook-id": "msg_1"}, {}, "msg_1"),
        (Signature(scheme="stripe"), {}, {"id": "evt_1"}, "evt_1"),
        (Signature(scheme="slack"), {}, {"event_id": "Ev1"}, "Ev1"),
        (Signature(scheme="slack"), {}, {"trigger_id": "39.47"}, "39.47"),
        (Signature(scheme="hmac", delivery_header="X-Id"), {"x-id": "7"}, {}, "7"),
        (Signature(scheme="bearer"), {"x-id": "7"}, {}, None),
        (Signature(scheme="github"), {}, {}, None),
        (Signature(scheme="stripe"), {}, [1], None),
    ],
)
def test_delivery_is_known_by_its_senders_id_or_its_digest(
    signature: Signature, headers: dict[str, str], payload: object, expected: str | None
) -> None:
    digest = "sha256:" + hashlib.sha256(b"body").hexdigest()
    assert delivery_id(signature, headers, payload, b"body") == (expected or digest)


@pytest.mark.parametrize("scheme", DOCUMENTED)
def test_new_secret_is_one_that_the_scheme_takes(scheme: str) -> None:
    signature = DOCUMENTED[scheme].signature
    assert new_secret(signature) != new_secret(signature)
    check_secret(signature, new_secret(signature))


@pytest.mark.parametrize("secret", ["whsec_c2hvcnQ=", "not base64 at all, so long", "whsec_" + "A" * 200])
def test_key_of_another_size_is_no_secret_of_standard_webhooks(secret: str) -> None:
    with pytest.raises(InvalidParameterError, match="24 to 64 bytes") as caught:
        check_secret(Signature(scheme="standard-webhooks"), secret)
    assert secret not in str(caught.value)


def test_headers_that_prove_are_secret() -> None:
    for vector in DOCUMENTED.values():
        shown = set(vector.headers) - secret_headers(vector.signature)
        assert shown <= {"webhook-id", "webhook-timestamp", "x-slack-request-timestamp"}
