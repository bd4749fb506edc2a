"""`GET /api/runs…` and `/api/spans/{id}`."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from duckdb import DuckDBPyConnection
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from milepost_collector.traces.queries import (
    RunSpansReader,
    event_marks,
    list_events,
    list_runs,
    message,
    run_detail,
    run_messages,
    span_detail,
)
from milepost_collector.traces.queries.arguments import first_arguments
from milepost_collector.traces.queries.facets import FACETS, run_facets
from milepost_collector.traces.queries.histogram import run_histogram
from milepost_collector.traces.queries.search import Search
from milepost_collector.traces.queries.search_offers import search_offers
from milepost_collector.traces.queries.search_spans import search_spans
from milepost_collector.traces.queries.sessions import list_sessions
from milepost_collector.web.negotiation import ARROW, JSON, preferred
from milepost_collector.web.parameters import (
    ArgumentParameters,
    CompleteParameters,
    EventsParameters,
    FacetParameters,
    HistogramParameters,
    MessagesParameters,
    RunParameters,
    RunsParameters,
    SessionsParameters,
    SpanParameters,
    SpanSearchParameters,
    checked_id,
    parse,
)
from milepost_collector.web.state import services

LIVE_POSITION = "Milepost-Live-Position"
_NO_STORE = {"Cache-Control": "no-store"}
_NONE: Mapping[str, str] = MappingProxyType({})
_encode = msgspec.json.Encoder().encode


async def get_runs(request: Request) -> Response:
    """Return a page of runs."""
    queries = services(request).queries
    given = parse(request.query_params, RunsParameters)
    wanted = given.to_filter(now_ns=time.time_ns(), sort=given.sort, cursor=given.cursor, limit=given.limit)
    position = _position(request, None) if given.live else {}
    return answer(await queries.run(lambda connection: list_runs(connection, queries.index, wanted)), position)


async def get_sessions(request: Request) -> Response:
    """Return a page of sessions."""
    given = parse(request.query_params, SessionsParameters)
    wanted = given.to_filter(now_ns=time.time_ns(), cursor=given.cursor)
    return answer(
        await services(request).queries.run(
            lambda connection: list_sessions(connection, wanted, sort=given.sort, limit=given.limit)
        )
    )


async def get_histogram(request: Request) -> Response:
    """Return runs by when they started."""
    given, now_ns = parse(request.query_params, HistogramParameters), time.time_ns()
    wanted = given.to_filter(now_ns=now_ns)
    return answer(
        await services(request).queries.run(
            lambda connection: run_histogram(connection, wanted, now_ns=now_ns, buckets=given.buckets)
        )
    )


async def get_facets(request: Request) -> Response:
    """Return the most frequent values of the runs' fields."""
    given = parse(request.query_params, FacetParameters)
    wanted = given.to_filter(now_ns=time.time_ns())
    return answer(
        await services(request).queries.run(
            lambda connection: run_facets(connection, wanted, given.field or FACETS, limit=given.limit)
        )
    )


async def get_completions(request: Request) -> Response:
    """Return what may come next in a search."""
    given = parse(request.query_params, CompleteParameters)
    at = len(given.q) if given.at is None else min(given.at, len(given.q))
    return answer(
        await services(request).queries.run(lambda connection: search_offers(connection, given.q, at, given.limit))
    )


async def search_run(request: Request) -> Response:
    """Return the spans of a run that a search finds."""
    queries, run_id = services(request).queries, _run_id(request)
    given = parse(request.query_params, SpanSearchParameters)
    search = Search.read(given.q, now_ns=time.time_ns(), of_spans=True)
    return answer(
        await queries.run(lambda connection: search_spans(connection, queries.index, run_id, search, limit=given.limit))
    )


async def get_arguments(request: Request) -> Response:
    """Return the first arguments of some of a run's spans."""
    queries, run_id = services(request).queries, _run_id(request)
    span_ids = [checked_id("span_id", one, 16) for one in parse(request.query_params, ArgumentParameters).span_id]
    return answer(await queries.run(lambda connection: first_arguments(connection, queries.index, run_id, span_ids)))


