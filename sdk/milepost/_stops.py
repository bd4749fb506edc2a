"""Attempts that are to stop, and how the code they run is told at its next call into the SDK.

Hardly ever is there one. So a call looks at a dict that is empty, and only if it is not asks whether its own run is
meant.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["heed", "requested"]

requested: dict[int, Callable[[], None]] = {}
"""By run: raises the exception that stops the calling code, or returns. Written by the worker that runs the attempt."""


def heed(span: object) -> None:
    """Raise if the code that works under this span is to stop.

    Raises:
        TaskStopped: the attempt was cancelled, asked to pause or lost.
    """
    stop = requested.get(getattr(span, "_run_id", 0))
    if stop is not None:
        stop()
