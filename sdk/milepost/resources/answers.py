"""What clients read about recorded runs, and the answers of SQL.

Absolute times are ISO 8601 in UTC with nanoseconds. Fields that a newer collector adds are passed over.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

__all__ = [
    "ProducerInfo",
    "RunDetail",
    "RunEvent",
    "RunEvents",
    "RunList",
    "RunSpan",
    "RunSpans",
    "RunSummary",
    "SqlColumn",
    "SqlResult",
]


class RunSummary(Struct, kw_only=True):
    """A recorded run: its root's facts and the sums over all its spans.

    part_of: the run that it belongs to by a link. part_count: runs that belong to it. task_id, attempt: the managed
    task that it is an attempt of.
    """

    run_id: str
    name: str
    status: str
    start_time: str
    end_time: str | None
    duration_ms: float | None
    agent: str | None
    session_id: str | None
    user_id: str | None
    tags: list[str]
    models: list[str]
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
    cost_usd: float | None
    unpriced_count: int
    error_type: str | None
    error_message: str | None
    service: str | None = None
    part_of: str | None = None
    part_count: int = 0
    task_id: str | None = None
    attempt: int | None = None


class RunList(Struct, kw_only=True):
    """A page of runs."""

    runs: list[RunSummary]
    next_cursor: str | None


class ProducerInfo(Struct, kw_only=True):
    """A process that contributed to a run. dropped: events that it had to drop since it started."""

    producer_id: str
    service_name: str | None
    host_name: str | None
    process_id: int | None
    sdk_name: str | None
    sdk_version: str | None
    runtime: str | None
    last_seen: str
    dropped: int


class RunDetail(Struct, kw_only=True):
    """A run, who recorded it, how many events and checkpoints it has, and the runs that are parts of it."""

    run: RunSummary
    producers: list[ProducerInfo]
    event_count: int
    checkpoint_count: int
    parts: list[RunSummary] = []


class RunSpan(Struct, kw_only=True):
    """A span of a run. start_ns, end_ns: nanoseconds after the run's origin; end_ns is None while it runs."""

    span_id: str
    name: str
    kind: str
    status: str
    start_ns: int
    end_ns: int | None = None
    parent_span_id: str | None = None
    agent: str | None = None
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    error_type: str | None = None
    service: str | None = None
    tool: str | None = None
    task_id: str | None = None
    attempt: int | None = None
    time_to_first_token_ms: float | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None


class RunSpans(Struct, kw_only=True):
    """All spans of a run by start. origin: the run's earliest start."""

    run_id: str
    origin: str
    spans: list[RunSpan]


class RunEvent(Struct, kw_only=True):
    """A checkpoint, log record, exception, progress report or other event of a run."""

    time: str
    kind: str
    span_id: str | None = None
    name: str | None = None
    severity: str | None = None
    message: str | None = None
    fraction: float | None = None
    body: Any = None
    attributes: Any = None


class RunEvents(Struct, kw_only=True):
    """A page of a run's events in time order."""

    run_id: str
    events: list[RunEvent]
    next_cursor: str | None


class SqlColumn(Struct, kw_only=True):
    """A column of an answer: its name and DuckDB type."""

    name: str
    type: str


class SqlResult(Struct, kw_only=True):
    """The answer to a query. truncated: there were more rows than the limit."""

    columns: list[SqlColumn]
    rows: list[list[Any]]
    truncated: bool
    elapsed_ms: float

    def records(self) -> list[dict[str, Any]]:
        """Return each row as a mapping from column names to values."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]
