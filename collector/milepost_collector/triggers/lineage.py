"""How many triggers followed from one another up to a task: through the tasks they made, and the tasks that these made.

A trigger that is fired by what comes of its own tasks would go on for ever; at `max_depth` it stops.
"""

from __future__ import annotations

from collections.abc import Callable

from milepost.errors import MilepostError
from milepost_collector.controller.service import Controller
from milepost_collector.controller.store.interface import Tx
from milepost_collector.traces.queries import QueryPool, run_summaries
from milepost_collector.triggers.recording import depth_of

MAX_GENERATIONS = 20  # of tasks that tasks made, looked back


async def depth_of_task(controller: Controller, queries: QueryPool, task_id: str | None) -> int:
    """Return how many triggers led to a task, 0 when none did. What cannot be found out counts as none."""
    for _ in range(MAX_GENERATIONS):
        if task_id is None:
            break
        depth, origin_run_id = await controller.read(_looking_at(task_id))
        if depth or origin_run_id is None:
            return depth
        task_id = await _task_of_run(queries, origin_run_id)
    return 0


def _looking_at(task_id: str) -> Callable[[Tx], tuple[int, str | None]]:
    def look(tx: Tx) -> tuple[int, str | None]:
        depth = depth_of(tx, task_id)
        rows = {**tx.finished([task_id], lock=False), **tx.tasks([task_id], lock=False)} if not depth else {}
        row = rows.get(task_id)
        return depth, None if row is None else row.origin_run_id

    return look


async def _task_of_run(queries: QueryPool, run_id: str) -> str | None:
    try:
        found = await queries.run(lambda connection: run_summaries(connection, [run_id], queries.index))
    except MilepostError:  # it is nothing that a trigger should wait for
        return None
    return found[0].task_id if found else None
