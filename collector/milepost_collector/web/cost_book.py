"""What agents' attempts at tasks of a name cost: the traces know it, and the controller chooses agents by it."""

from __future__ import annotations

import asyncio
import logging
import statistics
import time
from collections.abc import Coroutine, Mapping
from typing import Any

from milepost.errors import MilepostError
from milepost_collector.controller.engine.choosing import RECORDED, Cost
from milepost_collector.controller.service import Controller
from milepost_collector.traces.queries import QueryPool, TaskUsage, usage_of_tasks

logger = logging.getLogger("milepost.web")

KEPT_S = 60.0
MAX_NAMES = 1_000


class CostBook:
    """Medians by task name and agent, at most a minute old. `of` may be called from any thread and never waits."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, dict[str, Cost]]] = {}
        self._asked: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sources: tuple[asyncio.AbstractEventLoop, Controller, QueryPool] | None = None

    def start(self, controller: Controller, queries: QueryPool) -> None:
        """Look things up from now on, on this event loop."""
        self._sources = (asyncio.get_running_loop(), controller, queries)

    async def stop(self) -> None:
        """Look nothing up any more. Safe to call twice."""
        self._sources = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def of(self, name: str) -> Mapping[str, Cost]:
        """Return what is known of a task name now; what is old is looked up for the next time."""
        known, sources = self._known.get(name), self._sources
        if sources is not None and name not in self._asked and (known is None or _is_old(known[0])):
            self._asked.add(name)
            sources[0].call_soon_threadsafe(self._begin, name)
        return {} if known is None else known[1]

    async def look(self, name: str) -> Mapping[str, Cost]:
        """Return what tasks of a name cost, looked up if need be; nothing when the traces cannot be read now."""
        known = self._known.get(name)
        if known is not None and not _is_old(known[0]):
            return known[1]
        if self._sources is None:
            return {}
        _, controller, queries = self._sources
        try:
            found = await _costs(controller, queries, name)
        except MilepostError as error:
            logger.warning("costs of tasks %r are left out: %s", name, error)
            return {}
        if len(self._known) >= MAX_NAMES:
            self._known.clear()
        self._known[name] = (time.monotonic(), found)
        return found

    def _begin(self, name: str) -> None:
        self._keep(self._refresh(name))

    async def _refresh(self, name: str) -> None:
        try:
            await self.look(name)
        finally:
            self._asked.discard(name)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_old(at_s: float) -> bool:
    return time.monotonic() - at_s > KEPT_S


async def _costs(controller: Controller, queries: QueryPool, name: str) -> dict[str, Cost]:
    tried = await controller.read(lambda tx: tx.tried(name, RECORDED))
    task_ids = list(dict.fromkeys(one.task_id for one in tried))
    if not task_ids:
        return {}
    used = await queries.run(lambda connection: usage_of_tasks(connection, task_ids, queries.index))
    costs: dict[str, list[float]] = {}
    for one in tried:
        usage = used.get(one.task_id, TaskUsage()).attempts.get(one.attempt)
        if usage is not None and usage.cost_usd is not None:
            costs.setdefault(one.agent, []).append(float(usage.cost_usd))
    return {agent: Cost(statistics.median(values), len(values)) for agent, values in costs.items()}
