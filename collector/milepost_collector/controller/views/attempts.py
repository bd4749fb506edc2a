"""What was done for a task: its attempts, what they saved, and every transition."""

from __future__ import annotations

import msgspec

from milepost.wire.attempts import Attempt, AttemptList, Checkpoint, CheckpointList, Step, Transition, TransitionList
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.rows import (
    AssignmentRow,
    AttemptRow,
    CheckpointRow,
    StepRow,
    TransitionRow,
)
from milepost_collector.controller.store.interface import Tx
from milepost_collector.controller.views.tasks import find, raw
from milepost_collector.errors import NotFoundError


def attempts(tx: Tx, task_id: str) -> AttemptList:
    """Return a task's attempts, the newest first.

    Raises:
        NotFoundError: there is no such task.
    """
    find(tx, task_id)
    live = [row for row in tx.assignments((task_id,), lock=False).get(task_id, []) if row.state == "leased"]
    found = [_running(row, tx.now) for row in live]
    found += [_ended(row) for row in tx.attempts((task_id,)).get(task_id, [])]
    return AttemptList(attempts=sorted(found, key=lambda attempt: -attempt.attempt))


def attempt(tx: Tx, task_id: str, number: int) -> Attempt:
    """Return one attempt.

    Raises:
        NotFoundError: there is no such task or attempt.
    """
    for found in attempts(tx, task_id).attempts:
        if found.attempt == number:
            return found
    raise NotFoundError("attempt", f"{number} of task {task_id}")


def checkpoints(tx: Tx, task_id: str) -> CheckpointList:
    """Return what a task's attempts saved, oldest first.

    Raises:
        NotFoundError: there is no such task.
    """
    find(tx, task_id)
    return CheckpointList(
        checkpoints=[_checkpoint(row) for row in tx.checkpoints(task_id)],
        steps=[_step(row) for row in tx.steps(task_id)],
    )


def transitions(tx: Tx, task_id: str) -> TransitionList:
    """Return a task's transitions, oldest first.

    Raises:
        NotFoundError: there is no such task.
    """
    found = tx.transitions(task_id)
    if not found:
        find(tx, task_id)
    return TransitionList(transitions=[transition(row) for row in found])


def transition(row: TransitionRow) -> Transition:
    """Return a transition as the wire has it."""
    return Transition(
        sequence=row.sequence,
        task_id=row.task_id,
        time=to_datetime(row.time),
        event=row.event,
        from_status=row.from_status,
        to_status=row.to_status,
        attempt=row.attempt,
        agent=row.agent,
        worker_id=row.worker_id,
        by=row.by,
        reason=row.reason,
    )


def _running(row: AssignmentRow, now: int) -> Attempt:
    assert row.run_id is not None
    assert row.worker_id is not None
    assert row.leased_at is not None
    return Attempt(
        task_id=row.task_id,
        attempt=row.attempt,
        status="running",
        run_id=row.run_id,
        worker_id=row.worker_id,
        leased_at=to_datetime(row.leased_at),
        agent=row.held_by,
        started_at=to_datetime(row.started_at),
        duration_ms=float(now - (row.started_at or row.leased_at)),
        progress=row.progress,
        phase=row.phase,
        steps_reused=row.steps_reused,
        checkpoint_count=row.checkpoint_count,
        reason=row.stop_reason,
    )


def _ended(row: AttemptRow) -> Attempt:
    return Attempt(
        task_id=row.task_id,
        attempt=row.attempt,
        status=row.status,  # type: ignore[arg-type]
        run_id=row.run_id,
        worker_id=row.worker_id,
        leased_at=to_datetime(row.leased_at),
        agent=row.agent,
        started_at=to_datetime(row.started_at),
        ended_at=to_datetime(row.ended_at),
        duration_ms=float(row.ended_at - (row.started_at or row.leased_at)),
        progress=row.progress,
        phase=row.phase,
        result=raw(row.result),
        error_type=row.error_type,
        error_message=row.error_message,
        error_stack=row.error_stack,
        reason=row.reason,
        retry_at=to_datetime(row.retry_at),
        steps_reused=row.steps_reused,
        checkpoint_count=row.checkpoint_count,
    )


def _checkpoint(row: CheckpointRow) -> Checkpoint:
    return Checkpoint(
        task_id=row.task_id,
        attempt=row.attempt,
        sequence=row.sequence,
        created_at=to_datetime(row.created_at),
        size_bytes=row.size_bytes,
        name=row.name,
        state=raw(row.state),
        copy_of=row.copy_of,
    )


def _step(row: StepRow) -> Step:
    return Step(
        task_id=row.task_id,
        attempt=row.attempt,
        name=row.name,
        input_digest=row.input_digest,
        created_at=to_datetime(row.created_at),
        size_bytes=row.size_bytes,
        reused_by=msgspec.json.decode(row.reused_by, type=list[int]),
        result=raw(row.result),
    )
