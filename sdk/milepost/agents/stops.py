"""What an attempt was asked to do, and by which exception its code learns of it. Pure."""

from __future__ import annotations

from typing import Literal

from milepost.errors import LeaseLost, TaskCancelled, TaskPaused, TaskStopped

__all__ = ["StopKind", "interrupts", "is_more_urgent", "stop_error"]

StopKind = Literal["drain", "pause", "release", "cancel", "lost"]
"""drain: the worker stops soon: pause when it suits. pause: the controller asks for that. release: the worker stops
now: hand the lease back. cancel: the task was cancelled. lost: the lease is another's, or over."""

_URGENCY: dict[StopKind | None, int] = {None: 0, "drain": 1, "pause": 2, "release": 3, "cancel": 4, "lost": 5}


def is_more_urgent(kind: StopKind, than: StopKind | None) -> bool:
    """Tell whether a request changes anything for an attempt that has another already."""
    return _URGENCY[kind] > _URGENCY[than]


def interrupts(kind: StopKind | None) -> bool:
    """Tell whether code is stopped wherever it is, and not only where its state is saved."""
    return kind in ("release", "cancel", "lost")


def stop_error(kind: StopKind, reason: str) -> TaskStopped:
    """Return the exception that the code gets."""
    if kind == "lost":
        return LeaseLost(reason)
    return TaskCancelled(reason) if kind == "cancel" else TaskPaused(reason)
