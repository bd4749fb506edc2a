"""What time does: the engine's tick, run when something falls due and at least every second."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

from milepost_collector.errors import StorageUnavailableError

logger = logging.getLogger("milepost.controller")

MAX_PAUSE_S = 1.0  # also found: what another collector or a changed clock made due
MAX_BACK_OFF_S = 5.0
OVERDUE_PAUSE_S = 0.02
UNAVAILABLE_PAUSE_S = 0.5


class Tick(NamedTuple):
    """What a tick found. more: there is more to do at once. now: the store's clock; next_due: when something falls due;
    both in milliseconds since the Unix epoch."""

    more: bool
    now: int
    next_due: int | None


class Timer:
    """Runs `tick` for ever, each time it is due. Belongs to one event loop."""

    def __init__(self, tick: Callable[[], Awaitable[Tick]], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._tick = tick
        self._monotonic = monotonic
        self._behind_s = 0.0  # the store's clock less the monotonic one
        self._due_at: int | None = None
        self._sooner = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start ticking."""
        self._task = asyncio.create_task(self._run(), name="milepost-controller-timer")

    async def stop(self) -> None:
        """Stop ticking. Safe to call twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def fall_due(self, at: int) -> None:
        """Tick at this instant of the store's clock too."""
        if self._due_at is None or at < self._due_at:
            self._due_at = at
            self._sooner.set()

    async def _run(self) -> None:
        failures = 0
        while True:
            self._due_at = None  # whatever is due now, this tick sees
            try:
                found = await self._tick()
            except (
                StorageUnavailableError
            ):  # whoever writes says so; once it is back, leases that are over wait for this
                await asyncio.sleep(UNAVAILABLE_PAUSE_S)
                continue
            except Exception:  # time goes on, whatever happens
                failures += 1
                pause_s = min(0.1 * 2 ** min(failures, 10), MAX_BACK_OFF_S)
                logger.exception("the controller's tick failed %d times running, next in %.1f s", failures, pause_s)
                await asyncio.sleep(pause_s)
                continue
            failures = 0
            self._behind_s = found.now / 1000 - self._monotonic()
            if not found.more:
                await self._pause(found)

    async def _pause(self, found: Tick) -> None:
        """Wait until something is due, which `fall_due` may bring forward."""
        begin = self._monotonic()
        soonest_s = 0.0
        if found.next_due is not None:
            self.fall_due(found.next_due)
            if found.next_due <= found.now:  # the tick left it: asking again at once would be asking for ever
                soonest_s = OVERDUE_PAUSE_S
        while True:
            pause_s = min(max(self._due_in_monotonic() - begin, soonest_s), MAX_PAUSE_S)
            left_s = begin + pause_s - self._monotonic()
            if left_s <= 0:
                return
            self._sooner.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._sooner.wait()

    def _due_in_monotonic(self) -> float:
        return float("inf") if self._due_at is None else self._due_at / 1000 - self._behind_s
