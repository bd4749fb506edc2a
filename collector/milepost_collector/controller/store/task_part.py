"""The part of a transaction that finds and moves tasks and what belongs to them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from milepost_collector.controller.estimates import Ended
from milepost_collector.controller.rows import (
    AskEventRow,
    AttemptRow,
    BudgetEventRow,
    CheckpointRow,
    ContentRow,
    DeliverableRow,
    DependencyRow,
    IdempotencyRow,
    InstantRow,
    PayloadRow,
    Row,
    StepRow,
    TaskRow,
    TransitionRow,
)
from milepost_collector.controller.store import statements
from milepost_collector.controller.store.interface import Tried
from milepost_collector.controller.store.listing import Listing
from milepost_collector.controller.store.writing import Writing
from milepost_collector.errors import InvalidParameterError

F = TypeVar("F", TransitionRow, InstantRow, AskEventRow, DeliverableRow, BudgetEventRow)


class TaskPart(Listing, Writing):
    """Tasks, live and finished."""

    def tasks(self, ids: Collection[str], *, lock: bool = True) -> dict[str, TaskRow]:
        """Return live tasks by id."""
        statement = statements.TASKS_LOCKED if lock and self._may_lock else statements.TASKS
        found = self._rows(TaskRow, statement, ids=self._texts(ids))
        return {row.id: row for row in found}

    def finished(self, ids: Collection[str], *, lock: bool = True) -> dict[str, TaskRow]:
        """Return finished tasks by id."""
        statement = statements.FINISHED_LOCKED if lock and self._may_lock else statements.FINISHED
        return {row.id: row for row in self._rows(TaskRow, statement, ids=self._texts(ids))}

    def forget(self, ids: Collection[str]) -> None:
        """Remove tasks with everything that belongs to them. Transitions and idempotency keys go when pruned."""
        texts = self._texts(ids)
        for statement in (statements.DELETE_TASKS, statements.DELETE_FINISHED, *statements.DELETE_BELONGINGS):
            self._execute(statement, ids=texts)

    def payloads(self, ids: Collection[str]) -> dict[str, PayloadRow]:
        """Return what tasks were given, by task id."""
        return {row.task_id: row for row in self._rows(PayloadRow, statements.PAYLOADS, ids=self._texts(ids))}

    def due_deadlines(self, limit: int) -> list[str]:
        """Return live tasks whose deadline is over and that are not being stopped for it; locked."""
        return [found for (found,) in self._tuples(statements.DUE_DEADLINES, now=self.now, limit=limit)]

    def coming_deadlines(self, until: int, limit: int) -> list[TaskRow]:
        """Return live tasks with a deadline up to `until` that are not known to be at risk, soonest first."""
        return self._rows(TaskRow, statements.COMING_DEADLINES, until=until, limit=limit)

    def ended(self, name: str, limit: int) -> list[Ended]:
        """Return how long the newest completed tasks of a name waited and ran."""
        return [Ended(*found) for found in self._tuples(statements.DURATIONS, name=name, limit=limit)]

    def tried(self, name: str, limit: int) -> list[Tried]:
        """Return the attempts of the newest `limit` completed and as many failed tasks of a name, the newest first."""
        return [Tried(*found) for found in self._tuples(statements.RECORD_OF_NAME, name=name, limit=limit)]

    def pace_of_batch(self, batch: str) -> tuple[int | None, int]:
        """Return when the first of a batch's finished tasks began, and how many there are that began."""
        ((began, count),) = self._tuples(statements.PACE_OF_BATCH, batch=batch)
        return began, count

    def expired_history(self, before: int, limit: int) -> list[str]:
        """Return tasks that finished before an instant, oldest first."""
        return [found for (found,) in self._tuples(statements.EXPIRED_HISTORY, before=before, limit=limit)]

    def unfinished_of(self, schedule_id: str) -> list[TaskRow]:
        """Return a schedule's live tasks, by id."""
        return self._rows(TaskRow, statements.UNFINISHED_OF_SCHEDULE, schedule_id=schedule_id)

    def attempts(self, task_ids: Collection[str]) -> dict[str, list[AttemptRow]]:
        """Return tasks' ended attempts by task id, the newest first."""
        found: dict[str, list[AttemptRow]] = {}
        for row in self._rows(AttemptRow, statements.ATTEMPTS, ids=self._texts(task_ids)):
            found.setdefault(row.task_id, []).append(row)
        return found

    def dependencies(self, task_ids: Collection[str]) -> dict[str, list[DependencyRow]]:
        """Return what tasks wait for, by task id."""
        found: dict[str, list[DependencyRow]] = {}
        for row in self._rows(DependencyRow, statements.DEPENDENCIES, ids=self._texts(task_ids)):
            found.setdefault(row.task_id, []).append(row)
        return found

    def dependents(self, upstream_ids: Collection[str]) -> dict[str, list[DependencyRow]]:
        """Return what waits for tasks, by the id of the task waited for."""
        found: dict[str, list[DependencyRow]] = {}
        for row in self._rows(DependencyRow, statements.DEPENDENTS, ids=self._texts(upstream_ids)):
            found.setdefault(row.upstream_id, []).append(row)
        return found

    def checkpoints(self, task_id: str) -> list[CheckpointRow]:
        """Return a task's checkpoints, oldest first."""
        return self._rows(CheckpointRow, statements.CHECKPOINTS, task_id=task_id)

    def newest_checkpoint(self, task_id: str, position: int) -> CheckpointRow | None:
        """Return the newest checkpoint of an assignment."""
        return self._row(CheckpointRow, statements.NEWEST_CHECKPOINT, task_id=task_id, position=position)

    def checkpoint_of(self, task_id: str, attempt: int, attempt_sequence: int) -> CheckpointRow | None:
        """Return an attempt's checkpoint by the worker's number."""
        values = {"task_id": task_id, "attempt": attempt, "attempt_sequence": attempt_sequence}
        return self._row(CheckpointRow, statements.CHECKPOINT_OF, **values)

    def last_sequence(self, task_id: str) -> int:
        """Return the largest sequence of a task's checkpoints, 0 without."""
        found: int = self._value(statements.LAST_SEQUENCE, task_id=task_id)
        return found

    def steps(self, task_id: str, position: int | None = None) -> list[StepRow]:
        """Return a task's remembered steps, of one assignment or of all, oldest first."""
        if position is None:
            return self._rows(StepRow, statements.STEPS, task_id=task_id)
        return self._rows(StepRow, statements.STEPS_OF_POSITION, task_id=task_id, position=position)

    def transitions(self, task_id: str) -> list[TransitionRow]:
        """Return a task's transitions, oldest first."""
        return self._rows(TransitionRow, statements.TRANSITIONS, task_id=task_id)

    def transitions_after(self, position: str, limit: int) -> tuple[list[TransitionRow], str]:
        """Return transitions committed after a position ("": the beginning), and the position to go on from.

        Raises:
            InvalidParameterError: the position is not one that this has returned.
        """
        return self._after(TransitionRow, position, limit)

    def instants_after(self, position: str, limit: int) -> tuple[list[InstantRow], str]:
        """Return ledger rows committed after a position; see `transitions_after`."""
        return self._after(InstantRow, position, limit)

    def ask_events_after(self, position: str, limit: int) -> tuple[list[AskEventRow], str]:
        """Return what happened to asks, committed after a position; see `transitions_after`."""
        return self._after(AskEventRow, position, limit)

    def log_end(self, row: type[Row]) -> str:
        """Return the position after everything that is committed now, of what `…_after` follows."""
        (end,) = self._tuples(statements.log_end(row, self._preparer.name))
        return f"{end[0]}.{end[1]}"

    def deliverables_after(self, position: str, limit: int) -> tuple[list[DeliverableRow], str]:
        """Return deliverables committed after a position; see `transitions_after`."""
        return self._after(DeliverableRow, position, limit)

    def unreferenced_contents(self, before: int, limit: int) -> list[ContentRow]:
        """Return contents that no deliverable refers to, nor came to since an instant, oldest first; locked."""
        return self._rows(ContentRow, statements.UNREFERENCED_CONTENTS, before=before, limit=limit)

    def budget_events_after(self, position: str, limit: int) -> tuple[list[BudgetEventRow], str]:
        """Return what happened to budgets, committed after a position; see `transitions_after`."""
        return self._after(BudgetEventRow, position, limit)

    def prune_transitions(self, before: int, limit: int) -> int:
        """Remove transitions of tasks that are gone, from before an instant; return how many."""
        return self._execute(statements.PRUNE_TRANSITIONS, before=before, limit=limit)

    def idempotency(self, keys: Collection[str]) -> dict[str, IdempotencyRow]:
        """Return which tasks keys have made."""
        return {row.key: row for row in self._rows(IdempotencyRow, statements.IDEMPOTENCY, ids=self._texts(keys))}

    def prune_idempotency(self, before: int, limit: int) -> int:
        """Remove keys from before an instant; return how many."""
        return self._execute(statements.PRUNE_IDEMPOTENCY, before=before, limit=limit)

    def _after(self, row: type[F], position: str, limit: int) -> tuple[list[F], str]:
        transaction, sequence = _read_position(position)
        statement = statements.after(row, self._preparer.name)
        found = self._tuples(statement, transaction=transaction, sequence=sequence, limit=limit)
        if not found:
            return [], position
        rows = self._as_rows(row, [values[:-2] for values in found])
        return rows, f"{found[-1][-2]}.{found[-1][-1]}"


def _read_position(position: str) -> tuple[int, int]:
    try:
        transaction, sequence = position.split(".") if position else ("0", "0")
        return int(transaction), int(sequence)
    except ValueError as error:
        raise InvalidParameterError("position", position, "take one that was given with rows") from error
