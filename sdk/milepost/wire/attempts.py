"""What became of managed tasks: their attempts, what these saved, and every change of a task.

Times are RFC 3339 in UTC. Lengths of time end in `_ms`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

__all__ = [
    "ATTEMPT_STATUSES",
    "Attempt",
    "AttemptList",
    "Checkpoint",
    "CheckpointList",
    "Step",
    "Transition",
    "TransitionList",
]

ATTEMPT_STATUSES = ("running", "completed", "failed", "cancelled", "lost", "paused")

AttemptStatus = Literal["running", "completed", "failed", "cancelled", "lost", "paused"]


class Attempt(Struct, kw_only=True):
    """One try of a task. lost: its worker went away. paused: it stopped because it was asked to, and goes on later."""

    task_id: str
    attempt: int
    status: AttemptStatus
    run_id: str
    worker_id: str
    leased_at: datetime
    agent: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_ms: float | None = None
    progress: float | None = None
    phase: str | None = None
    result: Any = None
    error_type: str | None = None
    error_message: str | None = None
    error_stack: str | None = None
    reason: str | None = None
    retry_at: datetime | None = None
    steps_reused: int = 0
    checkpoint_count: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None


class AttemptList(Struct, kw_only=True):
    """A task's attempts, the newest first."""

    attempts: list[Attempt]


class Checkpoint(Struct, kw_only=True):
    """State that an attempt saved. sequence: rises within a task. size_bytes: of the state as JSON. copy_of: the
    checkpoint that a retry went on from, saved once more as the newest."""

    task_id: str
    attempt: int
    sequence: int
    created_at: datetime
    size_bytes: int
    name: str | None = None
    agent: str | None = None
    state: Any = None
    copy_of: int | None = None


class Step(Struct, kw_only=True):
    """A step that an attempt completed, remembered by name and a digest of its input. reused_by: later attempts that
    took its result instead of doing it again."""

    task_id: str
    attempt: int
    name: str
    input_digest: str
    created_at: datetime
    size_bytes: int
    agent: str | None = None
    reused_by: list[int] = []
    result: Any = None


class CheckpointList(Struct, kw_only=True):
    """What a task's attempts saved, oldest first."""

    checkpoints: list[Checkpoint]
    steps: list[Step]


class Transition(Struct, kw_only=True):
    """One change of a task: what happened (`event`), from which status to which, who did it and why."""

    sequence: int
    task_id: str
    time: datetime
    event: str
    from_status: str | None
    to_status: str
    attempt: int | None = None
    agent: str | None = None
    worker_id: str | None = None
    by: str | None = None
    reason: str | None = None


class TransitionList(Struct, kw_only=True):
    """A task's transitions, oldest first."""

    transitions: list[Transition]
