"""What workers say of their attempts.

Every report is checked against the attempt number, so that a worker whose lease is over changes nothing any more.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec

from milepost.wire.worker import (
    AttemptAsked,
    AttemptCancelled,
    AttemptCompleted,
    AttemptFailed,
    AttemptPaused,
    AttemptReport,
    AttemptStarted,
    CheckpointSaved,
    Command,
    ProgressMade,
    ReportResult,
    ReportsAnswer,
    ReportsRequest,
    ReservationAsked,
    ReservationReleased,
    StepCompleted,
    StepReused,
)
from milepost_collector.controller.engine.answering import suspend
from milepost_collector.controller.engine.asks import Asker
from milepost_collector.controller.engine.budgets import parking, reservations
from milepost_collector.controller.engine.budgets.amounts import NANO, Amounts
from milepost_collector.controller.engine.creation import text_or_none
from milepost_collector.controller.engine.outcomes import (
    Failure,
    complete,
    fail,
    missing_deliverables,
    stop_cancelled,
    yield_lease,
)
from milepost_collector.controller.engine.stalls import note_sign
from milepost_collector.controller.engine.unit import Unit
from milepost_collector.controller.engine.workers import start
from milepost_collector.controller.rows import AssignmentRow, CheckpointRow, StepRow
from milepost_collector.errors import QueryError

_ENDS: dict[type[AttemptReport], str] = {
    AttemptCompleted: "completed",
    AttemptFailed: "failed",
    AttemptCancelled: "cancelled",
    AttemptPaused: "paused",
    AttemptAsked: "paused",
}
_SIGNS = (ProgressMade, CheckpointSaved, StepCompleted, StepReused)
_APPLIED = ReportResult(outcome="applied")


class Reports:
    """Applies the reports of one request, in their order."""

    def __init__(self, unit: Unit, max_value_bytes: int, chance: random.Random, asker: Asker) -> None:
        self._unit = unit
        self._asker = asker
        self._max_value_bytes = max_value_bytes
        self._chance = chance
        self._apply: dict[type[AttemptReport], Callable[[AssignmentRow, Any], ReportResult]] = {
            AttemptStarted: self._started,
            ProgressMade: self._progress,
            CheckpointSaved: self._checkpoint,
            StepCompleted: self._step,
            StepReused: self._step_reused,
            ReservationAsked: self._reserve,
            ReservationReleased: self._release,
            AttemptCompleted: self._completed,
            AttemptFailed: self._failed,
            AttemptCancelled: self._cancelled,
            AttemptPaused: self._paused,
            AttemptAsked: self._asked,
        }

    def apply(self, request: ReportsRequest) -> ReportsAnswer:
        """Return one result per report, and what the attempts are to stop for."""
        self._unit.load([report.task_id for report in request.reports])
        ending = dict.fromkeys(report.task_id for report in request.reports if type(report) in _ENDS)
        self._unit.load_dependents([task_id for task_id in ending if task_id in self._unit.tasks])
        results = [self._one(report) for report in request.reports]
        named = dict.fromkeys((report.task_id, report.attempt) for report in request.reports)
        commands = [self._command(row) for key in named if (row := self._lease(*key)) and row.stop is not None]
        return ReportsAnswer(results=results, commands=commands)

    def _one(self, report: AttemptReport) -> ReportResult:
        row = self._lease(report.task_id, report.attempt)
        if row is None:
            return self._without_lease(report)
        if row.started_at is None and type(report) not in _ENDS and not isinstance(report, AttemptStarted):
            start(self._unit, row)  # whoever tells of progress has begun
        if type(report) in _SIGNS:
            note_sign(self._unit, row)
        return self._apply[type(report)](row, report)

    def _lease(self, task_id: str, attempt: int) -> AssignmentRow | None:
        for row in self._unit.assignments.get(task_id, ()):
            if row.state == "leased" and row.attempt == attempt:
                return row
        return None

    def _without_lease(self, report: AttemptReport) -> ReportResult:
        """Tell a repeated end, whose first answer was lost, from a report of somebody who lost the lease."""
        end = _ENDS.get(type(report))
        self._unit.flush_inserts()
        for row in self._unit.tx.attempts((report.task_id,)).get(report.task_id, []):
            if row.attempt == report.attempt:
                if row.status == end:
                    return ReportResult(outcome="repeated")
                return ReportResult(outcome="stale", reason=f"attempt {report.attempt} has ended as {row.status}")
        return ReportResult(outcome="stale", reason=f"there is no lease of attempt {report.attempt}")

    def _too_large(self, what: str, text: str) -> ReportResult | None:
        size = len(text.encode())
        if size <= self._max_value_bytes:
            return None
        return ReportResult(
            outcome="refused",
            reason=f"{what} has {size} bytes as JSON, {self._max_value_bytes} are allowed; store it elsewhere and pass "
            "a reference",
        )

    def _started(self, row: AssignmentRow, _: AttemptStarted) -> ReportResult:
        if row.started_at is not None:
            return ReportResult(outcome="repeated")
        start(self._unit, row)
        return _APPLIED

    def _progress(self, row: AssignmentRow, report: ProgressMade) -> ReportResult:
        task = self._unit.tasks[row.task_id]
        if report.progress is not None:
            row.progress = task.progress = report.progress
        if report.phase is not None:
            row.phase = task.phase = report.phase
        self._unit.change_assignment(row)
        self._unit.change(task)
        return _APPLIED

    def _checkpoint(self, row: AssignmentRow, report: CheckpointSaved) -> ReportResult:
        tx = self._unit.tx
        state = text_or_none(report.state) or "null"
        if (refusal := self._too_large("the checkpoint", state)) is not None:
            return refusal
        if tx.checkpoint_of(row.task_id, row.attempt, report.sequence) is not None:
            return ReportResult(outcome="repeated")
        row.checkpoint_count += 1
        self._unit.change_assignment(row)
        tx.insert(
            [
                CheckpointRow(
                    task_id=row.task_id,
                    sequence=tx.last_sequence(row.task_id) + 1,
                    position=row.position,
                    attempt=row.attempt,
                    attempt_sequence=report.sequence,
                    created_at=self._unit.now,
                    size_bytes=len(state.encode()),
                    state=state,
                    name=report.name,
                )
            ]
        )
        return _APPLIED

    def _step(self, row: AssignmentRow, report: StepCompleted) -> ReportResult:
        result = text_or_none(report.result) or "null"
        if (refusal := self._too_large(f"the result of step {report.name!r}", result)) is not None:
            return refusal
        step = StepRow(
            task_id=row.task_id,
            position=row.position,
            name=report.name,
            input_digest=report.input_digest,
            attempt=row.attempt,
            created_at=self._unit.now,
            size_bytes=len(result.encode()),
            result=result,
        )
        self._unit.tx.upsert([step])
        return _APPLIED

    def _step_reused(self, row: AssignmentRow, report: StepReused) -> ReportResult:
        for step in self._unit.tx.steps(row.task_id, row.position):
            if (step.name, step.input_digest) == (report.name, report.input_digest):
                users = msgspec.json.decode(step.reused_by, type=list[int])
                if row.attempt in users:
                    return ReportResult(outcome="repeated")
                step.reused_by = msgspec.json.encode([*users, row.attempt]).decode()
                self._unit.tx.update([step])
                row.steps_reused += 1
                self._unit.change_assignment(row)
                return _APPLIED
        return ReportResult(outcome="refused", reason=f"no step {report.name!r} with this input is remembered")

    def _reserve(self, row: AssignmentRow, report: ReservationAsked) -> ReportResult:
        run = reservations.find_run(self._unit.tx, row.run_id or "") if row.budget_count else None
        if run is None:  # nothing limits it
            return _APPLIED
        asked = Amounts(usd=round(report.usd * NANO), tokens=report.tokens, tool_calls=report.tool_calls)
        refusal = reservations.reserve(self._unit, run, report.number, asked, report.expires_ms)
        left = reservations.left_of(self._unit.tx, run.run_id)
        if refusal is None:
            return ReportResult(outcome="applied", budget=left)
        return ReportResult(
            outcome="refused", reason=refusal.reason, budget_id=refusal.budget_id, waits=refusal.waits, budget=left
        )

    def _release(self, row: AssignmentRow, report: ReservationReleased) -> ReportResult:
        if row.budget_count:
            reservations.release(self._unit, row.run_id or "", report.number)
        return _APPLIED

    def _completed(self, row: AssignmentRow, report: AttemptCompleted) -> ReportResult:
        result = text_or_none(report.result)
        if result is not None and (refusal := self._too_large("the result", result)) is not None:
            return refusal
        task = self._unit.tasks[row.task_id]
        if (failure := missing_deliverables(self._unit, task)) is not None:
            fail(self._unit, task, row, failure, self._chance)
            return ReportResult(outcome="applied", reason=f"{failure.error_type}: {failure.error_message}")
        complete(self._unit, task, row, result)
        return _APPLIED

    def _failed(self, row: AssignmentRow, report: AttemptFailed) -> ReportResult:
        failure = Failure(
            error_type=report.error_type,
            error_message=report.error_message,
            error_stack=report.error_stack,
            retryable=report.retryable,
            retry_after_ms=report.retry_after_ms,
        )
        fail(self._unit, self._unit.tasks[row.task_id], row, failure, self._chance)
        return _APPLIED

    def _cancelled(self, row: AssignmentRow, _: AttemptCancelled) -> ReportResult:
        stop_cancelled(self._unit, self._unit.tasks[row.task_id], row, row.stop_reason or "cancelled by its worker")
        return _APPLIED

    def _paused(self, row: AssignmentRow, report: AttemptPaused) -> ReportResult:
        reason = report.reason or row.stop_reason or ("handed back" if report.released else "paused")
        yield_lease(self._unit, self._unit.tasks[row.task_id], row, reason)
        if report.budget_id is not None:
            parking.park_refused(self._unit, self._asker, row, report)
        return _APPLIED

    def _asked(self, row: AssignmentRow, report: AttemptAsked) -> ReportResult:
        try:
            suspend(self._unit, self._asker, self._unit.tasks[row.task_id], row, report.ask)
        except QueryError as error:  # it is checked before anything is written for it
            return ReportResult(outcome="refused", reason=str(error))
        return _APPLIED

    def _command(self, row: AssignmentRow) -> Command:
        return Command(
            kind="cancel" if row.stop == "cancel" else "pause",
            task_id=row.task_id,
            attempt=row.attempt,
            reason=row.stop_reason or "",
        )
