"""What runs have used so far, for those who count it against budgets."""

from __future__ import annotations

from collections.abc import Collection

from duckdb import DuckDBPyConnection

from milepost_collector.protocol.totals import RunTotals
from milepost_collector.traces.queries import QueryPool, RunIndex
from milepost_collector.traces.queries.runs import summaries
from milepost_collector.traces.queries.source import Snapshot


class Spending:
    """Reads the sums of runs, as the run list has them. For one event loop."""

    def __init__(self, queries: QueryPool) -> None:
        self._queries = queries

    async def totals(self, run_ids: Collection[str]) -> list[RunTotals]:
        """Return what these runs used; those of which nothing is recorded are left out.

        Raises:
            MilepostError: they cannot be read now.
        """
        wanted, index = list(run_ids), self._queries.index
        return await self._queries.run(lambda connection: totals_of(connection, wanted, index))


def totals_of(connection: DuckDBPyConnection, run_ids: list[str], index: RunIndex | None = None) -> list[RunTotals]:
    """Return what runs used. Call within a transaction."""
    found = summaries(Snapshot(connection, index), run_ids)
    return [
        RunTotals(
            run_id=run.run_id,
            usd=run.cost_usd or 0.0,
            tokens=(run.input_tokens or 0) + (run.output_tokens or 0),
            tool_calls=run.tool_call_count,
            ended=run.status != "running",
        )
        for run in found
    ]
