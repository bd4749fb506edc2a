"""`/api/worker/…`: how workers get attempts and tell of them; msgpack or JSON, answered in the format of the request
unless `Accept` names the other one."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from milepost.wire.worker import (
    PollAnswer,
    PollRequest,
    RegisterRequest,
    ReportsRequest,
    TaskLease,
    UnregisterRequest,
)
from milepost_collector.web.controller.bodies import Body, answer, media_type, nothing, packed
from milepost_collector.web.controller.waiting import disconnected
from milepost_collector.web.events import JSON, MSGPACK
from milepost_collector.web.state import services

FORMATS = (JSON, MSGPACK)

_register = Body(RegisterRequest, formats=FORMATS)
_unregister = Body(UnregisterRequest, formats=FORMATS)
_poll = Body(PollRequest, formats=FORMATS)
_reports = Body(ReportsRequest, formats=FORMATS)


async def post_register(request: Request) -> Response:
    """Begin a worker."""
    wanted = await _register.read(request)
    return _answer(request, await services(request).controller.write(lambda engine, tx: engine.register(tx, wanted)))


async def post_unregister(request: Request) -> Response:
    """End a worker; what it holds goes back to the queue."""
    wanted = await _unregister.read(request)
    await services(request).controller.unregister(wanted.worker_id)
    return nothing()


async def post_poll(request: Request) -> Response:
    """Answer with work and commands, at the latest after wait_ms."""
    wanted = await _poll.read(request)
    controller = services(request).controller
    if not wanted.wait_ms:
        return _answer(request, await controller.poll(wanted))
    async with disconnected(request) as gone:
        return _answer(request, await controller.poll(wanted, gone))


async def post_reports(request: Request) -> Response:
    """Apply reports in their order; answered after the commit."""
    wanted = await _reports.read(request)
    return _answer(request, await services(request).controller.report(wanted))


def _answer(request: Request, body: Any) -> Response:
    wanted = request.headers.get("accept", "")
    if MSGPACK not in wanted and (JSON in wanted or media_type(request, FORMATS) == JSON):
        return answer(body)
    if isinstance(body, PollAnswer):
        for lease in body.leases:
            _decode_values(lease)
    try:
        return packed(body)
    except OverflowError:  # JSON knows larger integers; the answer's type says that it is JSON
        return answer(body)


def _decode_values(lease: TaskLease) -> None:
    """Turn stored JSON, which goes into JSON answers as it is, into values that msgpack can hold."""
    for holder in (lease, *lease.steps, *lease.answers):
        for name in ("input", "context", "checkpoint", "result", "action", "value"):
            value = getattr(holder, name, None)
            if isinstance(value, msgspec.Raw):
                setattr(holder, name, msgspec.json.decode(value))
