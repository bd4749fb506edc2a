"""What a stretch of the store's transitions and instants is told as: read in one snapshot, without any payload."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from milepost.wire.results import read_result
from milepost.wire.tasks import PRIORITIES
from milepost_collector.controller.rows import (
    AskEventRow,
    AssignmentRow,
    AttemptRow,
    DeliverableRow,
    InstantRow,
    TaskRow,
    TransitionRow,
)
from milepost_collector.controller.store.interface import Tx
from milepost_collector.protocol.managed import (
    AskFact,
    At,
    AttemptFact,
    DeliverableFact,
    InstantFact,
    Recorded,
    TaskFact,
    TransitionFact,
)

TRANSITIONS_AT_ONCE = 2_000
INSTANTS_AT_ONCE = 1_000
# An attempt's row holds its result, up to a megabyte; so many are in memory at a time.
ATTEMPTS_OF_TASKS_AT_ONCE = 50

_decode_tags = msgspec.json.Decoder(list[str]).decode


class Place(Struct, kw_only=True, frozen=True):
    """How far a store has been followed.

    newest: task, sequence and time of the last transition before it. again: what comes next may have been told before.
    """

    transitions: str = ""
    instants: str = ""
    deliverables: str = ""
    asks: str = ""
    newest: tuple[str, int, int] | None = None
    again: bool = False

    @classmethod
    def read(cls, position: str | None) -> Place:
        """Return the place that a recorded position means; the beginning without one."""
        return cls() if position is None else msgspec.json.decode(position, type=cls)

    def text(self) -> str:
        """Return the place as a position to record."""
        return msgspec.json.encode(self).decode()


def confirmed(tx: Tx, place: Place) -> Place:
    """Return the place if the store has the transition before it, else the store's beginning, to be told again.

    It has not when it is another store than the one that was followed, an older copy of it, or when that transition has
    been removed with its task long ago.
    """
    if place.newest is None:
        return place
    task_id, sequence, time = place.newest
    found = any((row.sequence, row.time) == (sequence, time) for row in tx.transitions(task_id))
    return place if found else Place(again=True)


def changes_after(tx: Tx, place: Place, after: str | None) -> tuple[Recorded, Place, bool]:
    """Return what changed after a place, the place reached, and whether there may be more already.

    after: the position that is recorded.
    """
    transitions, reached = tx.transitions_after(place.transitions, TRANSITIONS_AT_ONCE)
    instants, instants_reached = tx.instants_after(place.instants, INSTANTS_AT_ONCE)
    attached, attached_reached = tx.deliverables_after(place.deliverables, INSTANTS_AT_ONCE)
    asks, asks_reached = tx.ask_events_after(place.asks, INSTANTS_AT_ONCE)
    full = INSTANTS_AT_ONCE in (len(instants), len(attached), len(asks))
    more = full or len(transitions) == TRANSITIONS_AT_ONCE
    last = transitions[-1] if transitions else None
    new = Place(
        transitions=reached,
        instants=instants_reached,
        deliverables=attached_reached,
        asks=asks_reached,
        newest=(last.task_id, last.sequence, last.time) if last else place.newest,
        again=place.again and more,
    )
    task_ids = {row.task_id for row in transitions}
    rows = {**tx.finished(task_ids, lock=False), **tx.tasks(task_ids, lock=False)} if task_ids else {}
    changes = Recorded(
        after=after,
        position=new.text(),
        transitions=[_transition(row) for row in transitions],
        tasks=[_task(row) for row in rows.values()],
        deleted=[row.task_id for row in transitions if row.event == "deleted" and row.task_id not in rows],
        attempts=list(_attempts(tx, transitions, rows.values())),
        instants=_instants(tx, instants),
        deliverables=[_deliverable(row) for row in attached],
        asks=[_ask(row) for row in asks],
        again=place.again,
    )
    return changes, new, more


def _attempts(tx: Tx, transitions: Iterable[TransitionRow], tasks: Iterable[TaskRow]) -> Iterator[AttemptFact]:
    """Yield the attempts that transitions name or that ended with them: as they are leased, or as they ended."""
    named = {(row.task_id, row.attempt) for row in transitions if row.attempt is not None}
    leased = tx.assignments({task_id for task_id, _ in named}, lock=False) if named else {}
    for row in (row for rows in leased.values() for row in rows):
        if row.state == "leased" and (row.task_id, row.attempt) in named:
            named.discard((row.task_id, row.attempt))
            yield _running(row)
    # A task that finishes takes attempts with it that are still leased: to other agents, or beyond its deadline.
    finished = {task.id for task in tasks if task.finished_at is not None and task.attempt}
    since = _first_times(transitions)
    for task_ids in _chunks({task_id for task_id, _ in named} | finished, ATTEMPTS_OF_TASKS_AT_ONCE):
        for ended in (row for rows in tx.attempts(task_ids).values() for row in rows):
            if (ended.task_id, ended.attempt) in named or ended.ended_at >= since[ended.task_id]:
                yield _ended(ended)


def _first_times(transitions: Iterable[TransitionRow]) -> dict[str, int]:
    times: dict[str, int] = {}
    for row in transitions:
        times.setdefault(row.task_id, row.time)
    return times


def _instants(tx: Tx, rows: list[InstantRow]) -> list[InstantFact]:
    newest = {(row.schedule_id, row.nominal): row for row in rows}
    schedules = {schedule_id: tx.schedule(schedule_id, lock=False) for schedule_id, _ in newest}
    names = {schedule_id: schedule.name for schedule_id, schedule in schedules.items() if schedule is not None}
    return [_instant(row, names.get(row.schedule_id)) for row in newest.values()]


def _chunks(ids: Collection[str], size: int) -> Iterator[list[str]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def _at(instant: int | None) -> At | None:
    return None if instant is None else At(instant)


def _transition(row: TransitionRow) -> TransitionFact:
    return TransitionFact(
        row.sequence, row.task_id, At(row.time), row.event, row.from_status, row.to_status, row.attempt, row.agent,
        row.worker_id, row.by, row.reason,
    )  # fmt: skip


def _task(row: TaskRow) -> TaskFact:
    return TaskFact(
        task_id=row.id,
        name=row.name,
        type=row.type,
        status=row.status,
        priority=PRIORITIES[row.priority],
        agent=row.agent,
        team=row.team,
        app=row.app,
        key=row.key,
        tags=_decode_tags(row.tags),
        attempt=row.attempt,
        failures=row.failures,
        losses=row.losses,
        created_at=At(row.created_at),
        created_by=row.created_by,
        run_at=_at(row.run_at),
        started_at=_at(row.started_at),
        finished_at=_at(row.finished_at),
        deadline=_at(row.deadline_at),
        error_type=row.error_type,
        error_message=row.error_message,
        reason=row.reason,
        schedule_id=row.schedule_id,
        scheduled_for=_at(row.scheduled_for),
        origin_run_id=row.origin_run_id,
    )


def _running(row: AssignmentRow) -> AttemptFact:
    return AttemptFact(
        task_id=row.task_id,
        attempt=row.attempt,
        run_id=row.run_id or "",
        agent=row.held_by,
        worker_id=row.worker_id or "",
        status="running",
        leased_at=At(row.leased_at or 0),
        started_at=_at(row.started_at),
        ended_at=None,
        retry_at=None,
        steps_reused=row.steps_reused,
        checkpoint_count=row.checkpoint_count,
        error_type=None,
        error_message=None,
        reason=None,
        summary=None,
        insights=None,
        recommendations=None,
    )


def _ended(row: AttemptRow) -> AttemptFact:
    return AttemptFact(
        task_id=row.task_id,
        attempt=row.attempt,
        run_id=row.run_id,
        agent=row.agent,
        worker_id=row.worker_id,
        status=row.status,
        leased_at=At(row.leased_at),
        started_at=_at(row.started_at),
        ended_at=At(row.ended_at),
        retry_at=_at(row.retry_at),
        steps_reused=row.steps_reused,
        checkpoint_count=row.checkpoint_count,
        error_type=row.error_type,
        error_message=row.error_message,
        reason=row.reason,
        **_told_by(row.result),
    )


def _told_by(result: str | None) -> dict[str, Any]:
    """Return what a result says of itself, if it does: see `milepost.wire.results.Result`."""
    said = read_result(result)
    if said is None:
        return {"summary": None, "insights": None, "recommendations": None}
    return {
        "summary": said.summary or None,
        "insights": said.insights or None,
        "recommendations": said.recommendations or None,
    }


def _deliverable(row: DeliverableRow) -> DeliverableFact:
    return DeliverableFact(
        row.sequence, row.task_id, row.run_id, row.attempt, row.span_id, row.name, row.version, row.type,
        row.content_type, row.size_bytes, row.sha256, At(row.created_at), row.agent, row.by,
    )  # fmt: skip


def _ask(row: AskEventRow) -> AskFact:
    return AskFact(row.ask_id, row.event, At(row.time), row.task_id, row.run_id, row.by, row.reason)


def _instant(row: InstantRow, schedule_name: str | None) -> InstantFact:
    return InstantFact(
        row.schedule_id, schedule_name, At(row.nominal), row.status, At(row.recorded_at), row.task_id, row.reason
    )
