"""`/api/agents…` and `/api/limits…`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from milepost.wire.agents import LIMIT_SCOPES, Limit
from milepost.wire.tasks import PauseRequest
from milepost_collector.controller import views
from milepost_collector.controller.engine import Engine
from milepost_collector.controller.store.interface import Tx
from milepost_collector.web.controller.bodies import Body, answer, nothing
from milepost_collector.web.controller.parameters import check
from milepost_collector.web.state import services

_pause = Body(PauseRequest)
_limit = Body(Limit)


async def get_agents(request: Request) -> Response:
    """Return every agent with its workers."""
    return answer(await services(request).controller.read(views.agents))


async def get_agent(request: Request) -> Response:
    """Return one agent."""
    name = request.path_params["name"]
    return answer(await services(request).controller.read(lambda tx: views.agent(tx, name)))


def _command(act: Callable[[Engine, Tx, str, PauseRequest], None]) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        controller, name, wanted = services(request).controller, request.path_params["name"], await _pause.read(request)
        await controller.write(lambda engine, tx: act(engine, tx, name, wanted), frees=True)
        return answer(await controller.read(lambda tx: views.agent(tx, name)))

    return handle


post_pause = _command(Engine.pause_agent)
post_resume = _command(Engine.resume_agent)


async def get_limits(request: Request) -> Response:
    """Return every limit."""
    return answer(await services(request).controller.read(views.limits))


async def put_limit(request: Request) -> Response:
    """Set a limit, in place of the one for the same scope and value."""
    wanted = await _limit.read(request)
    await services(request).controller.write(lambda engine, tx: engine.set_limit(tx, wanted), frees=True)
    return answer(wanted)


async def delete_limit(request: Request) -> Response:
    """Remove a limit."""
    scope, value = request.path_params["scope"], request.path_params["value"]
    check("scope", scope, LIMIT_SCOPES)
    await services(request).controller.write(lambda engine, tx: engine.delete_limit(tx, scope, value), frees=True)
    return nothing()
