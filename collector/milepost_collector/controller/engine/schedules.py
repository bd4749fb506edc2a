"""Schedules are kept: made, changed, paused, run by hand, and made up for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec import UNSET

from milepost.wire.schedules import BackfillAnswer, BackfillRequest, ScheduleCreate, ScheduleUpdate
from milepost.wire.schedules import Cadence as WireCadence
from milepost.wire.tasks import PauseRequest, RunRequest, TaskCreate
from milepost_collector.controller.calendar.cadence import Cadence, Cron, Interval, Once
from milepost_collector.controller.calendar.errors import CadenceError
from milepost_collector.controller.calendar.instants import instants, next_instants
from milepost_collector.controller.calendar.words import describe
from milepost_collector.controller.engine.creation import Creator, Origin, check_executors, milliseconds
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.engine.outcomes import let_queued_fire
from milepost_collector.controller.engine.unit import Unit
from milepost_collector.controller.rows import InstantRow, ScheduleRow
from milepost_collector.errors import ConflictError, InvalidParameterError, NotFoundError

_WIRE_NAMES = {"expression": "cron", "anchor_at": "start"}  # where the wire's cadence has other words than the calendar
MAX_BACKFILL = 1_000  # tasks of one backfill


def create(unit: Unit, request: ScheduleCreate, new_id: Callable[[int], str]) -> str:
    """Make a schedule; return its id. Instants count from now on.

    Raises:
        ConflictError: there is one of this name.
        InvalidParameterError: the cadence or the task is not valid, or there is no instant to come.
    """
    if unit.tx.schedule(request.name) is not None:
        raise ConflictError(f"there is a schedule {request.name!r}; change that one, or choose another name")
    check_executors(request.task)
    row = ScheduleRow(
        id=new_id(unit.now),
        name=request.name,
        description=request.description,
        cadence=_text(request.cadence),
        task=_text(request.task),
        overlap=request.overlap,
        catch_up=request.catch_up,
        catch_up_window_ms=request.catch_up_window_ms,
        jitter_ms=request.jitter_ms,
        created_at=unit.now,
        updated_at=unit.now,
        mark_at=unit.now,
        paused=request.paused,
        end_at=milliseconds("end", request.end),
    )
    aim(unit, row)
    if row.next_at is None:
        raise InvalidParameterError(
            "cadence", describe(cadence_of(row)), "it has no instant to come; choose a later one, or a later end"
        )
    unit.tx.insert([row])
    return row.id


def update(unit: Unit, schedule_id: str, request: ScheduleUpdate) -> None:
    """Change a schedule. A new cadence counts from now on."""
    row = find(unit, schedule_id)
    for field in ("description", "overlap", "catch_up", "catch_up_window_ms", "jitter_ms"):
        if (value := getattr(request, field)) is not UNSET:
            setattr(row, field, value)
    if request.task is not UNSET:
        check_executors(request.task)
        row.task = _text(request.task)
    if request.end is not UNSET:
        row.end_at = milliseconds("end", request.end)
    if request.cadence is not UNSET:
        row.cadence = _text(request.cadence)
        row.mark_at = max(row.mark_at, unit.now)  # what has been decided stays so, also when the clock was set back
    _keep(unit, row)


def delete(unit: Unit, schedule_id: str) -> None:
    """Remove a schedule; its tasks and its ledger stay until their retention is over."""
    row = find(unit, schedule_id)
    while queued := unit.tx.queued_instants(row.id, MAX_BACKFILL):
        skipped = [instant(unit, row, item.nominal, "skipped", reason="the schedule was deleted") for item in queued]
        unit.tx.upsert(skipped)
    unit.tx.delete([row])


def pause(unit: Unit, schedule_id: str, request: PauseRequest) -> None:
    """Let a schedule make no tasks; its instants are recorded as skipped, so that resuming floods nothing."""
    row = find(unit, schedule_id)
    row.paused, row.paused_by = True, request.by
    _keep(unit, row)


def resume(unit: Unit, schedule_id: str, request: PauseRequest) -> None:
    """Let a schedule make tasks again, from its next instant on."""
    row = find(unit, schedule_id)
    row.paused, row.paused_by = False, None
    _keep(unit, row)
    let_queued_fire(unit, row.id)


def run(unit: Unit, creator: Creator, schedule_id: str, request: RunRequest) -> str:
    """Make a schedule's task now, beside its instants and whatever its overlap policy says; return the task's id."""
    row = find(unit, schedule_id)
    template = msgspec.json.decode(row.task, type=TaskCreate)
    if request.input is not UNSET:
        template.input = request.input
    return creator.create(unit, scheduled(template), origin=Origin(schedule_id=row.id)).task_id


def backfill(unit: Unit, creator: Creator, schedule_id: str, request: BackfillRequest) -> BackfillAnswer:
    """Make tasks for the instants of a stretch of the past that have none, all at once.

    Raises:
        InvalidParameterError: the stretch is empty, lies ahead or has too many instants.
    """
    row = find(unit, schedule_id)
    since, until = _stretch(unit, request.since, request.until)
    nominal = instants(cadence_of(row), since - 1, until - 1, MAX_BACKFILL + 1)
    if len(nominal) > MAX_BACKFILL:
        raise InvalidParameterError("until", request.until.isoformat(), f"choose at most {MAX_BACKFILL} instants")
    known = {entry.nominal: entry for entry in unit.tx.instants_between(row.id, since, until)}
    open_instants = [at for at in nominal if at not in known or known[at].task_id is None]
    task_ids = []
    if not request.dry_run:
        template = scheduled(msgspec.json.decode(row.task, type=TaskCreate))
        for at in open_instants:
            origin = Origin(schedule_id=row.id, scheduled_for=at)
            task_ids.append(creator.create(unit, template, origin=origin).task_id)
            unit.tx.upsert([instant(unit, row, at, "backfilled", task_id=task_ids[-1])])
            _count_no_more(row, known.get(at))
        unit.tx.update([row])
    return BackfillAnswer(
        instants=[to_datetime(at) for at in open_instants], task_ids=task_ids, dry_run=request.dry_run
    )


def _count_no_more(row: ScheduleRow, before: InstantRow | None) -> None:
    """Keep the counts those of the ledger when a line of it is written anew."""
    if before is not None and before.status == "missed":
        row.missed_count -= 1
    elif before is not None and before.status == "skipped":
        row.skipped_count -= 1


def find(unit: Unit, schedule_id: str) -> ScheduleRow:
    """Return a schedule by its id or name.

    Raises:
        NotFoundError: there is none.
    """
    row = unit.tx.schedule(schedule_id)
    if row is None:
        raise NotFoundError("schedule", schedule_id)
    return row


def instant(
    unit: Unit, row: ScheduleRow, at: int, status: str, *, task_id: str | None = None, reason: str | None = None
) -> InstantRow:
    """Return a line of the ledger."""
    unit.effects.changed = True
    return InstantRow(
        schedule_id=row.id, nominal=at, status=status, recorded_at=unit.now, task_id=task_id, reason=reason
    )


def scheduled(template: TaskCreate) -> TaskCreate:
    """Return what a schedule's task is made from: an idempotency key would stand for one task only."""
    return msgspec.structs.replace(template, type="scheduled", idempotency_key=None)


