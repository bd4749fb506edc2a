"""`/api/tasks/{task_id}/…`: what was tried and what happened: attempts, checkpoints, transitions."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from milepost_collector.controller import views
from milepost_collector.errors import InvalidParameterError
from milepost_collector.web.controller.bodies import answer
from milepost_collector.web.controller.costs import with_attempt_costs
from milepost_collector.web.state import services


async def get_attempts(request: Request) -> Response:
    """Return a task's attempts, the newest first."""
    shared, task_id = services(request), request.path_params["task_id"]
    found = await shared.controller.read(lambda tx: views.attempts(tx, task_id))
    await with_attempt_costs(shared.queries, task_id, found.attempts)
    return answer(found)


async def get_attempt(request: Request) -> Response:
    """Return one attempt."""
    shared, task_id, number = services(request), request.path_params["task_id"], _number(request)
    found = await shared.controller.read(lambda tx: views.attempt(tx, task_id, number))
    await with_attempt_costs(shared.queries, task_id, [found])
    return answer(found)


async def get_checkpoints(request: Request) -> Response:
    """Return the checkpoints and steps of a task's attempts, oldest first."""
    task_id = request.path_params["task_id"]
    return answer(await services(request).controller.read(lambda tx: views.checkpoints(tx, task_id)))


async def get_transitions(request: Request) -> Response:
    """Return what happened to a task, oldest first."""
    task_id = request.path_params["task_id"]
    return answer(await services(request).controller.read(lambda tx: views.transitions(tx, task_id)))


def _number(request: Request) -> int:
    text: str = request.path_params["attempt"]
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:10]) < 2**31 or len(text) > 10:
        raise InvalidParameterError("attempt", text, "use an attempt's number, from 1")
    return int(text)
