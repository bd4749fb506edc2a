"""`/api/teams…`, what agents are able to, and `/api/tasks/{id}/match`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from milepost.wire.agents import AgentUpdate
from milepost.wire.teams import MemberRequest, Team, TeamCreate, TeamUpdate
from milepost_collector.controller import views
from milepost_collector.web.controller.bodies import Body, answer, nothing
from milepost_collector.web.state import services

_create = Body(TeamCreate)
_update = Body(TeamUpdate)
_members = Body(MemberRequest)
_agent = Body(AgentUpdate)


async def get_teams(request: Request) -> Response:
    """Return every team."""
    return answer(await services(request).controller.read(views.teams))


async def get_team(request: Request) -> Response:
    """Return one team."""
    return answer(await _team(request, _name(request)))


async def post_team(request: Request) -> Response:
    """Make a team."""
    wanted = await _create.read(request)
    await services(request).controller.write(lambda engine, tx: engine.create_team(tx, wanted))
    return answer(await _team(request, wanted.name), 201)


async def patch_team(request: Request) -> Response:
    """Change a team."""
    name, wanted = _name(request), await _update.read(request)
    await services(request).controller.write(lambda engine, tx: engine.update_team(tx, name, wanted))
    return answer(await _team(request, name))


async def delete_team(request: Request) -> Response:
    """Remove a team."""
    name = _name(request)
    await services(request).controller.write(lambda engine, tx: engine.delete_team(tx, name))
    return nothing()


async def post_members(request: Request) -> Response:
    """Put agents into a team."""
    name, wanted = _name(request), await _members.read(request)
    await services(request).controller.write(lambda engine, tx: engine.add_members(tx, name, wanted), frees=True)
    return answer(await _team(request, name))


async def post_leavers(request: Request) -> Response:
    """Take agents out of a team."""
    name, wanted = _name(request), await _members.read(request)
    await services(request).controller.write(lambda engine, tx: engine.remove_members(tx, name, wanted))
    return answer(await _team(request, name))


async def patch_agent(request: Request) -> Response:
    """Change what an agent is said to be able to."""
    controller, name, wanted = services(request).controller, _name(request), await _agent.read(request)
    await controller.write(lambda engine, tx: engine.update_agent(tx, name, wanted), frees=True)
    return answer(await controller.read(lambda tx: views.agent(tx, name)))


async def get_match(request: Request) -> Response:
    """Return how well every agent suits a task."""
    shared, task_id = services(request), request.path_params["task_id"]
    name = await shared.controller.read(lambda tx: views.name_of(tx, task_id))
    costs = await shared.costs.look(name)
    return answer(await shared.controller.read(lambda tx: views.match(tx, task_id, costs)))


async def _team(request: Request, name: str) -> Team:
    return await services(request).controller.read(lambda tx: views.team(tx, name))


def _name(request: Request) -> str:
    name: str = request.path_params["name"]
    return name
