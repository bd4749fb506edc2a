"""One unit of work: the tasks that an operation touches, changed in memory and written together at its end."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from milepost.wire.asks import AskDefinition
from milepost.wire.tasks import TaskSettings
from milepost_collector.controller.engine.effects import Effects
from milepost_collector.controller.lifecycle import Event, is_finished, is_legal, legal_commands
from milepost_collector.controller.rows import (
    AssignmentRow,
    AttemptRow,
    DependencyRow,
    IdempotencyRow,
    Row,
    TaskRow,
    TransitionRow,
)
from milepost_collector.controller.store.interface import Candidate, Tx
from milepost_collector.errors import ConflictError, NotFoundError

_decode_settings = msgspec.json.Decoder(TaskSettings).decode


# Its worker told of the end; when it ended before it was told to have begun, it began as good as at once.
_REPORTED = ("completed", "failed")


class Unit:
    """Tasks and their assignments as they will be after the operation.

    Load what is needed, change rows, note what was changed, `flush`. One unit belongs to one transaction.
    """

    def __init__(self, tx: Tx, effects: Effects) -> None:
        self.tx = tx
        self.now = tx.now
        self.effects = effects
        self.tasks: dict[str, TaskRow] = {}
        self.assignments: dict[str, list[AssignmentRow]] = {}
        self.keys: dict[str, IdempotencyRow] = {}  # added by this unit
        self.ended_under_budgets: list[AttemptRow] = []
        self.eased_budgets: set[str] = set()  # of which there may be more left than there was
        self._was_finished: set[str] = set()  # as stored
        self._dependents: dict[str, list[DependencyRow]] = {}
        self._changed: dict[str, TaskRow] = {}
        self._changed_assignments: dict[tuple[str, int], AssignmentRow] = {}
        self._new_assignments: dict[tuple[str, int], AssignmentRow] = {}
        self._inserts: list[Row] = []
        self._transitions: list[TransitionRow] = []
        self.to_ask: list[tuple[TaskRow, AssignmentRow, AskDefinition]] = []  # of people, before the unit is flushed

    def load(self, ids: Collection[str], *, finished: bool = False) -> None:
        """Load live tasks with their assignments, and finished ones if wanted; what does not exist is left out."""
        missing = [task_id for task_id in dict.fromkeys(ids) if task_id not in self.tasks]
        if not missing:
            return
        live = self.tx.tasks(missing)
        self.tasks.update(live)
        if live:
            self.assignments.update(self.tx.assignments(live))
        if finished and len(live) < len(missing):
            ended = self.tx.finished([task_id for task_id in missing if task_id not in live])
            self.tasks.update(ended)
            self._was_finished.update(ended)

    def take(self, found: Iterable[Candidate]) -> None:
        """Know tasks that were found, and locked, with an assignment of theirs; of several agents' load the others."""
        new = [candidate for candidate in found if candidate.task.id not in self.tasks]
        for assignment, task in new:
            self.tasks[task.id] = task
            self.assignments[task.id] = [assignment]
        if shared := [task.id for _, task in new if task.agents is not None]:
            self.assignments.update(self.tx.assignments(shared))

    def load_dependents(self, ids: Collection[str]) -> None:
        """Load what waits for tasks, all at once; they must be loaded, so that nothing new comes to wait for them."""
        if ids:
            found = self.tx.dependents(ids)
            self._dependents.update({task_id: found.get(task_id, []) for task_id in ids})

    def dependents(self, task: TaskRow) -> list[DependencyRow]:
        """Return what waits for a task."""
        if task.id not in self._dependents:
            self.load_dependents((task.id,))
        return self._dependents[task.id]

    def task(self, task_id: str) -> TaskRow:
        """Return a task, live or finished.

        Raises:
            NotFoundError: there is none.
        """
        self.load((task_id,), finished=True)
        if task_id not in self.tasks:
            raise NotFoundError("task", task_id)
        return self.tasks[task_id]

    def of(self, task: TaskRow) -> list[AssignmentRow]:
        """Return a task's assignments, by position."""
        return self.assignments.setdefault(task.id, [])

    def leased(self, task: TaskRow) -> list[AssignmentRow]:
        """Return a task's assignments that a worker holds."""
        return [assignment for assignment in self.of(task) if assignment.state == "leased"]

    def change(self, task: TaskRow) -> None:
        """Note that a task was changed."""
        task.updated_at = self.now
        self._changed[task.id] = task

    def change_assignment(self, assignment: AssignmentRow) -> None:
        """Note that an assignment was changed; a new one is written whole."""
        self._changed_assignments[assignment.task_id, assignment.position] = assignment

    def add(self, row: Row) -> None:
        """Write a new row at the end."""
        self._inserts.append(row)

    def add_key(self, row: IdempotencyRow) -> None:
        """Remember which task an idempotency key has made."""
        self.keys[row.key] = row
        self.add(row)

    def add_assignments(self, rows: Iterable[AssignmentRow]) -> None:
        """Give a new or reopened task assignments."""
        for row in rows:
            self.assignments.setdefault(row.task_id, []).append(row)
            self._new_assignments[row.task_id, row.position] = row

    def replace_assignments(self, task: TaskRow, rows: Iterable[AssignmentRow]) -> None:
        """Give a task other assignments than it has."""
        old = self.assignments.pop(task.id, [])
        self.tx.delete(old)
        for row in old:
            self._changed_assignments.pop((row.task_id, row.position), None)
            self._new_assignments.pop((row.task_id, row.position), None)
        self.add_assignments(rows)

    def move(
        self,
        task: TaskRow,
        event: Event,
        to_status: str,
        *,
        assignment: AssignmentRow | None = None,
        by: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Change a task's status and record it: the only place where a status changes.

        Raises:
            ConflictError: the lifecycle does not have this transition.
        """
        if not is_legal(task.status, event, to_status):
            raise ConflictError(
                f"task {task.id} is {task.status} and cannot become {to_status} by {event}", legal_commands(task.status)
            )
        self.record(task, event, to_status, assignment=assignment, by=by, reason=reason)
        task.status = to_status
        self.change(task)

    def record(
        self,
        task: TaskRow,
        event: Event,
        to_status: str,
        *,
        from_status: str | None = None,
        assignment: AssignmentRow | None = None,
        by: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Write a transition."""
        self._transitions.append(
            TransitionRow(
                time=self.now,
                task_id=task.id,
                event=event,
                from_status=None if event == "created" else from_status or task.status,
                to_status=to_status,
                attempt=None if assignment is None else assignment.attempt,
                agent=None if assignment is None else assignment.held_by,
                worker_id=None if assignment is None else assignment.worker_id,
                by=by,
                reason=reason,
            )
        )

    def end_attempt(
        self,
        assignment: AssignmentRow,
        status: str,
        *,
        result: str | None = None,
        error_type: str | None = None,
        error_message: str | None = None,
        error_stack: str | None = None,
        reason: str | None = None,
        retry_at: int | None = None,
    ) -> None:
        """Write down how the attempt of a leased assignment ended. The lease itself is cleared by `release`."""
        assert assignment.run_id is not None
        assert assignment.worker_id is not None
        assert assignment.leased_at is not None
        ended = AttemptRow(
            task_id=assignment.task_id,
            attempt=assignment.attempt,
            position=assignment.position,
            status=status,
            run_id=assignment.run_id,
            worker_id=assignment.worker_id,
            leased_at=assignment.leased_at,
            ended_at=self.now,
            agent=assignment.held_by,
            started_at=assignment.started_at or (assignment.leased_at if status in _REPORTED else None),
            progress=assignment.progress,
            phase=assignment.phase,
            steps_reused=assignment.steps_reused,
            checkpoint_count=assignment.checkpoint_count,
            result=result,
            error_type=error_type,
            error_message=error_message,
            error_stack=error_stack,
            reason=reason,
            retry_at=retry_at,
            longest_gap_ms=self._longest_gap(assignment),
        )
        self.add(ended)
        if assignment.budget_count:
            self.ended_under_budgets.append(ended)
        self.effects.freed = True

    def _longest_gap(self, assignment: AssignmentRow) -> int | None:
        """Return the longest time that an attempt showed no sign of progress; None: it had not begun."""
        if assignment.started_at is None and assignment.moved_at is None:
            return None
        moved_at = assignment.moved_at or assignment.started_at or self.now
        return max(assignment.longest_gap_ms, self.now - moved_at)

    def flush_inserts(self) -> None:
        """Write the new rows early, so that queries of this transaction find them."""
        inserts, self._inserts = self._inserts, []
        ended = [row for row in inserts if type(row) is TaskRow and is_finished(row.status)]
        if ended:  # made and ended by this unit
            self.tx.insert_finished(ended)
            inserts = [row for row in inserts if not (type(row) is TaskRow and is_finished(row.status))]
        if inserts:
            self.tx.insert(inserts)
        for row in (*ended, *inserts):
            if type(row) is TaskRow:  # written as it stands
                self._changed.pop(row.id, None)

    def flush(self) -> None:
        """Write everything, in as few statements as there are tables, or fewer."""
        ended = {task.id: task for task in self._changed.values() if is_finished(task.status)}
        with self.tx.together():
            self.flush_inserts()
            self._write_tasks([task for task in ended.values() if task.id in self._changed])
            self._write_assignments(ended)
            if self._transitions:
                self.tx.insert(self._transitions)
                self.effects.changed = True

    def _write_tasks(self, ending: list[TaskRow]) -> None:
        lasting = [task for task in self._changed.values() if not is_finished(task.status)]
        reopened = [task for task in lasting if task.id in self._was_finished]
        kept = [task for task in lasting if task.id not in self._was_finished]
        if kept:
            self.tx.update(kept)
        if reopened:
            self.tx.reopen(reopened)
        if ending:
            self.tx.finish(ending)

    def _write_assignments(self, ending: Collection[str]) -> None:
        gone = [assignment for task_id in ending for assignment in self.assignments.get(task_id, ())]
        if gone:
            self.tx.delete(gone)
        fresh = [row for key, row in self._new_assignments.items() if key[0] not in ending]
        if fresh:
            self.tx.insert(fresh)
        kept = [
            row
            for key, row in self._changed_assignments.items()
            if key[0] not in ending and key not in self._new_assignments
        ]
        if kept:
            self.tx.update(kept)


def settings_of(task: TaskRow) -> TaskSettings:
    """Return a task's settings."""
    return _decode_settings(task.settings)


def names_in(text: str | None) -> list[str]:
    """Return a JSON list of names, empty for None."""
    return [] if text is None else msgspec.json.decode(text, type=list[str])
