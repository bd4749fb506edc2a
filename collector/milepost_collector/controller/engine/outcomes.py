"""What becomes of a task when an attempt ends, and of the tasks that wait for it."""

from __future__ import annotations

import random

import msgspec

from milepost.wire.tasks import Fallback
from milepost_collector.controller.engine import contract, fallbacks
from milepost_collector.controller.engine.asks import cancel_all
from milepost_collector.controller.engine.deliverables import Owner, of_owner
from milepost_collector.controller.engine.dependencies import release_dependents
from milepost_collector.controller.engine.queueing import (
    enqueue,
    hold,
    release_lease,
    waits_for_answer,
    working_status,
)
from milepost_collector.controller.engine.unit import Unit, settings_of
from milepost_collector.controller.lifecycle import Event
from milepost_collector.controller.retry import Verdict, after_failure, after_loss
from milepost_collector.controller.rows import AssignmentRow, TaskRow

_MAX_REASON = 500  # characters of an error in a transition


class Failure(msgspec.Struct, kw_only=True, frozen=True):
    """How an attempt failed: what its worker reported, or what the controller found."""

    error_type: str
    error_message: str
    error_stack: str | None = None
    retryable: bool = True
    retry_after_ms: int | None = None


def missing_deliverables(unit: Unit, task: TaskRow) -> Failure | None:
    """Return how an attempt has failed whose end would complete its task, if what the task is to hand over is not
    there; None if it is, or if others of the task's agents have not done their part yet."""
    if task.deliverables is None or _completed(unit, task) + 1 < _needed(unit, task):
        return None
    missing = contract.missing(contract.expectations(task.deliverables), of_owner(unit.tx, Owner(task_id=task.id)))
    if not missing:
        return None
    return Failure(error_type="MissingDeliverables", error_message="; ".join(missing))


def complete(unit: Unit, task: TaskRow, assignment: AssignmentRow, result: str | None) -> None:
    """End an attempt well; the task with it when enough of its agents are done."""
    unit.end_attempt(assignment, "completed", result=result)
    _settle(unit, task, assignment, "completed")
    if _completed(unit, task) >= _needed(unit, task):
        finish(unit, task, "completed", "completed", assignment=assignment)
    elif task.stop == "cancel" and not unit.leased(task):
        _finish_cancelled(unit, task, assignment)
    else:
        carry_on(unit, task, "completed", assignment)
    release_lease(assignment)


def fail(unit: Unit, task: TaskRow, assignment: AssignmentRow, failure: Failure, chance: random.Random) -> None:
    """End an attempt that failed in its code; another follows unless there is a reason against it."""
    assignment.failures += 1
    task.failures += 1
    task.error_type, task.error_message = failure.error_type, failure.error_message
    verdict = after_failure(
        settings_of(task),
        assignment.failures,
        error_type=failure.error_type,
        retryable=failure.retryable,
        retry_after_ms=failure.retry_after_ms,
        draw=chance.random(),
    )
    retry_at = unit.now + verdict.delay_ms if verdict.kind == "retry" and assignment.stop is None else None
    unit.end_attempt(
        assignment,
        "failed",
        error_type=failure.error_type,
        error_message=failure.error_message,
        error_stack=failure.error_stack,
        reason=verdict.why or None,
        retry_at=retry_at,
    )
    said = f"{failure.error_type}: {failure.error_message}"[:_MAX_REASON]
    _follow(unit, task, assignment, verdict, said, has_failed=True)


def lose(unit: Unit, task: TaskRow, assignment: AssignmentRow, reason: str) -> None:
    """End an attempt whose worker went away: that is no failure of its code, and counted apart."""
    assignment.losses += 1
    task.losses += 1
    verdict = after_loss(settings_of(task), assignment.losses)
    if verdict.kind != "retry":
        task.error_type, task.error_message = "WorkerLost", verdict.why
    unit.end_attempt(assignment, "lost", reason=reason)
    _follow(unit, task, assignment, verdict, reason)


