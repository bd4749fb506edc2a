"""What happens in a collector that a trigger can wait for: `run.failed`, `task.completed`, `ask.opened`, …"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from milepost.wire.schedules import INSTANT_STATUSES
from milepost.wire.tasks import FINISHED_STATUSES
from milepost_collector.errors import InvalidParameterError

RUNS, TASKS, ASKS, SCHEDULES, BUDGETS = "run", "task", "ask", "schedule", "budget"

# What a run's root ends with. task: the events of `lifecycle`; an end is told once all of its agents are at theirs.
NAMES: dict[str, tuple[str, ...]] = {
    RUNS: ("completed", "failed", "cancelled", "lost", "skipped"),
    TASKS: (
        "created", "released", "leased", "started", "requeued", "yielded", "paused", "resumed", "exhausted", "reopened",
        "asked", "answered", "at_risk", *FINISHED_STATUSES,
    ),
    ASKS: (
        "opened", "received", "delegated", "decided", "approved", "rejected", "answered", "expired", "cancelled",
        "invalidated", "alarmed",
    ),
    SCHEDULES: INSTANT_STATUSES,
    BUDGETS: ("set", "soft", "hard", "raised", "reset", "deleted"),
}  # fmt: skip


class Happening(Struct, kw_only=True, frozen=True, gc=False):
    """Something that happened. id: the same however often it is told. at: milliseconds since the Unix epoch. task_id:
    the task that it concerns, if it does. commit: of a run, the commit that recorded its end. payload: for a trigger's
    mapping. facts: for its search."""

    id: str
    name: str
    at: int
    facts: Any
    payload: Any
    task_id: str | None = None
    commit: int | None = None

    @property
    def source(self) -> str:
        """What it happened to: `run`, `task`, `ask`, `schedule` or `budget`."""
        return source_of(self.name)


def source_of(pattern: str) -> str:
    """Return what a pattern is about."""
    return pattern.partition(".")[0]


def fits(pattern: str, name: str) -> bool:
    """Tell whether an event is one that a pattern means: `task.failed` itself, or all of `task.*`."""
    return name == pattern or (pattern.endswith(".*") and source_of(pattern) == source_of(name))


def check_pattern(pattern: str) -> None:
    """Refuse a pattern that nothing fits.

    Raises:
        InvalidParameterError: names what there is.
    """
    source, _, event = pattern.partition(".")
    if source not in NAMES:
        raise InvalidParameterError("event", pattern, f"it begins with one of {', '.join(NAMES)}, then a dot")
    if event != "*" and event not in NAMES[source]:
        allowed = ", ".join(f"{source}.{name}" for name in NAMES[source])
        raise InvalidParameterError("event", pattern, f"use {source}.* or one of {allowed}")


def task_event(event: str, to_status: str) -> str | None:
    """Return what a transition is called; None for one that is nobody's business: one agent of several has ended."""
    if to_status in FINISHED_STATUSES:
        return f"{TASKS}.{to_status}" if event not in ("deleted", "at_risk") else None
    name = f"{TASKS}.{event}"
    return name if event in NAMES[TASKS] and event not in FINISHED_STATUSES else None
