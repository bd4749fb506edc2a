"""Telling a recorder everything that the controller's store commits, once each and in order.

The store is the outbox: transitions and instants stay in it, and the recorder keeps the position up to which it has
them in the same transaction as the records. So nothing is lost or told twice, wherever either side is killed.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from milepost.errors import MilepostError
from milepost_collector.controller.facts import Place, changes_after, confirmed
from milepost_collector.controller.recorder import Recorder
from milepost_collector.controller.store.interface import Tx

logger = logging.getLogger("milepost.controller")

T = TypeVar("T")

LOOK_AGAIN_S = 1.0  # without being woken: what other collectors commit to the same store is told nobody
# Between records there is a break, so that what happens together is recorded together: a record costs DuckDB about the
# same with one transition as with a hundred. It is four times as long as the record took, so that recording takes a
# fifth of a thread at most, and not so long that live viewers of a busy queue mind.
BREAK_OF_RECORDING = 4
SHORTEST_BREAK_S = 0.02
LONGEST_BREAK_S = 0.4
RETRY_S = 0.5  # after a failure, doubled with each up to
LONGEST_RETRY_S = 15.0
LAST_S = 3.0  # for catching up when it is stopped; the rest is told after the next start


class Read(Protocol):
    """Answers questions from snapshots of the store: `Controller.read`."""

    def __call__(self, question: Callable[[Tx], T], /) -> Awaitable[T]:
        """Return what the question finds."""
        ...


class Follower:
    """Follows the store and tells a recorder. Belongs to one event loop."""

    def __init__(self, read: Read, recorder: Recorder) -> None:
        self._read = read
        self._recorder = recorder
        self._position: str | None = None
        self._place: Place | None = None  # None: to be asked for
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._until_s = math.inf
        self._task: asyncio.Task[None] | None = None
        self.failures = 0  # passes in a row that failed; 0: all is well
        self.is_level = False  # the last pass told everything there was

    def start(self) -> None:
        """Begin to follow, with what was committed before."""
        self._changed.set()
        self._task = asyncio.get_running_loop().create_task(self._run())

    def wake(self) -> None:
        """Look at once: something was committed. Event loop only."""
        self._changed.set()

    async def stop(self) -> None:
        """Tell what is committed by now, if the recorder takes it, then stop. Safe to call twice."""
        self._until_s = self._now_s() + LAST_S
        self._stopping.set()
        self._changed.set()
        if self._task is not None:
            await asyncio.gather(self._task)
            self._task = None

    async def _run(self) -> None:
        while not self._stopping.is_set():
            await self._until(self._changed, LOOK_AGAIN_S)
            began_s = self._now_s()
            await self._attempt()
            await self._until(self._stopping, self._break_s(self._now_s() - began_s))
        await self._attempt()

    async def _attempt(self) -> None:
        """Tell everything there is; after a failure the next call goes on where the record then stands."""
        self._changed.clear()  # before looking: what is committed from here on wakes it again
        try:
            while await self._tell() and self._now_s() < self._until_s:
                pass
        except MilepostError as error:
            self._fall_behind()
            if self.failures == 1:
                logger.warning("the record of tasks falls behind, will be caught up with: %s", error)
        except Exception:  # following must outlive a defect
            self._fall_behind()
            logger.exception("the record of tasks falls behind, will be tried again")
        else:
            if self.failures:
                logger.info("the record of tasks is complete again")
            self.failures = 0
            self.is_level = True

    def _fall_behind(self) -> None:
        self.failures += 1
        self.is_level = False
        self._place = None  # whether it was recorded is not known

    async def _tell(self) -> bool:
        """Tell the next stretch; return whether there may be more."""
        if self._place is None:
            self._position = await self._recorder.position()
            recorded = Place.read(self._position)
            self._place = await self._read(lambda tx: confirmed(tx, recorded))
        place, position = self._place, self._position
        changes, reached, more = await self._read(lambda tx: changes_after(tx, place, position))
        if not (changes.transitions or changes.instants or changes.deliverables or changes.asks):
            return False
        self._position = await self._recorder.record(changes)
        self._place = reached if self._position == changes.position else None
        return more or self._place is None

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def _break_s(self, took_s: float) -> float:
        if self.failures:
            return float(min(RETRY_S * 2 ** min(self.failures - 1, 10), LONGEST_RETRY_S))
        return min(max(took_s * BREAK_OF_RECORDING, SHORTEST_BREAK_S), LONGEST_BREAK_S)

    async def _until(self, event: asyncio.Event, timeout_s: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), timeout_s)
