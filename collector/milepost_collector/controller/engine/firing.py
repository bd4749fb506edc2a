"""Instants become tasks: each nominal instant gets one line in the ledger whatever comes of it, and one task at most.

A schedule's mark is the last instant that has been decided. What lies between the mark and now is decided in order, in
the transaction that moves the mark, so neither a restart nor a second collector decides an instant again.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from milepost.wire.tasks import TaskCreate
from milepost_collector.controller.calendar.instants import count, instants
from milepost_collector.controller.calendar.jitter import jitter_ms
from milepost_collector.controller.engine.creation import Creator, Origin
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.engine.outcomes import finish
from milepost_collector.controller.engine.schedules import aim, cadence_of, instant, scheduled
from milepost_collector.controller.engine.unit import Unit
from milepost_collector.controller.rows import InstantRow, ScheduleRow, TaskRow
from milepost_collector.errors import QueryError

BATCH = 200  # schedules in one transaction
MAX_INSTANTS = 500  # of one schedule in one transaction
MAX_QUEUED = 100  # instants that wait for the task before them
LATE_AFTER_MS = 10_000  # a task made so long after its instant is late


def fire_due(unit: Unit, creator: Creator) -> bool:
    """Decide every instant that has come; tell whether there may be more."""
    due = unit.tx.due_schedules(BATCH)
    more = len(due) == BATCH
    for row in due:
        more |= _Firing(unit, creator, row).decide()
    return more


def fire_one(unit: Unit, creator: Creator, row: ScheduleRow) -> bool:
    """Decide every instant of a schedule that has come; tell whether there is more to decide."""
    if row.next_at is None or row.next_at > unit.now:
        return False
    return _Firing(unit, creator, row).decide()


class _Firing:
    """Decides the instants of one schedule between its mark and now."""

    def __init__(self, unit: Unit, creator: Creator, row: ScheduleRow) -> None:
        self._unit = unit
        self._creator = creator
        self._row = row
        self._cadence = cadence_of(row)
        self._window_at = unit.now - max(row.catch_up_window_ms, LATE_AFTER_MS)
        self._template = scheduled(msgspec.json.decode(row.task, type=TaskCreate))

    def decide(self) -> bool:
        row, now = self._row, self._unit.now
        until = now if row.end_at is None else min(now, row.end_at)
        pending = instants(self._cadence, row.mark_at, until, MAX_INSTANTS)
        left = count(self._cadence, pending[-1], until) if len(pending) == MAX_INSTANTS else 0
        self._fire_queued()
        for at in pending:
            self._decide_one(at, newest=at == pending[-1] and not left)
        row.mark_at = pending[-1] if pending else row.mark_at
        aim(self._unit, row)
        self._unit.tx.update([row])
        return left > 0

    def _decide_one(self, at: int, *, newest: bool) -> None:
        late = self._unit.now - at > LATE_AFTER_MS
        if self._row.paused:
            by = f" by {self._row.paused_by}" if self._row.paused_by else ""
            self._note(at, "skipped", f"the schedule was paused{by}")
        elif at < self._window_at:
            self._note(at, "missed", "nothing ran then, and it lies further back than catch_up_window_ms")
        elif self._row.catch_up == "none" and late:
            self._note(at, "skipped", "catch_up is none")
        elif self._row.catch_up == "latest" and not newest:
            self._note(at, "skipped", "catch_up is latest, and a later instant has come")
        else:
            self._overlap(at, "late" if late else "fired")

    def _overlap(self, at: int, status: str) -> None:
        """Make the task of an instant, unless one before it is in its way."""
        before = [] if self._row.overlap == "allow" else self._unfinished()
        if not before:
            self._fire(at, status)
        elif self._row.overlap == "skip":
            self._note(at, "skipped", f"task {before[0].id} of an earlier instant is {before[0].status}")
        elif self._row.overlap == "queue":
            self._queue(at, before)
        else:
            self._cancel(before, at)
            self._fire(at, status)

    def _fire(self, at: int, status: str, *, queued: InstantRow | None = None) -> None:
        template = self._template
        if (delay_ms := jitter_ms(self._row.id, at, self._row.jitter_ms)) > 0:
            template = msgspec.structs.replace(template, run_at=to_datetime(at + delay_ms))
        if queued is None and not self._unit.tx.insert_instant(instant(self._unit, self._row, at, status)):
            return  # another collector has decided it
        try:
            origin = Origin(schedule_id=self._row.id, scheduled_for=at)
            task_id = self._creator.create(self._unit, template, origin=origin).task_id
        except QueryError as error:
            refused = instant(self._unit, self._row, at, "skipped", reason=f"its task was refused: {error}")
            self._unit.tx.upsert([refused])
            self._row.skipped_count += 1
            return
        self._unit.tx.upsert([instant(self._unit, self._row, at, status, task_id=task_id)])
        self._row.fired_count += 1

    def _note(self, at: int, status: str, reason: str) -> None:
        if not self._unit.tx.insert_instant(instant(self._unit, self._row, at, status, reason=reason)):
            return
        if status == "missed":
            self._row.missed_count += 1
        else:
            self._row.skipped_count += 1

    def _queue(self, at: int, before: Sequence[TaskRow]) -> None:
        if len(self._unit.tx.queued_instants(self._row.id, MAX_QUEUED)) < MAX_QUEUED:
            waiting = instant(self._unit, self._row, at, "queued", reason=f"waits for task {before[0].id}")
            self._unit.tx.insert_instant(waiting)
        else:
            self._note(at, "skipped", f"{MAX_QUEUED} instants wait already")

    def _fire_queued(self) -> None:
        """Make the task of the oldest instant that waits, if nothing is in its way any more. They wait until then also
        when the overlap policy has changed."""
        if self._row.paused:
            return
        for waiting in self._unit.tx.queued_instants(self._row.id, MAX_QUEUED):
            if self._unfinished():
                return
            self._fire(waiting.nominal, "late", queued=waiting)  # unless its task is refused, that was the only one

    def _unfinished(self) -> list[TaskRow]:
        """Return the schedule's tasks that are not finished, those made or ended by this transaction considered."""
        stored = {task.id: task for task in self._unit.tx.unfinished_of(self._row.id)}
        stored |= {task.id: task for task in self._unit.tasks.values() if task.schedule_id == self._row.id}
        return [task for task in stored.values() if task.finished_at is None]

    def _cancel(self, before: Sequence[TaskRow], at: int) -> None:
        self._unit.load([task.id for task in before])
        for task in before:
            reason = f"the schedule's instant {to_datetime(at).isoformat()} has come"
            if (running := self._unit.tasks.get(task.id)) is not None and running.finished_at is None:
                finish(self._unit, running, "cancelled", "cancelled", reason=reason)
