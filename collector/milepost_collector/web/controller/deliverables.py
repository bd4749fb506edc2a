"""`/api/tasks/{task_id}/deliverables…` and `/api/runs/{run_id}/deliverables…`: what was handed over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from milepost.wire.deliverables import (
    ATTEMPT_HEADER,
    BY_HEADER,
    DEFAULT_CONTENT_TYPE,
    DEFAULT_TYPE,
    SPAN_HEADER,
    TYPE_HEADER,
    CollectAnswer,
    Deliverable,
    DeliverableList,
    ValueAttach,
)
from milepost_collector.controller.engine.deliverables import Owner
from milepost_collector.deliverables import Incoming
from milepost_collector.deliverables.headers import (
    checked_content_type,
    checked_name,
    digest_field,
    disposition,
    matches,
    read_digest,
    read_text,
)
from milepost_collector.deliverables.ranges import Span, UnsatisfiableRange, read_range
from milepost_collector.errors import InvalidParameterError, UnsupportedEncodingError, UploadStalledError
from milepost_collector.web.controller.bodies import Body, answer, nothing
from milepost_collector.web.endpoint import Endpoint
from milepost_collector.web.negotiation import JSON
from milepost_collector.web.parameters import checked_id, parse
from milepost_collector.web.problems import problem
from milepost_collector.web.state import services

IDLE_S = 60.0  # without a byte, after which an upload is given up
CHUNK_BYTES = 256 * 1024  # smaller pieces are joined: each costs a way to the store's threads and back
# A page made of a content has no origin, loads nothing and runs nothing, should a browser show it after all.
CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

_value = Body(ValueAttach)
_MAX_ATTEMPT = 2_147_483_647


class VersionParameters(Struct, kw_only=True):
    """Which version."""

    version: Annotated[int, Meta(description="This version; the newest without it.", ge=1, le=_MAX_ATTEMPT)] | None = (
        None
    )


class ContentParameters(VersionParameters, kw_only=True):
    """Which version, and whether it is to be saved."""

    download: Annotated[bool, Meta(description="Have a browser save it, whatever it is.")] = False


class DeliverableListParameters(Struct, kw_only=True):
    """Which versions."""

    versions: Annotated[str, Meta(description="newest, or all.", pattern="^(newest|all)$")] = "newest"


async def put_deliverable(request: Request) -> Response:
    """Attach the body under a name."""
    incoming = _incoming(request, _name(request))
    found, made = await services(request).deliverables.attach(_owner(request), incoming, _chunks(request))
    return answer(found, 201 if made else 200)


async def post_value(request: Request) -> Response:
    """Attach a value."""
    wanted = await _value.read(request)
    content_type = checked_content_type(wanted.content_type)
    content = _content(wanted.value, content_type)
    incoming = Incoming(
        name=checked_name(wanted.name),
        type=wanted.type,
        content_type=content_type,
        size_bytes=len(content),
        attempt=wanted.attempt,
        span_id=None if wanted.span_id is None else checked_id("span_id", wanted.span_id, 16),
        by=wanted.by,
    )
    found, made = await services(request).deliverables.attach(_owner(request), incoming, _once(content))
    return answer(found, 201 if made else 200)


async def get_deliverables(request: Request) -> Response:
    """Return what an owner handed over."""
    wanted = parse(request.query_params, DeliverableListParameters)
    return answer(await services(request).deliverables.list(_owner(request), all_versions=wanted.versions == "all"))


async def get_deliverable(request: Request) -> Response:
    """Return what is known of a deliverable."""
    wanted = parse(request.query_params, VersionParameters)
    return answer(await services(request).deliverables.get(_owner(request), _name(request), wanted.version))


async def delete_deliverable(request: Request) -> Response:
    """Remove a deliverable, or one version of it."""
    wanted = parse(request.query_params, VersionParameters)
    await services(request).deliverables.remove(_owner(request), _name(request), wanted.version)
    return nothing()


async def get_content(request: Request) -> Response:
    """Return a content or a part of it."""
    wanted = parse(request.query_params, ContentParameters)
    deliverables = services(request).deliverables
    found, key = await deliverables.find(_owner(request), _name(request), wanted.version)
    headers = _content_headers(found, save=wanted.download)
    if matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers={name: headers[name] for name in ("ETag", "Cache-Control")})
    try:
        part = _part(request, found, headers["ETag"])
    except UnsatisfiableRange:
        return problem(
            416,
            f"range {request.headers['range']!r} is not in the {found.size_bytes} bytes of {found.name!r}",
            headers={"Content-Range": f"bytes */{found.size_bytes}"},
            field="Range",
            value=request.headers["range"],
            limit=found.size_bytes,
        )
    start, end = part or Span(0, found.size_bytes)
    headers["Content-Length"] = str(end - start)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.size_bytes}"
    if request.method == "HEAD" or start == end:
        return Response(status_code=200, headers=headers)
    body = await _begun(deliverables.read(key, start, end))
    return StreamingResponse(body, 206 if part is not None else 200, headers=headers)


async def post_collect(request: Request) -> Response:
    """Remove contents that nothing refers to any more."""
    return answer(await services(request).deliverables.collect())


def _owner(request: Request) -> Owner:
    if "task_id" in request.path_params:
        return Owner(task_id=request.path_params["task_id"])
    return Owner(run_id=checked_id("run_id", request.path_params["run_id"], 32))


def _name(request: Request) -> str:
    return checked_name(request.path_params["deliverable"])


def _incoming(request: Request, name: str) -> Incoming:
    headers = request.headers
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise UnsupportedEncodingError("Content-Encoding", encoding, ("identity",))
    span_id, by = headers.get(SPAN_HEADER), headers.get(BY_HEADER)
    return Incoming(
        name=name,
        type=read_text(TYPE_HEADER, headers.get(TYPE_HEADER, DEFAULT_TYPE)),
        content_type=checked_content_type(headers.get("content-type", DEFAULT_CONTENT_TYPE)),
        size_bytes=int(headers["content-length"]) if headers.get("content-length", "").isdecimal() else None,
        sha256=read_digest(headers.get("content-digest")),
        attempt=_attempt(headers.get(ATTEMPT_HEADER)),
        span_id=None if span_id is None else checked_id(SPAN_HEADER, span_id, 16),
        by=None if by is None else read_text(BY_HEADER, by),
    )


def _attempt(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and 1 <= int(text) <= _MAX_ATTEMPT):
        raise InvalidParameterError(ATTEMPT_HEADER, text[:100], "use an attempt's number, from 1")
    return int(text)


def _content(value: object, content_type: str) -> bytes:
    """Return what is kept of a value: JSON, or a text as it is when it is said to be another type."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return msgspec.json.encode(value)
    if not isinstance(value, str):
        raise InvalidParameterError("content_type", content_type, "only a text can be of a type other than JSON")
    return value.encode()


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """Yield the body in pieces that are neither small nor large."""
    stream, joined = aiter(request.stream()), bytearray()
    while True:
        try:
            async with asyncio.timeout(IDLE_S):
                joined += await anext(stream)
        except StopAsyncIteration:
            break
        except TimeoutError as error:
            raise UploadStalledError(IDLE_S) from error
        if len(joined) >= CHUNK_BYTES:
            yield bytes(joined)
            joined.clear()
    yield bytes(joined)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _content_headers(found: Deliverable, *, save: bool) -> dict[str, str]:
    return {
        "Content-Type": found.content_type,
        "Content-Disposition": disposition(found.name, found.content_type, save=save),
        "Content-Security-Policy": CONTENT_POLICY,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "ETag": f'"{found.sha256}"',
        "Repr-Digest": digest_field(found.sha256),
    }


