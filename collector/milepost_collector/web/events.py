"""`POST /v1/events`."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from milepost_collector.web.body import read_body
from milepost_collector.web.state import services

JSON = "application/json"
MSGPACK = "application/msgpack"
MSGPACK_NAMES = (MSGPACK, "application/x-msgpack", "application/vnd.msgpack")

_encode_json = msgspec.json.Encoder().encode
_encode_msgpack = msgspec.msgpack.Encoder().encode


async def post_events(request: Request) -> Response:
    """Store a batch; the answer comes after the commit, in the format the batch came in."""
    shared = services(request)
    content_type = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    body = await read_body(request, shared.config)
    answer = await shared.ingest.submit(body, content_type)
    if content_type in MSGPACK_NAMES:
        return Response(_encode_msgpack(answer), media_type=MSGPACK)
    return Response(_encode_json(answer), media_type=JSON)
