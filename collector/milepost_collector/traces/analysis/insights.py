"""Where money, tokens and time went, how often things succeeded, and what failed how."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from duckdb import DuckDBPyConnection

from milepost_collector.protocol.insights import (
    By,
    ErrorGroup,
    Figures,
    InsightBucket,
    InsightGroup,
    Insights,
    InsightSql,
    Part,
    StepGroup,
)
from milepost_collector.protocol.search import And, Instant, Node, Not, Pattern, SpanGroup, Term, conjuncts, write
from milepost_collector.protocol.timestamps import iso_from_ns
from milepost_collector.traces.analysis.masking import MAX_MESSAGE, mask_sql, pattern_of
from milepost_collector.traces.queries.search import Search

MINUTE_MS = 60_000
DAY_MS = 1_440 * MINUTE_MS
# Buckets are aligned to 1970 in UTC, so that neighbouring requests agree.
BUCKETS_MS = tuple(
    minutes * MINUTE_MS for minutes in (1, 5, 15, 60, 180, 360, 720, 1_440, 7 * 1_440, 30 * 1_440, 365 * 1_440)
)
MAX_BUCKETS = 200
SERIES_KEYS = 8
NAMES_SHOWN = 5
STRETCHES = 24  # of the time, in which like errors are counted
PARTS: tuple[Part, ...] = get_args(Part)

_COUNTED = "(SELECT * FROM spans ANTI JOIN uncounted USING (run_id, span_id))"
_SOURCES: dict[By, tuple[str, str]] = {
    "agent": ("runs", "agent"),
    "name": ("runs", "name"),
    "model": ("llm_calls", "model"),
    "task": ("tasks", "name"),
    "kind": (_COUNTED, "kind"),
}
# Tokens as `pricing.buckets_of` has them: parts that exceed the whole were counted beside it.
_CACHED = "coalesce(cache_read_tokens, 0) + coalesce(cache_write_tokens, 0)"
_FIGURES = f"""count(*) AS count,
    count(*) FILTER (status <> 'running') AS ended,
    count(*) FILTER (status IN ('completed', 'skipped')) AS succeeded,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens - CASE WHEN {_CACHED} > input_tokens THEN 0 ELSE {_CACHED} END)::BIGINT AS uncached_input_tokens,
    sum(cache_read_tokens)::BIGINT AS cache_read_tokens,
    sum(cache_write_tokens)::BIGINT AS cache_write_tokens,
    sum(output_tokens - CASE WHEN reasoning_tokens > output_tokens THEN 0
        ELSE coalesce(reasoning_tokens, 0) END)::BIGINT AS plain_output_tokens,
    sum(reasoning_tokens)::BIGINT AS reasoning_tokens"""
# Of whole numbers, which takes half the time that it takes of doubles.
_PERCENTILES = """list_transform(
        quantile_cont(epoch_ns(end_time) - epoch_ns(start_time), [0.5, 0.95, 0.99]), lambda ns: ns / 1e6
    ) AS p50_p95_p99_ms"""
_FIELDS = Figures.__struct_fields__
_SUMS = _FIELDS[:-3]
_STEP = """name, kind, count(*) AS count, sum(cost_usd) AS cost_usd, sum(input_tokens)::BIGINT AS input_tokens,
    sum(output_tokens)::BIGINT AS output_tokens, sum(duration_ms) AS total_ms,
    list_transform(
        quantile_cont(epoch_ns(end_time) - epoch_ns(start_time), [0.5, 0.95, 1.0]), lambda ns: ns / 1e6
    ) AS p50_p95_max_ms"""


@dataclass(frozen=True, kw_only=True, slots=True)
class InsightsRequest:
    """What is asked. since_ns, until_ns: of starts, Unix ns, the end excluded. limit: rows of each list.

    bucket_ms: None for what makes at most 200 buckets. search: what is told of its runs only. parts: what is wanted;
    each is a question of its own. percentiles: whether durations are wanted, which take as long as all other figures.
    """

    since_ns: int
    until_ns: int
    by: By = "agent"
    bucket_ms: int | None = None
    limit: int = 20
    search: Search | None = None
    parts: frozenset[Part] = frozenset(PARTS)
    percentiles: bool = True

    @property
    def width_ms(self) -> int:
        """The width of the buckets."""
        length_ms = (self.until_ns - self.since_ns) // 1_000_000
        least = -(-length_ms // (MAX_BUCKETS - 1))
        fitting = next((width for width in BUCKETS_MS if width >= least), -(-least // DAY_MS) * DAY_MS)
        return max(self.bucket_ms or 0, fitting)


def insights(connection: DuckDBPyConnection, request: InsightsRequest) -> Insights:
    """Return the figures of a stretch of time, those parts that are asked for. Call within a transaction."""
    asked = _Questions(request)
    answer = Insights(
        since=iso_from_ns(request.since_ns),
        until=iso_from_ns(request.until_ns),
        by=request.by,
        bucket_ms=request.width_ms,
        query=asked.query,
        sql=InsightSql(),
    )

    def rows(part: Part, sql: str) -> list[tuple[Any, ...]]:
        setattr(answer.sql, part, sql)
        return connection.execute(sql).fetchall()

    if request.parts & {"groups", "group_series"}:
        answer.groups = [asked.group(row) for row in rows("groups", asked.groups)]
    if "group_series" in request.parts:
        series = asked.group_series([group.key for group in answer.groups[:SERIES_KEYS]])
        answer.group_series = [asked.bucket(row[0], row[2:], row[1]) for row in rows("group_series", series)]
    if "totals" in request.parts:
        answer.totals = Figures(**_known(rows("totals", asked.totals)[0]))
    if "series" in request.parts:
        answer.series = [asked.bucket(row[0], row[1:]) for row in rows("series", asked.series)]
    if "errors" in request.parts:
        answer.errors = [asked.error(row) for row in rows("errors", asked.errors)]
    if "expensive" in request.parts:
        answer.expensive = [asked.step(row) for row in rows("expensive", asked.expensive)]
    if "slowest" in request.parts:
        answer.slowest = [asked.step(row) for row in rows("slowest", asked.slowest)]
    return answer


class _Questions:
    """The statements of a request, and what their rows mean."""

    def __init__(self, request: InsightsRequest) -> None:
        self._request = request
        self._source, self._key = _SOURCES[request.by]
        self._within = f"start_time >= {_time(request.since_ns)} AND start_time < {_time(request.until_ns)}"
        self._width_ns = request.width_ms * 1_000_000
        self._stretch_ns = -(-(request.until_ns - request.since_ns) // STRETCHES)
        self._bucket = f"epoch_ns(start_time) // {self._width_ns} * {self._width_ns}"
        self._figures = f"{_FIGURES},\n    {_PERCENTILES}" if request.percentiles else _FIGURES
        self._searched: list[Node] = []
        self._within_spans = self._within
        if request.search and not request.search.is_empty:
            self._searched = list(conjuncts(request.search.node))
            found = request.search.run_condition()
            self._within_spans += f" AND run_id IN (SELECT run_id FROM runs WHERE {found})"
            self._within += f" AND {found}" if self._source == "runs" else self._within_spans[len(self._within) :]

    # --- statements

    @property
    def totals(self) -> str:
        return f"SELECT {self._figures}\nFROM {self._source}\nWHERE {self._within}"

    @property
    def groups(self) -> str:
        return (
            f"SELECT {self._key} AS key, {self._figures}\nFROM {self._source}\nWHERE {self._within}\n"
            f"GROUP BY ALL ORDER BY cost_usd DESC NULLS LAST, count DESC, key LIMIT {self._request.limit:d}"
        )

    @property
    def series(self) -> str:
        return (
            f"SELECT {self._bucket} AS bucket_ns, {self._figures}\nFROM {self._source}\nWHERE {self._within}\n"
            "GROUP BY ALL ORDER BY bucket_ns"
        )

    def group_series(self, keys: Iterable[str | None]) -> str:
        known = ", ".join(_text(key) for key in keys if key is not None)
        among = f"{self._key} IN ({known})" if known else "false"
        return (
            f"SELECT {self._bucket} AS bucket_ns, {self._key} AS key, {self._figures}\nFROM {self._source}\n"
            f"WHERE {self._within} AND {among}\nGROUP BY ALL ORDER BY bucket_ns, key"
        )

    @property
    def errors(self) -> str:
        since = self._request.since_ns
        return (
            f"SELECT error_type, {mask_sql('error_message')} AS message, count(*) AS count, "
            f"count(DISTINCT run_id) AS run_count, list_sort(list(DISTINCT name))[:{NAMES_SHOWN}] AS names, "
            "epoch_ns(min(start_time)) AS first_ns, epoch_ns(max(start_time)) AS last_ns, "
            f"histogram((epoch_ns(start_time) - {since}) // {self._stretch_ns}) AS over_time, "
            f"left(arg_max_null(error_message, newest), {MAX_MESSAGE}) AS example, "
            "arg_max(run_id, newest) AS example_run_id, arg_max(span_id, newest) AS example_span_id\n"
            "FROM (SELECT *, (start_time, run_id, span_id) AS newest FROM spans "
            f"WHERE status IN ('failed', 'lost') AND {self._within_spans})\n"
            f"GROUP BY ALL ORDER BY count DESC, last_ns DESC, message LIMIT {self._request.limit:d}"
        )

    @property
    def expensive(self) -> str:
        return (
            f"SELECT {_STEP}, arg_max((run_id, span_id), cost_usd) AS example\n"
            f"FROM {_COUNTED}\nWHERE {self._within_spans} AND cost_usd > 0\n"
            f"GROUP BY name, kind ORDER BY cost_usd DESC, name, kind LIMIT {self._request.limit:d}"
        )

    @property
    def slowest(self) -> str:
        return (
            f"SELECT {_STEP}, arg_max((run_id, span_id), duration_ms) AS example\n"
            f"FROM spans\nWHERE {self._within_spans} AND parent_span_id IS NOT NULL\n"
            f"GROUP BY name, kind ORDER BY p50_p95_max_ms[2] DESC, name, kind LIMIT {self._request.limit:d}"
        )

    # --- rows

    def group(self, row: tuple[Any, ...]) -> InsightGroup:
        return InsightGroup(key=row[0], query=self._query(self._of_key(row[0])), **_known(row[1:]))

    def bucket(self, begin_ns: int, figures: tuple[Any, ...], key: str | None = None) -> InsightBucket:
        since = max(begin_ns, self._request.since_ns)
        until = min(begin_ns + self._width_ns, self._request.until_ns)
        terms = self._of_source() if key is None else self._of_key(key)
        query = self._query(terms, since, until)
        return InsightBucket(time=iso_from_ns(begin_ns), query=query, key=key, **_known(figures))

    def error(self, row: tuple[Any, ...]) -> ErrorGroup:
        error_type, message, count, run_count, names, first_ns, last_ns, over_time, example, run_id, span_id = row
        terms: list[Node] = [_term("status", "failed", "lost")]
        if error_type is not None:
            terms.append(_term("error", error_type))
        if message:
            pattern = pattern_of(message, is_cut=len(example or "") >= MAX_MESSAGE)
            terms.append(Term("error", ":", (pattern,)))
        return ErrorGroup(
            error_type=error_type,
            message=message,
            count=count,
            run_count=run_count,
            names=names,
            first_time=iso_from_ns(first_ns),
            last_time=iso_from_ns(last_ns),
            over_time=[over_time.get(stretch, 0) for stretch in range(STRETCHES)],
            example=example,
            example_run_id=run_id,
            example_span_id=span_id,
            query=self._span_query(terms),
        )

    def step(self, row: tuple[Any, ...]) -> StepGroup:
        *sums, percentiles, example = row
        known = dict(zip(StepGroup.__struct_fields__, (*sums, *percentiles, *example), strict=False))
        return StepGroup(**known, query=self._span_query([_term("name", row[0]), _term("kind", row[1])]))

    # --- searches

    @property
    def query(self) -> str:
        return self._query(self._of_source())

    def _of_source(self) -> list[Node]:
        """Return the terms that tell what is counted at all."""
        if self._request.by == "model":
            return [_term("kind", "llm", "task"), _term("has", "model")]
        return [_term("kind", "task")] if self._request.by == "task" else []

    def _of_key(self, key: str | None) -> list[Node]:
        if self._request.by == "model":
            return (
                [_term("kind", "llm", "task"), _term("model", key)] if key else [_term("kind", "llm"), _none("model")]
            )
        if self._request.by == "task":
            return [_term("kind", "task"), _term("name", key or "")]
        if key is None:
            return [_none(self._request.by)]
        return [_term(self._request.by, key)]

    def _query(self, terms: Sequence[Node], since: int | None = None, until: int | None = None) -> str:
        times = self._times(since, until)
        if self._source == "runs":
            return write(_all([*terms, *self._searched, *times]))
        return write(_all([SpanGroup(_all([*terms, *times])), *self._searched]))

    def _span_query(self, terms: Sequence[Node]) -> str:
        return write(_all([SpanGroup(_all([*terms, *self._times(None, None)])), *self._searched]))

    def _times(self, since: int | None, until: int | None) -> list[Node]:
        begin = iso_from_ns(self._request.since_ns if since is None else since)
        end = iso_from_ns(self._request.until_ns if until is None else until)
        return [Term("started", ">=", (Instant(begin),)), Term("started", "<", (Instant(end),))]


def _known(figures: Sequence[Any]) -> dict[str, Any]:
    percentiles = figures[len(_SUMS)] if len(figures) > len(_SUMS) else None
    sums = dict(zip(_SUMS, figures, strict=False))
    return sums | dict(zip(_FIELDS[len(_SUMS) :], percentiles or (None, None, None), strict=True))


def _all(terms: Sequence[Node]) -> Node:
    return terms[0] if len(terms) == 1 else And(tuple(terms))


def _term(field: str, *values: str) -> Term:
    return Term(field, ":", tuple(Pattern((value,)) for value in values))


def _none(field: str) -> Node:
    return Not(_term("has", field))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _time(unix_nano: int) -> str:
    return f"make_timestamp_ns({unix_nano:d})"
