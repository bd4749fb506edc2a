"""Every address of the collector: the table that the router and /openapi.json are both made from."""

from __future__ import annotations

import re

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from milepost.wire import Batch, BatchAnswer
from milepost_collector.protocol.api import (
    EventList,
    EventMarks,
    FirstArguments,
    FoundSpans,
    MessageItem,
    RunDetail,
    RunFacets,
    RunHistogram,
    RunList,
    RunMessages,
    RunSpans,
    Schema,
    SearchOffers,
    SessionList,
    SpanDetail,
    SqlRequest,
    SqlResult,
)
from milepost_collector.web.analysis import ANALYSIS_ENDPOINTS
from milepost_collector.web.controller import CONTROLLER_ENDPOINTS
from milepost_collector.web.endpoint import Endpoint, Handler
from milepost_collector.web.events import JSON, MSGPACK, post_events
from milepost_collector.web.health import healthz, metrics, readyz
from milepost_collector.web.hooks import HOOK_ENDPOINTS
from milepost_collector.web.links import LINK_ENDPOINTS
from milepost_collector.web.live import live
from milepost_collector.web.negotiation import ARROW, CSV, PARQUET
from milepost_collector.web.otlp import PROTOBUF, post_logs, post_metrics, post_traces
from milepost_collector.web.parameters import (
    ArgumentParameters,
    CompleteParameters,
    EventsParameters,
    FacetParameters,
    HistogramParameters,
    LiveParameters,
    MessagesParameters,
    RunParameters,
    RunsParameters,
    SessionsParameters,
    SpanParameters,
    SpanSearchParameters,
)
from milepost_collector.web.runs import (
    get_arguments,
    get_completions,
    get_event_marks,
    get_facets,
    get_histogram,
    get_message,
    get_run,
    get_run_events,
    get_run_messages,
    get_run_spans,
    get_runs,
    get_sessions,
    get_span,
    search_run,
)
from milepost_collector.web.scores import SCORE_ENDPOINTS
from milepost_collector.web.sql import get_schema, post_sql
from milepost_collector.web.status import CollectorStatus, get_status
from milepost_collector.web.triggers import TRIGGER_ENDPOINTS
from milepost_collector.web.webhooks import WEBHOOK_ENDPOINTS

_NAMES = re.compile(r"{(name|schedule|trigger|value|deliverable|webhook)}")


class Status(Struct, kw_only=True):
    """The collector's state."""

    status: str
    version: str


