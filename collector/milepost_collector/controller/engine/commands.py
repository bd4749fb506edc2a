"""What people and programs ask of a task: each command is legal in some statuses and refused with these in others."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from milepost.wire.tasks import (
    PRIORITIES,
    CancelRequest,
    PauseRequest,
    RetryRequest,
    RunRequest,
    TaskCreate,
    TaskSettings,
    TaskUpdate,
)
from milepost_collector.controller.engine.creation import (
    Creator,
    check_executors,
    milliseconds,
    settings_text,
    text_or_none,
)
from milepost_collector.controller.engine.dependencies import (
    look_again,
    refuse_cycles,
    release_if_free,
    resolve,
    skip_if_failed,
    take_outputs,
    wanted_rows,
)
from milepost_collector.controller.engine.outcomes import finish, let_queued_fire
from milepost_collector.controller.engine.queueing import HEAD_START_MS, enqueue, hold, new_assignments
from milepost_collector.controller.engine.unit import Unit, names_in, settings_of
from milepost_collector.controller.lifecycle import COMMANDS, Command, legal_commands
from milepost_collector.controller.rows import AssignmentRow, DependencyRow, TaskRow
from milepost_collector.errors import ConflictError, InvalidParameterError

_WHILE_WORKING = {"tags", "priority"}  # what may change under an attempt's feet


def allowed(task: TaskRow, command: Command) -> None:
    """Refuse a command that the task's status does not allow.

    Raises:
        ConflictError: carries what is legal now.
    """
    if task.status not in COMMANDS[command]:
        legal = legal_commands(task.status)
        raise ConflictError(
            f"task {task.id} is {task.status}: {command} is not possible; possible now: {', '.join(legal)}", legal
        )


def update(unit: Unit, creator: Creator, task_id: str, request: TaskUpdate) -> None:
    """Change a task's definition."""
    if request.dependencies is not UNSET:
        unit.tx.lock_dependencies()  # two changes at the same time could close a cycle that neither sees
    task = unit.task(task_id)
    allowed(task, "update")
    given = {name for name in request.__struct_fields__ if getattr(request, name) is not UNSET}
    if unit.leased(task) and (refused := sorted(given - _WHILE_WORKING)):
        raise ConflictError(
            f"task {task.id} is {task.status}: {', '.join(refused)} cannot change under an attempt; pause it first",
            legal_commands(task.status),
        )
    was_for, was_due = (task.agent, task.agents, task.team), task.run_at
    _update_plain(task, request)
    _update_settings(task, request)
    edges = _wanted_dependencies(unit, task, request)  # refused, if at all, before anything is written
    replace_payload(unit, creator, task, input=request.input, context=request.context)
    unit.change(task)
    if (task.agent, task.agents, task.team) != was_for:
        _change_executors(unit, task)
    for assignment in unit.of(task):
        _follow_definition(unit, task, assignment, is_moved=task.run_at != was_due)
    if edges is not None:
        unit.tx.delete(unit.tx.dependencies((task.id,)).get(task.id, []))
        unit.tx.insert(edges)
        _wait_for(unit, task, edges)
    elif request.settings is not UNSET and task.open_dependencies:
        edges = unit.tx.dependencies((task.id,)).get(task.id, [])
        task.open_dependencies = look_again(unit, edges, settings_of(task).on_upstream_failure)
        _wait_for(unit, task, edges)
    unit.effects.fall_due(task.deadline_at)
    unit.effects.changed = True


def run(unit: Unit, creator: Creator, task_id: str, request: RunRequest) -> None:
    """Let a task run now: at once if it waits for a time, once more if it is finished."""
    task = unit.task(task_id)
    allowed(task, "run")
    replace_payload(unit, creator, task, input=request.input)
    task.run_at = None
    if task.status == "pending":
        _start_now(unit, task)
    else:
        reopen(unit, task, by=None, takes_outputs=request.input is UNSET)


def cancel(unit: Unit, task_id: str, request: CancelRequest) -> None:
    """Cancel a task: at once in the queue, by its worker when one runs it, by force when that takes too long."""
    task = unit.task(task_id)
    allowed(task, "cancel")
    leased = unit.leased(task)
    reason = request.reason or "cancelled"
    if not leased:
        finish(unit, task, "cancelled", "cancelled", by=request.by, reason=reason)
        return
    if task.stop == "cancel":
        return
    task.stop, task.stop_by, task.reason = "cancel", request.by, reason
    cut_off_at = unit.now + settings_of(task).cancel_grace_ms
    for assignment in unit.of(task):
        if assignment.state == "leased":
            assignment.cut_off_at = cut_off_at
            _tell(unit, assignment, "cancel", reason)
        elif assignment.state in ("ready", "delayed"):
            hold(unit, assignment)
    unit.change(task)
    unit.effects.fall_due(cut_off_at)
    unit.effects.changed = True


