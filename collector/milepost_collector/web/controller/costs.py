"""Tokens and cost of tasks: the controller does not know them, the traces do."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from milepost.errors import MilepostError
from milepost.wire.attempts import Attempt
from milepost.wire.tasks import Task
from milepost_collector.traces.queries import QueryPool, TaskUsage, Usage, usage_of_tasks

logger = logging.getLogger("milepost.web")


async def with_costs(queries: QueryPool, tasks: Sequence[Task]) -> None:
    """Fill in the tokens and cost of tasks, with one query for all."""
    found = await _usage(queries, [task.id for task in tasks if task.attempt])
    for task in tasks:
        if (usage := found.get(task.id)) is not None:
            _fill(task, usage)


async def with_attempt_costs(queries: QueryPool, task_id: str, attempts: Sequence[Attempt]) -> None:
    """Fill in the tokens and cost of attempts of a task."""
    found = await _usage(queries, [task_id] if attempts else [])
    if task_id not in found:
        return
    for attempt in attempts:
        if (usage := found[task_id].attempts.get(attempt.attempt)) is not None:
            _fill(attempt, usage)


async def _usage(queries: QueryPool, task_ids: list[str]) -> dict[str, TaskUsage]:
    """Return what tasks used; nothing when the traces cannot be read now, since tasks are told all the same."""
    if not task_ids:
        return {}
    try:
        return await queries.run(lambda connection: usage_of_tasks(connection, task_ids, queries.index))
    except MilepostError as error:
        logger.warning("tokens and cost of %d tasks are left out: %s", len(task_ids), error)
        return {}


def _fill(shown: Task | Attempt, usage: Usage) -> None:
    shown.input_tokens, shown.output_tokens = usage.input_tokens, usage.output_tokens
    shown.cost_usd = usage.cost_usd
