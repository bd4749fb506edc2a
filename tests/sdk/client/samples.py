"""A task as a collector would answer it, for tests without one."""

from __future__ import annotations

from datetime import UTC, datetime

from milepost.wire.tasks import Task, TaskSettings

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TASK = Task(
    id="t-1",
    name="Extract",
    description="",
    type="manual",
    status="pending",
    priority="medium",
    agents=[],
    settings=TaskSettings(),
    created_at=NOW,
    updated_at=NOW,
)
