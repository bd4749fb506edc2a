"""What happened, as webhooks are told it: a type, a time, and a few facts with ids. Pure.

Payloads are thin: who wants to know more asks the collector, which also says whether it still is so.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from milepost.wire.tasks import PRIORITIES
from milepost_collector.controller.engine.budgets.amounts import value
from milepost_collector.controller.engine.budgets.ledger import described
from milepost_collector.controller.rows import (
    AskEventRow,
    AskRow,
    BudgetEventRow,
    DeliverableRow,
    InstantRow,
    TaskRow,
    TransitionRow,
)

MAX_TEXT = 500  # characters of an error or a reason

# What a transition is called when the task goes on in spite of it, because others of its agents do.
_OF_ONE_AGENT = {
    "completed": ("completed", "task.assignment_completed"),
    "cancelled": ("cancelled", "task.assignment_cancelled"),
    "paused": ("paused", "task.assignment_paused"),
}
_SAME = {"expired": "task.failed", "skipped": "task.cancelled"}

_decode_tags = msgspec.json.Decoder(list[str]).decode


class Happening(NamedTuple):
    """An event. time: milliseconds since the Unix epoch. subject: the id of what it is about. agent, name, tags: what
    subscriptions filter by. known_at: when it came to be known, if that is not when it happened."""

    type: str
    time: int
    subject: str
    data: dict[str, Any]
    agent: str | None = None
    name: str | None = None
    tags: tuple[str, ...] = ()
    known_at: int | None = None

    def payload(self) -> str:
        """Return what is sent, as JSON."""
        timestamp = rfc3339(self.time)
        return msgspec.json.encode({"type": self.type, "timestamp": timestamp, "data": self.data}).decode()


def transition_type(row: TransitionRow) -> str | None:
    """Return the type of a task's transition. What finishes the task is named by how it ended.

    None: it is told by another log, `deliverable.attached`.
    """
    if row.event == "attached":
        return None
    if row.event in _SAME:
        return _SAME[row.event]
    status, other = _OF_ONE_AGENT.get(row.event, (row.to_status, ""))
    if row.to_status != status:
        return other
    return row.event if "." in row.event else f"task.{row.event}"


def of_transition(kind: str, row: TransitionRow, task: TaskRow | None) -> Happening:
    """Return a task's transition as an event of a type. task: as it is now; None: it is gone."""
    data: dict[str, Any] = {
        "task_id": row.task_id,
        "event": row.event,
        "status": row.to_status,
        "from_status": row.from_status,
        "attempt": row.attempt,
        "agent": row.agent or (task.agent if task else None),
        "by": row.by,
        "reason": _cut(row.reason),
    }
    if task is None:
        return Happening(kind, row.time, row.task_id, _given(data), data["agent"])
    tags = tuple(_decode_tags(task.tags))
    data |= {
        "name": task.name,
        "team": task.team,
        "priority": PRIORITIES[task.priority],
        "tags": list(tags) or None,
        "key": task.key,
        "schedule_id": task.schedule_id,
        "run_id": task.last_run_id if row.attempt is not None and row.attempt == task.attempt else None,
    }
    if row.to_status == task.status == "failed":
        data |= {"error_type": task.error_type, "error_message": _cut(task.error_message)}
    return Happening(kind, row.time, row.task_id, _given(data), data["agent"], task.name, tags)


def of_instant(row: InstantRow, schedule_name: str | None) -> Happening:
    """Return what became of a schedule's instant as an event. schedule_name: None: it is gone."""
    data = {
        "schedule_id": row.schedule_id,
        "schedule": schedule_name,
        "instant": rfc3339(row.nominal),
        "status": row.status,
        "task_id": row.task_id,
        "reason": _cut(row.reason),
    }
    return Happening(f"schedule.{row.status}", row.recorded_at, row.schedule_id, _given(data), name=schedule_name)


def of_ask(row: AskEventRow, ask: AskRow | None, task: TaskRow | None) -> Happening:
    """Return what happened to an ask as an event. ask, task: None: it is gone, or it is no task's."""
    data: dict[str, Any] = {
        "ask_id": row.ask_id,
        "event": row.event,
        "task_id": row.task_id,
        "run_id": row.run_id,
        "by": row.by,
        "reason": _cut(row.reason),
    }
    if ask is not None:
        data |= {
            "kind": ask.kind,
            "status": ask.status,
            "title": ask.title,
            "key": ask.key,
            "agent": ask.agent,
            "attempt": ask.attempt,
            "expires_at": None if ask.expires_at is None else rfc3339(ask.expires_at),
            "option": ask.option,
        }
    if task is not None:
        data["name"] = task.name
    name = task.name if task else None
    return Happening(f"ask.{row.event}", row.time, row.ask_id, _given(data), data.get("agent"), name, _tags_of(task))


def of_deliverable(row: DeliverableRow, task: TaskRow | None) -> Happening:
    """Return that a deliverable was attached as an event. task: None: it is gone, or it is a run's."""
    data: dict[str, Any] = {
        "deliverable": row.name,
        "version": row.version,
        "type": row.type,
        "content_type": row.content_type,
        "size_bytes": row.size_bytes,
        "sha256": row.sha256,
        "task_id": row.task_id,
        "run_id": row.run_id,
        "name": task.name if task else None,
        "agent": row.agent,
        "attempt": row.attempt,
        "by": row.by,
    }
    subject = row.task_id or row.run_id or row.owner
    return Happening(
        "deliverable.attached", row.created_at, subject, _given(data), row.agent, data["name"], _tags_of(task)
    )


def of_budget(row: BudgetEventRow, task: TaskRow | None) -> Happening:
    """Return what happened to a budget as an event. task: whose budget it is; None: it is gone, or it is no task's.

    Filters go by what the budget is of: an agent, tasks of a name, or a task.
    """
    scope, _, named = row.key.partition(":")
    measure = row.measure or ""
    data: dict[str, Any] = {
        "budget_id": row.budget_id,
        "budget": described(row),
        "scope": scope,
        "value": named,
        "per": row.per,
        "period": row.period,
        "measure": row.measure,
        "used": value(measure, row.used),
        "limit": value(measure, row.budget_limit),
        "task_id": row.task_id,
        "by": row.by,
        "reason": _cut(row.reason),
    }
    agent = named if scope == "agent" else task.agent if task else None
    name = named if scope == "name" else task.name if task else None
    return Happening(f"budget.{row.event}", row.time, row.budget_id, _given(data), agent, name, _tags_of(task))


def of_webhook(kind: str, time: int, webhook_id: str, name: str, **facts: Any) -> Happening:
    """Return something about a webhook itself as an event."""
    data = {"webhook_id": webhook_id, "webhook": name, **facts}
    return Happening(f"webhook.{kind}", time, webhook_id, _given(data))


def rfc3339(time: int) -> str:
    """Write a time, in milliseconds since the Unix epoch, as "2026-11-21T07:30:00.123Z"."""
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _given(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value not in (None, "")}


def _tags_of(task: TaskRow | None) -> tuple[str, ...]:
    return tuple(_decode_tags(task.tags)) if task else ()


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
