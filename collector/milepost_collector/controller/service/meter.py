"""The meter: what runs under budgets use is told to the controller as soon as it is recorded.

Totals are absolute, so nothing is lost or counted twice wherever the collector stops: after a start, every run that
draws on a budget is looked at anew. One that has ended is watched for a day more, since spans may come late and counts
be corrected.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Protocol

from milepost.errors import MilepostError
from milepost_collector.controller.rows import BudgetRunRow
from milepost_collector.controller.service.controller import Controller
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.protocol.totals import RunTotals

logger = logging.getLogger("milepost.controller")

LATE_MS = 86_400_000  # so long after its end a run is watched
REFRESH_S = 5.0  # what other collectors on the same store have begun
AT_ONCE = 200  # runs in one question and one transaction
MOST_WATCHED = 50_000
# Between questions there is a break of so many times what the last took, so that metering costs a fifth of a thread at
# most, and long enough for what is committed together to be told together.
BREAK_OF_METERING = 4
SHORTEST_BREAK_S = 0.02
LONGEST_BREAK_S = 0.4
RETRY_S = 1.0


class Spends(Protocol):
    """Knows what runs have used."""

    async def totals(self, run_ids: Collection[str]) -> list[RunTotals]:
        """Return what these runs used, all in all; those of which nothing is recorded are left out.

        Raises:
            MilepostError: it cannot be told now.
        """
        ...


class Meter:
    """Belongs to one event loop. watched: the runs that draw on budgets; may be read from any thread."""

    def __init__(self, controller: Controller, spending: Spends) -> None:
        self._controller = controller
        self._spending = spending
        self.watched: set[str] = set()
        self._begun: set[str] = set()  # since the watched runs were read last
        self._due: dict[str, None] = {}  # in order of arrival
        self._changed = asyncio.Event()
        self._refresh_at_s = 0.0
        self._failed = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._controller.on_metered(self.watch)
        self._task = asyncio.get_running_loop().create_task(self._run(), name="milepost-meter")

    async def stop(self) -> None:
        """Stop. Safe to call twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def watch(self, run_ids: Iterable[str]) -> None:
        """Watch runs that have begun to draw on budgets."""
        ids = set(run_ids)
        self._begun |= ids
        self.watched |= ids
        self.note(ids)

    def note(self, run_ids: Iterable[str]) -> None:
        """Take note that something of these runs has been recorded."""
        self._due.update(dict.fromkeys(run_ids))
        self._changed.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), max(self._refresh_at_s - loop.time(), 0.01))
            self._changed.clear()
            began_s = loop.time()
            try:
                await self._meter()
            except MilepostError as error:
                self._tell(error)
                await asyncio.sleep(RETRY_S)
                continue
            except Exception:  # metering must outlive a defect
                logger.exception("usage under budgets could not be counted, will be tried again")
                await asyncio.sleep(RETRY_S)
                continue
            self._failed = False
            took_s = loop.time() - began_s
            await asyncio.sleep(min(max(took_s * BREAK_OF_METERING, SHORTEST_BREAK_S), LONGEST_BREAK_S))

    async def _meter(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._refresh_at_s:
            await self._refresh()
            self._refresh_at_s = now_s + REFRESH_S
        due = list(self._due)[:AT_ONCE]
        if not due:
            return
        for run_id in due:  # what is noted from here on is looked at again
            del self._due[run_id]
        try:
            await self._count(due)
        except BaseException:
            self.note(due)
            raise
        if self._due:
            self._changed.set()

    async def _count(self, run_ids: list[str]) -> None:
        as_of = await self._controller.read(lambda tx: tx.now)
        totals = await self._spending.totals(run_ids)
        is_used_up = await self._controller.write(lambda engine, tx: engine.charge(tx, totals, run_ids, as_of))
        if is_used_up:
            await self._controller.write(lambda engine, tx: engine.enforce_budgets(tx))

    async def _refresh(self) -> None:
        """Read which runs are to be watched; those that begin meanwhile are told by `watch`."""
        self._begun = set()
        known = await self._controller.read(_watched) | self._begun
        self.note(known - self.watched)
        self.watched = known

    def _tell(self, error: MilepostError) -> None:
        if not self._failed:
            logger.warning("usage under budgets cannot be counted now, will be tried again: %s", error)
        self._failed = True
        self._changed.set()


def _watched(tx: Tx) -> set[str]:
    running = tx.find(BudgetRunRow, Find(equal={"ended_at": None}, limit=MOST_WATCHED))
    late = Find(since={"ended_at": tx.now - LATE_MS}, order=("ended_at", "run_id"), descending=True, limit=MOST_WATCHED)
    return {row.run_id for row in (*running, *tx.find(BudgetRunRow, late))}
