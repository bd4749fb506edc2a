"""One step of following: read the next stretch in a snapshot, and write what it comes to, if it comes to anything.

What comes to nothing is remembered here and written down now and then only: reading it again does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from milepost_collector.controller.rows import StartedRunRow
from milepost_collector.controller.service import Controller
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.traces.queries import QueryPool
from milepost_collector.traces.queries.run_ends import RunEnds, newest_commit, run_ends_after
from milepost_collector.webhooks.outbox import LOGS, NewId, position_of, read_logs, subscriptions, write
from milepost_collector.webhooks.registry import RunsNow
from milepost_collector.webhooks.runs import NOBODY, want_runs, want_starts, write_runs
from milepost_collector.webhooks.subscriptions import Subscription

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WRITE_AGAIN_S = 30.0
NOBODY_S = 1.0  # for so long it is taken for granted that nobody is to be told, whatever is committed


class _Seen(NamedTuple):
    """How far nothing was found after a position that is written down."""

    written: str | None
    reached: str


class LogTeller:
    """Tells what the controller's logs hold. made: is called when there are new deliveries."""

    def __init__(self, controller: Controller, new_id: NewId, made: Callable[[], None]) -> None:
        self._controller = controller
        self._new_id = new_id
        self._made = made
        self._seen = _Seen(None, "")
        self._written_s = 0.0
        self._nobody_until_s = 0.0
        self._looks = 0

    def look(self) -> None:
        """Note that there may be somebody to tell now."""
        self._nobody_until_s = 0.0
        self._looks += 1

    async def tell(self) -> bool:
        """Deal with the next stretch; return whether there may be more."""
        if asyncio.get_running_loop().time() < self._nobody_until_s:
            return False
        looks = self._looks
        position = await self._controller.read(lambda tx: position_of(tx, LOGS))
        if position is None:
            return self._nobody(looks)
        begin = self._seen.reached if self._seen.written == position else position
        stretch = await self._controller.read(lambda tx: read_logs(tx, begin, self._new_id))
        if stretch is None:
            return self._nobody(looks)
        if stretch.reached == begin:
            return False
        now_s = asyncio.get_running_loop().time()
        if not stretch.deliveries and now_s - self._written_s < WRITE_AGAIN_S:
            self._seen = _Seen(position, stretch.reached)
            return stretch.more
        self._written_s = now_s
        written = await self._controller.write(lambda _, tx: write(tx, LOGS, position, stretch))
        if stretch.deliveries:
            self._made()
        return stretch.more or not written

    def _nobody(self, looks: int) -> bool:
        if looks == self._looks:  # else somebody came while it was being found out
            self._nobody_until_s = asyncio.get_running_loop().time() + NOBODY_S
        return False


class RunTeller:
    """Tells which recorded runs began and ended. source: see `runs.source_of`; set before anything is told."""

    def __init__(self, controller: Controller, queries: QueryPool, new_id: NewId, made: Callable[[], None]) -> None:
        self._controller = controller
        self._queries = queries
        self._new_id = new_id
        self._made = made
        self._seen = _Seen(None, "")
        self.source = ""

    async def now(self) -> RunsNow:
        """Return how far runs have been recorded."""
        found = await self._find(None, with_running=True)
        return RunsNow(self.source, found.reached, [run.run_id for run in found.running])

    async def tell(self) -> bool:
        """Deal with the next stretch; return whether there may be more."""
        position, wanted = await self._controller.read(self._standing)
        if not want_runs(wanted):
            if position not in (None, NOBODY):
                await self._write(position, None)
            return False
        begin = self._seen.reached if position and self._seen.written == position else position
        found = await self._find(int(begin) if begin else None, with_running=want_starts(wanted))
        if position and not found.ended and not await self._has_news(found):
            self._seen = _Seen(position, str(found.reached))  # holds no end: whoever reads it again finds nothing
            return found.more
        written = await self._write(position, found)
        self._made()
        return found.more or not written

    def _standing(self, tx: Tx) -> tuple[str | None, list[Subscription]]:
        return position_of(tx, self.source), subscriptions(tx)

    async def _has_news(self, found: RunEnds) -> bool:
        """Tell whether a run is running whose start has not been told."""
        running = {run.run_id for run in found.running}
        if not running:
            return False
        query = Find(one_of={"run_id": running}, limit=len(running))
        return len(await self._controller.read(lambda tx: tx.find(StartedRunRow, query))) < len(running)

    async def _write(self, position: str | None, found: RunEnds | None) -> bool:
        return await self._controller.write(lambda _, tx: write_runs(tx, self.source, position, found, self._new_id))

    async def _find(self, after: int | None, *, with_running: bool) -> RunEnds:
        """Return what ended after a commit; None: nothing yet, but up to where everything has been committed."""

        def query(connection: DuckDBPyConnection) -> RunEnds:
            begin = newest_commit(connection) if after is None else after
            return run_ends_after(connection, begin, with_running=with_running)

        return await self._queries.run(query)
