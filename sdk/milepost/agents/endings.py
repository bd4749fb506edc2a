"""How an attempt's handler has ended becomes the report of it. Pure but for the clock that is passed in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from milepost._annotations import type_name
from milepost._capture import cut_text, exception_stack, message_of
from milepost._retry import parse_retry_after
from milepost.agents.stops import StopKind
from milepost.errors import (
    BudgetExceededError,
    LeaseLost,
    NonRetryableError,
    ReportRefusedError,
    RetryLater,
    TaskPaused,
    TaskStopped,
)
from milepost.wire.worker import AttemptCancelled, AttemptFailed, AttemptPaused, TaskLease

__all__ = ["Ending", "ending_of", "failure_of"]

Ending = AttemptFailed | AttemptCancelled | AttemptPaused

_LONGEST_DELAY_MS = 31_536_000_000
_LONGEST_CHAIN = 20  # of causes that are looked at


def ending_of(error: BaseException, lease: TaskLease, asked: StopKind | None, now_unix_s: float) -> Ending | None:
    """Return the report of an attempt whose handler was left by an exception; None: nothing is to be reported.

    asked: what the attempt was asked to do.
    """
    if asked == "lost":
        return None
    stop = _stop_in(error)
    if asked == "cancel" and stop is not None:
        return AttemptCancelled(task_id=lease.task_id, attempt=lease.attempt)
    if isinstance(stop, TaskPaused) or (stop is not None and asked == "release"):
        reason = cut_text(message_of(stop), 2_000)
        return AttemptPaused(task_id=lease.task_id, attempt=lease.attempt, released=asked != "pause", reason=reason)
    if isinstance(stop, LeaseLost):
        return None
    if isinstance(error, BudgetExceededError) and error.budget_id is not None:
        return _without_budget(error, lease)
    return failure_of(error, lease, now_unix_s)


def _without_budget(error: BudgetExceededError, lease: TaskLease) -> AttemptPaused:
    """Return the report of an attempt that cannot go on without what a budget has refused: a person is asked."""
    return AttemptPaused(
        task_id=lease.task_id,
        attempt=lease.attempt,
        reason=cut_text(message_of(error), 2_000),
        budget_id=error.budget_id,
        waits=error.waits,
    )


def failure_of(error: BaseException, lease: TaskLease, now_unix_s: float) -> AttemptFailed:
    """Return the report of an attempt that failed by an exception."""
    retryable, delay_s = _hints(error, now_unix_s)
    return AttemptFailed(
        task_id=lease.task_id,
        attempt=lease.attempt,
        error_type=cut_text(type_name(error), 500),
        error_message=cut_text(message_of(error), 16_000),
        error_stack=exception_stack(error) if error.__traceback__ else None,
        retryable=retryable,
        retry_after_ms=None if delay_s is None else int(min(delay_s * 1_000, _LONGEST_DELAY_MS)),
    )


def _stop_in(error: BaseException) -> BaseException | None:
    """Return the request to stop that left the handler; task groups wrap those of their children."""
    if isinstance(error, (TaskStopped, asyncio.CancelledError)):
        return error
    if isinstance(error, BaseExceptionGroup) and error.split(_is_stop)[1] is None:
        return next(_leaves(error))
    return None


def _is_stop(error: BaseException) -> bool:
    return isinstance(error, (TaskStopped, asyncio.CancelledError))


def _leaves(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _hints(error: BaseException, now_unix_s: float) -> tuple[bool, float | None]:
    """Return whether another attempt is of use, and in how many seconds at the earliest."""
    if isinstance(error, (NonRetryableError, ReportRefusedError)):
        return False, None
    if isinstance(error, RetryLater):
        return True, error.after_s
    for cause in _chain(error):
        status = _status_of(cause)
        if status in (401, 403):  # wrong or missing credentials stay wrong
            return False, None
        if status in (429, 503):
            return True, _asked_delay_s(cause, now_unix_s)
    return True, None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those it was raised from."""
    cause: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__


def _status_of(error: BaseException) -> int | None:
    """Return the HTTP status that an exception of a provider's client carries, as httpx, openai and anthropic do."""
    response = getattr(error, "response", None)
    for status in (getattr(response, "status_code", None), getattr(response, "status", None)):
        if type(status) is int:
            return status
    return None


def _asked_delay_s(error: BaseException, now_unix_s: float) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", None)
    read: Callable[[str], Any] | None = getattr(headers, "get", None)
    if read is None:
        return None
    milliseconds = str(read("retry-after-ms") or "")
    if milliseconds.strip().isdecimal():
        return int(milliseconds) / 1_000
    text = read("retry-after") or read("Retry-After")  # a plain dict's keys are as the server wrote them
    return parse_retry_after(None if text is None else str(text), now_unix_s)