def pause(unit: Unit, task_id: str, request: PauseRequest) -> None:
    """Pause a task: it is held in the queue; one that runs is asked to save a checkpoint and stop."""
    task = unit.task(task_id)
    allowed(task, "pause")
    if task.stop == "cancel":
        raise ConflictError(f"task {task.id} is being cancelled; wait until it is, then run it again", ["run"])
    who = f"paused by {request.by}" if request.by else "paused"
    reason = f"{who}: {request.reason}" if request.reason else who
    leased = unit.leased(task)
    for assignment in unit.of(task):
        if assignment.state == "leased":
            _tell(unit, assignment, "pause", reason)
        elif assignment.state in ("ready", "delayed"):
            hold(unit, assignment)
    if leased:
        task.stop, task.stop_by = "pause", request.by
        unit.change(task)
    else:
        unit.move(task, "paused", "paused", by=request.by, reason=reason)
    task.reason = reason
    unit.effects.changed = True


def resume(unit: Unit, task_id: str, request: PauseRequest) -> None:
    """Let a paused task go on; of a running one that was asked to pause, take that back."""
    task = unit.task(task_id)
    allowed(task, "resume")
    if task.status != "paused":
        _take_pause_back(unit, task)
        return
    if task.open_dependencies:
        unit.move(task, "resumed", "blocked", by=request.by, reason=request.reason or None)
        task.reason = None
        return
    unit.move(task, "resumed", "pending", by=request.by, reason=request.reason or None)
    task.reason = task.stop = task.stop_by = None
    take_outputs(unit, task)
    _let_go_on(unit, task, task.run_at)


def retry(unit: Unit, creator: Creator, task_id: str, request: RetryRequest) -> None:
    """Try a failed or cancelled task again, with all its retries, elsewhere if wanted."""
    task = unit.task(task_id)
    allowed(task, "retry")
    replace_payload(unit, creator, task, input=request.input, context=request.context)
    avoid = None
    if isinstance(request.reassign, str):
        task.agent, task.agents, task.team = request.reassign, None, None
    elif request.reassign:
        avoid = task.last_agent
        if not task.team:
            task.agent = task.agents = None
    reopen(unit, task, by=request.by, avoid=avoid, takes_outputs=request.input is UNSET)


def delete(unit: Unit, task_id: str) -> None:
    """Remove a task and everything that belongs to it.

    Raises:
        ConflictError: an attempt runs, or other tasks wait for it.
    """
    task = unit.task(task_id)
    allowed(task, "delete")
    waiting = [edge for edge in unit.tx.dependents((task_id,)).get(task_id, []) if edge.state != "met"]
    unit.load([edge.task_id for edge in waiting])
    names = [edge.task_id for edge in waiting if edge.task_id in unit.tasks]
    if names:
        raise ConflictError(
            f"task {task_id} cannot be deleted: {len(names)} tasks wait for it ({', '.join(names[:5])}); "
            "change their dependencies or delete them first",
            legal_commands(task.status),
        )
    unit.tx.forget((task_id,))
    if task.idempotency_key is not None:  # it would stand for a task that nobody can read any more
        unit.tx.delete(list(unit.tx.idempotency((task.idempotency_key,)).values()))
    if task.schedule_id is not None:
        let_queued_fire(unit, task.schedule_id)
    unit.record(task, "deleted", task.status)
    unit.effects.changed = True


def reopen(unit: Unit, task: TaskRow, *, by: str | None, avoid: str | None = None, takes_outputs: bool = True) -> None:
    """Put a finished or paused task into the queue as if it were new; its attempts go on counting.

    It waits for what it depends on and has not ended; what has failed is waited for no longer, since somebody wants
    this to run. takes_outputs: its input has not just been given.
    """
    edges = unit.tx.dependencies((task.id,)).get(task.id, [])
    task.open_dependencies = look_again(unit, edges, "run") if edges else 0
    status = "blocked" if task.open_dependencies else "pending"
    unit.move(task, "reopened", status, by=by)
    task.failures = task.losses = 0
    task.error_type = task.error_message = task.reason = task.phase = task.progress = None
    task.started_at = task.finished_at = task.stop = task.stop_by = task.at_risk_at = None
    if task.deadline_at is not None and task.deadline_at <= unit.now:
        task.deadline_at = None  # it has passed; keeping it would end the task at once
    unit.effects.fall_due(task.deadline_at)
    unit.replace_assignments(task, new_assignments(task, unit.now))
    if status == "pending" and takes_outputs:
        take_outputs(unit, task)
    for assignment in unit.of(task):
        assignment.avoid = avoid
        if status == "pending":
            enqueue(unit, assignment, task.run_at)


def replace_payload(unit: Unit, creator: Creator, task: TaskRow, *, input: Any = UNSET, context: Any = UNSET) -> None:
    """Replace a task's input or context, where given."""
    if isinstance(input, UnsetType) and isinstance(context, UnsetType):
        return
    payload = unit.tx.payloads((task.id,))[task.id]
    for field, value in (("input", input), ("context", context)):
        if value is not UNSET:
            text = text_or_none(value)
            creator.check_size(field, text)
            setattr(payload, field, text)
    unit.tx.update([payload])


