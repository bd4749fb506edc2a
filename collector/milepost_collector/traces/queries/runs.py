"""The run list and one run's header."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from duckdb import DuckDBPyConnection

from milepost_collector.errors import NotFoundError
from milepost_collector.protocol.api import ProducerInfo, RunDetail, RunList, RunSummary
from milepost_collector.protocol.cursor import Cursor, encode_cursor
from milepost_collector.protocol.timestamps import iso_from_ns, optional_iso_from_ns
from milepost_collector.traces.queries.filters import (
    Condition,
    RunFilter,
    after_condition,
    run_conditions,
    text_condition,
)
from milepost_collector.traces.queries.run_index import EVERYTHING, Bounds, RunIndex
from milepost_collector.traces.queries.source import SPAN_BOUNDS, chosen_runs_sql, summed_up_to

_FIELDS = RunSummary.__struct_fields__
_TIMES = ("start_time", "end_time")
_COLUMNS = ", ".join(f"epoch_ns({name}) AS {name}" if name in _TIMES else name for name in _FIELDS)

_CHOSEN = "WITH chosen AS (SELECT unnest($run_ids::VARCHAR[]) AS run_id)"

# Every run that started in a window, and some more: its root, or without one its earliest span, tells by itself. Scans
# apart instead of one with OR, because only plain comparisons skip row groups.
_STARTED_BETWEEN = """
SELECT run_id FROM run_sums
WHERE root_start_time >= make_timestamp_ns($since) AND first_start <= make_timestamp_ns($until)
UNION SELECT run_id FROM run_sums
WHERE first_start BETWEEN make_timestamp_ns($since) AND make_timestamp_ns($until)
UNION SELECT run_id FROM spans
WHERE commit_id > $up_to AND start_time BETWEEN make_timestamp_ns($since) AND make_timestamp_ns($until)
UNION SELECT run_id FROM live_spans
"""

_EVENT_COUNTS = "SELECT count(*), count(*) FILTER (kind = 'checkpoint') FROM events WHERE run_id = ?"

_PRODUCERS = f"""
WITH contributors AS (
    SELECT producer_id FROM spans WHERE run_id = $run_id AND {SPAN_BOUNDS}
    UNION SELECT producer_id FROM live_spans WHERE run_id = $run_id
    UNION SELECT producer_id FROM events WHERE run_id = $run_id
), sent AS (
    SELECT producer_id, max(epoch_ns(received_at)) AS last_seen, max(dropped) AS dropped
    FROM batches WHERE producer_id IN (SELECT producer_id FROM contributors) GROUP BY producer_id
)
SELECT producer_id, service_name, host_name, process_id, sdk_name, sdk_version, runtime,
    coalesce(last_seen, epoch_ns(first_seen)), coalesce(dropped, 0)
