"""The spans of one run that a search finds."""

from __future__ import annotations

from typing import Any

from duckdb import DuckDBPyConnection

from milepost_collector.errors import InvalidParameterError, NotFoundError
from milepost_collector.protocol.api import FoundSpans
from milepost_collector.traces.queries.run_index import RunIndex
from milepost_collector.traces.queries.search import Search
from milepost_collector.traces.queries.search_sql import literal
from milepost_collector.traces.queries.source import SPAN_BOUNDS, Snapshot

MAX_SPANS = 100_000

_OF_RUN = (
    f"(SELECT * FROM spans WHERE run_id = $run_id AND {SPAN_BOUNDS} "
    "UNION ALL BY NAME SELECT *, 'running' AS status FROM live_spans WHERE run_id = $run_id)"
)


def search_spans(
    connection: DuckDBPyConnection, index: RunIndex, run_id: str, search: Search, *, limit: int = 10_000
) -> FoundSpans:
    """Return the ids of a run's spans that are searched for, by (start, span id). Call within a transaction.

    limit: ids at most; all are counted.

    Raises:
        NotFoundError: the run has no spans.
        InvalidParameterError: the limit is out of range.
    """
    if not 1 <= limit <= MAX_SPANS:
        raise InvalidParameterError("limit", limit, f"use a number from 1 to {MAX_SPANS}")
    Snapshot(connection, index)  # brings the index up to date
    values: dict[str, Any] = {"run_id": run_id, **index.bounds([run_id])._asdict()}
    if not connection.execute(f"SELECT count(*) > 0 FROM {_OF_RUN}", values).fetchall()[0][0]:
        raise NotFoundError("run", run_id)
    condition = search.span_condition()
    sql = f"SELECT span_id, count(*) OVER () FROM {_OF_RUN} WHERE {condition} ORDER BY start_time, span_id LIMIT $limit"
    rows = connection.execute(sql, {**values, "limit": limit}).fetchall()
    shown = (
        f"SELECT * FROM all_spans WHERE run_id = {literal(run_id)} AND {condition} "
        f"ORDER BY start_time, span_id LIMIT {limit}"
    )
    return FoundSpans(run_id=run_id, span_ids=[row[0] for row in rows], count=rows[0][1] if rows else 0, sql=shown)
