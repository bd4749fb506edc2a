"""Events become deliveries: each is looked at by every trigger that waits for it, and makes one task of each at most.

How far each source was followed is kept in the store. It is written with the tasks that come of it, and now and then
when nothing does; what is read again after a crash is known by its ids. So no event is left out, and none makes a task
twice, wherever the process is killed and however many collectors follow the same store.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from milepost.errors import MilepostError
from milepost_collector.controller.engine import Engine
from milepost_collector.controller.rows import PositionRow
from milepost_collector.controller.service import Controller
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.errors import NotFoundError
from milepost_collector.traces.queries import QueryPool, usage_of_tasks
from milepost_collector.traces.queries.ended_runs import identity
from milepost_collector.traces.queries.search import Search
from milepost_collector.traces.queries.search_runs import which_hold
from milepost_collector.triggers import search
from milepost_collector.triggers.errors import TriggerChangedError
from milepost_collector.triggers.happenings import NAMES, RUNS, TASKS, Happening, fits
from milepost_collector.triggers.lineage import depth_of_task
from milepost_collector.triggers.recording import Delivery, record
from milepost_collector.triggers.registry import FOLLOWER, Known
from milepost_collector.triggers.service import Triggers
from milepost_collector.triggers.sources import NS_PER_MS, Stretch, of_runs, of_store, payload_of
from milepost_collector.triggers.upkeep import EVERY_S, forget

logger = logging.getLogger("milepost.triggers")

LOOK_AGAIN_S = 1.0  # without being woken: nobody tells of runs, nor of what other collectors commit
BREAK_S = 0.05  # between passes, so that what happens together is dealt with together
RETRY_S = 0.5  # after a failure, doubled with each up to
LONGEST_RETRY_S = 15.0
KEEP_POSITION_S = 10.0  # a position that nothing came of is written so often
LATEST_MS = 7 * 86_400_000  # runs that ended earlier do not count: their lines in the log may be gone


class Match(NamedTuple):
    """An event, and a trigger that it fires."""

    known: Known
    happening: Happening


class EventFollower:
    """Follows what happens and fires triggers. Belongs to one event loop. clock_ms: since the Unix epoch."""

    def __init__(
        self, triggers: Triggers, controller: Controller, queries: QueryPool, *, clock_ms: Callable[[], int]
    ) -> None:
        self._triggers = triggers
        self._controller = controller
        self._queries = queries
        self._clock_ms = clock_ms
        self._positions: dict[str, str] = {}
        self._kept_s: dict[str, float] = {}
        self._identity = ""  # of the database of runs; it has none while it is empty
        self._forgot_s = -EVERY_S
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.failures = 0  # passes in a row that failed; 0: all is well
        self.is_level = False  # the last pass dealt with everything there was

    def start(self) -> None:
        """Begin to follow, with what was committed before."""
        self._changed.set()
        self._task = asyncio.get_running_loop().create_task(self._run())

    def wake(self) -> None:
        """Look at once: something was committed. Event loop only."""
        self._changed.set()

    async def stop(self) -> None:
        """Stop; what happens from now on is dealt with after the next start. Safe to call twice."""
        self._stopping.set()
        self._changed.set()
        if self._task is not None:
            await asyncio.gather(self._task)
            self._task = None

    async def _run(self) -> None:
        while not self._stopping.is_set():
            await _until(self._changed, LOOK_AGAIN_S)
            self._changed.clear()  # before looking: what is committed from here on wakes it again
            await self._attempt()
            pause_s = min(RETRY_S * 2 ** min(self.failures - 1, 10), LONGEST_RETRY_S) if self.failures else BREAK_S
            await _until(self._stopping, pause_s)

    async def _attempt(self) -> None:
        try:
            for source in NAMES:
                while not self._stopping.is_set() and await self._advance(source):
                    pass
            await self._forget()
        except MilepostError as error:
            self._fall_behind()
            if self.failures == 1:
                logger.warning("event triggers fall behind, what happens will be caught up with: %s", error)
        except Exception:  # following must outlive a defect
            self._fall_behind()
            logger.exception("event triggers fall behind, will be tried again")
        else:
            self.failures = 0
            self.is_level = True

    def _fall_behind(self) -> None:
        self.failures += 1
        self.is_level = False
        self._positions.clear()

    async def _forget(self) -> None:
        if _now_s() - self._forgot_s >= EVERY_S and await self._triggers.registry.are_any():
            more = await self._controller.write(lambda engine, tx: forget(tx))
            self._forgot_s = _now_s() - (EVERY_S if more else 0)

    async def _advance(self, source: str) -> bool:
        """Deal with the next stretch of a source; return whether there may be more."""
        waiting = await self._triggers.registry.waiting_for(source)
        if not waiting:
            return False
        key = await self._key(source)
        before = self._positions.get(key)
        if before is None:
            before = self._positions[key] = await self._controller.read(lambda tx: position_of(tx, key))
        stretch = await self._stretch(source, before, waiting)
        if stretch.position == before:
            return False
        if not await self._triggers.registry.is_current():
            return True  # a trigger that was there before what happened must not be passed over: look again
        matches = await self._matches(source, stretch.happenings, waiting)
        deliveries = [(match.known, await self._delivery(match)) for match in matches]
        if deliveries or self._is_due(key):
            await self._write(key, stretch.position, deliveries)
        self._positions[key] = stretch.position
        return stretch.more

    async def _key(self, source: str) -> str:
        """Return what the source's position is kept under: collectors share a store, but not their recorded runs."""
        if source != RUNS:
            return source
        self._identity = self._identity or await self._queries.run(identity)
        return f"{source} {self._identity}"

    async def _stretch(self, source: str, position: str, waiting: Sequence[Known]) -> Stretch:
        def is_wanted(name: str, at: int) -> bool:
            return any(fits(known.definition.event or "", name) and at >= known.row.armed_at for known in waiting)

        if source != RUNS:
            return await self._controller.read(lambda tx: of_store(source, tx, position, is_wanted))
        armed_at = min(known.row.armed_at for known in waiting)
        since_ms = max(armed_at, self._clock_ms() - LATEST_MS)
        index = self._queries.index
        return await self._queries.run(lambda connection: of_runs(connection, index, position, is_wanted, since_ms))

    # Which triggers an event fires.

    async def _matches(self, source: str, found: Sequence[Happening], waiting: Sequence[Known]) -> list[Match]:
        matches: list[Match] = []
        for known in waiting:
            fitting = [
                one for one in found if fits(known.definition.event or "", one.name) and one.at >= known.row.armed_at
            ]
            holding = await self._holding(source, known.definition.where, fitting) if fitting else []
            matches += [Match(known, one) for one in holding]
        order = {one.id: place for place, one in enumerate(found)}
        return sorted(matches, key=lambda match: order[match.happening.id])

    async def _holding(self, source: str, where: str, found: list[Happening]) -> list[Happening]:
        now_ns = self._clock_ms() * NS_PER_MS
        if not where:
            return found
        if source == RUNS:
            asked, index = Search.read(where, now_ns=now_ns), self._queries.index
            runs = [one.facts for one in found]
            ids = await self._queries.run(lambda connection: which_hold(connection, index, asked, runs))
            return [one for one in found if one.facts.run_id in ids]
        node = search.read(source, where)
        usage = await self._usage(found) if source == TASKS and search.asks_for(node, search.USAGE) else {}
        return [one for one in found if search.holds(node, {**one.facts, **usage.get(one.task_id or "", {})}, now_ns)]

    async def _usage(self, found: Sequence[Happening]) -> dict[str, dict[str, Any]]:
        ids = [one.task_id for one in found if one.task_id is not None]
        index = self._queries.index
        used = await self._queries.run(lambda connection: usage_of_tasks(connection, ids, index))
        return {
            task_id: {
                "cost": usage.cost_usd,
                "tokens": (usage.input_tokens or 0) + (usage.output_tokens or 0),
                "input_tokens": usage.input_tokens,
                "output_tokens": usage.output_tokens,
            }
            for task_id, usage in used.items()
        }

    # What comes of it.

    async def _delivery(self, match: Match) -> Delivery:
        known, happening = match
        payload = happening.payload
        if happening.source != RUNS:
            payload = await self._controller.read(lambda tx: payload_of(tx, happening))
        depth = await depth_of_task(self._controller, self._queries, happening.task_id)
        body = msgspec.json.encode(payload)
        delivery = self._triggers.delivery(known, happening.id, msgspec.json.decode(body), {}, body, depth=depth)
        delivery = msgspec.structs.replace(delivery, is_event=True)
        if delivery.request is not None and depth >= known.definition.max_depth:
            reason = (
                f"{depth} triggers led to this event one after the other, max_depth is {known.definition.max_depth}"
            )
            return msgspec.structs.replace(delivery, request=None, outcome="limited", reason=reason)
        return delivery

    async def _write(self, key: str, position: str, deliveries: Sequence[tuple[Known, Delivery]]) -> None:
        def write(engine: Engine, tx: Tx) -> None:
            for known, delivery in deliveries:
                with suppress(NotFoundError):  # the trigger was deleted
                    record(engine, tx, known.row.id, known.row.version, delivery)
            tx.upsert([PositionRow(follower=FOLLOWER, source=key, position=position)])

        try:
            await self._controller.write(write)
        except TriggerChangedError:
            self._triggers.registry.expire()
            raise
        self._kept_s[key] = _now_s()

    def _is_due(self, key: str) -> bool:
        return _now_s() - self._kept_s.setdefault(key, _now_s()) > KEEP_POSITION_S


def position_of(tx: Tx, key: str) -> str:
    """Return up to where a source was dealt with; "" at the beginning."""
    found = tx.find(PositionRow, Find(equal={"follower": FOLLOWER, "source": key}, limit=1))
    return found[0].position if found else ""


def _now_s() -> float:
    return asyncio.get_running_loop().time()


async def _until(event: asyncio.Event, timeout_s: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), timeout_s)