def _part(request: Request, found: Deliverable, etag: str) -> Span | None:
    if request.method != "GET" or request.headers.get("if-range", etag).strip() != etag:
        return None
    return read_range(request.headers.get("range"), found.size_bytes)


async def _begun(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Return pieces once the first one is there, so that errors before it still get their status."""
    first = await anext(pieces)

    async def body() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return body()


def _endpoints(owner: str, whose: str) -> tuple[Endpoint, ...]:
    """Return the addresses of an owner's deliverables."""
    every, one = f"{owner}/deliverables", f"{owner}/deliverables/{{deliverable}}"
    refusals = (400, 404, 408, 409, 413, 415, 503)
    return (
        Endpoint(
            path=f"{one}/content",
            handler=get_content,
            summary=f"The content of a {whose} deliverable, or a range of it; with ETag and Repr-Digest.",
            parameters=ContentParameters,
            answers={DEFAULT_CONTENT_TYPE: None},
            also=(206, 304),
            errors=(400, 404, 416, 503),
        ),
        Endpoint(
            path=one,
            method="PUT",
            handler=put_deliverable,
            summary=f"Attach the body to a {whose} deliverables, streamed. Headers: Content-Type, Milepost-Type, "
            "Milepost-Attempt (the fence), Milepost-Span-Id, Milepost-By, Content-Digest. 200: it is attached already.",
            body={DEFAULT_CONTENT_TYPE: None},
            answers={JSON: Deliverable},
            status=201,
            also=(200,),
            errors=refusals,
        ),
        Endpoint(
            path=one,
            handler=get_deliverable,
            summary=f"What is known of a {whose} deliverable.",
            parameters=VersionParameters,
            answers={JSON: Deliverable},
            errors=(400, 404, 503),
        ),
        Endpoint(
            path=one,
            method="DELETE",
            handler=delete_deliverable,
            summary=f"Remove a {whose} deliverable, or one version of it.",
            parameters=VersionParameters,
            answers={},
            status=204,
            errors=(400, 404, 503),
        ),
        Endpoint(
            path=every,
            method="POST",
            handler=post_value,
            summary=f"Attach a value to a {whose} deliverables. 200: it is attached already.",
            body={JSON: ValueAttach},
            answers={JSON: Deliverable},
            status=201,
            also=(200,),
            errors=refusals,
        ),
        Endpoint(
            path=every,
            handler=get_deliverables,
            summary=f"A {whose} deliverables.",
            parameters=DeliverableListParameters,
            answers={JSON: DeliverableList},
            errors=(400, 404, 503),
        ),
    )


DELIVERABLE_ENDPOINTS = (
    *_endpoints("/api/tasks/{task_id}", "task's"),
    *_endpoints("/api/runs/{run_id}", "run's"),
    Endpoint(
        path="/api/deliverables/collect",
        method="POST",
        handler=post_collect,
        summary="Remove contents of deliverables that nothing refers to any more.",
        answers={JSON: CollectAnswer},
        errors=(503,),
    ),
)