def aim(unit: Unit, row: ScheduleRow) -> None:
    """Set when a schedule is due next.

    Raises:
        InvalidParameterError: the cadence is not valid.
    """
    following = next_instants(cadence_of(row), row.mark_at, 1)
    ended = not following or (row.end_at is not None and following[0] > row.end_at)
    row.next_at = None if ended else following[0]
    unit.effects.fall_due(row.next_at)


def cadence_of(row: ScheduleRow) -> Cadence:
    """Return when a schedule is due, for the calendar."""
    return to_calendar(msgspec.json.decode(row.cadence, type=WireCadence), row.created_at)


def to_calendar(wanted: WireCadence, created_at: int) -> Cadence:
    """Return the calendar's cadence. created_at: where an interval without a start begins.

    Raises:
        InvalidParameterError: names the field and the remedy.
    """
    given = [name for name in ("cron", "every_ms", "at") if getattr(wanted, name) is not None]
    if len(given) != 1:
        raise InvalidParameterError("cadence", ", ".join(given), "give exactly one of cron, every_ms and at")
    try:
        if wanted.cron is not None:
            return Cron(expression=wanted.cron, zone=wanted.zone, dst_gap=wanted.dst_gap, dst_fold=wanted.dst_fold)
        if wanted.every_ms is not None:
            start_at = milliseconds("cadence.start", wanted.start)
            return Interval(every_ms=wanted.every_ms, anchor_at=created_at if start_at is None else start_at)
        return Once(at=milliseconds("cadence.at", wanted.at) or 0)
    except CadenceError as error:
        field = _WIRE_NAMES.get(error.field, error.field)
        raise InvalidParameterError(f"cadence.{field}", error.value, str(error)) from error


def _keep(unit: Unit, row: ScheduleRow) -> None:
    row.updated_at = unit.now
    aim(unit, row)
    unit.tx.update([row])
    unit.effects.changed = True


def _stretch(unit: Unit, since: datetime, until: datetime) -> tuple[int, int]:
    since_at, until_at = milliseconds("since", since) or 0, milliseconds("until", until) or 0
    if not since_at < until_at <= unit.now:
        raise InvalidParameterError("since", since.isoformat(), "give a stretch of the past, since before until")
    return since_at, until_at


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