async def get_run(request: Request) -> Response:
    """Return a run's header."""
    queries, run_id = services(request).queries, _run_id(request)
    position = _position(request, run_id) if parse(request.query_params, RunParameters).live else {}
    return answer(await queries.run(lambda connection: run_detail(connection, queries.index, run_id)), position)


async def get_run_spans(request: Request) -> Response:
    """Stream the skeleton of a run's timeline, as JSON or as an Arrow stream."""
    queries, run_id = services(request).queries, _run_id(request)
    media_type = preferred(request, (JSON, ARROW))
    position = _position(request, run_id) if parse(request.query_params, RunParameters).live else {}

    def pieces(connection: DuckDBPyConnection) -> Iterator[bytes]:
        reader = RunSpansReader(connection, queries.index, run_id)
        return reader.json() if media_type == JSON else reader.arrow_stream()

    return await streamed(queries.stream(pieces), media_type, position)


async def get_run_events(request: Request) -> Response:
    """Return a page of a run's events."""
    queries, run_id = services(request).queries, _run_id(request)
    wanted = parse(request.query_params, EventsParameters)
    span_id = checked_id("span_id", wanted.span_id, 16) if wanted.span_id else None
    position = _position(request, run_id) if wanted.live else {}
    found = await queries.run(
        lambda connection: list_events(
            connection, run_id, kind=wanted.kind, span_id=span_id, cursor=wanted.cursor, limit=wanted.limit
        )
    )
    return answer(found, position)


async def get_event_marks(request: Request) -> Response:
    """Return where a run's events lie in time."""
    run_id = _run_id(request)
    return answer(await services(request).queries.run(lambda connection: event_marks(connection, run_id)))


async def get_run_messages(request: Request) -> Response:
    """Return a page of a run's conversation."""
    queries, run_id = services(request).queries, _run_id(request)
    wanted = parse(request.query_params, MessagesParameters)
    return answer(
        await queries.run(
            lambda connection: run_messages(
                connection, queries.index, run_id,
                cursor=wanted.cursor, limit=wanted.limit, payload_limit=wanted.payload_limit,
            )
        )
    )  # fmt: skip


async def get_span(request: Request) -> Response:
    """Return everything about a span."""
    queries = services(request).queries
    span_id = checked_id("span_id", request.path_params["span_id"], 16)
    wanted = parse(request.query_params, SpanParameters)
    run_id = checked_id("run_id", wanted.run_id, 32) if wanted.run_id else None
    return answer(
        await queries.run(
            lambda connection: span_detail(
                connection, queries.index, span_id, run_id=run_id, payload_limit=wanted.payload_limit
            )
        )
    )


async def get_message(request: Request) -> Response:
    """Return one chat message whole."""
    message_id = checked_id("message_id", request.path_params["message_id"], 32)
    return answer(await services(request).queries.run(lambda connection: message(connection, message_id)))


def answer(body: Any, headers: Mapping[str, str] = _NONE) -> Response:
    """Return a JSON answer that is not kept by caches."""
    return Response(_encode(body), media_type=JSON, headers={**_NO_STORE, **headers})


def _position(request: Request, run_id: str | None) -> dict[str, str]:
    """Return the header that says where to follow the runs, and one of them, from; called before what it is about."""
    return {LIVE_POSITION: services(request).ingest.feed.position(runs=True, run_id=run_id)}


async def streamed(pieces: AsyncIterator[bytes], media_type: str, headers: Mapping[str, str] = _NONE) -> Response:
    """Return a streaming answer once its first piece is there, so that errors before it still get their status."""
    first = await anext(pieces)

    async def body() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return StreamingResponse(body(), media_type=media_type, headers={**_NO_STORE, "Vary": "Accept", **headers})


def _run_id(request: Request) -> str:
    return checked_id("run_id", request.path_params["run_id"], 32)
