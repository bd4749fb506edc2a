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
    refuse_cycles,
    release_if_free,
    resolve,
    take_outputs,
    wanted_rows,
)
from milepost_collector.controller.engine.outcomes import finish
from milepost_collector.controller.engine.queueing import enqueue, hold, new_assignments, order_at
from milepost_collector.controller.engine.unit import Unit, names_in, settings_of
from milepost_collector.controller.lifecycle import COMMANDS, Command, is_finished, legal_commands
from milepost_collector.controller.rows import AssignmentRow, TaskRow
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
    task = unit.task(task_id)
    allowed(task, "update")
    given = {name for name in request.__struct_fields__ if getattr(request, name) is not UNSET}
    if unit.leased(task) and (refused := sorted(given - _WHILE_WORKING)):
        raise ConflictError(
            f"task {task.id} is {task.status}: {', '.join(refused)} cannot change under an attempt; pause it first",
            legal_commands(task.status),
        )
    _update_plain(task, request)
    _update_settings(task, request)
    _update_payload(unit, creator, task, request)
    unit.change(task)
    if request.dependencies is not UNSET:
        _update_dependencies(unit, task, request)
    for assignment in unit.of(task):
        _follow_definition(unit, task, assignment)
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
        reopen(unit, task, by=None)


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
    reason = request.reason or (f"paused by {request.by}" if request.by else "paused")
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
    settings = settings_of(task)
    for assignment in unit.of(task):
        if assignment.state == "waiting":
            if assignment.failures > settings.max_retries or assignment.losses > settings.max_losses:
                assignment.failures = assignment.losses = 0  # exhausted: a person has decided to go on
            enqueue(unit, assignment, task.run_at)


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
    reopen(unit, task, by=request.by, avoid=avoid)


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
    unit.record(task, "deleted", task.status)
    unit.effects.changed = True


def reopen(unit: Unit, task: TaskRow, *, by: str | None, avoid: str | None = None) -> None:
    """Put a finished or paused task into the queue as if it were new; its attempts go on counting."""
    task.open_dependencies = _waive_failed(unit, task)
    status = "blocked" if task.open_dependencies else "pending"
    was_finished = is_finished(task.status)
    unit.move(task, "reopened", status, by=by)
    task.failures = task.losses = 0
    task.error_type = task.error_message = task.reason = task.phase = task.progress = None
    task.finished_at = task.stop = task.stop_by = task.at_risk_at = None
    if task.deadline_at is not None and task.deadline_at <= unit.now:
        task.deadline_at = None  # it has passed; keeping it would end the task at once
    if was_finished:
        unit.add_assignments(new_assignments(task, unit.now))
    _restart(unit, task, avoid, queue=status == "pending")


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


def _restart(unit: Unit, task: TaskRow, avoid: str | None, *, queue: bool) -> None:
    targets = new_assignments(task, unit.now)
    for assignment, target in zip(unit.of(task), targets, strict=False):
        assignment.failures = assignment.losses = 0
        assignment.agent, assignment.team, assignment.avoid = target.agent, target.team, avoid
        if queue:
            assignment.state = "waiting"
            enqueue(unit, assignment, task.run_at)


def _waive_failed(unit: Unit, task: TaskRow) -> int:
    """Count the tasks still waited for; one that failed is waited for no longer, since somebody wants this to run."""
    edges = unit.tx.dependencies((task.id,)).get(task.id, [])
    failed = [edge for edge in edges if edge.state == "failed"]
    for edge in failed:
        edge.state = "met"
    if failed:
        unit.tx.update(failed)
    return sum(edge.state == "open" for edge in edges)


def _start_now(unit: Unit, task: TaskRow) -> None:
    unit.move(task, "reopened", "pending")
    for assignment in unit.of(task):
        if assignment.state in ("delayed", "ready"):
            enqueue(unit, assignment)


def _take_pause_back(unit: Unit, task: TaskRow) -> None:
    if task.stop != "pause":
        raise ConflictError(f"task {task.id} is {task.status} and was not asked to pause", legal_commands(task.status))
    task.stop = task.stop_by = task.reason = None
    unit.change(task)
    for assignment in unit.of(task):
        if assignment.state == "leased":
            assignment.stop = assignment.stop_reason = None
            unit.change_assignment(assignment)
        elif assignment.state == "waiting":
            enqueue(unit, assignment)
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


def _update_payload(unit: Unit, creator: Creator, task: TaskRow, request: TaskUpdate) -> None:
    replace_payload(unit, creator, task, input=request.input, context=request.context)


def _update_dependencies(unit: Unit, task: TaskRow, request: TaskUpdate) -> None:
    assert request.dependencies is not UNSET
    edges = wanted_rows(task.id, request.dependencies)
    refuse_cycles(unit.tx, task.id, [edge.upstream_id for edge in edges])
    task.open_dependencies = resolve(unit, edges, settings_of(task).on_upstream_failure)
    before = unit.tx.dependencies((task.id,)).get(task.id, [])
    if before:
        unit.tx.delete(before)
    if edges:
        unit.tx.insert(edges)
    if task.status == "pending" and task.open_dependencies:
        unit.move(task, "held", "blocked")
        for assignment in unit.of(task):
            hold(unit, assignment)
    release_if_free(unit, task)


def _follow_definition(unit: Unit, task: TaskRow, assignment: AssignmentRow) -> None:
    """Bring an assignment in line with its task's changed definition."""
    assignment.name, assignment.key, assignment.priority = task.name, task.key, task.priority
    assignment.order_at = order_at(assignment.ready_at, task.priority)
    if task.agents is None and assignment.state != "leased":
        assignment.agent, assignment.team = task.agent, None if task.agent else task.team
    unit.change_assignment(assignment)
    moved = task.run_at is not None and assignment.ready_at != task.run_at and assignment.failures == 0
    if assignment.state in ("ready", "delayed") and (moved or assignment.state == "ready"):
        enqueue(unit, assignment, task.run_at)
