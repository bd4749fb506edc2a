"""What happened, from where it is kept: to tasks, asks, schedules and budgets in the store, to runs among the traces.

Each source is read from a position on; the same position gives the same happenings again, with the same ids.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from duckdb import DuckDBPyConnection

from milepost.errors import MilepostError
from milepost_collector.controller import views
from milepost_collector.controller.engine.budgets.ledger import described
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.rows import AskEventRow, AskRow, BudgetEventRow, InstantRow, TaskRow, TransitionRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.traces.queries import RunIndex, run_summaries
from milepost_collector.traces.queries.ended_runs import Place, ended_after
from milepost_collector.triggers.happenings import ASKS, BUDGETS, RUNS, SCHEDULES, TASKS, Happening, task_event

AT_ONCE = 500
NS_PER_MS = 1_000_000

IsWanted = Callable[[str, int], bool]  # whether anybody waits for an event of this name at this time


class Stretch(NamedTuple):
    """What happened between two positions. more: whether there may be more already."""

    happenings: list[Happening]
    position: str
    more: bool


def of_store(source: str, tx: Tx, position: str, is_wanted: IsWanted) -> Stretch:
    """Return what happened to tasks, asks, schedules or budgets after a position."""
    read = {TASKS: _of_tasks, ASKS: _of_asks, SCHEDULES: _of_schedules, BUDGETS: _of_budgets}[source]
    return read(tx, position, is_wanted)


def payload_of(tx: Tx, happening: Happening) -> Any:
    """Return what a trigger's mapping is given of an event in the store: the thing as it stands now."""
    shown = happening.payload
    if happening.source == TASKS and happening.task_id is not None:
        try:
            task = views.task(tx, happening.task_id)
            shown = {"task": msgspec.json.decode(msgspec.json.encode(task)), **shown}  # it holds JSON as it is stored
        except MilepostError:  # it has been deleted
            shown = {"task": {"id": happening.task_id}, **shown}
    return {"event": happening.name, "time": _iso(happening.at), **shown}


