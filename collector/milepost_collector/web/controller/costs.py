"""Tokens and cost of tasks: the controller does not know them, the traces do."""

from __future__ import annotations

from collections.abc import Sequence

from milepost.wire.tasks import Attempt, Task
from milepost_collector.traces.queries import QueryPool


async def with_costs(queries: QueryPool, tasks: Sequence[Task]) -> None:
    """Fill in tokens and cost."""


async def with_attempt_costs(queries: QueryPool, task_id: str, attempts: Sequence[Attempt]) -> None:
    """Fill in tokens and cost."""
