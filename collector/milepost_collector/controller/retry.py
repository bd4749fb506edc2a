"""Whether and when a failed attempt is followed by another. Pure: chance is passed in."""

from __future__ import annotations

from typing import Literal, NamedTuple

from milepost.wire.tasks import TaskSettings

_MAX_DOUBLINGS = 62  # beyond it every delay is over every cap, and a float would overflow


class Verdict(NamedTuple):
    """What follows a failed attempt. delay_ms: before the next one, when it is tried again. why: for people."""

    kind: Literal["retry", "exhausted", "fatal"]
    delay_ms: int = 0
    why: str = ""


def delay_ms(settings: TaskSettings, failures: int, draw: float) -> int:
    """Return the wait before the retry that follows failure number `failures`, from 1.

    draw: in [0, 1); the delay lies between (1 - jitter) times the full delay and the full delay, and never exceeds
    max_retry_delay_ms.

    Raises:
        ValueError: failures is below 1.
    """
    if failures < 1:
        raise ValueError(f"failures must be at least 1, got {failures}")
    full = settings.retry_delay_ms
    if settings.backoff == "exponential":
        full <<= min(failures - 1, _MAX_DOUBLINGS)
    full = min(full, settings.max_retry_delay_ms)
    return round(full * (1 - settings.jitter * draw))


def after_failure(
    settings: TaskSettings,
    failures: int,
    *,
    error_type: str,
    retryable: bool,
    retry_after_ms: int | None,
    draw: float,
) -> Verdict:
    """Return what follows the failure of code number `failures`, from 1.

    An error type counts as non-retryable under its full name and under its last part. What the error itself says about
    when to come back wins over the backoff when it is later.
    """
    if not retryable:
        return Verdict("fatal", why="the error is not retryable")
    if error_type in settings.non_retryable_errors or error_type.rpartition(".")[2] in settings.non_retryable_errors:
        return Verdict("fatal", why=f"{error_type} is among non_retryable_errors")
    if failures > settings.max_retries:
        return Verdict("exhausted", why=f"failed {failures} times, max_retries is {settings.max_retries}")
    return Verdict("retry", delay_ms=max(delay_ms(settings, failures, draw), retry_after_ms or 0))


def after_loss(settings: TaskSettings, losses: int) -> Verdict:
    """Return what follows the loss of a worker, number `losses`, from 1: another attempt at once, up to a limit."""
    if losses > settings.max_losses:
        return Verdict("exhausted", why=f"its worker was lost {losses} times, max_losses is {settings.max_losses}")
    return Verdict("retry")
