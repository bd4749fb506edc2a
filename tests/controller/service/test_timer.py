"""Ticks come when something is due, at least every second, and go on after failures."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time

import pytest

from milepost_collector.controller.service.timer import MAX_PAUSE_S, Tick, Timer
from milepost_collector.errors import StorageUnavailableError


class Clock:
    """Counts ticks and says what the next ones are to answer."""

    def __init__(self) -> None:
        self.ticks: asyncio.Queue[float] = asyncio.Queue()
        self.more = 0
        self.due_in_ms: int | None = None
        self.failures = 0
        self.error: Exception = OSError("the disk is away")

    async def tick(self) -> Tick:
        self.ticks.put_nowait(time.monotonic())
        if self.failures:
            self.failures -= 1
            raise self.error
        self.more -= 1
        now = time.time_ns() // 1_000_000
        due = None if self.due_in_ms is None else now + self.due_in_ms
        self.due_in_ms = None
        return Tick(more=self.more > 0, now=now, next_due=due)

    async def gaps(self, count: int) -> list[float]:
        """Return the seconds between the next ticks."""
        times = [await asyncio.wait_for(self.ticks.get(), 10) for _ in range(count + 1)]
        return [after - before for before, after in itertools.pairwise(times)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_what_is_due_is_ticked_for(clock: Clock) -> None:
    clock.due_in_ms = 60
    timer = Timer(clock.tick)
    timer.start()
    [gap] = await clock.gaps(1)
    assert 0.05 <= gap < MAX_PAUSE_S
    await timer.stop()


async def test_nothing_due_ticks_after_a_second(clock: Clock) -> None:
    timer = Timer(clock.tick)
    timer.start()
    [gap] = await clock.gaps(1)
    assert gap >= MAX_PAUSE_S - 0.05
    await timer.stop()


async def test_more_to_do_ticks_at_once(clock: Clock) -> None:
    clock.more = 20
    timer = Timer(clock.tick)
    timer.start()
    assert sum(await clock.gaps(19)) < MAX_PAUSE_S
    await timer.stop()


async def test_something_sooner_is_ticked_for(clock: Clock) -> None:
    timer = Timer(clock.tick)
    timer.start()
    await clock.ticks.get()
    begin = time.monotonic()
    timer.fall_due(time.time_ns() // 1_000_000)
    assert await asyncio.wait_for(clock.ticks.get(), 10) - begin < MAX_PAUSE_S
    await timer.stop()


async def test_instant_that_stays_overdue_does_not_spin(clock: Clock) -> None:
    clock.due_in_ms = -1_000
    timer = Timer(clock.tick)
    timer.start()
    [gap] = await clock.gaps(1)
    assert gap >= 0.015
    await timer.stop()


async def test_failing_ticks_are_logged_and_followed_by_others(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    clock.failures = 2
    timer = Timer(clock.tick)
    with caplog.at_level(logging.ERROR, logger="milepost.controller"):
        timer.start()
        first, second = await clock.gaps(2)
    assert first >= 0.19
    assert second >= 0.39
    assert "tick failed 2 times running" in caplog.text
    await timer.stop()
    await timer.stop()


async def test_store_that_is_away_is_asked_again_soon_and_quietly(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    clock.failures, clock.error = 3, StorageUnavailableError("the database", "it is away", "start it")
    timer = Timer(clock.tick)
    with caplog.at_level(logging.ERROR, logger="milepost.controller"):
        timer.start()
        assert max(await clock.gaps(3)) < MAX_PAUSE_S
    assert not caplog.records  # whoever writes tells it once
    await timer.stop()
