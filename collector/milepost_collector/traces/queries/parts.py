"""Adding up the parts of runs, as the view `runs` does, for a few runs at a time.

The view says what a run's columns are; DuckDB takes 15 ms just to plan it. For a page of runs it is quicker to fetch
their parts and to add them up here. A property test holds both to the same answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from duckdb import DuckDBPyConnection

from milepost_collector.protocol.api import RunSummary
from milepost_collector.protocol.timestamps import iso_from_ns, optional_iso_from_ns
from milepost_collector.storage.migrate import run_parts_sql

COST_SCALE = 1e12  # cost is stored as DECIMAL(38, 12)
MAX_APART = 8  # runs looked for one by one, at 2 ms each

_IN_BOUNDS = "first_start BETWEEN make_timestamp_ns($low) AND make_timestamp_ns($high)"
_WANTED = "run_id IN (SELECT unnest($run_ids::VARCHAR[]))"


class Part(NamedTuple):
    """Sums over some of a run's spans: a row of `run_parts`. Times are nanoseconds since 1970, cost is in 1e-12 USD."""

    run_id: str
    first_start: int
    last_end: int | None
    first_key: int
    first_name: str | None
    first_status: str | None
    root_key: int | None
    root_name: str | None
    root_status: str | None
    root_start_time: int | None
    root_end_time: int | None
    root_agent: str | None
    root_service: str | None
    root_session_id: str | None
    root_user_id: str | None
    root_task_id: str | None
    root_attempt: int | None
    root_error_type: str | None
    root_error_message: str | None
    agent: str | None
    service: str | None
    session_id: str | None
    user_id: str | None
    tags: list[str] | None
    models: list[str] | None
    span_count: int
    live_span_count: int
    task_count: int
    llm_call_count: int
    tool_call_count: int
    error_count: int
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: int | None
    unpriced_count: int


_TIMES = ("first_start", "last_end", "root_start_time", "root_end_time")
_SQL = {name: f"epoch_ns({name})" for name in _TIMES} | {"cost_usd": "(cost_usd * 1000000000000)::HUGEINT"}
COLUMNS = ", ".join(_SQL.get(name, name) for name in Part._fields)

_RECENT = run_parts_sql(f"(SELECT * FROM spans WHERE commit_id > $up_to AND {_WANTED})")
# `WHERE false` gives the running spans the columns they lack, and costs nothing.
_RUNNING = run_parts_sql(
    f"(SELECT * FROM spans WHERE false UNION ALL BY NAME SELECT *, 'running' AS status FROM live_spans WHERE {_WANTED})"
)


def summed_parts(connection: DuckDBPyConnection, low: int, high: int) -> list[Part]:
    """Return the stored parts with first starts from `low` to `high`, of all runs."""
    sql = f"SELECT {COLUMNS} FROM run_sums WHERE {_IN_BOUNDS}"
    return [Part(*row) for row in connection.execute(sql, {"low": low, "high": high}).fetchall()]


def summed_parts_of(connection: DuckDBPyConnection, run_ids: Sequence[str], low: int, high: int) -> list[Part]:
    """Return the stored parts of these runs, whose first starts are known to lie from `low` to `high`."""
    # Only comparisons with constants reach the scan: a list of ids reads every column of every row first.
    if len(run_ids) <= MAX_APART:
        sql = f"SELECT {COLUMNS} FROM run_sums WHERE run_id = $run_id AND {_IN_BOUNDS}"
        values = [{"run_id": run_id, "low": low, "high": high} for run_id in run_ids]
    else:
        sql = f"SELECT {COLUMNS} FROM run_sums WHERE {_IN_BOUNDS} AND {_WANTED}"
        values = [{"run_ids": list(run_ids), "low": low, "high": high}]
    return [Part(*row) for given in values for row in connection.execute(sql, given).fetchall()]


def fresh_parts_of(connection: DuckDBPyConnection, run_ids: Sequence[str], up_to: int) -> list[Part]:
    """Return parts made of the runs' spans that arrived after the commit `up_to`."""
    values = {"run_ids": list(run_ids), "up_to": up_to}
    return [Part(*row) for row in connection.execute(f"SELECT {COLUMNS} FROM ({_RECENT})", values).fetchall()]


def running_parts_of(connection: DuckDBPyConnection, run_ids: Sequence[str]) -> list[Part]:
    """Return parts made of the runs' running spans."""
    values = {"run_ids": list(run_ids)}
    return [Part(*row) for row in connection.execute(f"SELECT {COLUMNS} FROM ({_RUNNING})", values).fetchall()]


