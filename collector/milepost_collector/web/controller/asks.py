"""`/api/asks…`: what is put to people, and their answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from milepost.wire.asks import (
    ASK_KINDS,
    ASK_STATUSES,
    AskCreate,
    AskFilter,
    CancelAskRequest,
    DecideRequest,
    DelegateRequest,
    ReceivedRequest,
)
from milepost_collector.controller import views
from milepost_collector.controller.engine import Engine
from milepost_collector.controller.store.interface import Tx
from milepost_collector.web.controller.bodies import Body, answer
from milepost_collector.web.controller.parameters import Cursor, check
from milepost_collector.web.controller.waiting import disconnected
from milepost_collector.web.parameters import parse
from milepost_collector.web.state import services

MAX_ASKS = 500  # of one page
MAX_WAIT_MS = 60_000


class AskListParameters(Struct, kw_only=True):
    """A page of asks."""

    status: Annotated[
        list[str], Meta(description=f"Any of these statuses; may be repeated: {', '.join(ASK_STATUSES)}.")
    ] = []
    kind: Annotated[list[str], Meta(description=f"Any of these kinds; may be repeated: {', '.join(ASK_KINDS)}.")] = []
    agent: Annotated[list[str], Meta(description="Asked by any of these agents; may be repeated.")] = []
    approver: Annotated[
        list[str],
        Meta(description="For any of these people, or `team:NAME`, or for anybody; may be repeated."),
    ] = []
    task_id: Annotated[str, Meta(description="Asked for this task.")] | None = None
    run_id: Annotated[str, Meta(description="Asked in this run.")] | None = None
    text: Annotated[str, Meta(description="Part of a title, details, action, key or id.", max_length=1000)] | None = (
        None
    )
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(description="Asks at most.", ge=1, le=MAX_ASKS)] = 50


class AskParameters(Struct, kw_only=True):
    """How long to wait for an answer."""

    wait_ms: Annotated[
        int, Meta(description="Answer once the ask is closed, at the latest after so long.", ge=0, le=MAX_WAIT_MS)
    ] = 0


_create = Body(AskCreate)


async def post_ask(request: Request) -> Response:
    """Ask on behalf of a run; 200 when the run has asked the same before."""
    wanted = await _create.read(request)
    controller = services(request).controller
    ask_id, is_new = await controller.write(lambda engine, tx: engine.ask(tx, wanted))
    return answer(await controller.read(lambda tx: views.ask(tx, ask_id)), 201 if is_new else 200)


async def get_asks(request: Request) -> Response:
    """Return a page of asks: open ones the soonest to expire first, then the others, the newest first."""
    wanted = parse(request.query_params, AskListParameters)
    for status in wanted.status:
        check("status", status, ASK_STATUSES)
    for kind in wanted.kind:
        check("kind", kind, ASK_KINDS)
    given = {name: getattr(wanted, name) for name in AskFilter.__struct_fields__}
    only = msgspec.convert(given, AskFilter)
    return answer(
        await services(request).controller.read(
            lambda tx: views.asks(tx, only, cursor=wanted.cursor, limit=wanted.limit)
        )
    )


async def get_ask(request: Request) -> Response:
    """Return an ask, at once or when it is closed."""
    ask_id, wanted = request.path_params["ask_id"], parse(request.query_params, AskParameters)
    controller = services(request).controller
    if wanted.wait_ms:
        async with disconnected(request) as gone:
            await controller.wait_for_answer(ask_id, wanted.wait_ms / 1_000, gone)
    return answer(await controller.read(lambda tx: views.ask(tx, ask_id)))


def _command(body: Body[Any], act: Callable[[Engine, Tx, str, Any], None]) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler of a command on an ask."""

    async def handle(request: Request) -> Response:
        ask_id, wanted = request.path_params["ask_id"], await body.read(request)
        controller = services(request).controller
        await controller.write(lambda engine, tx: act(engine, tx, ask_id, wanted))
        return answer(await controller.read(lambda tx: views.ask(tx, ask_id)))

    return handle


post_decide = _command(Body(DecideRequest), Engine.decide)
post_delegate = _command(Body(DelegateRequest), Engine.delegate)
post_cancel = _command(Body(CancelAskRequest), Engine.cancel_ask)
post_received = _command(Body(ReceivedRequest), Engine.receive_ask)
