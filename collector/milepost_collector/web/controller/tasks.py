"""`/api/tasks…`: tasks, and what is done to them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from milepost.wire.batches import BatchCreate
from milepost.wire.tasks import (
    BulkRequest,
    CancelRequest,
    CompleteRequest,
    PauseRequest,
    RedirectRequest,
    RetryRequest,
    RunRequest,
    Task,
    TaskCreate,
    TaskUpdate,
)
from milepost_collector.controller import views
from milepost_collector.controller.engine import Engine
from milepost_collector.controller.store.interface import Tx
from milepost_collector.errors import InvalidParameterError
from milepost_collector.web.controller.bodies import Body, answer, nothing
from milepost_collector.web.controller.costs import with_costs
from milepost_collector.web.controller.parameters import (
    TASK_GROUPS,
    TaskCountParameters,
    TaskListParameters,
    check,
    check_sort,
)
from milepost_collector.web.parameters import parse
from milepost_collector.web.state import Services, services

MAX_KEY = 200  # characters of an idempotency key


class BatchParameters(Struct, kw_only=True):
    """How many batches."""

    limit: Annotated[int, Meta(description="Batches at most.", ge=1, le=200)] = 50


_create = Body(TaskCreate)
_batch = Body(BatchCreate)
_bulk = Body(BulkRequest)
_update = Body(TaskUpdate)


async def post_task(request: Request) -> Response:
    """Create a task; 200 when its idempotency key had made it before."""
    shared, wanted = services(request), await _create.read(request)
    _take_key(request, wanted)
    task, is_new = await shared.controller.create(wanted)
    if not is_new:
        await with_costs(shared.queries, [task])
    return answer(task, 201 if is_new else 200)


async def post_batch(request: Request) -> Response:
    """Create many tasks in one transaction."""
    wanted = await _batch.read(request)
    return answer(await services(request).controller.write(lambda engine, tx: engine.create_batch(tx, wanted)), 201)


async def get_batches(request: Request) -> Response:
    """Return the newest batches."""
    wanted = parse(request.query_params, BatchParameters)
    return answer(await services(request).controller.read(lambda tx: views.batches(tx, limit=wanted.limit)))


async def get_batch(request: Request) -> Response:
    """Return how far a batch is."""
    batch = request.path_params["batch"]
    return answer(await services(request).controller.read(lambda tx: views.batch(tx, batch)))


async def get_tasks(request: Request) -> Response:
    """Return a page of tasks."""
    shared, wanted = services(request), parse(request.query_params, TaskListParameters)
    check_sort(wanted.sort)
    only = wanted.to_filter(now_ns=time.time_ns())
    page = await shared.controller.read(
        lambda tx: views.tasks(tx, only, sort=wanted.sort, cursor=wanted.cursor, limit=wanted.limit)
    )
    await with_costs(shared.queries, page.tasks)
    return answer(page)


async def get_counts(request: Request) -> Response:
    """Return numbers of tasks by one field."""
    wanted = parse(request.query_params, TaskCountParameters)
    check("group_by", wanted.group_by, TASK_GROUPS)
    only = wanted.to_filter(now_ns=time.time_ns())
    return answer(await services(request).controller.read(lambda tx: views.counts(tx, only, group_by=wanted.group_by)))


async def post_bulk(request: Request) -> Response:
    """Do one thing to all tasks that match."""
    wanted = await _bulk.read(request)
    return answer(await services(request).controller.bulk(wanted))


async def get_task(request: Request) -> Response:
    """Return a task as it stands."""
    return answer(await _task(services(request), request.path_params["task_id"]))


async def patch_task(request: Request) -> Response:
    """Change a task's definition."""
    shared, task_id, wanted = services(request), request.path_params["task_id"], await _update.read(request)
    await shared.controller.write(lambda engine, tx: engine.update(tx, task_id, wanted))
    return answer(await _task(shared, task_id))


async def delete_task(request: Request) -> Response:
    """Remove a task with everything that belongs to it."""
    task_id = request.path_params["task_id"]
    await services(request).controller.write(lambda engine, tx: engine.delete(tx, task_id))
    return nothing()


def _command(body: Body[Any], act: Callable[[Engine, Tx, str, Any], None]) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler of a command on a task."""

    async def handle(request: Request) -> Response:
        shared, task_id, wanted = services(request), request.path_params["task_id"], await body.read(request)
        await shared.controller.write(lambda engine, tx: act(engine, tx, task_id, wanted))
        return answer(await _task(shared, task_id))

    return handle


post_run = _command(Body(RunRequest), Engine.run)
post_cancel = _command(Body(CancelRequest), Engine.cancel)
post_pause = _command(Body(PauseRequest), Engine.pause)
post_resume = _command(Body(PauseRequest), Engine.resume)
post_retry = _command(Body(RetryRequest), Engine.retry)
post_redirect = _command(Body(RedirectRequest), Engine.redirect)
post_complete = _command(Body(CompleteRequest), Engine.complete)


async def _task(shared: Services, task_id: str) -> Task:
    task = await shared.controller.read(lambda tx: views.task(tx, task_id))
    await with_costs(shared.queries, [task])
    return task


def _take_key(request: Request, wanted: TaskCreate) -> None:
    """Take the idempotency key from the header, where clients of other APIs put it.

    Raises:
        InvalidParameterError: it is too long, or the body has another one.
    """
    key = request.headers.get("idempotency-key")
    if not key:
        return
    if len(key) > MAX_KEY:
        raise InvalidParameterError("Idempotency-Key", key, f"use {MAX_KEY} characters at most")
    if wanted.idempotency_key not in (None, key):
        raise InvalidParameterError(
            "Idempotency-Key", key, f"the body has {wanted.idempotency_key!r}; give one of them"
        )
    wanted.idempotency_key = key
