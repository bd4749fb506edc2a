"""Rows with as little said as possible."""

from __future__ import annotations

from typing import Any

from milepost_collector.controller.rows import (
    AskRow,
    AssignmentRow,
    AttemptRow,
    BudgetRow,
    CheckpointRow,
    DeliverableRow,
    InstantRow,
    ScheduleRow,
    StepRow,
    TaskRow,
    TransitionRow,
    WebhookRow,
    WorkerRow,
)
from milepost_collector.controller.store.interface import Store
from tests.controller.conftest import START_MS

NOW = START_MS


def task(task_id: str, **values: Any) -> TaskRow:
    """Return a task."""
    given = {"name": "extract", "description": "", "type": "manual", "status": "pending", "priority": 1}
    return TaskRow(id=task_id, **{**given, "settings": "{}", "created_at": NOW, "updated_at": NOW, **values})


def finished(task_id: str, **values: Any) -> TaskRow:
    """Return a completed task."""
    return task(task_id, **{"status": "completed", "finished_at": NOW, **values})


def assignment(task_id: str, **values: Any) -> AssignmentRow:
    """Return an assignment that is ready."""
    given = {"position": 0, "name": "extract", "priority": 1, "state": "ready", "ready_at": NOW, "order_at": NOW}
    return AssignmentRow(task_id=task_id, **{**given, **values})


def leased(task_id: str, worker_id: str = "w1", **values: Any) -> AssignmentRow:
    """Return an assignment that a worker holds for another ten seconds."""
    lease = {"worker_id": worker_id, "held_by": "etl", "attempt": 1, "lease_ms": 10_000, "expires_at": NOW + 10_000}
    return assignment(task_id, **{"state": "leased", **lease, **values})


def attempt(task_id: str, number: int, **values: Any) -> AttemptRow:
    """Return an ended attempt."""
    given = {"position": 0, "status": "failed", "run_id": f"r{number}", "worker_id": "w1", "leased_at": NOW}
    return AttemptRow(task_id=task_id, attempt=number, **{**given, "ended_at": NOW, **values})


def checkpoint(task_id: str, sequence: int, **values: Any) -> CheckpointRow:
    """Return a checkpoint."""
    given = {"position": 0, "attempt": 1, "attempt_sequence": sequence, "created_at": NOW, "size_bytes": 2}
    return CheckpointRow(task_id=task_id, sequence=sequence, **{**given, "state": "{}", **values})


def step(task_id: str, name: str, **values: Any) -> StepRow:
    """Return a remembered step."""
    given = {"position": 0, "input_digest": "00", "attempt": 1, "created_at": NOW, "size_bytes": 1, "result": "1"}
    return StepRow(task_id=task_id, name=name, **{**given, **values})


def transition(task_id: str, **values: Any) -> TransitionRow:
    """Return a transition."""
    return TransitionRow(task_id=task_id, **{"time": NOW, "event": "created", "to_status": "pending", **values})


def worker(worker_id: str, **values: Any) -> WorkerRow:
    """Return a worker."""
    given = {"agent": "etl", "concurrency": 8, "tasks": "[]", "teams": "[]", "any_task": False, "started_at": NOW}
    return WorkerRow(id=worker_id, **{**given, "last_poll_at": NOW, "polled_until": NOW + 10_000, **values})


def schedule(schedule_id: str, **values: Any) -> ScheduleRow:
    """Return a schedule named like its id."""
    given = {"name": schedule_id, "description": "", "cadence": "{}", "task": "{}", "overlap": "skip"}
    given |= {"catch_up": "latest"}
    times = {"catch_up_window_ms": 0, "jitter_ms": 0, "created_at": NOW, "updated_at": NOW, "mark_at": NOW}
    return ScheduleRow(id=schedule_id, **{**given, **times, **values})


def instant(schedule_id: str, nominal: int, **values: Any) -> InstantRow:
    """Return a ledger row."""
    given = {"status": "fired", "recorded_at": nominal}
    return InstantRow(schedule_id=schedule_id, nominal=nominal, **{**given, **values})


def insert(store: Store, *rows: Any) -> None:
    """Write rows in a transaction of their own."""
    store.run(lambda tx: tx.insert(rows))


def insert_queued(store: Store, *assignments: AssignmentRow) -> None:
    """Write assignments with their tasks."""
    insert(store, *(task(row.task_id) for row in assignments), *assignments)


def ask(ask_id: str, **given: Any) -> AskRow:
    """Return an ask of task t1."""
    values = {
        "owner": "t1/0",
        "key": "spend",
        "kind": "approval",
        "status": "open",
        "title": "Spend 10 USD?",
        "action_digest": "d",
        "created_at": NOW,
        "on_expiry": "continue",
        "task_id": "t1",
    }
    return AskRow(id=ask_id, **{**values, **given})


def webhook(webhook_id: str, **given: Any) -> WebhookRow:
    """Return a webhook named like its id, for every event."""
    values = {"name": webhook_id, "format": "standard", "url": "https://example.com/", "sealed_url": "u"}
    values |= {"sealed_secret": "s", "events": '["*"]', "status": "active"}
    times = {"created_at": NOW, "updated_at": NOW}
    return WebhookRow(id=webhook_id, **{**values, **times, **given})


def deliverable(task_id: str, name: str, **given: Any) -> DeliverableRow:
    """Return the first version of a task's deliverable."""
    values = {
        "owner": task_id,
        "version": 1,
        "type": "report",
        "content_type": "application/pdf",
        "size_bytes": 2**40,
        "sha256": "aa",
        "created_at": NOW,
        "task_id": task_id,
    }
    return DeliverableRow(name=name, **{**values, **given})


def budget(budget_id: str, **fields: Any) -> BudgetRow:
    """Return a budget of the project."""
    fields = {"key": "project:*", "per": "day", "zone": "UTC", "soft": 0.8, "finish": 0.05, "grace_ms": 1_000} | fields
    return BudgetRow(id=budget_id, created_at=NOW, updated_at=NOW, **fields)
