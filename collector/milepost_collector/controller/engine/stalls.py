"""Attempts that show no sign of progress for unusually long: found, marked, and unmarked when they move."""

from __future__ import annotations

from msgspec import Struct

from milepost_collector.controller.engine.unit import Unit
from milepost_collector.controller.estimates import SHORTEST_STALL_MS, stall_after_ms
from milepost_collector.controller.rows import AssignmentRow
from milepost_collector.controller.store.interface import Tx
from milepost_collector.protocol.durations import spoken

BATCH = 200  # attempts that one look goes through, those that have kept still the longest
RECORDED = 100  # newest completed tasks of a name that tell what is usual
NOTED_MS = 1_000  # signs of progress that follow one another faster are one


class Still(Struct, kw_only=True, frozen=True):
    """A running attempt that has shown no sign of progress since `moved_at`, which is unusual after `usual_ms`;
    is_marked: it counts as stalled. Instants in milliseconds since the Unix epoch."""

    task_id: str
    attempt: int
    run_id: str
    leased_at: int
    moved_at: int
    usual_ms: int
    is_marked: bool


class Usual(Struct):
    """What is known of names: after how long an attempt counts as stalled, None when too little is known; and when
    that was looked up."""

    known: dict[str, tuple[int, int | None]] = {}


def note_sign(unit: Unit, row: AssignmentRow) -> None:
    """Note a sign of progress of a leased attempt."""
    moved_at = row.moved_at if row.moved_at is not None else (row.started_at or unit.now)
    gap_ms = unit.now - moved_at
    if row.stalled_at is None and row.moved_at is not None and gap_ms < NOTED_MS:
        return
    row.longest_gap_ms = max(row.longest_gap_ms, gap_ms)
    row.moved_at = unit.now
    if row.stalled_at is not None:
        row.stalled_at = None
        task = unit.tasks[row.task_id]
        unit.record(task, "recovered", task.status, assignment=row, reason=f"it moves again, after {spoken(gap_ms)}")
        unit.change(task)
    unit.change_assignment(row)


def still(tx: Tx, usual: Usual, *, kept_ms: int) -> list[Still]:
    """Return running attempts that keep still for unusually long, or did. kept_ms: how long what is usual is kept."""
    found = []
    for row in tx.still(tx.now - SHORTEST_STALL_MS, BATCH):
        usual_ms = _usual_ms(tx, usual, row.name, kept_ms)
        if usual_ms is None or row.moved_at is None or row.run_id is None or row.leased_at is None:
            continue
        if row.stalled_at is not None or tx.now - row.moved_at > usual_ms:
            found.append(
                Still(
                    task_id=row.task_id,
                    attempt=row.attempt,
                    run_id=row.run_id,
                    leased_at=row.leased_at,
                    moved_at=row.moved_at,
                    usual_ms=usual_ms,
                    is_marked=row.stalled_at is not None,
                )
            )
    return found


def judge(unit: Unit, them: list[Still], seen_at: dict[str, int]) -> None:
    """Mark attempts that keep still, and unmark those that moved. seen_at: by run id, the newest sign of progress that
    is recorded of a run, in milliseconds since the Unix epoch."""
    unit.load(dict.fromkeys(one.task_id for one in them))
    for one in them:
        row = _lease(unit, one)
        if row is None or row.moved_at is None:
            continue
        moved_at = max(row.moved_at, min(seen_at.get(one.run_id, 0), unit.now))
        if row.stalled_at is None and unit.now - moved_at > one.usual_ms:
            _mark(unit, row, moved_at, one.usual_ms)
        elif moved_at > row.moved_at and (row.stalled_at is None or moved_at > row.stalled_at):
            _note_earlier_sign(unit, row, moved_at)


def _mark(unit: Unit, row: AssignmentRow, moved_at: int, usual_ms: int) -> None:
    task = unit.tasks[row.task_id]
    row.stalled_at = unit.now
    unit.change_assignment(row)
    kept_still, usual = spoken(unit.now - moved_at), spoken(usual_ms)
    reason = f"no sign of progress for {kept_still}; 99 of 100 like it move within {usual}"
    unit.record(task, "stalled", task.status, assignment=row, reason=reason)
    unit.change(task)


def _note_earlier_sign(unit: Unit, row: AssignmentRow, moved_at: int) -> None:
    """Note what was recorded of a run and not reported."""
    assert row.moved_at is not None
    row.longest_gap_ms = max(row.longest_gap_ms, moved_at - row.moved_at)
    row.moved_at = moved_at
    if row.stalled_at is not None:
        row.stalled_at = None
        task = unit.tasks[row.task_id]
        unit.record(task, "recovered", task.status, assignment=row, reason="its run goes on")
        unit.change(task)
    unit.change_assignment(row)


def _lease(unit: Unit, one: Still) -> AssignmentRow | None:
    rows = unit.assignments.get(one.task_id, ())
    return next((row for row in rows if row.state == "leased" and row.attempt == one.attempt), None)


def _usual_ms(tx: Tx, usual: Usual, name: str, kept_ms: int) -> int | None:
    looked = usual.known.get(name)
    if looked is None or not 0 <= tx.now - looked[0] < kept_ms:
        tried = tx.tried(name, RECORDED)
        gaps = [one.longest_gap_ms for one in tried if one.status == "completed" and one.longest_gap_ms is not None]
        looked = usual.known[name] = (tx.now, stall_after_ms(gaps))
    return looked[1]
