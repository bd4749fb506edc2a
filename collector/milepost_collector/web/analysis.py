"""`GET /api/runs/{id}/export`, `/api/compare…`, `/api/flame` and `/api/insights`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Literal

from duckdb import DuckDBPyConnection
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from milepost_collector.errors import InvalidParameterError
from milepost_collector.protocol.compare import Comparison, SpanComparison
from milepost_collector.protocol.exports.markdown import LEAST_BYTES
from milepost_collector.protocol.flame import Flame, FlameAround, FlameBy, Metric
from milepost_collector.protocol.history import History
from milepost_collector.protocol.insights import By, Insights
from milepost_collector.traces.analysis import (
    FlameRequest,
    InsightsRequest,
    RunExport,
    compare,
    compare_spans,
    flame,
    flame_around,
    insights,
)
from milepost_collector.traces.analysis.exporting import DEFAULT_PAGE_BYTES
from milepost_collector.traces.analysis.flame import MAX_RUNS
from milepost_collector.traces.analysis.history import MAX_OTHERS, history
from milepost_collector.traces.analysis.insights import PARTS
from milepost_collector.traces.queries.search import Search
from milepost_collector.web.endpoint import Endpoint
from milepost_collector.web.negotiation import JSON
from milepost_collector.web.parameters import MAX_PAYLOAD_LIMIT, NarrowingParameters, checked_id, instant, parse
from milepost_collector.web.runs import answer, streamed
from milepost_collector.web.state import services
from milepost_collector.web.wanted import run_while_wanted

MARKDOWN = "text/markdown"
MAX_PAGE_BYTES = 1_000_000
MAX_ROWS = 500
_UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_ENDINGS = {"otlp": "otlp.json", "chrome": "trace.json", "speedscope": "speedscope.json", "markdown": "md"}


class ExportParameters(Struct, kw_only=True):
    """How a run is written."""

    format: Annotated[
        Literal["otlp", "chrome", "speedscope", "markdown"],
        Meta(
            description="otlp: a trace request, /v1/traces takes it back; chrome: trace events, for Perfetto; "
            "speedscope; markdown: a summary."
        ),
    ] = "otlp"
    budget: Annotated[
        int, Meta(description="Bytes of a Markdown summary at most.", ge=LEAST_BYTES, le=MAX_PAGE_BYTES)
    ] = DEFAULT_PAGE_BYTES


class CompareParameters(Struct, kw_only=True):
    """Which runs are compared."""

    a: Annotated[str, Meta(description="A run's id; required.")] = ""
    b: Annotated[str, Meta(description="The other run's id; required.")] = ""


class CompareSpanParameters(Struct, kw_only=True):
    """Which spans are compared."""

    a: Annotated[str, Meta(description="A span, as run id/span id; left out when the row has none.")] | None = None
    b: Annotated[str, Meta(description="The other run's span, as run id/span id.")] | None = None
    limit: Annotated[
        int, Meta(description="Bytes up to which values are given whole, beyond it their head.", ge=0,
                  le=MAX_PAYLOAD_LIMIT),
    ] = 65_536  # fmt: skip


async def get_comparison(request: Request) -> Response:
    """Return two runs side by side."""
    queries = services(request).queries
    wanted = parse(request.query_params, CompareParameters)
    a, b = checked_id("a", wanted.a, 32), checked_id("b", wanted.b, 32)
    return answer(await queries.run(lambda connection: compare(connection, queries.index, a, b)))


async def get_span_comparison(request: Request) -> Response:
    """Return what two spans were given and returned."""
    queries = services(request).queries
    wanted = parse(request.query_params, CompareSpanParameters)
    a, b = _span("a", wanted.a), _span("b", wanted.b)
    return answer(
        await queries.run(lambda connection: compare_spans(connection, queries.index, a, b, limit=wanted.limit))
    )


class HistoryParameters(Struct, kw_only=True):
    """Which run, beside how many."""

    run: Annotated[str, Meta(description="The run's id; required.")] = ""
    last: Annotated[int, Meta(description="Runs of its name before it at most.", ge=1, le=MAX_OTHERS)] = 20


async def get_history(request: Request) -> Response:
    """Return a run beside those of its name that went before."""
    queries = services(request).queries
    wanted = parse(request.query_params, HistoryParameters)
    run_id = checked_id("run", wanted.run, 32)
    return answer(await queries.run(lambda connection: history(connection, queries.index, run_id, last=wanted.last)))


def _span(name: str, text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    run_id, slash, span_id = text.partition("/")
    if not slash:
        raise InvalidParameterError(name, text, "use a run id and a span id with a slash between them")
    return checked_id(name, run_id, 32), checked_id(name, span_id, 16)


class FlameParameters(NarrowingParameters, kw_only=True):
    """Which runs are folded, and how."""

    metric: Annotated[
        Metric,
        Meta(
            description="time: of runs, every instant once; self: time in which nothing ran below a span; cost, USD; "
            "tokens; errors."
        ),
    ] = "time"
    by: Annotated[FlameBy, Meta(description="What a path is made of.")] = "name"
    runs: Annotated[int, Meta(description="The newest so many runs.", ge=1, le=MAX_RUNS)] = 1_000

    def to_request(self, *, now_ns: int) -> FlameRequest:
        """Return the request for the queries.

        Raises:
            InvalidParameterError: a filter is not valid.
        """
        return FlameRequest(runs=self.to_filter(now_ns=now_ns), metric=self.metric, by=self.by, run_limit=self.runs)


class FlameAroundParameters(FlameParameters, kw_only=True):
    """Which runs are folded, and around what."""

    key: Annotated[str, Meta(description="A name, agent or model, as the table of /api/flame has it; required.")] = ""


async def get_flame(request: Request) -> Response:
    """Return many runs folded by path."""
    queries = services(request).queries
    wanted = parse(request.query_params, FlameParameters).to_request(now_ns=time.time_ns())
    return answer(await queries.run(lambda connection: flame(connection, queries.index, wanted)))


async def get_flame_around(request: Request) -> Response:
    """Return what leads to the spans of a key, and what is below them."""
    queries = services(request).queries
    given = parse(request.query_params, FlameAroundParameters)
    wanted = given.to_request(now_ns=time.time_ns())
    return answer(await queries.run(lambda connection: flame_around(connection, queries.index, wanted, given.key)))


class InsightsParameters(Struct, kw_only=True, rename={"since": "from", "until": "to"}):
    """What figures are asked for."""

    since: Annotated[str, Meta(description="Started at or after: ISO 8601, `now` or `now-24h`.")] = "now-24h"
    until: Annotated[str, Meta(description="Started before: ISO 8601, `now` or `now-24h`.")] = "now"
    by: Annotated[
        By,
        Meta(
            description="agent, name: runs by their agent or name; model: model calls; task: spans of kind task by "
            "name; kind: spans by kind."
        ),
    ] = "agent"
    bucket: Annotated[
        Literal["1m", "5m", "15m", "1h", "3h", "6h", "12h", "1d", "7d", "30d"],
        Meta(description="Width of the buckets of time, wider when it makes more than 200; otherwise as fits."),
    ] | None = None  # fmt: skip
    limit: Annotated[int, Meta(description="Rows of each list at most.", ge=1, le=MAX_ROWS)] = 20
    q: Annotated[str, Meta(description="A search; of its runs only is told.")] | None = None
    part: Annotated[
        list[str], Meta(description=f"Any of these parts, else all; may be repeated: {', '.join(PARTS)}.")
    ] = []
    percentiles: Annotated[
        bool, Meta(description="0: no durations, which take as long as all other figures.")
    ] = True  # fmt: skip

    def to_request(self, *, now_ns: int) -> InsightsRequest:
        """Return the request for the queries.

        Raises:
            InvalidParameterError: a time, a part or the search is not valid, or the end does not lie after the
                beginning.
        """
        since, until = instant("from", self.since, now_ns) or 0, instant("to", self.until, now_ns) or 0
        if until <= since:
            raise InvalidParameterError("to", self.until, f"use a time after from, which is {self.since}")
        width = None if self.bucket is None else int(self.bucket[:-1]) * _UNITS_MS[self.bucket[-1]]
        for part in self.part:
            if part not in PARTS:
                raise InvalidParameterError("part", part, f"use one of {', '.join(PARTS)}")
        return InsightsRequest(
            since_ns=since,
            until_ns=until,
            by=self.by,
            bucket_ms=width,
            limit=self.limit,
            search=Search.read(self.q, now_ns=now_ns) if self.q else None,
            parts=frozenset(part for part in PARTS if not self.part or part in self.part),
            percentiles=self.percentiles,
        )


async def get_insights(request: Request) -> Response:
    """Return the figures of a stretch of time."""
    wanted = parse(request.query_params, InsightsParameters).to_request(now_ns=time.time_ns())
    queries = services(request).queries
    return answer(await run_while_wanted(request, queries, lambda connection: insights(connection, wanted)))


async def get_export(request: Request) -> Response:
    """Stream a run in another tool's format."""
    queries = services(request).queries
    run_id = checked_id("run_id", request.path_params["run_id"], 32)
    wanted = parse(request.query_params, ExportParameters)

    def export(connection: DuckDBPyConnection) -> Iterator[bytes]:
        return RunExport(connection, queries.index, run_id).pieces(wanted.format, budget=wanted.budget)

    document = await streamed(queries.stream(export), MARKDOWN if wanted.format == "markdown" else JSON)
    document.headers["Content-Disposition"] = f'attachment; filename="{run_id}.{_ENDINGS[wanted.format]}"'
    return document