class Correction(NamedTuple):
    """What is to be taken off a run's sums: usage that repeats other usage. Cost is in 1e-12 USD."""

    run_id: str
    llm_call_count: int
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: int | None
    unpriced_count: int


_CORRECTIONS = f"""
SELECT run_id, {", ".join(f"sum({name})::BIGINT" for name in Correction._fields[1:-2])},
    (sum(cost_usd::DECIMAL(24, 12)) * 1000000000000)::HUGEINT, sum(unpriced_count)::BIGINT
FROM uncounted WHERE {_WANTED} GROUP BY run_id
"""


def corrections_of(connection: DuckDBPyConnection, run_ids: Sequence[str]) -> dict[str, Correction]:
    """Return what is to be taken off the sums of those of the runs that have anything."""
    rows = connection.execute(_CORRECTIONS, {"run_ids": list(run_ids)}).fetchall()
    return {row[0]: Correction(*row) for row in rows}


def start_of(parts: Iterable[Part]) -> int:
    """Return when a run started: its root, or without one its first span."""
    rooted = [part for part in parts if part.root_key is not None]
    if rooted:
        return _root(rooted).root_start_time or 0
    return min(part.first_start for part in parts)


def summary_of(parts: Sequence[Part], less: Correction | None = None) -> RunSummary:
    """Add up all parts of one run. less: what they contain twice."""
    rooted = [part for part in parts if part.root_key is not None]
    root = _root(rooted) if rooted else None
    first = min(parts, key=lambda part: part.first_key)
    every: Any = Part._make(zip(*parts, strict=True))  # here a field holds the values of all parts
    live = sum(every.live_span_count)
    start, end = start_of(parts), _end(every.last_end, root, live)
    cost = _sum(every.cost_usd, less and less.cost_usd)
    return RunSummary(
        run_id=first.run_id,
        name=(root and root.root_name) or first.first_name or "",
        status=_status(root, first, live),
        start_time=iso_from_ns(start),
        end_time=optional_iso_from_ns(end),
        duration_ms=None if end is None else (end - start) / 1e6,
        agent=_known(root and root.root_agent, every.agent),
        service=_known(root and root.root_service, every.service),
        session_id=_known(root and root.root_session_id, every.session_id),
        user_id=_known(root and root.root_user_id, every.user_id),
        tags=_distinct(every.tags),
        models=_distinct(every.models),
        span_count=sum(every.span_count) + live,
        live_span_count=live,
        task_count=sum(every.task_count),
        llm_call_count=sum(every.llm_call_count) - (less.llm_call_count if less else 0),
        tool_call_count=sum(every.tool_call_count),
        error_count=sum(every.error_count),
        input_tokens=_sum(every.input_tokens, less and less.input_tokens),
        output_tokens=_sum(every.output_tokens, less and less.output_tokens),
        cache_read_tokens=_sum(every.cache_read_tokens, less and less.cache_read_tokens),
        cache_write_tokens=_sum(every.cache_write_tokens, less and less.cache_write_tokens),
        reasoning_tokens=_sum(every.reasoning_tokens, less and less.reasoning_tokens),
        cost_usd=None if cost is None else cost / COST_SCALE,
        unpriced_count=sum(every.unpriced_count) - (less.unpriced_count if less else 0),
        error_type=root and root.root_error_type,
        error_message=root and root.root_error_message,
        task_id=root and root.root_task_id,
        attempt=root and root.root_attempt,
    )


def _root(rooted: Iterable[Part]) -> Part:
    return min(rooted, key=lambda part: part.root_key or 0)


def _status(root: Part | None, first: Part, live: int) -> str:
    """Return the run's status. Without a root it is over when nothing of it runs; its outcome is its first span's."""
    if root:
        return root.root_status or ""
    return "running" if live else first.first_status or ""


def _end(ends: Iterable[int | None], root: Part | None, live: int) -> int | None:
    if root:
        return root.root_end_time
    return None if live else max((end for end in ends if end is not None), default=None)


def _known(value: str | None, others: Iterable[str | None]) -> str | None:
    if value is not None:
        return value
    return min((other for other in others if other is not None), default=None)


def _distinct(lists: Iterable[list[str] | None]) -> list[str]:
    return sorted({item for items in lists if items for item in items})


def _sum(values: Sequence[int | None], less: int | None = None) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) - (less or 0) if known else None
