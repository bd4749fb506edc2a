"""`POST /api/hooks/{hook_id}`: deliveries to triggers, from anybody who has the address and the secret.

No key and no origin is asked for: the signature is what proves. It is checked on the raw body before anything is read,
and 2xx is answered only when the task is durable. An address that nobody has answers like any other that there is not.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from milepost.wire.triggers import HookAnswer
from milepost_collector.errors import BodyTooLargeError, UnsupportedEncodingError
from milepost_collector.triggers import Hook
from milepost_collector.triggers.payloads import media_type
from milepost_collector.triggers.service import Incoming
from milepost_collector.web.body import collect
from milepost_collector.web.controller.bodies import answer
from milepost_collector.web.endpoint import Endpoint
from milepost_collector.web.events import JSON
from milepost_collector.web.state import services

FORM = "application/x-www-form-urlencoded"


async def post_hook(request: Request) -> Response:
    """Take a delivery."""
    triggers = services(request).triggers
    hook = await triggers.hook(request.path_params["hook_id"])
    if hook is None:
        raise HTTPException(404)
    try:
        incoming = await _read(request, hook)
    except (BodyTooLargeError, UnsupportedEncodingError) as error:
        await triggers.turned_away(hook, str(error))
        raise
    taken = await triggers.receive(hook, incoming)
    if taken.challenge is not None:
        return answer({"challenge": taken.challenge})
    return answer(taken)


async def _read(request: Request, hook: Hook) -> Incoming:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", ""):  # what is signed are the bytes as sent
        raise UnsupportedEncodingError("Content-Encoding", encoding, ("identity",))
    kind = media_type(request.headers.get("content-type"))
    limit = hook.max_body_bytes
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > limit:
        raise BodyTooLargeError("compressed", limit)
    body = await collect(request.stream(), limit)
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Incoming(headers, body, kind)


HOOK_ENDPOINTS = (
    Endpoint(
        path="/api/hooks/{hook_id}",
        method="POST",
        handler=post_hook,
        summary="Deliver to a webhook trigger; answered once its task is durable.",
        body={JSON: None, FORM: None},
        answers={JSON: HookAnswer},
        errors=(400, 401, 404, 413, 415, 422, 429, 503),
    ),
)