ANALYSIS_ENDPOINTS = (
    Endpoint(
        path="/api/compare",
        handler=get_comparison,
        summary="Two runs aligned by path and order, with the first difference and what b has more than a.",
        parameters=CompareParameters,
        answers={JSON: Comparison},
        errors=(400, 404, 503, 504),
    ),
    Endpoint(
        path="/api/compare/span",
        handler=get_span_comparison,
        summary="What two spans were given and returned, side by side.",
        parameters=CompareSpanParameters,
        answers={JSON: SpanComparison},
        errors=(400, 404, 503, 504),
    ),
    Endpoint(
        path="/api/compare/history",
        handler=get_history,
        summary="A run beside the last ones of its name: by path, where it lies among them; new and missing steps.",
        parameters=HistoryParameters,
        answers={JSON: History},
        errors=(400, 404, 503, 504),
    ),
    Endpoint(
        path="/api/flame",
        handler=get_flame,
        summary="The spans of many runs folded by path: time, self time, cost, tokens or errors, and sums by name.",
        parameters=FlameParameters,
        answers={JSON: Flame},
        errors=(400, 503, 504),
    ),
    Endpoint(
        path="/api/flame/around",
        handler=get_flame_around,
        summary="Of the same runs, what leads to the spans of one key and what is below them.",
        parameters=FlameAroundParameters,
        answers={JSON: FlameAround},
        errors=(400, 503, 504),
    ),
    Endpoint(
        path="/api/insights",
        handler=get_insights,
        summary="Cost, tokens, latency and success of a stretch of time by agent, name, model, task or kind, errors "
        "that are alike, and the dearest and slowest steps; each with the search for its runs and the SQL behind it.",
        parameters=InsightsParameters,
        answers={JSON: Insights},
        errors=(400, 503, 504),
    ),
    Endpoint(
        path="/api/runs/{run_id}/export",
        handler=get_export,
        summary="A run in another tool's format, streamed: OTLP/JSON, Chrome trace events, speedscope or Markdown.",
        parameters=ExportParameters,
        answers={JSON: None, MARKDOWN: None},
        errors=(400, 404, 503),
    ),
)
