"""The live feed: after commits, in deltas, resumable, and honest about gaps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from milepost.wire import Batch, Event, SpanEnded, SpanStarted, WireEvent
from milepost_collector.config import CollectorConfig
from milepost_collector.storage import Database
from milepost_collector.traces.feed import LiveFeed, LiveMessage
from milepost_collector.traces.ingest import Ingest

RUN = "a" * 32
TIMEOUT_S = 10


class Watcher:
    """A subscription and what it received."""

    def __init__(self, feed: LiveFeed, **wants: Any) -> None:
        self._messages = feed.subscribe(**{"runs": False, "run_id": None, "last_event_id": None, **wants})
        self.last_id: str | None = None

    async def next(self) -> LiveMessage:
        """Return the next message; fail when none comes."""
        message = await asyncio.wait_for(anext(self._messages), TIMEOUT_S)
        self.last_id = message.id
        return message

    async def until(self, event: str) -> dict[str, Any]:
        """Skip to a message of this kind and return its data."""
        while (message := await self.next()).event != event:
            pass
        data: dict[str, Any] = msgspec.json.decode(message.data)
        return data

    async def close(self) -> None:
        """End the subscription."""
        await self._messages.aclose()  # type: ignore[attr-defined]


@pytest.fixture
async def ingest(tmp_path: Path) -> AsyncIterator[Ingest]:
    config = CollectorConfig(data_dir=tmp_path)
    database = Database(config.database_path, memory_limit_bytes=512 * 1024 * 1024)
    made = Ingest(database, config)
    made.start()
    yield made
    await made.stop()
    database.close()


async def send(ingest: Ingest, sequence: int, *events: WireEvent) -> None:
    body = msgspec.msgpack.encode(Batch(producer_id="p", sequence=sequence, events=list(events)))
    await ingest.submit(body, "application/msgpack")


def start(number: int = 1, start_time: int = 10) -> SpanStarted:
    return SpanStarted(run_id=RUN, span_id=f"{number:016x}", name="work", start_time=start_time, kind="agent")


def end(number: int = 1, run_id: str = RUN) -> SpanEnded:
    return SpanEnded(run_id=run_id, span_id=f"{number:016x}", name="work", start_time=10, end_time=30, kind="agent")


async def test_span_is_told_when_it_starts_and_when_it_ends(ingest: Ingest) -> None:
    watcher = Watcher(ingest.feed, run_id=RUN)
    assert (await watcher.next()).event == "hello"
    await send(ingest, 0, start())
    begun = await watcher.until("spans")
    assert [(span["span_id"], span["status"], span.get("end_ns")) for span in begun["spans"]] == [
        ("0000000000000001", "running", None)
    ]
    await send(ingest, 1, end())
    done = await watcher.until("spans")
    assert [(span["status"], span["start_ns"], span["end_ns"]) for span in done["spans"]] == [("completed", 0, 20)]
    await watcher.close()


async def test_events_come_with_their_bodies(ingest: Ingest) -> None:
    watcher = Watcher(ingest.feed, run_id=RUN)
    await watcher.next()
    await send(ingest, 0, Event(run_id=RUN, time=5, kind="checkpoint", name="page", body={"page": 12}))
    told = await watcher.until("events")
    assert told["events"] == [
        {"time": "1970-01-01T00:00:00.000000005Z", "kind": "checkpoint", "name": "page", "body": {"page": 12}}
    ]
    await watcher.close()


async def test_run_list_is_told_whole_summaries(ingest: Ingest) -> None:
    watcher = Watcher(ingest.feed, runs=True)
    await watcher.next()
    await send(ingest, 0, start())
    (run,) = (await watcher.until("runs"))["runs"]
    assert (run["run_id"], run["status"], run["live_span_count"]) == (RUN, "running", 1)
    await send(ingest, 1, end())
    (run,) = (await watcher.until("runs"))["runs"]
    assert (run["status"], run["span_count"], run["live_span_count"]) == ("completed", 1, 0)
    await watcher.close()


async def test_other_runs_are_not_told(ingest: Ingest) -> None:
    watcher = Watcher(ingest.feed, run_id=RUN)
    await watcher.next()
    await send(ingest, 0, end(1, run_id="b" * 32))
    await send(ingest, 1, end(2))
    told = await watcher.until("spans")
    assert [span["span_id"] for span in told["spans"]] == ["0000000000000002"]
    await watcher.close()


async def test_returning_viewer_gets_what_it_missed(ingest: Ingest) -> None:
    watcher = Watcher(ingest.feed, run_id=RUN)
    await watcher.next()
    await send(ingest, 0, end(1))
    await watcher.until("spans")
    await watcher.close()
    await send(ingest, 1, end(2))
    again = Watcher(ingest.feed, run_id=RUN, last_event_id=watcher.last_id)
    assert (await again.next()).event == "hello"
    told = await again.until("spans")
    assert [span["span_id"] for span in told["spans"]] == ["0000000000000002"]
    await again.close()


@pytest.mark.parametrize("last_event_id", ["other-1", "nonsense", "", "-"])
async def test_viewer_from_another_time_is_told_to_fetch_anew(ingest: Ingest, last_event_id: str) -> None:
    watcher = Watcher(ingest.feed, run_id=RUN, last_event_id=last_event_id)
    assert [(await watcher.next()).event, (await watcher.next()).event] == ["hello", "reset"]
    await watcher.close()


async def test_viewer_that_now_follows_another_run_is_told_to_fetch_anew(ingest: Ingest) -> None:
    watcher = Watcher(ingest.feed, run_id="b" * 32)
    await watcher.next()
    other = Watcher(ingest.feed, run_id=RUN, last_event_id=watcher.last_id)
    assert [(await other.next()).event, (await other.next()).event] == ["hello", "reset"]
    await watcher.close()
    await other.close()


async def test_stop_ends_subscriptions(ingest: Ingest) -> None:
    watcher = Watcher(ingest.feed, runs=True)
    await watcher.next()
    waiting = asyncio.ensure_future(watcher.next())
    await asyncio.sleep(0)
    await ingest.stop()
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(waiting, TIMEOUT_S)


async def test_viewer_cut_off_inside_a_tick_gets_all_of_it_again(ingest: Ingest) -> None:
    watcher = Watcher(ingest.feed, run_id=RUN)
    await watcher.next()
    await send(ingest, 0, end(1), Event(run_id=RUN, time=5, kind="checkpoint", name="page", body={"page": 12}))
    assert (await watcher.next()).event == "spans"
    await watcher.close()  # before the tick's events
    again = Watcher(ingest.feed, run_id=RUN, last_event_id=watcher.last_id)
    assert msgspec.json.decode((await again.next()).data)["behind"] == 2
    assert [(await again.next()).event, (await again.next()).event] == ["spans", "events"]
    await again.close()


async def test_viewer_is_told_to_fetch_anew_when_its_run_was_not_followed_for_a_while(ingest: Ingest) -> None:
    other = Watcher(ingest.feed, runs=True)
    early = (await other.next()).id
    await send(ingest, 0, end(1, run_id="b" * 32))
    await other.until("runs")
    first = Watcher(ingest.feed, run_id=RUN)  # from here on ticks tell about the run, but not before
    await first.next()
    late = Watcher(ingest.feed, run_id=RUN, last_event_id=early)
    assert [(await late.next()).event, (await late.next()).event] == ["hello", "reset"]
    for watcher in (other, first, late):
        await watcher.close()


async def test_viewer_that_does_not_follow_is_told_what_it_missed(ingest: Ingest) -> None:
    watcher = Watcher(ingest.feed, run_id=RUN, follow=False)
    await watcher.next()
    with pytest.raises(StopAsyncIteration):
        await watcher.next()
    live = Watcher(ingest.feed, run_id=RUN)
    await live.next()
    await send(ingest, 0, end(1))
    await live.until("spans")
    again = Watcher(ingest.feed, run_id=RUN, last_event_id=watcher.last_id, follow=False)
    assert [(await again.next()).event, (await again.next()).event] == ["hello", "spans"]
    with pytest.raises(StopAsyncIteration):
        await again.next()
    await live.close()


async def test_following_from_a_position_tells_all_that_was_committed_after_it(ingest: Ingest) -> None:
    await send(ingest, 0, start(1))
    position = ingest.feed.position(runs=True, run_id=RUN)
    beside = Watcher(ingest.feed, run_id=RUN)
    await beside.next()
    await send(ingest, 1, start(2))
    await beside.until("spans")  # a tick has gone by
    await beside.close()
    await send(ingest, 2, start(3))
    watcher = Watcher(ingest.feed, runs=True, run_id=RUN, last_event_id=position)
    told: set[str] = set()
    later = {f"{2:016x}", f"{3:016x}"}
    while not later <= told:
        message = await watcher.next()
        assert message.event != "reset"
        if message.event == "spans":
            told |= {span["span_id"] for span in msgspec.json.decode(message.data)["spans"]}
    assert told <= later | {f"{1:016x}"}  # what was committed last before it may be told again
    await watcher.close()


async def test_position_serves_only_what_it_was_asked_for(ingest: Ingest) -> None:
    watcher = Watcher(ingest.feed, run_id=RUN, last_event_id=ingest.feed.position(runs=True, run_id=None))
    assert [(await watcher.next()).event for _ in range(2)] == ["hello", "reset"]
    await watcher.close()


async def test_later_position_does_not_shorten_what_is_recorded(ingest: Ingest) -> None:
    first = ingest.feed.position(runs=False, run_id=RUN)
    await send(ingest, 0, start(1))
    watcher = Watcher(ingest.feed, run_id=RUN, last_event_id=ingest.feed.position(runs=False, run_id=RUN))
    await watcher.next()
    await send(ingest, 1, start(2))
    await watcher.until("spans")
    await watcher.close()
    returning = Watcher(ingest.feed, run_id=RUN, last_event_id=first)
    assert [(await returning.next()).event for _ in range(2)] == ["hello", "spans"]
    await returning.close()
