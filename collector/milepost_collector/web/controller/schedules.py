"""`/api/schedules…`: schedules by id or name, their instants, and what is done to them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from milepost.wire.schedules import (
    INSTANT_STATUSES,
    BackfillRequest,
    PreviewRequest,
    Schedule,
    ScheduleCreate,
    ScheduleUpdate,
)
from milepost.wire.tasks import PauseRequest, RunRequest
from milepost_collector.controller import views
from milepost_collector.web.controller.bodies import Body, answer, nothing
from milepost_collector.web.controller.parameters import InstantListParameters, ScheduleListParameters, check
from milepost_collector.web.parameters import parse
from milepost_collector.web.state import services

_create = Body(ScheduleCreate)
_update = Body(ScheduleUpdate)
_pause = Body(PauseRequest)
_run = Body(RunRequest)
_backfill = Body(BackfillRequest)
_preview = Body(PreviewRequest)


async def post_schedule(request: Request) -> Response:
    """Create a schedule."""
    wanted = await _create.read(request)
    schedule_id = await services(request).controller.write(lambda engine, tx: engine.create_schedule(tx, wanted))
    return answer(await _schedule(request, schedule_id), 201)


async def get_schedules(request: Request) -> Response:
    """Return a page of schedules by name."""
    wanted = parse(request.query_params, ScheduleListParameters)
    return answer(
        await services(request).controller.read(
            lambda tx: views.schedules(tx, text=wanted.text, cursor=wanted.cursor, limit=wanted.limit)
        )
    )


async def post_preview(request: Request) -> Response:
    """Return which instants a cadence would have."""
    wanted = await _preview.read(request)
    return answer(await services(request).controller.read(lambda tx: views.preview(tx.now, wanted)))


async def get_schedule(request: Request) -> Response:
    """Return a schedule as it stands."""
    return answer(await _schedule(request, _which(request)))


async def patch_schedule(request: Request) -> Response:
    """Change a schedule."""
    which, wanted = _which(request), await _update.read(request)
    await services(request).controller.write(lambda engine, tx: engine.update_schedule(tx, which, wanted))
    return answer(await _schedule(request, which))


async def delete_schedule(request: Request) -> Response:
    """Remove a schedule; the tasks it has made stay."""
    which = _which(request)
    await services(request).controller.write(lambda engine, tx: engine.delete_schedule(tx, which))
    return nothing()


async def post_pause(request: Request) -> Response:
    """Let a schedule fire no more."""
    which, wanted = _which(request), await _pause.read(request)
    await services(request).controller.write(lambda engine, tx: engine.pause_schedule(tx, which, wanted))
    return answer(await _schedule(request, which))


async def post_resume(request: Request) -> Response:
    """Let a schedule fire again."""
    which, wanted = _which(request), await _pause.read(request)
    await services(request).controller.write(lambda engine, tx: engine.resume_schedule(tx, which, wanted))
    return answer(await _schedule(request, which))


async def post_run(request: Request) -> Response:
    """Make a schedule's task now, beside its instants."""
    which, wanted = _which(request), await _run.read(request)
    controller = services(request).controller
    task_id = await controller.write(lambda engine, tx: engine.run_schedule(tx, which, wanted))
    return answer(await controller.read(lambda tx: views.task(tx, task_id)))


async def post_backfill(request: Request) -> Response:
    """Fire instants of the past."""
    which, wanted = _which(request), await _backfill.read(request)
    return answer(await services(request).controller.write(lambda engine, tx: engine.backfill(tx, which, wanted)))


async def get_instants(request: Request) -> Response:
    """Return a page of a schedule's ledger, the newest instant first."""
    which, wanted = _which(request), parse(request.query_params, InstantListParameters)
    for status in wanted.status:
        check("status", status, INSTANT_STATUSES)
    return answer(
        await services(request).controller.read(
            lambda tx: views.ledger(tx, which, statuses=wanted.status, cursor=wanted.cursor, limit=wanted.limit)
        )
    )


async def _schedule(request: Request, which: str) -> Schedule:
    return await services(request).controller.read(lambda tx: views.schedule(tx, which))


def _which(request: Request) -> str:
    which: str = request.path_params["schedule"]
    return which
