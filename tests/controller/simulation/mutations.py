"""Ways to break the engine, each an error that somebody might make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from milepost_collector.controller.engine import (
    answering,
    asks,
    claim,
    dependencies,
    firing,
    outcomes,
    reports,
    timekeeping,
    workers,
)
from milepost_collector.controller.engine.creation import Creator
from milepost_collector.controller.engine.limits import Limits
from milepost_collector.controller.engine.queueing import enqueue, working_status
from milepost_collector.controller.engine.reports import Reports
from milepost_collector.controller.engine.unit import Unit
from milepost_collector.controller.retry import Verdict
from milepost_collector.controller.rows import AssignmentRow

Mutation = Callable[[pytest.MonkeyPatch], None]


def reports_are_taken_whatever_their_attempt(patch: pytest.MonkeyPatch) -> None:
    """Drop the fencing."""

    def any_lease(self: Reports, task_id: str, attempt: int) -> AssignmentRow | None:
        return next((row for row in self._unit.assignments.get(task_id, ()) if row.state == "leased"), None)

    patch.setattr(Reports, "_lease", any_lease)


def attempt_numbers_are_given_again(patch: pytest.MonkeyPatch) -> None:
    """Number attempts by what has failed, not by leases."""
    begin = claim._begin

    def renumbered(unit: Unit, task: Any, row: Any, worker: Any, chance: Any) -> None:
        task.attempt = task.failures
        begin(unit, task, row, worker, chance)

    patch.setattr(claim, "_begin", renumbered)


def claims_ignore_limits(patch: pytest.MonkeyPatch) -> None:
    """Forget limits of concurrency."""
    patch.setattr(Limits, "_obstacle", lambda *_: None)


def rates_are_not_noted(patch: pytest.MonkeyPatch) -> None:
    """Forget when attempts began."""
    patch.setattr(Limits, "_note", lambda *_: None)


def slots_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    """Offer a worker all its slots whatever it holds."""
    whole = workers._claim_free

    def claim_free(unit: Unit, polling: Any, request: Any, held: int, *more: Any, **named: Any) -> Any:
        return whole(unit, polling, request, 0, *more, **named)

    patch.setattr(workers, "_claim_free", claim_free)


def dependencies_are_not_counted_down(patch: pytest.MonkeyPatch) -> None:
    """Forget to decrement."""

    def release(unit: Unit, task: Any) -> None:
        task.open_dependencies += 1
        released(unit, task)

    released = dependencies.release_if_free
    patch.setattr(dependencies, "release_if_free", release)


def dependents_are_released_early(patch: pytest.MonkeyPatch) -> None:
    """Take the first of several upstream tasks for all."""

    def release(unit: Unit, task: Any) -> None:
        task.open_dependencies = 0
        released(unit, task)

    released = dependencies.release_if_free
    patch.setattr(dependencies, "release_if_free", release)


def instants_are_not_recorded(patch: pytest.MonkeyPatch) -> None:
    """Leave out the lines of instants that make no task."""
    patch.setattr(firing._Firing, "_note", lambda *_: None)


def marks_do_not_move(patch: pytest.MonkeyPatch) -> None:
    """Trust the mark alone against double firing, and make a task before looking at the ledger."""
    patch.setattr("milepost_collector.controller.store.transaction.Transaction.insert_instant", lambda *_: True)
    decide = firing._Firing.decide

    def forgetful(self: Any) -> bool:
        mark_at = self._row.mark_at
        more = decide(self)
        self._row.mark_at = mark_at
        self._unit.tx.update([self._row])
        return more

    patch.setattr(firing._Firing, "decide", forgetful)


def silent_workers_keep_their_leases(patch: pytest.MonkeyPatch) -> None:
    """Never end a lease."""
    patch.setattr(timekeeping, "end_leases", lambda *_: False)


def losses_count_as_failures(patch: pytest.MonkeyPatch) -> None:
    """Count a lost worker as an error of the code."""

    def lose(unit: Unit, task: Any, assignment: Any, reason: str) -> None:
        task.failures += 1
        outcomes_lose(unit, task, assignment, reason)

    outcomes_lose = outcomes.lose
    patch.setattr(timekeeping, "lose", lose)


def retries_never_end(patch: pytest.MonkeyPatch) -> None:
    """Try again for ever."""
    patch.setattr(outcomes, "after_failure", lambda *_, **__: Verdict("retry", delay_ms=10))


def keys_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Make a task of every request, also of one that is repeated."""
    patch.setattr(Creator, "_earlier", lambda *_: None)
    add_key = Unit.add_key

    def add_once(self: Unit, row: Any) -> None:
        if not self.tx.idempotency((row.key,)):
            add_key(self, row)

    patch.setattr(Unit, "add_key", add_once)


