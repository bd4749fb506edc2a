"""When something was last recorded of runs."""

from __future__ import annotations

from collections.abc import Sequence

from duckdb import DuckDBPyConnection

_NEWEST = """
WITH wanted AS (SELECT unnest($run_ids::VARCHAR[]) AS run_id), seen AS (
    SELECT run_id, max(start_time) AS at FROM live_spans WHERE run_id IN (FROM wanted) GROUP BY run_id
    UNION ALL SELECT run_id, max(end_time) FROM spans
    WHERE start_time >= make_timestamp_ns($since_ns) AND run_id IN (FROM wanted) GROUP BY run_id
    UNION ALL SELECT run_id, max(time) FROM events
    WHERE time >= make_timestamp_ns($since_ns) AND run_id IN (FROM wanted) GROUP BY run_id
)
SELECT run_id, epoch_ns(max(at)) // 1000000 FROM seen GROUP BY run_id
"""


def newest_activity(connection: DuckDBPyConnection, run_ids: Sequence[str], since_ms: int) -> dict[str, int]:
    """Return when a span of each run last began or ended, or an event came, in milliseconds since the Unix epoch.

    since_ms: nothing earlier is looked at. Runs of which nothing is recorded since then are left out.
    """
    values = {"run_ids": list(run_ids), "since_ns": since_ms * 1_000_000}
    return {run_id: at for run_id, at in connection.execute(_NEWEST, values).fetchall() if at is not None}
