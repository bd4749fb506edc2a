"""Deliveries over real sockets: what is sent, what counts as received, and what follows when it does not."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Receiver
from standardwebhooks.webhooks import WebhookVerificationError

from milepost.wire.webhooks import ReplayRequest, RotateRequest, WebhookHold
from milepost_collector.webhooks import upkeep
from milepost_collector.webhooks.retry import DELAYS_S, MAX_TRIES
from tests.collector.webhooks.conftest import House, MakeHouse
from tests.collector.webhooks.sink import Received, Reply, Sink

DAY_MS = 86_400_000


def verified(secret: str, request: Received) -> bool:
    """Tell whether a secret has signed a request as the specification says, whatever its age."""
    signed = f"{request.id}.{request.headers['webhook-timestamp']}.{request.body.decode()}"
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = "v1," + base64.b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode()
    return wanted in request.headers["webhook-signature"].split(" ")


async def test_event_arrives_thin_and_signed(any_house: House) -> None:
    made = await any_house.webhook(events=["task.created"])
    task_id = await any_house.task(tags=["nightly"])
    (request,) = await any_house.received(1)
    assert request.event["type"] == "task.created"
    assert request.event["data"] == {
        "task_id": task_id, "event": "created", "status": "pending", "name": "Load", "priority": "medium",
        "tags": ["nightly"],
    }  # fmt: skip
    assert "." not in request.id
    assert verified(made.secret, request)
    row = await any_house.settled()
    assert (row.status, row.last_status, row.next_at) == ("delivered", 204, None)


async def test_only_what_is_subscribed_to_is_delivered(house: House) -> None:
    await house.webhook(events=["task.created"], names=["Load"], agents=["amy"], tags=["a"])
    await house.task("Load", agent="amy", tags=["b", "a"])
    await house.task("Load", agent="amy")
    await house.task("Load", agent="bob", tags=["a"])
    await house.task("Other", agent="amy", tags=["a"])
    last = await house.task("Load", agent="amy", tags=["a"])
    await house.received(2)
    assert last in [request.event["data"]["task_id"] for request in house.sink.received]  # order is not promised
    assert len(await house.deliveries()) == 2


async def test_what_happened_before_the_webhook_is_not_told(any_house: House) -> None:
    await any_house.task("Before")
    any_house.clock.advance(1)
    await any_house.webhook()
    await any_house.task("After")
    await any_house.received(1)
    assert {row.payload.count("Before") for row in await any_house.deliveries()} == {0}


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 500, 503])
async def test_everything_but_2xx_is_tried_again_with_the_same_id(house: House, status: int) -> None:
    house.sink.reply = lambda _: Reply(status, {"location": "/elsewhere"})
    await house.webhook(events=["task.created"])
    await house.task()
    row = await house.settled()
    assert row.status == "waiting"
    assert row.last_status == status
    house.sink.reply = lambda _: Reply(200)
    await house.pass_time(60_000)
    await house.settled(2)
    first, second = house.sink.received
    assert first.id == second.id
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 60
    assert {request.path for request in house.sink.received} == {"/hook"}


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(close=True), "breaks off"),
        (Reply(close=True, body=b"HTTP/1.1 200 OK\r\ncontent-le"), "breaks off"),
        (Reply(close=True, body=b"SSH-2.0-OpenSSH\r\n"), "not HTTP"),
    ],
)
async def test_answer_that_breaks_off_is_none(house: House, reply: Reply, error: str) -> None:
    house.sink.reply = lambda _: reply
    await house.webhook(events=["task.created"])
    await house.task()
    row = await house.settled()
    assert row.status == "waiting"
    assert row.last_status is None
    assert row.last_error is not None
    assert error in row.last_error


async def test_answer_counts_when_its_body_breaks_off(house: House) -> None:
    house.sink.reply = lambda _: Reply(close=True, body=b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf")
    await house.webhook(events=["task.created"])
    await house.task()
    assert (await house.settled()).status == "delivered"


async def test_answer_must_come_in_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("milepost_collector.webhooks.dispatcher.TIMEOUT_S", 0.1)
    house.sink.reply = lambda _: Reply(stall=True)
    await house.webhook(events=["task.created"])
    await house.task()
    assert (await house.settled()).last_error == "no answer within 0.1 s"


async def test_nobody_who_listens_is_a_failed_try(house: House) -> None:
    house.sink.server.server_close()
    await house.webhook(events=["task.created"])
    await house.task()
    assert (await house.settled()).last_error == "the connection was refused"


async def test_ten_tries_over_three_days_then_the_webhook_is_disabled_and_others_are_told(
    any_house: House, other_sink: Sink
) -> None:
    any_house.sink.reply = lambda _: Reply(500)
    await any_house.webhook(events=["task.created"])
    await any_house.webhook("watch", url=other_sink.url, events=["webhook.*"])
    await any_house.task()
    for number, delay_s in enumerate(DELAYS_S, start=1):
        await any_house.until(
            lambda rows, number=number: bool(rows) and rows[0].tries == number and rows[0].claimed_at is None
        )
        await any_house.pass_time(delay_s * 1000)
    await asyncio.to_thread(other_sink.wait, 1)
    assert len(any_house.sink.received) == MAX_TRIES
    assert len({request.id for request in any_house.sink.received}) == 1
    row = await any_house.row()
    assert row.status == "disabled"
    assert row.reason == "nothing has arrived for 3.1 days: answered 500"
    assert other_sink.received[0].event["data"]["reason"] == row.reason
    assert [one.number for one in await any_house.tries() if one.status == 500] == list(range(1, MAX_TRIES + 1))


async def test_gone_disables_at_once_and_nothing_is_kept_until_it_is_resumed(house: House) -> None:
    house.sink.reply = lambda _: Reply(410)
    await house.webhook(events=["task.created"])
    await house.task("First")
    row = await house.settled()
    assert row.status == "failed"
    assert (await house.row()).reason == "it answered 410 Gone"
    await house.task("Meanwhile")
    house.sink.reply = lambda _: Reply(200)
    house.clock.advance(1)
    await house.webhooks.resume("ops", WebhookHold())
    await house.task("Later")
    await house.until(lambda rows: len(rows) == 2 and rows[-1].status == "delivered")
    assert [request.event["data"]["name"] for request in house.sink.received] == ["First", "Later"]


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        (Reply(429), 30),
        (Reply(503, {"retry-after": "120"}), 120),
        (Reply(429, {"retry-after": "Thu, 01 Jan 2026 00:10:00 GMT"}), 600),
        (Reply(500, {"retry-after": "99999999"}), 86_400),
    ],
)
async def test_who_asks_for_time_gets_nothing_meanwhile(house: House, reply: Reply, seconds: int) -> None:
    house.sink.reply = lambda _: reply
    await house.webhook(events=["task.created"])
    await house.task("First")
    first = await house.settled()
    assert first.next_at == house.clock.now + seconds * 1000
    house.sink.reply = lambda _: Reply(200)
    await house.task("Second")
    await house.until(lambda rows: len(rows) == 2)
    await house.pass_time(seconds * 1000 - 1)
    assert len(house.sink.received) == 1
    await house.pass_time(1)
    await house.until(lambda rows: all(row.status == "delivered" for row in rows))


async def test_slow_webhook_holds_no_other_and_gets_a_few_at_once(house: House, other_sink: Sink) -> None:
    house.sink.reply = lambda _: Reply(stall=True)
    await house.webhook("slow", events=["task.created"])
    await house.webhook("quick", url=other_sink.url, events=["task.created"])
    for number in range(40):
        await house.task(f"Load {number}")
    await asyncio.to_thread(other_sink.wait, 40)
    assert len(house.sink.received) == 4
    house.sink.released.set()
    await house.received(40)


async def test_paused_webhook_is_told_later(house: House) -> None:
    await house.webhook(events=["task.created"])
    await house.webhooks.pause("ops", WebhookHold(reason="maintenance", by="ann"))
    await house.task()
    await house.until(lambda rows: len(rows) == 1)
    assert house.sink.received == []
    await house.webhooks.resume("ops", WebhookHold())
    await house.received(1)


async def test_both_secrets_sign_until_the_old_one_is_over(house: House) -> None:
    old = (await house.webhook(events=["task.created"])).secret
    new = (await house.webhooks.rotate("ops", RotateRequest(overlap_ms=3_600_000))).secret
    await house.task()
    (both,) = await house.received(1)
    assert (verified(old, both), verified(new, both)) == (True, True)
    assert both.headers["webhook-signature"].split(" ")[0] != both.headers["webhook-signature"].split(" ")[1]
    await house.pass_time(3_600_000)
    await house.task()
    only_new = (await house.received(2))[1]
    assert (verified(old, only_new), verified(new, only_new)) == (False, True)


async def test_receivers_library_accepts_a_delivery(make_house: MakeHouse, clock: Any, sink: Sink) -> None:
    clock.now = time.time_ns() // 1_000_000  # the library compares with the machine's clock
    house: House = await make_house()
    secret = (await house.webhook(events=["task.created"])).secret
    await house.task()
    (request,) = await house.received(1)
    assert Receiver(secret).verify(request.body, request.headers)["type"] == "task.created"
    with pytest.raises(WebhookVerificationError):
        Receiver(secret).verify(request.body.replace(b"Load", b"Lead"), request.headers)


async def test_replay_sends_the_same_once_more(house: House) -> None:
    await house.webhook(events=["task.created"])
    await house.task()
    row = await house.settled()
    await house.webhooks.replay("ops", row.id)
    first, second = await house.received(2)
    assert (first.id, first.body) == (second.id, second.body)
    assert (await house.settled(2)).status == "delivered"


async def test_replay_of_what_failed_makes_all_of_it_again(house: House) -> None:
    house.sink.reply = lambda _: Reply(410)
    await house.webhook(events=["task.created"])
    for name in ("a", "b", "c"):
        await house.task(name)
    await house.until(lambda rows: len(rows) == 3 and any(row.status == "failed" for row in rows))
    house.sink.reply = lambda _: Reply(200)
    await house.webhooks.resume("ops", WebhookHold())
    await house.until(lambda rows: all(row.status != "waiting" for row in rows))
    failed = sum(row.status == "failed" for row in await house.deliveries())
    answer = await house.webhooks.replay_failed("ops", ReplayRequest(since=datetime(2026, 1, 1, tzinfo=UTC)))
    assert answer.replayed == failed
    await house.until(lambda rows: all(row.status == "delivered" for row in rows))


@pytest.mark.parametrize(("reply", "status"), [(Reply(200), "delivered"), (Reply(500), "failed")])
async def test_test_is_one_try_whose_outcome_is_told(house: House, reply: Reply, status: str) -> None:
    house.sink.reply = lambda _: reply
    await house.webhook(events=["run.failed"], paused=True)
    told = await house.webhooks.test("ops")
    assert (told.delivery.type, told.delivery.status) == ("webhook.test", status)
    assert [one.status for one in told.tries] == [reply.status]
    assert house.sink.received[0].event["data"]["webhook"] == "ops"
    assert (await house.row()).failing_since is None


async def test_message_for_slack_has_text_and_blocks_and_no_way_to_mention(house: House) -> None:
    await house.webhook(events=["task.created"], format="slack")
    task_id = await house.task("<!channel> & co", agent="amy")
    (request,) = await house.received(1)
    told = json.loads(request.body)
    link = f"<http://viewer.example/tasks/{task_id}|Open in Milepost>"
    assert told["text"] == f"task created: &lt;!channel&gt; &amp; co {link}"
    assert [block["type"] for block in told["blocks"]] == ["header", "section", "context"]
    assert "*agent*\namy" in [field["text"] for field in told["blocks"][1]["fields"]]


async def test_old_deliveries_are_forgotten(make_house: MakeHouse) -> None:
    house: House = await make_house(retention_days=1)
    await house.webhook(events=["task.created"])
    await house.task()
    await house.settled()
    house.clock.advance(DAY_MS + 1)
    await house.controller.write(lambda _, tx: upkeep.prune(tx, DAY_MS))
    assert await house.deliveries() == []
    assert await house.tries() == []
