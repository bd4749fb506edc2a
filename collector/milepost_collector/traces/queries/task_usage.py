"""What managed tasks and their attempts used: the sums of their runs, as the view `runs` has them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from duckdb import DuckDBPyConnection

from milepost_collector.protocol.api import RunSummary
from milepost_collector.traces.queries.run_index import RunIndex
from milepost_collector.traces.queries.runs import summaries
from milepost_collector.traces.queries.source import Snapshot

Number = TypeVar("Number", int, float)

# A run's root says which task it is an attempt of. Runs whose sums are stored are looked for by these, the others by
# their spans.
_RUNS = """
SELECT run_id FROM run_sums WHERE root_task_id IN (SELECT unnest($task_ids::VARCHAR[]))
UNION SELECT run_id FROM spans WHERE commit_id > $up_to AND task_id IN (SELECT unnest($task_ids::VARCHAR[]))
UNION SELECT run_id FROM live_spans WHERE task_id IN (SELECT unnest($task_ids::VARCHAR[]))
"""


@dataclass(slots=True)
class Usage:
    """Tokens and cost of one attempt; None when nothing is known."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None

    def add(self, run: RunSummary) -> None:
        """Add what a run used."""
        self.input_tokens = _sum(self.input_tokens, run.input_tokens)
        self.output_tokens = _sum(self.output_tokens, run.output_tokens)
        self.cost_usd = _sum(self.cost_usd, run.cost_usd)


@dataclass(slots=True)
class TaskUsage(Usage):
    """Tokens and cost of all attempts of a task, and of each. attempts: by number."""

    attempts: dict[int, Usage] = field(default_factory=dict)


def usage_of_tasks(
    connection: DuckDBPyConnection, task_ids: Sequence[str], index: RunIndex | None = None
) -> dict[str, TaskUsage]:
    """Return what these tasks used so far, by task; those without runs are left out. Call within a transaction.

    index: makes it fast in large databases.
    """
    if not task_ids:
        return {}
    snapshot = Snapshot(connection, index)
    values = {"task_ids": list(task_ids), "up_to": snapshot.summed_up_to}
    run_ids = [run_id for (run_id,) in connection.execute(_RUNS, values).fetchall()]
    wanted = set(task_ids)
    found: dict[str, TaskUsage] = defaultdict(TaskUsage)
    for run in sorted(summaries(snapshot, run_ids), key=lambda run: run.run_id):
        if run.task_id in wanted:  # else a span beside its root names the task
            found[run.task_id].add(run)
            found[run.task_id].attempts.setdefault(run.attempt or 0, Usage()).add(run)
    return dict(found)


def _sum(first: Number | None, second: Number | None) -> Number | None:
    if first is None or second is None:
        return second if first is None else first
    return first + second
