"""`/api/triggers…`: triggers by id or name, their log, and what is done to them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from milepost.wire.tasks import PauseRequest
from milepost.wire.triggers import (
    TRIGGER_KINDS,
    TRIGGER_OUTCOMES,
    DryRunRequest,
    ReplayRequest,
    RotateRequest,
    Trigger,
    TriggerCreate,
    TriggerEvent,
    TriggerEventDetail,
    TriggerEventList,
    TriggerList,
    TriggerSecret,
    TriggerUpdate,
    TryAnswer,
    TryRequest,
)
from milepost_collector.triggers import views
from milepost_collector.web.controller.bodies import Body, answer, nothing
from milepost_collector.web.controller.building import change, command, delete, get
from milepost_collector.web.controller.parameters import Cursor, check
from milepost_collector.web.parameters import parse
from milepost_collector.web.state import services

_create = Body(TriggerCreate)
_update = Body(TriggerUpdate)
_switch = Body(PauseRequest)
_rotate = Body(RotateRequest)
_replay = Body(ReplayRequest)
_try = Body(TryRequest)
_dry_run = Body(DryRunRequest)


class TriggerListParameters(Struct, kw_only=True):
    """A page of triggers."""

    text: Annotated[str, Meta(description="Part of a name or description.", max_length=1000)] | None = None
    kind: Annotated[str, Meta(description=f"One of {', '.join(TRIGGER_KINDS)}.")] | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(description="Triggers at most.", ge=1, le=500)] = 50


class TriggerEventParameters(Struct, kw_only=True):
    """A page of a trigger's log."""

    outcome: Annotated[
        list[str], Meta(description=f"Any of these outcomes; may be repeated: {', '.join(TRIGGER_OUTCOMES)}.")
    ] = []
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(description="Lines at most.", ge=1, le=500)] = 100


async def post_trigger(request: Request) -> Response:
    """Make a trigger."""
    wanted = await _create.read(request)
    return answer(await services(request).triggers.create(wanted), 201)


async def get_triggers(request: Request) -> Response:
    """Return a page of triggers by name."""
    wanted = parse(request.query_params, TriggerListParameters)
    if wanted.kind is not None:
        check("kind", wanted.kind, TRIGGER_KINDS)
    return answer(
        await services(request).controller.read(
            lambda tx: views.triggers(tx, text=wanted.text, kind=wanted.kind, cursor=wanted.cursor, limit=wanted.limit)
        )
    )


async def get_trigger(request: Request) -> Response:
    """Return a trigger as it stands."""
    return answer(await services(request).triggers.get(_which(request)))


async def patch_trigger(request: Request) -> Response:
    """Change a trigger."""
    wanted = await _update.read(request)
    return answer(await services(request).triggers.update(_which(request), wanted))


async def delete_trigger(request: Request) -> Response:
    """Remove a trigger and its log."""
    await services(request).triggers.delete(_which(request))
    return nothing()


async def post_enable(request: Request) -> Response:
    """Let a trigger make tasks."""
    await _switch.read(request)
    return answer(await services(request).triggers.enable(_which(request), True))


async def post_disable(request: Request) -> Response:
    """Let a trigger make no tasks."""
    await _switch.read(request)
    return answer(await services(request).triggers.enable(_which(request), False))


async def post_rotate(request: Request) -> Response:
    """Give a webhook a new secret or address."""
    wanted = await _rotate.read(request)
    return answer(await services(request).triggers.rotate(_which(request), wanted))


async def post_try(request: Request) -> Response:
    """Tell what a trigger would make of a payload."""
    wanted = await _try.read(request)
    return answer(await services(request).triggers.try_out(_which(request), wanted))


async def post_dry_run(request: Request) -> Response:
    """Tell what a trigger that is not made yet would make of a payload."""
    return answer(services(request).triggers.dry_run(await _dry_run.read(request)))


async def get_trigger_events(request: Request) -> Response:
    """Return a page of a trigger's log."""
    which, wanted = _which(request), parse(request.query_params, TriggerEventParameters)
    for outcome in wanted.outcome:
        check("outcome", outcome, TRIGGER_OUTCOMES)
    return answer(
        await services(request).controller.read(
            lambda tx: views.events(tx, which, outcomes=wanted.outcome, cursor=wanted.cursor, limit=wanted.limit)
        )
    )


async def get_trigger_event(request: Request) -> Response:
    """Return a line of a trigger's log with what came."""
    return answer(await services(request).triggers.event(_which(request), request.path_params["event_id"]))


async def post_replay(request: Request) -> Response:
    """Make the task of a delivery again."""
    wanted = await _replay.read(request)
    done = await services(request).triggers.replay(_which(request), request.path_params["event_id"], wanted)
    return answer(done, 201)


def _which(request: Request) -> str:
    which: str = request.path_params["trigger"]
    return which


_TRIGGER = "/api/triggers/{trigger}"
_EVENT = f"{_TRIGGER}/events/{{event_id}}"

TRIGGER_ENDPOINTS = (
    change("POST", "/api/triggers", post_trigger, TriggerCreate, TriggerSecret,
            "Create a trigger; its secret is shown this once.", status=201),
    get("/api/triggers", get_triggers, TriggerList, "A page of triggers.", TriggerListParameters),
    command(f"{_TRIGGER}/enable", post_enable, PauseRequest, Trigger, "Let a trigger make tasks."),
    command(f"{_TRIGGER}/disable", post_disable, PauseRequest, Trigger, "Let a trigger make no tasks."),
    command(f"{_TRIGGER}/rotate", post_rotate, RotateRequest, TriggerSecret,
             "Give a webhook a new secret, a new address, or both; what it had is taken for a while longer."),
    change("POST", "/api/triggers/dry-run", post_dry_run, DryRunRequest, TryAnswer,
            "What a trigger would make of a payload, before it is made; nothing is kept."),
    change("POST", f"{_TRIGGER}/try", post_try, TryRequest, TryAnswer,
            "What a trigger would make of a payload; nothing is kept."),
    get(f"{_TRIGGER}/events", get_trigger_events, TriggerEventList, "A trigger's log, the newest first.",
         TriggerEventParameters),
    command(f"{_EVENT}/replay", post_replay, ReplayRequest, TriggerEvent,
             "Make the task of a delivery again, by the trigger as it is now."),
    get(_EVENT, get_trigger_event, TriggerEventDetail, "A line of a trigger's log with what came."),
    get(_TRIGGER, get_trigger, Trigger, "A trigger, by id or name."),
    change("PATCH", _TRIGGER, patch_trigger, TriggerUpdate, Trigger, "Change a trigger."),
    delete(_TRIGGER, delete_trigger, "Remove a trigger and its log; its tasks stay."),
)  # fmt: skip