def exhausted_agents_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Leave a task pending although nothing of it is queued any more."""

    def carry_on(unit: Unit, task: Any, event: Any, assignment: Any, reason: str | None = None) -> None:
        unit.move(task, event, working_status(unit, task), assignment=assignment, reason=reason)

    patch.setattr(outcomes, "carry_on", carry_on)


def finished_tasks_can_be_worked_on(patch: pytest.MonkeyPatch) -> None:
    """Leave attempts of a finished task alone."""
    patch.setattr(outcomes, "cut_off", lambda *_: None)
    patch.setattr(reports, "complete", _complete_twice(outcomes.complete))


def _complete_twice(complete: Callable[..., None]) -> Callable[..., None]:
    def twice(unit: Unit, task: Any, assignment: Any, result: str | None) -> None:
        complete(unit, task, assignment, result)
        if task.finished_at is not None:
            unit.record(task, "completed", "completed")

    return twice


def answers_are_not_consumed(patch: pytest.MonkeyPatch) -> None:
    """Forget which attempt got an answer."""
    patch.setattr(asks, "consume", lambda *_: None)


def answers_are_left_out(patch: pytest.MonkeyPatch) -> None:
    """Forget to tell answers to the attempts that go on."""
    patch.setattr(asks, "answers", lambda *_: [])


def asks_are_decided_again(patch: pytest.MonkeyPatch) -> None:
    """Let the last decision win."""
    patch.setattr(answering, "_refuse_closed", lambda *_: None)


def expiry_is_rejection(patch: pytest.MonkeyPatch) -> None:
    """Take silence for a no."""
    settle = answering._settle

    def settled(unit: Unit, row: Any, status: str, **more: Any) -> None:
        settle(unit, row, "rejected" if status == "expired" else status, **more)

    patch.setattr(answering, "_settle", settled)


def finished_tasks_go_on_asking(patch: pytest.MonkeyPatch) -> None:
    """Leave what a task has asked open when it ends."""
    patch.setattr(outcomes, "cancel_all", lambda *_: None)


def asks_leave_their_attempt_queued(patch: pytest.MonkeyPatch) -> None:
    """Ask, and go on without the answer."""
    patch.setattr(answering, "hold", lambda unit, assignment: enqueue(unit, assignment))


MUTATIONS: list[Mutation] = [
    reports_are_taken_whatever_their_attempt,
    attempt_numbers_are_given_again,
    claims_ignore_limits,
    rates_are_not_noted,
    slots_are_not_counted,
    dependencies_are_not_counted_down,
    dependents_are_released_early,
    instants_are_not_recorded,
    marks_do_not_move,
    silent_workers_keep_their_leases,
    losses_count_as_failures,
    retries_never_end,
    keys_are_forgotten,
    exhausted_agents_are_forgotten,
    finished_tasks_can_be_worked_on,
    answers_are_not_consumed,
    answers_are_left_out,
    asks_are_decided_again,
    expiry_is_rejection,
    finished_tasks_go_on_asking,
    asks_leave_their_attempt_queued,
]
