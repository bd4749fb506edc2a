"""OTLP over HTTP: `POST /v1/traces`, `/v1/logs`, `/v1/metrics`, and the same below `/api/public/otel`, Langfuse's path.

Every answer, also a refusal, is an OTLP message in the encoding of the request. Credentials that other backends want
are not looked at.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from milepost.errors import MilepostError
from milepost_collector.errors import UnsupportedEncodingError
from milepost_collector.protocol.otlp import CONTENT_TYPES, Signal, encode_answer, encode_status
from milepost_collector.protocol.otlp.answers import INTERNAL, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAVAILABLE
from milepost_collector.traces.ingest import OtlpOutcome
from milepost_collector.web.body import read_body
from milepost_collector.web.problems import milepost_problem, unexpected_problem
from milepost_collector.web.state import Services, services

PROTOBUF, JSON = CONTENT_TYPES

# google.rpc.Code for HTTP statuses: over HTTP only clients' logs show it, over gRPC it says what to do next.
_CODES = {400: INVALID_ARGUMENT, 413: RESOURCE_EXHAUSTED, 415: INVALID_ARGUMENT, 503: UNAVAILABLE}


class Refusal(NamedTuple):
    """An error answer. status: HTTP's; code: google.rpc.Code; retry_after_s: None if trying again is no use."""

    status: int
    code: int
    message: str
    retry_after_s: int | None


async def post_traces(request: Request) -> Response:
    """Store spans; the answer comes after the commit."""
    return await _post(request, "traces")


async def post_logs(request: Request) -> Response:
    """Store log records; the answer comes after the commit."""
    return await _post(request, "logs")


async def post_metrics(request: Request) -> Response:
    """Store metric points; the answer comes after the commit."""
    return await _post(request, "metrics")


async def store_export(shared: Services, signal: Signal, body: bytes, content_type: str, via: str) -> OtlpOutcome:
    """Store a request, then pass it on to where this collector forwards. via: its Milepost-Forwarded header.

    Raises:
        MilepostError: it could not be stored.
    """
    outcome = await shared.ingest.submit_otlp(signal, body, content_type)
    await shared.forwarding.enqueue(signal, content_type, body, via)
    return outcome


async def _post(request: Request, signal: Signal) -> Response:
    shared = services(request)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if content_type not in CONTENT_TYPES:
            raise UnsupportedEncodingError("Content-Type", content_type, CONTENT_TYPES)
        body = await read_body(request, shared.config)
        outcome = await store_export(shared, signal, body, content_type, request.headers.get("milepost-forwarded", ""))
    except MilepostError as error:
        return _response(refusal_of(error), content_type)
    answer = encode_answer(signal, content_type, outcome.rejected, outcome.reason)
    return Response(answer, media_type=content_type)


def refusal_of(error: Exception) -> Refusal:
    """Return the refusal that other routes would give, in OTLP's terms. What nobody foresaw is logged."""
    problem = milepost_problem(error) if isinstance(error, MilepostError) else unexpected_problem(error)
    retry_after = problem.headers.get("retry-after")
    return Refusal(
        status=problem.status_code,
        code=_CODES.get(problem.status_code, INTERNAL),
        message=msgspec.json.decode(problem.body)["detail"],
        retry_after_s=int(retry_after) if retry_after else None,
    )


def _response(refusal: Refusal, content_type: str) -> Response:
    media_type = PROTOBUF if "protobuf" in content_type else JSON  # JSON is what people read
    return Response(
        encode_status(media_type, refusal.code, refusal.message, refusal.retry_after_s),
        refusal.status,
        media_type=media_type,
        headers={"Retry-After": str(refusal.retry_after_s)} if refusal.retry_after_s is not None else None,
    )
