"""What people and programs ask of a task: each command is legal in some statuses and refused with these in others."""

from __future__ import annotations

from msgspec import UNSET

from milepost.wire.tasks import (
    CancelRequest,
    CompleteRequest,
    PauseRequest,
    RetryRequest,
    RunRequest,
)
from milepost_collector.controller.engine.asks import cancel_all, forget_answers
from milepost_collector.controller.engine.checkpoints import take_up
from milepost_collector.controller.engine.creation import (
    Creator,
    text_or_none,
)
from milepost_collector.controller.engine.dependencies import (
    look_again,
    take_outputs,
)
from milepost_collector.controller.engine.outcomes import finish, let_queued_fire
from milepost_collector.controller.engine.queueing import (
    enqueue,
    hold,
    is_yielding,
    new_assignments,
    tell,
    waits_for_answer,
)
from milepost_collector.controller.engine.unit import Unit, settings_of
from milepost_collector.controller.engine.updates import allowed, replace_payload
from milepost_collector.controller.lifecycle import legal_commands
from milepost_collector.controller.rows import TaskRow
from milepost_collector.errors import ConflictError


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
            tell(unit, assignment, "cancel", reason)
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
            tell(unit, assignment, "pause", reason)
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
    waiting = [assignment for assignment in unit.of(task) if assignment.state == "waiting"]
    status = "review" if waiting and all(map(waits_for_answer, waiting)) else "pending"
    unit.move(task, "resumed", status, by=request.by, reason=request.reason or None)
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
    if request.checkpoint is not None:
        take_up(unit, task, request.checkpoint)
    reopen(unit, task, by=request.by, avoid=avoid, takes_outputs=request.input is UNSET)


def complete(unit: Unit, creator: Creator, task_id: str, request: CompleteRequest) -> None:
    """Complete an unfinished task by hand: what runs is cut off."""
    task = unit.task(task_id)
    allowed(task, "complete")
    if (result := text_or_none(request.result)) is not None:
        creator.check_size("result", result)
        payload = unit.tx.payloads((task_id,))[task_id]
        payload.result = result
        unit.tx.update([payload])
    who = f"completed by hand by {request.by}" if request.by else "completed by hand"
    reason = f"{who}: {request.reason}" if request.reason else who
    finish(unit, task, "completed", "completed", by=request.by, reason=reason)


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
    cancel_all(unit, task, "the task was deleted")
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
    if task.status == "completed" and task.reason is not None:
        _forget_result_by_hand(unit, task)
    unit.move(task, "reopened", status, by=by)
    task.failures = task.losses = 0
    task.error_type = task.error_message = task.reason = task.phase = task.progress = None
    task.started_at = task.finished_at = task.stop = task.stop_by = task.at_risk_at = None
    if task.deadline_at is not None and task.deadline_at <= unit.now:
        task.deadline_at = None  # it has passed; keeping it would end the task at once
    unit.effects.fall_due(task.deadline_at)
    unit.replace_assignments(task, new_assignments(task, unit.now))
    forget_answers(unit, task)
    if status == "pending" and takes_outputs:
        take_outputs(unit, task)
    for assignment in unit.of(task):
        assignment.avoid = avoid
        if status == "pending":
            enqueue(unit, assignment, task.run_at)


def _forget_result_by_hand(unit: Unit, task: TaskRow) -> None:
    payload = unit.tx.payloads((task.id,))[task.id]
    if payload.result is not None:
        payload.result = None
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
        if assignment.state == "waiting" and not waits_for_answer(assignment):
            if assignment.failures > settings.max_retries or assignment.losses > settings.max_losses:
                assignment.failures = assignment.losses = 0
            enqueue(unit, assignment, ready_at)


def _take_pause_back(unit: Unit, task: TaskRow) -> None:
    if task.stop != "pause":
        raise ConflictError(f"task {task.id} is {task.status} and was not asked to pause", legal_commands(task.status))
    task.stop = task.stop_by = task.reason = None
    unit.change(task)
    for assignment in unit.of(task):
        if assignment.state == "leased" and not is_yielding(assignment):
            assignment.stop = assignment.stop_reason = None
            unit.change_assignment(assignment)
    _let_go_on(unit, task)
    unit.effects.changed = True
