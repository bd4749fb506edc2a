"""Waiting for a task: ask again and again, seldom enough that waiting costs next to nothing."""

from __future__ import annotations

from collections.abc import Callable

from milepost.errors import TaskNotCompletedError, UnavailableError, WaitTimeoutError
from milepost.resources import _tasks
from milepost.resources._exchange import Flow, Sleep
from milepost.resources._operation import Operation
from milepost.wire.tasks import FINISHED_STATUSES, Task

__all__ = ["poll_delay_s", "waiting"]

SHORTEST_POLL_S = 0.02
LONGEST_POLL_S = 1.0
POLL_SHARE = 0.1  # of the time waited so far: the end is noticed at most a tenth late, or a second
LONGEST_AWAY_S = 60.0  # a collector that is being replaced; after this it is gone


def waiting(
    task: Task | str,
    *,
    timeout_s: float | None,
    check: bool,
    ask: Callable[[Operation[Task]], Flow[Task]],
    clock: Callable[[], float],
) -> Flow[Task]:
    """Ask for a task until it is finished, and return it.

    ask: how an operation is sent. clock: monotonic, in seconds.

    Raises:
        TaskNotCompletedError: `check` and it failed or was cancelled.
        WaitTimeoutError: it is not finished after timeout_s.
        UnavailableError: the collector was away for a minute, or until the timeout.
    """
    operation = _tasks.get(task)
    began = answered = clock()
    while True:
        try:
            seen: Task | None = yield from ask(operation)
            answered = clock()
        except UnavailableError:
            waited = clock() - began
            if clock() - answered > LONGEST_AWAY_S or (timeout_s is not None and waited >= timeout_s):
                raise
            seen = None
        if seen is not None and seen.status in FINISHED_STATUSES:
            return _checked(seen) if check else seen
        waited = clock() - began
        if seen is not None and timeout_s is not None and waited >= timeout_s:
            raise WaitTimeoutError(seen, timeout_s)
        yield Sleep(poll_delay_s(waited, timeout_s))


def poll_delay_s(waited_s: float, timeout_s: float | None) -> float:
    """Return the wait before the next look, in seconds: a tenth of what was waited so far, from 20 ms to 1 s, and never
    past the timeout."""
    delay_s = min(max(waited_s * POLL_SHARE, SHORTEST_POLL_S), LONGEST_POLL_S)
    return delay_s if timeout_s is None else max(min(delay_s, timeout_s - waited_s), 0.0)


def _checked(task: Task) -> Task:
    if task.status != "completed":
        raise TaskNotCompletedError(task)
    return task