def yield_lease(unit: Unit, task: TaskRow, assignment: AssignmentRow, reason: str) -> None:
    """End an attempt that stopped because it was asked to, or that hands its lease back: it goes on later."""
    unit.end_attempt(assignment, "paused", reason=reason)
    if not stop_if_asked(unit, task, assignment):
        enqueue(unit, assignment)
        carry_on(unit, task, "yielded", assignment, reason)
    release_lease(assignment)


def stop_cancelled(unit: Unit, task: TaskRow, assignment: AssignmentRow, reason: str) -> None:
    """End an attempt that was cancelled: by its own report, or cut off after its grace."""
    unit.end_attempt(assignment, "cancelled", reason=reason)
    if not stop_if_asked(unit, task, assignment):  # a worker that cancels without having been told hands its lease back
        enqueue(unit, assignment)
        carry_on(unit, task, "yielded", assignment, reason)
    release_lease(assignment)


def give_up(unit: Unit, task: TaskRow, assignment: AssignmentRow, error_type: str, reason: str) -> None:
    """Fail what nobody works on, for good; the task with it unless enough of its other agents may still complete."""
    task.error_type, task.error_message = error_type, reason
    _settle(unit, task, assignment, "failed")
    if len(unit.of(task)) - _ended_badly(unit, task) < _needed(unit, task):
        finish(unit, task, "expired", "failed", assignment=assignment, reason=reason)
    elif task.status == "paused":
        unit.move(task, "answered", "paused", assignment=assignment, reason=reason)
    else:
        carry_on(unit, task, "answered", assignment, reason)


def finish(
    unit: Unit,
    task: TaskRow,
    event: Event,
    status: str,
    *,
    assignment: AssignmentRow | None = None,
    by: str | None = None,
    reason: str | None = None,
) -> None:
    """End a task: attempts that are still under way are over, and what waits for it is decided."""
    _end(unit, task, event, status, assignment=assignment, by=by, reason=reason)
    release_dependents(unit, task, _end)


def _end(
    unit: Unit,
    task: TaskRow,
    event: Event,
    status: str,
    *,
    assignment: AssignmentRow | None = None,
    by: str | None = None,
    reason: str | None = None,
) -> None:
    for other in unit.leased(task):
        if other is not assignment:
            cut_off(unit, other, reason or f"the task is {status}")
    if any(waits_for_answer(other) for other in unit.of(task)):
        cancel_all(unit, task, f"the task is {status}")
    unit.move(task, event, status, assignment=assignment, by=by, reason=reason)
    task.finished_at = unit.now
    task.reason = reason
    task.stop = task.stop_by = None
    if status == "completed":
        task.error_type = task.error_message = None
        task.progress = 1.0
    if task.schedule_id is not None:
        let_queued_fire(unit, task.schedule_id)


def let_queued_fire(unit: Unit, schedule_id: str) -> None:
    """Make a schedule due at once when instants wait for a task that is no more in their way."""
    if not unit.tx.queued_instants(schedule_id, 1):
        return
    schedule = unit.tx.schedule(schedule_id)
    if schedule is not None:
        schedule.next_at = unit.now
        unit.tx.update([schedule])
        unit.effects.fall_due(unit.now)


def cut_off(unit: Unit, assignment: AssignmentRow, reason: str) -> None:
    """End a lease against its worker's will; the worker is told that it is lost."""
    unit.end_attempt(assignment, "cancelled", reason=reason)
    if assignment.worker_id is not None:
        unit.effects.workers.add(assignment.worker_id)
    _settle(unit, unit.tasks[assignment.task_id], assignment, "cancelled")


