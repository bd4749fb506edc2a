"""Which statuses a task goes through: one table, and nothing else changes a status.

Events are what happens to a task; commands are what people and programs ask of it. A finished task is final for
everything that a worker or the clock does; only the commands `run` and `retry` open it again.
"""

from __future__ import annotations

from typing import Literal

from milepost.wire.tasks import FINISHED_STATUSES, TASK_STATUSES

Event = Literal[
    "created", "released", "leased", "started", "completed", "failed", "requeued", "yielded", "paused", "resumed",
    "cancelled", "exhausted", "skipped", "expired", "reopened", "asked", "answered", "held", "deleted", "at_risk",
    "edited",
    "attached",
    "reassigned", "stalled", "recovered",
]  # fmt: skip
Command = Literal["update", "run", "cancel", "pause", "resume", "retry", "redirect", "complete", "delete"]

OPEN_STATUSES = tuple(status for status in TASK_STATUSES if status not in FINISHED_STATUSES)
WORKING_STATUSES = ("assigned", "in_progress")

# status → event → the statuses it may lead to; where there are several, the task's assignments and dependencies decide.
TRANSITIONS: dict[str | None, dict[Event, tuple[str, ...]]] = {
    None: {"created": ("pending", "blocked")},
    "pending": {
        "leased": ("assigned",),
        "completed": ("completed",),  # by hand
        "paused": ("paused",),
        "cancelled": ("cancelled",),
        "expired": ("failed",),
        "reopened": ("pending",),  # `run`: not at its time but now
        "held": ("blocked",),  # it was given dependencies
        "asked": ("review", "pending"),  # the controller asks before it goes on
        "answered": ("pending",),
    },
    "blocked": {
        "released": ("pending",),
        "completed": ("completed",),
        "paused": ("paused",),
        "cancelled": ("cancelled",),
        "skipped": ("cancelled",),
        "expired": ("failed",),
    },
    "assigned": {
        "leased": ("assigned",),
        "started": ("in_progress",),
        "completed": ("completed", "assigned", "pending", "review"),
        "failed": ("failed",),
        "requeued": ("pending", "assigned", "review"),
        "yielded": ("pending", "assigned"),
        "paused": ("paused", "assigned"),
        "cancelled": ("cancelled", "assigned"),
        "exhausted": ("paused", "assigned", "pending"),
        "expired": ("failed",),
        "asked": ("review", "assigned", "pending"),
        "answered": ("assigned",),
    },
    "in_progress": {
        "leased": ("in_progress",),
        "started": ("in_progress",),
        "completed": ("completed", "in_progress", "assigned", "pending", "review"),
        "failed": ("failed",),
        "requeued": ("pending", "in_progress", "assigned", "review"),
        "yielded": ("pending", "in_progress", "assigned"),
        "paused": ("paused", "in_progress", "assigned"),
        "cancelled": ("cancelled", "in_progress", "assigned"),
        "exhausted": ("paused", "in_progress", "assigned", "pending"),
        "expired": ("failed",),
        "asked": ("review", "in_progress", "assigned", "pending"),
        "answered": ("in_progress",),
    },
    "review": {
        "answered": ("pending", "review", "paused"),
        "completed": ("completed",),
        "paused": ("paused",),
        "cancelled": ("cancelled",),
        "expired": ("failed",),
        "failed": ("failed",),
    },
    "paused": {
        "resumed": ("pending", "blocked", "review"),
        "answered": ("paused",),
        "completed": ("completed",),
        "reopened": ("pending", "blocked"),
        "cancelled": ("cancelled",),
        "skipped": ("cancelled",),
        "expired": ("failed",),
    },
    "completed": {"reopened": ("pending", "blocked")},
    "failed": {"reopened": ("pending", "blocked")},
    "cancelled": {"reopened": ("pending", "blocked")},
}

COMMANDS: dict[Command, tuple[str, ...]] = {
    "update": ("pending", "blocked", "review", "paused", "assigned", "in_progress"),
    "run": ("pending", "paused", *FINISHED_STATUSES),
    "cancel": OPEN_STATUSES,
    "pause": ("pending", "blocked", "assigned", "in_progress", "review"),
    "resume": ("paused", "assigned", "in_progress"),  # of a running task: takes a pause back that it was asked for
    "retry": ("failed", "cancelled", "paused"),
    "redirect": OPEN_STATUSES,
    "complete": OPEN_STATUSES,
    "delete": ("pending", "blocked", "review", "paused", *FINISHED_STATUSES),
}


def legal_commands(status: str) -> list[str]:
    """Return the commands that a task of this status takes."""
    return [command for command, statuses in COMMANDS.items() if status in statuses]


def is_legal(status: str | None, event: Event, to_status: str) -> bool:
    """Tell whether an event may lead a task from one status to the other."""
    return to_status in TRANSITIONS[status].get(event, ())


def is_finished(status: str) -> bool:
    """Tell whether a status is terminal."""
    return status in FINISHED_STATUSES


def diagram() -> str:
    """Return the table as a Mermaid state diagram, one arrow per pair of statuses with its events."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for status, events in TRANSITIONS.items():
        for event, targets in events.items():
            for target in targets:
                if target != status:
                    arrows.setdefault((status or "[*]", target), []).append(event)
    lines = [f"    {source} --> {target}: {', '.join(events)}" for (source, target), events in arrows.items()]
    ends = [f"    {status} --> [*]" for status in FINISHED_STATUSES]
    return "\n".join(["stateDiagram-v2", *lines, *ends])