FROM producers LEFT JOIN sent USING (producer_id)
WHERE producer_id IN (SELECT producer_id FROM contributors)
ORDER BY first_seen, producer_id
"""

# A page is looked for in a window of time in which this many times its length of runs are expected, then in a wider one.
_WINDOW_PAGES = 4
_WIDER = 16


class _Source(NamedTuple):
    """What to select runs from. prefix: WITH clauses. values: of the parameters in both."""

    prefix: str
    sql: str
    values: dict[str, Any]


_VIEW = _Source("", "runs", {})


def list_runs(connection: DuckDBPyConnection, index: RunIndex, request: RunFilter) -> RunList:
    """Return a page of runs. Call within a transaction.

    Raises:
        InvalidParameterError: the cursor is malformed or belongs to another list.
    """
    cursor = request.after()
    index.refresh(connection)
    rows = _newest(connection, index, request, cursor) if request.sort == "-start_time" else None
    if rows is None:
        rows = _rows(connection, _VIEW, request, cursor)
    page = rows[: request.limit]
    more = len(rows) > request.limit
    return RunList(runs=[_summary(row) for row in page], next_cursor=_cursor_after(page[-1], request) if more else None)


def run_summaries(
    connection: DuckDBPyConnection, run_ids: Sequence[str], index: RunIndex | None = None
) -> list[RunSummary]:
    """Return the summaries of these runs, in no order; unknown ones are left out. Call within a transaction.

    index: makes it fast in large databases.
    """
    if not run_ids:
        return []
    source = _chosen(connection, index, run_ids)
    rows = connection.execute(f"{source.prefix} SELECT {_COLUMNS} FROM {source.sql}", source.values).fetchall()
    return [_summary(row) for row in rows]


def run_detail(connection: DuckDBPyConnection, index: RunIndex, run_id: str) -> RunDetail:
    """Return a run's header. Call within a transaction.

    Raises:
        NotFoundError: nothing is known of this run.
    """
    found = run_summaries(connection, [run_id], index)
    if not found:
        raise NotFoundError("run", run_id)
    producers = _producers(connection, run_id, _bounds(connection, index, [run_id]))
    events, checkpoints = connection.execute(_EVENT_COUNTS, [run_id]).fetchall()[0]
    return RunDetail(run=found[0], producers=producers, event_count=events, checkpoint_count=checkpoints)


def _newest(
    connection: DuckDBPyConnection, index: RunIndex, request: RunFilter, cursor: Cursor | None
) -> list[tuple[Any, ...]] | None:
    """Look for the page in the newest part of time; None when it takes the whole table."""
    count, oldest, newest = _extent(connection)
    if not count:
        return None
    until = _latest_start(request, cursor)
    width = (newest - oldest) * _WINDOW_PAGES * (request.limit + 1) // count + 1
    while min(until, newest) - width > oldest:
        since = max(min(until, newest) - width, request.since_ns or 0)
        rows = _window(connection, index, request, cursor, Bounds(since, until))
        if len(rows) > request.limit or since == request.since_ns:
            return rows
        width *= _WIDER
    return None


def _extent(connection: DuckDBPyConnection) -> tuple[int, int, int]:
    sql = "SELECT count(*), epoch_ns(min(first_start)), epoch_ns(max(first_start)) FROM run_sums"
    count, oldest, newest = connection.execute(sql).fetchall()[0]
    return count, oldest or 0, newest or 0


def _latest_start(request: RunFilter, cursor: Cursor | None) -> int:
    ends = [request.until_ns, cursor.key if cursor and isinstance(cursor.key, int) else None]
    return min((end for end in ends if end is not None), default=EVERYTHING.high)


def _window(
    connection: DuckDBPyConnection, index: RunIndex, request: RunFilter, cursor: Cursor | None, window: Bounds
) -> list[tuple[Any, ...]]:
    started = {"since": window.low, "until": window.high, "up_to": summed_up_to(connection)}
    candidates = [row[0] for row in connection.execute(_STARTED_BETWEEN, started).fetchall()]
    since = Condition("start_time >= make_timestamp_ns($since)", {"since": window.low})
    return _rows(connection, _chosen(connection, index, candidates), request, cursor, since)


def _chosen(connection: DuckDBPyConnection, index: RunIndex | None, run_ids: Sequence[str]) -> _Source:
    bounds = _bounds(connection, index, run_ids)
    values = {"run_ids": list(run_ids), "up_to": summed_up_to(connection), **bounds._asdict()}
    return _Source(_CHOSEN, f"({chosen_runs_sql()})", values)


def _rows(
    connection: DuckDBPyConnection, source: _Source, request: RunFilter, cursor: Cursor | None, *more: Condition
) -> list[tuple[Any, ...]]:
    """Return one row more than the limit, so that the caller sees whether there is a next page."""
    conditions = [*run_conditions(request), *more]
    if request.text is not None:
        matching = text_condition(request.text)
        conditions.append(Condition(f"run_id IN (SELECT run_id FROM all_spans WHERE {matching.sql})", matching.values))
    if cursor:
        conditions.append(after_condition(request, cursor))
    where = " AND ".join(condition.sql for condition in conditions) or "true"
    order = f"{request.sort_key} {request.direction} NULLS LAST, run_id"
    sql = f"{source.prefix} SELECT {_COLUMNS} FROM (SELECT * FROM {source.sql} WHERE {where} ORDER BY {order} LIMIT $limit)"
    values: dict[str, Any] = {**source.values, "limit": request.limit + 1}
    for condition in conditions:
        values |= condition.values
    return connection.execute(sql, values).fetchall()


def _bounds(connection: DuckDBPyConnection, index: RunIndex | None, run_ids: Sequence[str]) -> Bounds:
    if index is None:
        return EVERYTHING
    index.refresh(connection)
    return index.bounds(run_ids)


def _summary(row: tuple[Any, ...]) -> RunSummary:
    values = dict(zip(_FIELDS, row, strict=True))
    values["start_time"] = iso_from_ns(values["start_time"])
    values["end_time"] = optional_iso_from_ns(values["end_time"])
    return RunSummary(**values)


def _cursor_after(row: tuple[Any, ...], request: RunFilter) -> str:
    values = dict(zip(_FIELDS, row, strict=True))
    return encode_cursor(Cursor(request.scope, values[request.sort_key], values["run_id"]))


def _producers(connection: DuckDBPyConnection, run_id: str, bounds: Bounds) -> list[ProducerInfo]:
    values = {"run_id": run_id, "low": bounds.low, "high": bounds.high}
    names = ProducerInfo.__struct_fields__
    found = []
    for row in connection.execute(_PRODUCERS, values).fetchall():
        fields = dict(zip(names, row, strict=True))
        fields["last_seen"] = iso_from_ns(fields["last_seen"])
        found.append(ProducerInfo(**fields))
    return found
