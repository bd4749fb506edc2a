"""Which of some runs a search finds."""

from __future__ import annotations

from collections.abc import Sequence

from duckdb import DuckDBPyConnection

from milepost_collector.protocol.api import RunSummary
from milepost_collector.protocol.timestamps import ns_from_iso
from milepost_collector.traces.queries.run_index import RunIndex
from milepost_collector.traces.queries.runs import found_by
from milepost_collector.traces.queries.search import Search
from milepost_collector.traces.queries.source import Snapshot


def which_hold(connection: DuckDBPyConnection, index: RunIndex, search: Search, runs: Sequence[RunSummary]) -> set[str]:
    """Return the ids of those of the runs that are searched for. Call within a transaction."""
    found = found_by(Snapshot(connection, index), search, [run.run_id for run in runs])
    return {run.run_id for run in runs if search.holds(run, ns_from_iso(run.start_time), found)}
