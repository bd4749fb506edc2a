"""Runs whose ends were stored after a place, in the order in which they were: for those who follow what happens."""

from __future__ import annotations

from typing import NamedTuple

from duckdb import DuckDBPyConnection

from milepost_collector.traces.queries.source import Snapshot

# Conditions on single columns beside the one on all three: DuckDB leaves out whole stretches of the table by them.
_ENDED = """
SELECT commit_id, run_id, span_id, status, epoch_ns(end_time) FROM spans
WHERE parent_span_id IS NULL AND commit_id >= $commit_id
    AND (commit_id, run_id, span_id) > ($commit_id, $run_id, $span_id)
    AND end_time >= make_timestamp_ns($since_ns)
ORDER BY commit_id, run_id, span_id LIMIT $limit
"""


class Place(NamedTuple):
    """Up to where runs were followed: the root span that was told last, or a commit of which nothing was."""

    commit_id: int = 0
    run_id: str = ""
    span_id: str = ""


class EndedRun(NamedTuple):
    """The end of a run's root. end_ns: by its producer's clock, nanoseconds since 1970."""

    run_id: str
    status: str
    end_ns: int


def ended_after(
    connection: DuckDBPyConnection, place: Place, *, since_ns: int, limit: int
) -> tuple[list[EndedRun], Place]:
    """Return ends stored after a place, and the place reached. Call within a transaction.

    since_ns: ends before it are left out. A run is told once more when a more complete copy of its root comes, as when
    one that was given up as lost goes on.
    """
    newest = Snapshot(connection, None).newest_commit
    values = {**place._asdict(), "since_ns": since_ns, "limit": limit}
    rows = connection.execute(_ENDED, values).fetchall()
    reached = Place(*rows[-1][:3]) if len(rows) == limit else Place(newest + 1)
    return [EndedRun(run_id, status, end_ns) for _, run_id, _, status, end_ns in rows], max(reached, place)


def identity(connection: DuckDBPyConnection) -> str:
    """Return what tells this database from another: when its first batch came; "" while it is empty."""
    first = connection.execute("SELECT epoch_ns(min(received_at)) FROM batches").fetchall()[0][0]
    return "" if first is None else str(first)
