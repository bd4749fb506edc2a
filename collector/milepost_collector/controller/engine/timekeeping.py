"""What time does, whether or not any worker lives: retries become ready, leases and timeouts end, deadlines pass."""

from __future__ import annotations

import random

from milepost_collector.controller.engine import batches
from milepost_collector.controller.engine.limits import idle_rates
from milepost_collector.controller.engine.outcomes import Failure, fail, finish, lose, stop_cancelled
from milepost_collector.controller.engine.unit import Unit, settings_of
from milepost_collector.controller.estimates import Like, expected_of_running, like, quantile
from milepost_collector.controller.rows import AssignmentRow, TaskRow
from milepost_collector.protocol.durations import spoken

BATCH = 200  # of each kind in one transaction
_AT_RISK_WITHIN_MS = 86_400_000  # deadlines further away are not looked at
HISTORY = 100  # newest completed tasks of a name that an estimate is made from


def promote_due(unit: Unit) -> bool:
    """Make delayed assignments ready that are due; tell whether there may be more."""
    promoted = unit.tx.promote(BATCH)
    if promoted:
        unit.effects.freed = True  # whoever waits may take them
    return promoted == BATCH


def end_leases(unit: Unit, chance: random.Random) -> bool:
    """End attempts that took too long to stop, to run, or to be heard of again; tell whether there may be more."""
    found = unit.tx.ended_leases(BATCH)
    unit.load([row.task_id for row in found])
    for stale in found:
        task = unit.tasks.get(stale.task_id)
        row = next((row for row in unit.of(task) if row.position == stale.position), None) if task else None
        if row is not None and row.state == "leased":
            _end_lease(unit, row, chance)
    return len(found) == BATCH


def _end_lease(unit: Unit, row: AssignmentRow, chance: random.Random) -> None:
    task = unit.tasks[row.task_id]
    if row.worker_id is not None:
        unit.effects.workers.add(row.worker_id)
    if row.cut_off_at is not None and row.cut_off_at <= unit.now:
        stop_cancelled(unit, task, row, "cut off: it did not stop within cancel_grace_ms")
    elif row.timeout_at is not None and row.timeout_at <= min(unit.now, row.expires_at or unit.now):
        longest = spoken(settings_of(task).timeout_ms or 0)  # a worker that was silent before it was late is lost
        failure = Failure(error_type="AttemptTimeout", error_message=f"the attempt ran longer than {longest}")
        fail(unit, task, row, failure, chance)
    elif row.expires_at is not None and row.expires_at <= unit.now:
        lose(unit, task, row, f"nothing was heard of worker {row.worker_id} for {spoken(row.lease_ms or 0)}")


def pass_deadlines(unit: Unit) -> bool:
    """Fail tasks whose deadline has passed; tell whether there may be more."""
    due = unit.tx.due_deadlines(BATCH)
    unit.load(due)
    for task_id in due:
        task = unit.tasks.get(task_id)
        if task is None or task.deadline_at is None or task.deadline_at > unit.now or task.finished_at is not None:
            continue
        task.error_type, task.error_message = "DeadlineExceeded", "its deadline passed before it was finished"
        finish(unit, task, "expired", "failed", reason="its deadline has passed")
    return len(due) == BATCH


def report_risks(unit: Unit) -> None:
    """Note tasks that will probably miss their deadline, judged by what tasks of their name took before."""
    coming = unit.tx.coming_deadlines(unit.now + _AT_RISK_WITHIN_MS, BATCH)
    known = {name: like(unit.tx.ended(name, HISTORY), None) for name in {task.name for task in coming}}
    risky = [task.id for task in coming if _is_risky(task, known[task.name], unit.now)]
    unit.load(risky)
    for task_id in risky:
        if (at_risk := unit.tasks.get(task_id)) is not None and at_risk.finished_at is None:
            at_risk.at_risk_at = unit.now
            unit.record(at_risk, "at_risk", at_risk.status, reason="its deadline will probably be missed")
            unit.change(at_risk)


def _is_risky(task: TaskRow, known: Like | None, now: int) -> bool:
    """Tell whether a task will probably end after its deadline: one that runs longer than all before it, too."""
    if known is None or task.deadline_at is None:
        return False
    if task.status == "in_progress" and task.started_at is not None:
        expected = expected_of_running(known, task.started_at, now)
        return expected is None or expected.median_at > task.deadline_at
    return max(now, task.run_at or 0) + quantile(known.runs_ms, 0.5) > task.deadline_at


def forget_old(unit: Unit, retention_ms: int) -> bool:
    """Remove what is older than the retention: finished tasks with all that belongs to them, keys, ledger rows."""
    before = unit.now - retention_ms
    old = unit.tx.expired_history(before, BATCH)
    if old:
        unit.tx.forget(old)
    pruned = [
        unit.tx.prune_transitions(before, BATCH),
        unit.tx.prune_idempotency(before, BATCH),
        unit.tx.prune_instants(before, BATCH),
        unit.tx.prune_asks(before, BATCH),
        batches.forget(unit, before, BATCH),
    ]
    return len(old) == BATCH or BATCH in pruned


def forget_rates(unit: Unit) -> None:
    """Remove what is known of rates of which nothing is used up: there may be one for each key there ever was."""
    if idle := idle_rates(unit.tx):
        unit.tx.delete(idle)


def forget_workers(unit: Unit, silent_ms: int) -> None:
    """Remove workers that hold nothing and have not been heard of for long."""
    gone = unit.tx.silent_workers(unit.now - silent_ms)
    if gone:
        unit.tx.delete(gone)