def _follow(
    unit: Unit,
    task: TaskRow,
    assignment: AssignmentRow,
    verdict: Verdict,
    reason: str | None = None,
    *,
    has_failed: bool = False,
) -> None:
    """Do what follows an attempt that did not end well."""
    stops = task.stop == "cancel" or verdict.kind == "retry"  # what has failed for good has no use for a pause
    if stops and stop_if_asked(unit, task, assignment):
        pass
    elif (fallback := fallbacks.after_failure(unit, task, assignment, verdict)) is not None:
        fall_back(unit, task, assignment, fallback, verdict.why or reason or "")
    elif verdict.kind == "retry":
        if has_failed:
            fallbacks.avoid_failed(unit, assignment, unit.now + verdict.delay_ms)
        enqueue(unit, assignment, unit.now + verdict.delay_ms)
        carry_on(unit, task, "requeued", assignment, reason)
    elif verdict.kind == "exhausted" and settings_of(task).on_exhausted == "pause":
        hold(unit, assignment)
        task.reason = verdict.why
        carry_on(unit, task, "exhausted", assignment, verdict.why)
    else:
        _settle(unit, task, assignment, "failed")
        if len(unit.of(task)) - _ended_badly(unit, task) < _needed(unit, task):
            finish(unit, task, "failed", "failed", assignment=assignment, reason=verdict.why)
        else:
            carry_on(unit, task, "requeued", assignment, verdict.why)
    release_lease(assignment)


def fall_back(unit: Unit, task: TaskRow, assignment: AssignmentRow, fallback: Fallback, why: str) -> None:
    """Give an assignment to its fallback."""
    fallbacks.hand_over(unit, task, assignment, fallback, why)
    if fallback.person is not None:
        carry_on(unit, task, "asked", assignment, task.reason)
    elif task.status != "pending":
        carry_on(unit, task, "requeued", assignment, why)


def stop_if_asked(unit: Unit, task: TaskRow, assignment: AssignmentRow) -> bool:
    """End or pause a task that had been asked to stop, once the last of its attempts has; tell whether it had."""
    if task.stop is None:
        return False
    if task.stop == "cancel":
        _settle(unit, task, assignment, "cancelled")
        if unit.leased(task):
            carry_on(unit, task, "cancelled", assignment)
        else:
            _finish_cancelled(unit, task, assignment)
    else:
        hold(unit, assignment)
        carry_on(unit, task, "paused", assignment)
    return True


def _finish_cancelled(unit: Unit, task: TaskRow, assignment: AssignmentRow) -> None:
    finish(unit, task, "cancelled", "cancelled", assignment=assignment, by=task.stop_by, reason=task.reason)


def carry_on(unit: Unit, task: TaskRow, event: Event, assignment: AssignmentRow, reason: str | None = None) -> None:
    """Go on with what else there is to do for a task. When all of that waits for answers, it is in review; when some of
    it waits to be resumed, it is paused."""
    if any(other.state in ("leased", "ready", "delayed") for other in unit.of(task)):
        unit.move(task, event, working_status(unit, task), assignment=assignment, reason=reason)
        return
    waiting = [other for other in unit.of(task) if other.state == "waiting"]
    if task.stop is None and waiting and all(waits_for_answer(other) for other in waiting):
        unit.move(task, event, "review", assignment=assignment, reason=reason)
        return
    event = "paused" if task.stop == "pause" else "exhausted"
    unit.move(task, event, "paused", assignment=assignment, by=task.stop_by, reason=task.reason)
    task.stop = task.stop_by = None


def _settle(unit: Unit, task: TaskRow, assignment: AssignmentRow, state: str) -> None:
    assignment.state = state  # type: ignore[assignment]
    unit.change_assignment(assignment)


def _completed(unit: Unit, task: TaskRow) -> int:
    return sum(assignment.state == "completed" for assignment in unit.of(task))


def _ended_badly(unit: Unit, task: TaskRow) -> int:
    return sum(assignment.state in ("failed", "cancelled") for assignment in unit.of(task))


def _needed(unit: Unit, task: TaskRow) -> int:
    completion = settings_of(task).completion
    count = len(unit.of(task))
    if completion == "all":
        return count
    return 1 if completion == "any" else min(int(completion), count)
