"""Forwarding as a destination sees it: everything arrives, in order, whatever happens in between."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from milepost_collector.errors import StorageError
from milepost_collector.forwarding import Forwarding, parse_destinations
from milepost_collector.forwarding.records import PROTOBUF
from tests.collector.forwarding.backend import Backend, ManualTime, until
from tests.collector.forwarding.conftest import StartForwarding

JSON = "application/json"
KIB = 1024


async def send(forwarding: Forwarding, *bodies: bytes, signal: str = "traces", content_type: str = JSON) -> None:
    for body in bodies:
        await forwarding.enqueue(signal, content_type, body)


async def test_body_arrives_as_it_was_received(backend: Backend, start_forwarding: StartForwarding):
    forwarding = await start_forwarding(backend.url + "/base/", headers=("X-Key=k%201",))
    await send(forwarding, b'{"resourceSpans":[]}')
    await until(lambda: len(backend.taken) == 1)
    [received] = backend.received
    assert (received.path, received.content) == ("/base/v1/traces", b'{"resourceSpans":[]}')
    assert received.headers["content-type"] == JSON
    assert received.headers["x-key"] == "k 1"
    assert received.headers["user-agent"].startswith("milepost/")


@pytest.mark.parametrize("signal", ["traces", "logs", "metrics"])
async def test_every_signal_goes_to_its_path(backend: Backend, start_forwarding: StartForwarding, signal: str):
    await send(await start_forwarding(backend.url), b"x" * 2 * KIB, signal=signal, content_type=PROTOBUF)
    await until(lambda: len(backend.taken) == 1)
    [received] = backend.received
    assert (received.path, received.content) == (f"/v1/{signal}", b"x" * 2 * KIB)
    assert (received.headers["content-type"], received.headers["content-encoding"]) == (PROTOBUF, "gzip")
    assert int(received.headers["content-length"]) < 200


async def test_every_destination_gets_everything_at_its_own_pace(
    make_backend: Callable[[], Backend], start_forwarding: StartForwarding
):
    quick, down = make_backend(), make_backend()
    down.stop()
    forwarding = await start_forwarding(quick.url, down.url)
    await send(forwarding, b"1", b"2")
    await until(lambda: quick.taken == [b"1", b"2"])
    await until(lambda: [one.queued_bodies for one in forwarding.stats()] == [0, 2])


async def test_destination_that_comes_back_gets_what_waited_in_order(
    backend: Backend, start_forwarding: StartForwarding, time: ManualTime
):
    backend.stop()
    forwarding = await start_forwarding(backend.url)
    await send(forwarding, *(b"%d" % number for number in range(5)))
    await until(lambda: len(time.waits) == 1)
    backend.start()
    time.advance(60)
    await until(lambda: len(backend.taken) == 5)
    assert backend.taken == [b"0", b"1", b"2", b"3", b"4"]


async def test_waits_grow_and_retry_after_is_kept(
    backend: Backend, start_forwarding: StartForwarding, time: ManualTime
):
    backend.answers += [(503, {}), (429, {"retry-after": "17"}), (502, {}), (504, {})]
    await send(await start_forwarding(backend.url), b"1")
    for waits in range(1, 5):
        await until(lambda waits=waits: len(time.waits) == waits)
        time.advance(30)
    await until(lambda: backend.taken == [b"1"])
    assert time.waits == [0.25, 17.0, 1.0, 2.0]


async def test_nothing_is_sent_before_the_wait_is_over(
    backend: Backend, start_forwarding: StartForwarding, time: ManualTime
):
    backend.answers.append((503, {"retry-after": "30"}))
    forwarding = await start_forwarding(backend.url)
    await send(forwarding, b"1")
    await until(lambda: len(time.waits) == 1)
    time.advance(29)
    await send(forwarding, b"2")
    assert len(backend.received) == 1
    time.advance(2)
    await until(lambda: backend.taken == [b"1", b"2"])


async def test_refused_body_is_dropped_counted_and_logged_once_a_minute(
    backend: Backend, start_forwarding: StartForwarding, time: ManualTime, caplog: pytest.LogCaptureFixture
):
    backend.answers += [(400, {}), (401, {}), (403, {})]
    forwarding = await start_forwarding(backend.url, headers=("authorization=Bearer secret",))
    await send(forwarding, b"1", b"2")
    await until(lambda: forwarding.stats()[0].queued_bodies == 0)
    time.advance(61)
    await send(forwarding, b"3", b"4")
    await until(lambda: backend.taken == [b"4"] and forwarding.stats()[0].queued_bodies == 0)
    assert (forwarding.stats()[0].dropped_refused, forwarding.stats()[0].sent) == (3, 1)
    assert ["answered 400" in line or "answered 403" in line for line in caplog.messages] == [True, True]
    assert "secret" not in caplog.text


async def test_small_protobuf_bodies_are_joined_into_one_request(
    backend: Backend, start_forwarding: StartForwarding, time: ManualTime
):
    backend.answers.append((503, {}))
    forwarding = await start_forwarding(backend.url)
    await send(forwarding, b"held", content_type=PROTOBUF)
    await until(lambda: len(time.waits) == 1)
    await send(forwarding, b"1", b"2", b"3", content_type=PROTOBUF)
    await send(forwarding, b"log", signal="logs", content_type=PROTOBUF)
    await send(forwarding, b"4", content_type=PROTOBUF)
    await forwarding.enqueue("traces", PROTOBUF, b"other way", via="0123456789abcdef")
    time.advance(1)
    await until(lambda: len(backend.taken) == 5)
    assert backend.taken == [b"held", b"123", b"log", b"4", b"other way"]


async def test_one_refused_body_does_not_cost_those_it_was_joined_with(
    backend: Backend, start_forwarding: StartForwarding, time: ManualTime
):
    backend.answers += [(503, {}), (200, {}), (400, {}), (200, {}), (400, {})]
    forwarding = await start_forwarding(backend.url)
    await send(forwarding, b"held", content_type=PROTOBUF)
    await until(lambda: len(time.waits) == 1)
    await send(forwarding, b"1", b"bad", b"3", content_type=PROTOBUF)
    time.advance(1)
    await until(lambda: len(backend.taken) == 3)
    assert backend.taken == [b"held", b"1", b"3"]
    assert [received.content for received in backend.received[2:]] == [b"1bad3", b"1", b"bad", b"3"]
    assert forwarding.stats()[0].dropped_refused == 1


async def test_restart_resumes_where_it_was(backend: Backend, start_forwarding: StartForwarding, time: ManualTime):
    backend.answers.append((200, {}))
    backend.answers += [(503, {})] * 2
    first = await start_forwarding(backend.url)
    await send(first, b"1", b"2")
    await until(lambda: len(time.waits) == 1)
    await first.stop()
    await start_forwarding(backend.url)
    await until(lambda: len(time.waits) == 2)
    time.advance(1)
    await until(lambda: len(backend.taken) == 2)
    assert backend.taken == [b"1", b"2"]


async def test_stop_sends_what_waits_to_a_destination_that_answers(backend: Backend, start_forwarding: StartForwarding):
    forwarding = await start_forwarding(backend.url)
    await send(forwarding, *(b"%d" % number for number in range(50)))
    await forwarding.stop()
    assert len(backend.taken) == 50


async def test_stop_waits_no_longer_than_its_deadline(backend: Backend, start_forwarding: StartForwarding):
    backend.held = threading.Event()
    forwarding = await start_forwarding(backend.url)
    await send(forwarding, b"1", b"2")
    await until(lambda: len(backend.received) == 1)
    await asyncio.wait_for(forwarding.stop(deadline_s=0.05), timeout=10)
    backend.held.set()
    await start_forwarding(backend.url)
    await until(lambda: backend.taken[-1:] == [b"2"])


async def test_full_queue_drops_the_oldest_and_says_so(
    backend: Backend, start_forwarding: StartForwarding, time: ManualTime, caplog: pytest.LogCaptureFixture
):
    backend.stop()
    forwarding = await start_forwarding(backend.url, max_bytes=4 * KIB)
    bodies = [b"%03d" % number + b"." * 97 for number in range(200)]
    await send(forwarding, *bodies)
    [stats] = forwarding.stats()
    assert stats.queued_bytes <= 4 * KIB
    assert stats.dropped_full == pytest.approx(200 - stats.queued_bodies, abs=1)
    assert sum("queue is full" in line for line in caplog.messages) == 1
    backend.start()
    time.advance(60)
    await until(lambda: backend.taken[-1:] == bodies[-1:])
    assert backend.taken == [bodies[0], *bodies[200 - len(backend.taken) + 1 :]]


async def test_body_that_came_through_here_before_goes_no_further(
    make_backend: Callable[[], Backend], start_forwarding: StartForwarding, caplog: pytest.LogCaptureFixture
):
    backend = make_backend()
    forwarding = await start_forwarding(backend.url)
    await forwarding.enqueue("traces", JSON, b"circle", via=f"aaaaaaaaaaaaaaaa, {forwarding.own_id}")
    await forwarding.enqueue("traces", JSON, b"far", via=",".join(["aaaaaaaaaaaaaaaa"] * 9))
    await forwarding.enqueue("traces", JSON, b"one", via="aaaaaaaaaaaaaaaa, nonsense\r\n")
    await until(lambda: backend.taken == [b"one"])
    assert backend.received[0].headers["milepost-forwarded"] == f"aaaaaaaaaaaaaaaa,{forwarding.own_id}"
    assert "look for a circle" in caplog.text


async def test_collector_keeps_its_id_over_a_restart(backend: Backend, start_forwarding: StartForwarding):
    first = await start_forwarding(backend.url)
    second = await start_forwarding(backend.url)
    assert first.own_id == second.own_id != ""


async def test_disk_that_refuses_costs_the_body_and_not_its_sender(
    backend: Backend, start_forwarding: StartForwarding, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    forwarding = await start_forwarding(backend.url)
    [folder] = [path for path in (tmp_path / "data" / "forwarding").iterdir() if path.is_dir()]
    folder.rename(folder.with_name("gone"))
    await send(forwarding, b"lost")
    assert forwarding.stats()[0].dropped_unwritten == 1
    folder.with_name("gone").rename(folder)
    await send(forwarding, b"kept")
    await until(lambda: backend.taken == [b"kept"])
    assert "could not be queued" in caplog.text


async def test_queue_that_is_no_longer_sent_is_told(
    make_backend: Callable[[], Backend], start_forwarding: StartForwarding, caplog: pytest.LogCaptureFixture
):
    down, up = make_backend(), make_backend()
    down.stop()
    first = await start_forwarding(down.url)
    await send(first, b"1")
    await first.stop()
    with caplog.at_level(logging.WARNING):
        await start_forwarding(up.url)
    assert "a destination that is no longer set" in caplog.text


async def test_folder_that_cannot_be_made_stops_the_start(backend: Backend, tmp_path: Path, time: ManualTime):
    (tmp_path / "file").write_text("in the way")
    destinations = parse_destinations([backend.url], [])
    forwarding = Forwarding(tmp_path / "file", destinations, max_bytes=1000, timing=time.timing)
    with pytest.raises(StorageError, match="cannot be used"):
        await forwarding.start()


async def test_without_destinations_nothing_happens(tmp_path: Path):
    forwarding = Forwarding(tmp_path / "data", [], max_bytes=1000)
    await forwarding.start()
    await send(forwarding, b"1")
    await forwarding.stop()
    assert (forwarding.stats(), (tmp_path / "data").exists()) == ([], False)