def of_runs(
    connection: DuckDBPyConnection, index: RunIndex, position: str, is_wanted: IsWanted, since_ms: int
) -> Stretch:
    """Return which runs ended after a position. since_ms: ends before it are left out."""
    place = msgspec.json.decode(position, type=Place) if position else Place()
    ended, reached = ended_after(connection, place, since_ns=since_ms * NS_PER_MS, limit=AT_ONCE)
    wanted = [one for one in ended if is_wanted(f"{RUNS}.{one.status}", one.end_ns // NS_PER_MS)]
    summaries = {run.run_id: run for run in run_summaries(connection, [one.run_id for one in wanted], index)}
    found = [
        Happening(
            id=f"{one.run_id}.{one.status}",
            name=f"{RUNS}.{one.status}",
            at=one.end_ns // NS_PER_MS,
            task_id=run.task_id,
            facts=run,
            payload={
                "event": f"{RUNS}.{one.status}",
                "time": _iso(one.end_ns // NS_PER_MS),
                "run": msgspec.to_builtins(run),
            },
        )
        for one in wanted
        if (run := summaries.get(one.run_id)) is not None
    ]
    return Stretch(found, msgspec.json.encode(reached).decode(), len(ended) == AT_ONCE)


def _of_tasks(tx: Tx, position: str, is_wanted: IsWanted) -> Stretch:
    rows, reached = tx.transitions_after(position, AT_ONCE)
    named = [(name, row) for row in rows if (name := task_event(row.event, row.to_status)) is not None]
    wanted = [(name, row) for name, row in named if is_wanted(name, row.time)]
    tasks = _tasks(tx, {row.task_id for _, row in wanted})
    found = [_of_transition(name, row, tasks.get(row.task_id)) for name, row in wanted]
    return Stretch(found, reached, len(rows) == AT_ONCE)


def _tasks(tx: Tx, ids: Collection[str]) -> Mapping[str, TaskRow]:
    return {**tx.finished(ids, lock=False), **tx.tasks(ids, lock=False)} if ids else {}


def _of_transition(name: str, row: TransitionRow, task: TaskRow | None) -> Happening:
    return Happening(
        id=f"t{row.sequence}",
        name=name,
        at=row.time,
        task_id=row.task_id,
        facts=_task_facts(row, task),
        payload={
            "transition": {
                "from_status": row.from_status, "to_status": row.to_status, "attempt": row.attempt, "agent": row.agent,
                "by": row.by, "reason": row.reason,
            }
        },
    )  # fmt: skip


def _task_facts(row: TransitionRow, task: TaskRow | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"status": row.to_status, "task": row.task_id, "user": row.by, "agent": row.agent}
    if task is None:
        return facts
    ended = task.finished_at is not None and task.started_at is not None
    texts = (task.id, task.name, task.description, task.error_type, task.error_message, row.reason)
    return {
        **facts,
        "name": task.name,
        "agent": row.agent or task.agent or task.last_agent,
        "user": row.by or task.created_by,
        "tag": msgspec.json.decode(task.tags, type=list[str]),
        "run": task.last_run_id,
        "error": _known((task.error_type, task.error_message)),
        "dur": (task.finished_at or 0) - (task.started_at or 0) if ended else None,
        "started": None if task.started_at is None else task.started_at * NS_PER_MS,
        "text": _known(texts),
    }


def _of_asks(tx: Tx, position: str, is_wanted: IsWanted) -> Stretch:
    rows, reached = tx.ask_events_after(position, AT_ONCE)
    wanted = [row for row in rows if is_wanted(f"{ASKS}.{row.event}", row.time)]
    asks = _by_id(tx.find(AskRow, Find(one_of={"id": {row.ask_id for row in wanted}}))) if wanted else {}
    found = [_of_ask_event(row, asks.get(row.ask_id)) for row in wanted]
    return Stretch(found, reached, len(rows) == AT_ONCE)


def _by_id(rows: Iterable[AskRow]) -> dict[str, AskRow]:
    return {row.id: row for row in rows}


def _of_ask_event(row: AskEventRow, ask: AskRow | None) -> Happening:
    title = "" if ask is None else ask.title
    return Happening(
        id=f"a{row.sequence}",
        name=f"{ASKS}.{row.event}",
        at=row.time,
        task_id=row.task_id,
        facts={
            "status": None if ask is None else ask.status,
            "name": title,
            "task": row.task_id,
            "run": row.run_id,
            "agent": None if ask is None else ask.agent,
            "user": row.by,
            "text": _known((title, None if ask is None else ask.details, row.reason)),
        },
        payload={"ask": _shown_ask(row, ask), "by": row.by, "reason": row.reason},
    )


def _shown_ask(row: AskEventRow, ask: AskRow | None) -> dict[str, Any]:
    if ask is None:
        return {"id": row.ask_id}
    plain = ("id", "kind", "status", "key", "title", "details", "task_id", "run_id", "agent", "attempt", "option",
             "decided_by", "reason")  # fmt: skip
    return {
        **{name: getattr(ask, name) for name in plain},
        "action": None if ask.action is None else msgspec.json.decode(ask.action),
        "created_at": _iso(ask.created_at),
        "expires_at": None if ask.expires_at is None else _iso(ask.expires_at),
    }


def _of_schedules(tx: Tx, position: str, is_wanted: IsWanted) -> Stretch:
    rows, reached = tx.instants_after(position, AT_ONCE)
    wanted = [row for row in rows if is_wanted(f"{SCHEDULES}.{row.status}", row.recorded_at)]
    names = {schedule_id: _schedule_name(tx, schedule_id) for schedule_id in {row.schedule_id for row in wanted}}
    found = [_of_instant(row, names[row.schedule_id]) for row in wanted]
    return Stretch(found, reached, len(rows) == AT_ONCE)


def _schedule_name(tx: Tx, schedule_id: str) -> str | None:
    found = tx.schedule(schedule_id, lock=False)
    return None if found is None else found.name


def _of_instant(row: InstantRow, name: str | None) -> Happening:
    return Happening(
        id=f"{row.schedule_id}.{row.nominal}.{row.status}",
        name=f"{SCHEDULES}.{row.status}",
        at=row.recorded_at,
        task_id=row.task_id,
        facts={"status": row.status, "name": name, "task": row.task_id, "text": _known((name, row.reason))},
        payload={
            "schedule": {"id": row.schedule_id, "name": name},
            "instant": {
                "nominal": _iso(row.nominal), "status": row.status, "task_id": row.task_id, "reason": row.reason
            },
        },
    )  # fmt: skip


def _of_budgets(tx: Tx, position: str, is_wanted: IsWanted) -> Stretch:
    rows, reached = tx.budget_events_after(position, AT_ONCE)
    found = [_of_budget_event(row) for row in rows if is_wanted(f"{BUDGETS}.{row.event}", row.time)]
    return Stretch(found, reached, len(rows) == AT_ONCE)


def _of_budget_event(row: BudgetEventRow) -> Happening:
    told = views.budget_event(row)
    return Happening(
        id=f"b{row.sequence}",
        name=f"{BUDGETS}.{row.event}",
        at=row.time,
        task_id=row.task_id,
        facts={
            "status": row.event,
            "name": described(row),
            "task": row.task_id,
            "agent": told.value if told.scope == "agent" else None,
            "user": row.by,
            "text": _known((described(row), row.reason)),
        },
        payload={"budget": {"name": described(row), **msgspec.to_builtins(told)}},
    )


def _known(texts: Sequence[str | None]) -> list[str]:
    return [text for text in texts if text]


def _iso(at: int) -> str:
    moment: datetime = to_datetime(at)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
