"""How code that was left by an exception has ended."""

from __future__ import annotations

from typing import Literal

from milepost._capture import message_of
from milepost.errors import Skip, TaskStopped

__all__ = ["outcome_of"]

# By name, so that neither asyncio nor trio is imported to ask.
_CANCELLATIONS = frozenset({"CancelledError", "Cancelled"})


def outcome_of(error: BaseException) -> tuple[Literal["completed", "failed", "skipped", "cancelled"], str | None]:
    """Return the status of code that an exception left, and the reason to record.

    `Skip` means skipped. Cancellation, Ctrl-C, a generator closed by its consumer and `sys.exit` without an error mean
    cancelled: the code was stopped, it did not go wrong. Everything else means failed.
    """
    if isinstance(error, Skip):
        return "skipped", error.reason or None
    if isinstance(error, TaskStopped):
        return "cancelled", f"{type(error).__name__}: {error.reason}" if error.reason else type(error).__name__
    if isinstance(error, KeyboardInterrupt):
        return "cancelled", "interrupted from the keyboard"
    if isinstance(error, GeneratorExit):
        return "cancelled", "closed by its consumer"
    if isinstance(error, SystemExit) and error.code in (None, 0):
        return "cancelled", "the program exits"
    if any(kind.__name__ in _CANCELLATIONS for kind in type(error).__mro__):
        return "cancelled", message_of(error) or "cancelled"
    return "failed", None
