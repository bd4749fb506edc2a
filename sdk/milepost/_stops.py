"""Attempts that are to stop, and how the code they run is told at its next call into the SDK.

Hardly ever is there one. So a call looks at a dict that is empty, and only if it is not asks whether its own run is
meant.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

__all__ = ["heed", "linger", "requested"]

_MOST_LINGERING = 100

requested: dict[int, Callable[[], None]] = {}
"""By run: raises the exception that stops the calling code, or returns. Written by the worker that runs the attempt."""

_lingering: deque[int] = deque()


def linger(run_id: int) -> None:
    """Keep telling what is left of a run that has ended; the oldest such runs are forgotten."""
    _lingering.append(run_id)
    if len(_lingering) > _MOST_LINGERING:
        requested.pop(_lingering.popleft(), None)


def heed(span: object) -> None:
    """Raise if the code that works under this span is to stop.

    Raises:
        TaskStopped: the attempt was cancelled, asked to pause or lost.
    """
    stop = requested.get(getattr(span, "_run_id", 0))
    if stop is not None:
        stop()