ENDPOINTS = (
    Endpoint(
        path="/v1/events",
        method="POST",
        handler=post_events,
        summary="Store a batch of events; answered after the commit. gzip, deflate and zstd are understood.",
        body={MSGPACK: Batch, JSON: Batch},
        answers={MSGPACK: BatchAnswer, JSON: BatchAnswer},
        errors=(400, 413, 415, 503),
    ),
    *(
        Endpoint(
            path=f"{prefix}/v1/{signal}",
            method="POST",
            handler=handler,
            summary=f"Store OpenTelemetry {signal} (OTLP); answered after the commit. Errors are google.rpc.Status.",
            body={PROTOBUF: None, JSON: None},
            answers={PROTOBUF: None, JSON: None},
            errors=(400, 413, 415, 503),
            refusals={PROTOBUF: None, JSON: None},
        )
        for prefix in ("", "/api/public/otel")  # the latter is where Langfuse's SDKs send
        for signal, handler in (("traces", post_traces), ("logs", post_logs), ("metrics", post_metrics))
    ),
    Endpoint(
        path="/api/runs",
        handler=get_runs,
        summary="A page of runs.",
        parameters=RunsParameters,
        answers={JSON: RunList},
        errors=(400, 503, 504),
    ),
    Endpoint(
        path="/api/runs/sessions",
        handler=get_sessions,
        summary="A page of sessions: what the runs of each come to.",
        parameters=SessionsParameters,
        answers={JSON: SessionList},
        errors=(400, 503, 504),
    ),
    Endpoint(
        path="/api/runs/histogram",
        handler=get_histogram,
        summary="Runs by when they started: how many, by status, with tokens and cost.",
        parameters=HistogramParameters,
        answers={JSON: RunHistogram},
        errors=(400, 503, 504),
    ),
    Endpoint(
        path="/api/runs/facets",
        handler=get_facets,
        summary="The most frequent values of the runs' fields, each less what is asked of its own field.",
        parameters=FacetParameters,
        answers={JSON: RunFacets},
        errors=(400, 503, 504),
    ),
    Endpoint(
        path="/api/search/complete",
        handler=get_completions,
        summary="What may come next in a search that is being typed.",
        parameters=CompleteParameters,
        answers={JSON: SearchOffers},
        errors=(400, 503, 504),
    ),
    Endpoint(
        path="/api/runs/{run_id}/search",
        handler=search_run,
        summary="The spans of a run that a search finds, in the order of (start, span id).",
        parameters=SpanSearchParameters,
        answers={JSON: FoundSpans},
        errors=(400, 404, 503, 504),
    ),
    Endpoint(
        path="/api/runs/{run_id}/arguments",
        handler=get_arguments,
        summary="The first argument of some of a run's spans, for a timeline's rows.",
        parameters=ArgumentParameters,
        answers={JSON: FirstArguments},
        errors=(400, 503, 504),
    ),
    Endpoint(
        path="/api/runs/{run_id}",
        handler=get_run,
        summary="A run's header: sums, producers, numbers of events.",
        parameters=RunParameters,
        answers={JSON: RunDetail},
        errors=(400, 404, 503, 504),
    ),
    Endpoint(
        path="/api/runs/{run_id}/spans",
        handler=get_run_spans,
        summary="What the timeline needs of every span of a run, streamed in the order of (start, span id).",
        parameters=RunParameters,
        answers={JSON: RunSpans, ARROW: None},
        errors=(400, 404, 406, 503),
    ),
    Endpoint(
        path="/api/runs/{run_id}/events",
        handler=get_run_events,
        summary="A page of a run's events in time order.",
        parameters=EventsParameters,
        answers={JSON: EventList},
        errors=(400, 503, 504),
    ),
    Endpoint(
        path="/api/runs/{run_id}/marks",
        handler=get_event_marks,
        summary="When a run's logs, exceptions and events were and how grave, without what they say: for a timeline.",
        answers={JSON: EventMarks},
        errors=(400, 503, 504),
    ),
    Endpoint(
        path="/api/runs/{run_id}/messages",
        handler=get_run_messages,
        summary="A page of a run's conversation: its calls of models and tools, each with what was new in it.",
        parameters=MessagesParameters,
        answers={JSON: RunMessages},
        errors=(400, 404, 503, 504),
    ),
    Endpoint(
        path="/api/spans/{span_id}",
        handler=get_span,
        summary="Everything about a span.",
        parameters=SpanParameters,
        answers={JSON: SpanDetail},
        errors=(400, 404, 503, 504),
    ),
    Endpoint(
        path="/api/messages/{message_id}",
        handler=get_message,
        summary="One chat message whole.",
        answers={JSON: MessageItem},
        errors=(400, 404, 503, 504),
    ),
    Endpoint(
        path="/api/sql",
        method="POST",
        handler=post_sql,
        summary="The answer to one SELECT statement.",
        body={JSON: SqlRequest},
        answers={JSON: SqlResult, ARROW: None, CSV: None, PARQUET: None},
        errors=(400, 406, 413, 422, 503, 504),
    ),
    Endpoint(
        path="/api/schema",
        handler=get_schema,
        summary="The tables, views and columns that SQL may use.",
        answers={JSON: Schema},
    ),
    Endpoint(
        path="/api/live",
        handler=live,
        summary="Server-sent events `hello`, `runs`, `spans`, `events`, `tasks` and `reset`; resumes after "
        "Last-Event-ID.",
        parameters=LiveParameters,
        answers={"text/event-stream": None},
        errors=(400, 503),
    ),
    Endpoint(
        path="/api/status",
        handler=get_status,
        summary="What the collector is, holds and is held to.",
        answers={JSON: CollectorStatus},
        errors=(503, 504),
    ),
    *ANALYSIS_ENDPOINTS,
    *SCORE_ENDPOINTS,
    *WEBHOOK_ENDPOINTS,
    *LINK_ENDPOINTS,
    *CONTROLLER_ENDPOINTS,
    *TRIGGER_ENDPOINTS,
    *HOOK_ENDPOINTS,
    Endpoint(path="/healthz", handler=healthz, summary="Whether the process answers.", answers={JSON: Status}),
    Endpoint(
        path="/readyz",
        handler=readyz,
        summary="Whether events are taken.",
        answers={JSON: Status},
        errors=(503,),
    ),
    Endpoint(
        path="/metrics", handler=metrics, summary="Numbers for Prometheus.", answers={"text/plain": None}
    ),
)  # fmt: skip


def routes() -> list[Route]:
    """Return Starlette's routes for the endpoints: one for each path, so that a 405 can name all of its methods."""
    return [
        Route(route_path(path), _named(path, {endpoint.method: endpoint.handler for endpoint in endpoints}),
              methods=[endpoint.method for endpoint in endpoints])
        for path, endpoints in _by_path().items()
    ]  # fmt: skip


def route_path(path: str) -> str:
    """Return the pattern of a path for Starlette: names may hold slashes, which arrive decoded."""
    return _NAMES.sub(r"{\1:path}", path)


def _by_path() -> dict[str, list[Endpoint]]:
    found: dict[str, list[Endpoint]] = {}
    for endpoint in ENDPOINTS:
        found.setdefault(endpoint.path, []).append(endpoint)
    return found


def _named(path: str, handlers: dict[str, Handler]) -> Handler:
    """Note the route's pattern for metrics: addresses themselves are too many to count by."""

    async def handle(request: Request) -> Response:
        request.scope["milepost.route"] = path
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return handle