def _start_now(unit: Unit, task: TaskRow) -> None:
    unit.move(task, "reopened", "pending")
    for assignment in unit.of(task):
        if assignment.state == "delayed":
            enqueue(unit, assignment)


def _let_go_on(unit: Unit, task: TaskRow, ready_at: int | None = None) -> None:
    """Put what a pause has held back into the queue. Who had no retries left gets them anew: a person has decided."""
    settings = settings_of(task)
    for assignment in unit.of(task):
        if assignment.state == "waiting":
            if assignment.failures > settings.max_retries or assignment.losses > settings.max_losses:
                assignment.failures = assignment.losses = 0
            enqueue(unit, assignment, ready_at)


def _take_pause_back(unit: Unit, task: TaskRow) -> None:
    if task.stop != "pause":
        raise ConflictError(f"task {task.id} is {task.status} and was not asked to pause", legal_commands(task.status))
    task.stop = task.stop_by = task.reason = None
    unit.change(task)
    for assignment in unit.of(task):
        if assignment.state == "leased":
            assignment.stop = assignment.stop_reason = None
            unit.change_assignment(assignment)
    _let_go_on(unit, task)
    unit.effects.changed = True


def _tell(unit: Unit, assignment: AssignmentRow, stop: str, reason: str) -> None:
    assignment.stop, assignment.stop_reason = stop, reason
    unit.change_assignment(assignment)
    if assignment.worker_id is not None:
        unit.effects.workers.add(assignment.worker_id)


def _update_plain(task: TaskRow, request: TaskUpdate) -> None:
    for field in ("name", "description", "app", "key"):
        if (value := getattr(request, field)) is not UNSET:
            setattr(task, field, value)
    if request.agent is not UNSET:
        task.agent, task.agents, task.team = request.agent, None, None
    if request.priority is not UNSET:
        task.priority = PRIORITIES.index(request.priority)
    if request.tags is not UNSET:
        task.tags = text_or_none(request.tags) or "[]"
    if request.deadline is not UNSET:
        task.deadline_at, task.at_risk_at = milliseconds("deadline", request.deadline), None
    if request.run_at is not UNSET:
        task.run_at = milliseconds("run_at", request.run_at)


def _update_settings(task: TaskRow, request: TaskUpdate) -> None:
    if request.settings is UNSET:
        return
    merged = msgspec.to_builtins(settings_of(task)) | request.settings
    try:
        settings = msgspec.convert(merged, TaskSettings)
    except msgspec.ValidationError as error:
        raise InvalidParameterError("settings", request.settings, str(error)) from error
    check_executors(TaskCreate(name=task.name, agents=names_in(task.agents) or None, settings=settings))
    task.settings = settings_text(settings)


def _wanted_dependencies(unit: Unit, task: TaskRow, request: TaskUpdate) -> list[DependencyRow] | None:
    if request.dependencies is UNSET:
        return None
    edges = wanted_rows(task.id, request.dependencies)
    refuse_cycles(unit.tx, task.id, [edge.upstream_id for edge in edges])
    task.open_dependencies = resolve(unit, edges, settings_of(task).on_upstream_failure)
    return edges


def _wait_for(unit: Unit, task: TaskRow, edges: list[DependencyRow]) -> None:
    """Block, skip or release a task whose dependencies have changed."""
    if task.status == "pending" and task.open_dependencies:
        unit.move(task, "held", "blocked")
        for assignment in unit.of(task):
            hold(unit, assignment)
    if not skip_if_failed(unit, task, edges, finish):
        release_if_free(unit, task)


def _change_executors(unit: Unit, task: TaskRow) -> None:
    """Give a task that nobody holds to somebody else; of several agents none goes on."""
    was_one = len(unit.of(task)) == 1
    if not was_one:
        unit.replace_assignments(task, new_assignments(task, unit.now))
    for assignment in unit.of(task):
        assignment.agent, assignment.team, assignment.avoid = task.agent, None if task.agent else task.team, None
        unit.change_assignment(assignment)
        if task.status == "pending" and not was_one:
            enqueue(unit, assignment, task.run_at)


def _follow_definition(unit: Unit, task: TaskRow, assignment: AssignmentRow, *, is_moved: bool) -> None:
    """Bring an assignment in line with its task's changed definition; it keeps its place in the queue."""
    assignment.order_at += HEAD_START_MS[assignment.priority] - HEAD_START_MS[task.priority]
    assignment.name, assignment.key, assignment.priority = task.name, task.key, task.priority
    unit.change_assignment(assignment)
    waits_for_retry = assignment.state == "delayed" and assignment.failures > 0
    if is_moved and assignment.state in ("ready", "delayed") and not waits_for_retry:
        enqueue(unit, assignment, task.run_at)
    elif assignment.state == "ready":
        unit.effects.ready.add((assignment.agent, assignment.team))
