"""Schedules as they stand, what they will do, and their ledger."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec

from milepost.wire.schedules import (
    Cadence,
    Instant,
    InstantList,
    PlannedInstant,
    Preview,
    PreviewRequest,
    Schedule,
    ScheduleList,
)
from milepost.wire.tasks import TaskCreate
from milepost_collector.controller.calendar.jitter import jitter_ms
from milepost_collector.controller.calendar.preview import preview as preview_of
from milepost_collector.controller.calendar.words import describe
from milepost_collector.controller.engine.creation import milliseconds
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.engine.schedules import cadence_of, to_calendar
from milepost_collector.controller.rows import InstantRow, ScheduleRow
from milepost_collector.controller.store.interface import Tx
from milepost_collector.errors import InvalidParameterError, NotFoundError

SHOWN = 10  # instants before and after now that come with a schedule


def schedules(tx: Tx, *, text: str | None, cursor: str | None, limit: int) -> ScheduleList:
    """Return a page of schedules by name.

    Raises:
        InvalidParameterError: the cursor is not one.
    """
    rows = tx.schedules(after=_read_cursor(cursor), limit=limit + 1, text=text)
    more = len(rows) > limit
    found = [_schedule(tx, row) for row in rows[:limit]]
    return ScheduleList(schedules=found, next_cursor=_cursor(rows[limit - 1].name) if more else None)


def schedule(tx: Tx, schedule_id: str) -> Schedule:
    """Return a schedule by its id or name.

    Raises:
        NotFoundError: there is none.
    """
    return _schedule(tx, _find(tx, schedule_id))


def ledger(tx: Tx, schedule_id: str, *, statuses: Sequence[str], cursor: str | None, limit: int) -> InstantList:
    """Return a page of a schedule's ledger, the newest instant first.

    Raises:
        InvalidParameterError: the cursor is not one.
        NotFoundError: there is no such schedule.
    """
    row = _find(tx, schedule_id)
    before = _read_cursor(cursor)
    try:
        before_at = None if before is None else int(before)
    except ValueError as error:
        raise InvalidParameterError("cursor", cursor, "use the next_cursor of the page before") from error
    rows = tx.instants(row.id, statuses=statuses, before=before_at, limit=limit + 1)
    more = len(rows) > limit
    next_cursor = _cursor(str(rows[limit - 1].nominal)) if more else None
    return InstantList(instants=[_instant(entry) for entry in rows[:limit]], next_cursor=next_cursor)


def preview(now: int, request: PreviewRequest) -> Preview:
    """Return what a cadence would do.

    Raises:
        InvalidParameterError: the cadence is not valid.
    """
    cadence = to_calendar(request.cadence, now)
    after = milliseconds("after", request.after)
    found = preview_of(cadence, now if after is None else after, request.count)
    planned = [
        PlannedInstant(nominal=to_datetime(item.at), due=to_datetime(item.at), local=item.local, note=item.note)
        for item in found
    ]
    return Preview(text=describe(cadence), instants=planned)


def _find(tx: Tx, schedule_id: str) -> ScheduleRow:
    row = tx.schedule(schedule_id, lock=False)
    if row is None:
        raise NotFoundError("schedule", schedule_id)
    return row


def _schedule(tx: Tx, row: ScheduleRow) -> Schedule:
    last = tx.instants(row.id, statuses=(), before=None, limit=SHOWN)
    return Schedule(
        id=row.id,
        name=row.name,
        description=row.description,
        cadence=msgspec.json.decode(row.cadence, type=Cadence),
        cadence_text=describe(cadence_of(row)),
        task=msgspec.json.decode(row.task, type=TaskCreate),
        overlap=row.overlap,  # type: ignore[arg-type]
        catch_up=row.catch_up,  # type: ignore[arg-type]
        catch_up_window_ms=row.catch_up_window_ms,
        jitter_ms=row.jitter_ms,
        paused=row.paused,
        created_at=to_datetime(row.created_at),
        updated_at=to_datetime(row.updated_at),
        end=to_datetime(row.end_at),
        paused_by=row.paused_by,
        next=[] if row.paused else _planned(row, tx.now),
        last=[_instant(entry) for entry in last],
        fired_count=row.fired_count,
        skipped_count=row.skipped_count,
        missed_count=row.missed_count,
    )


def _planned(row: ScheduleRow, now: int) -> list[PlannedInstant]:
    """Return the next instants. Looking at them decides nothing."""
    found = preview_of(cadence_of(row), max(now, row.mark_at), SHOWN)
    return [
        PlannedInstant(
            nominal=to_datetime(item.at),
            due=to_datetime(item.at + jitter_ms(row.id, item.at, row.jitter_ms)),
            local=item.local,
            note=item.note,
        )
        for item in found
        if row.end_at is None or item.at <= row.end_at
    ]


def _instant(row: InstantRow) -> Instant:
    return Instant(
        schedule_id=row.schedule_id,
        nominal=to_datetime(row.nominal),
        status=row.status,  # type: ignore[arg-type]
        recorded_at=to_datetime(row.recorded_at),
        task_id=row.task_id,
        reason=row.reason,
    )


def _cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def _read_cursor(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    try:
        return base64.urlsafe_b64decode(cursor.encode()).decode()
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidParameterError("cursor", cursor, "use the next_cursor of the page before") from error
