"""When bodies have to wait for each other, a process helps, and only then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from milepost_collector.protocol.pricing import BUNDLED
from milepost_collector.traces.helper import Request
from milepost_collector.traces.reading import READ_IN_THREAD_BYTES, Reading

CORPUS = Path(__file__).parents[2] / "corpus"
LARGE = (CORPUS / "oi_langgraph.01.binpb").read_bytes()
LARGE *= READ_IN_THREAD_BYTES // len(LARGE) + 1


def large(number: int) -> Request:
    return Request("traces", "application/x-protobuf", number, LARGE)


def run(story: Callable[[Reading], Awaitable[None]], *, crowded: int, idle_s: float) -> None:
    async def told() -> None:
        reading = Reading(BUNDLED, crowded=crowded, idle_s=idle_s)
        reading.helper.is_usable = True  # on one processor, too
        try:
            await story(reading)
        finally:
            await reading.stop()
        assert reading.helper.process_id is None

    asyncio.run(told())


def test_crowd_gets_help_until_nothing_happens(caplog: pytest.LogCaptureFixture) -> None:
    async def story(reading: Reading) -> None:
        for time in range(2):
            batches = await asyncio.gather(*(reading.otlp(large(number)) for number in range(4)))
            assert len({len(batch.spans) for batch in batches}) == 1
            assert reading.tending is not None
            await reading.tending
            assert caplog.text.count("helps to read") == time + 1
            assert reading.helper.process_id is None

    with caplog.at_level("INFO", "milepost.ingest"):
        run(story, crowded=2, idle_s=0.05)


def test_help_is_asked_for_what_comes_after_it_is_there() -> None:
    async def story(reading: Reading) -> None:
        alone = await reading.otlp(large(1))
        reading.helper.start()
        helped = await asyncio.gather(*(reading.otlp(large(1)) for _ in range(4)))
        assert [batch.spans for batch in helped] == [alone.spans] * 4
        assert reading.helper.process_id is not None

    run(story, crowded=100, idle_s=60)


def test_bodies_one_after_the_other_need_no_help() -> None:
    async def story(reading: Reading) -> None:
        for number in range(3):
            await reading.otlp(large(number))
        assert reading.tending is None

    run(story, crowded=1, idle_s=60)
