"""The error tree of the SDK; the collector hangs its own errors under the same root.

MilepostError
├── ConfigurationError   a setting is missing, malformed or out of range (raised only while setting up)
├── ApiError             a client asked the collector for something and did not get it
│   ├── InvalidRequestError     what was asked is malformed or out of range
│   ├── NotFoundError           there is no such thing
│   ├── ConflictError           it cannot be done as things stand; `legal` says what can
│   └── UnavailableError        the collector is away, overloaded or did not answer in time
├── TaskNotCompletedError       a task that was waited for failed or was cancelled
├── WaitTimeoutError            a task that was waited for is not finished yet
├── BatchTimeoutError           a batch that was waited for is not finished yet
├── NonRetryableError    raised by a handler: its task failed, and trying again is no use
│   └── InvalidInputError       a task's input does not fit its handler
├── ApprovalExpired      nobody answered what a run asked in time, and it was to fail then
├── AskNotAnsweredError  an ask that was waited for is still open
├── RetryLater           raised by a handler: its attempt failed, and another is of use only later
├── BudgetExceededError  a budget does not allow what was to be reserved
├── ReportRefusedError   the collector does not keep a checkpoint, a step's result or a result
└── Skip                 raised by user code inside a task to end it as skipped

TaskStopped              a handler is to stop; not an `Exception`, so that no retry loop takes it for an error
├── TaskCancelled        its task was cancelled
├── TaskPaused           its task was asked to pause, and its state is saved
├── TaskSuspended        it has asked a person; a later attempt goes on with the answer
└── LeaseLost            its attempt is not this worker's any more
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # only clients of the controller need these structs
    from milepost.wire.asks import Ask
    from milepost.wire.batches import BatchProgress
    from milepost.wire.tasks import Task

__all__ = [
    "ApiError",
    "ApprovalExpired",
    "AskNotAnsweredError",
    "BatchTimeoutError",
    "BudgetExceededError",
    "ConfigurationError",
    "ConflictError",
    "InvalidInputError",
    "InvalidRequestError",
    "LeaseLost",
    "MilepostError",
    "NonRetryableError",
    "NotFoundError",
    "ReportRefusedError",
    "RetryLater",
    "Skip",
    "TaskCancelled",
    "TaskNotCompletedError",
    "TaskPaused",
    "TaskStopped",
    "TaskSuspended",
    "UnavailableError",
    "WaitTimeoutError",
]


class MilepostError(Exception):
    """The root of every error Milepost raises."""


class ConfigurationError(MilepostError, ValueError):
    """A setting is malformed or out of range.

    setting: the name of the setting as the user wrote it, for example `MILEPOST_FLUSH_INTERVAL_MS`.
    """

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(f"{setting}: {message}")
        self.setting = setting


class Skip(MilepostError):
    """Raise inside a task to end it as skipped; the reason is recorded and the exception goes no further than the task.

    A decorated function that raises it returns None to its caller.
    """

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class ApiError(MilepostError):
    """The collector was asked for something and it did not happen, or no answer tells whether it did.

    status: of HTTP; None when no answer came or nothing was sent. detail: what is wrong. problem: the whole answer
    (RFC 9457 problem details), from which field, value, limit and remedy are read; what it does not say is None.
    """

    def __init__(self, detail: str, *, status: int | None = None, problem: Mapping[str, Any] | None = None) -> None:
        self.status = status
        self.detail = detail
        self.problem: dict[str, Any] = dict(problem or {})
        told = self.remedy is None or self.remedy in detail  # many details end with the remedy
        super().__init__(detail if told else f"{detail}; {self.remedy}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.detail, self.status, self.problem), self.__dict__

    @property
    def field(self) -> str | None:
        """The field or parameter that is wrong."""
        return self.problem.get("field")

    @property
    def value(self) -> Any:
        """Its value."""
        return self.problem.get("value")

    @property
    def limit(self) -> Any:
        """What it may be at most."""
        return self.problem.get("limit")

    @property
    def remedy(self) -> str | None:
        """What to do."""
        return self.problem.get("remedy")


class InvalidRequestError(ApiError, ValueError):
    """What was asked is malformed or out of range; asking it again will not help. See `field`, `value` and `remedy`."""


class NotFoundError(ApiError, LookupError):
    """There is no task, schedule, agent, limit or run of that name or id."""


class ConflictError(ApiError):
    """It cannot be done as things stand: the task's state forbids it, or the name or idempotency key is taken."""

    @property
    def legal(self) -> tuple[str, ...]:
        """The commands that are legal for the task now."""
        return tuple(self.problem.get("legal") or ())


class UnavailableError(ApiError):
    """The collector could not be reached, is overloaded, or did not answer in time; trying again later may help.

    maybe_done: the request was sent and nothing tells whether it was carried out.
    """

    maybe_done = False


class TaskNotCompletedError(MilepostError):
    """A task that was waited for failed or was cancelled. task: as it stands, with its error, reason and attempts."""

    def __init__(self, task: Task) -> None:
        said = ": ".join(filter(None, (task.error_type, task.error_message))) or task.reason or "no reason was given"
        super().__init__(f"task {task.id} ({task.name}) is {task.status}: {said}")
        self.task = task

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.task,)


class WaitTimeoutError(MilepostError, TimeoutError):
    """A task that was waited for is not finished in time, and goes on. task: as it stood last. timeout_s: given."""

    def __init__(self, task: Task, timeout_s: float) -> None:
        why = f" ({task.why_not_running.text})" if task.why_not_running is not None else ""
        super().__init__(f"task {task.id} ({task.name}) is {task.status}{why} after {timeout_s:g} s of waiting")
        self.task = task
        self.timeout_s = timeout_s

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.task, self.timeout_s)


_FINISHED = ("completed", "failed", "cancelled")


class BatchTimeoutError(MilepostError, TimeoutError):
    """A batch that was waited for is not finished in time, and goes on. batch: as it stood last. timeout_s: given."""

    def __init__(self, batch: BatchProgress, timeout_s: float) -> None:
        still = ", ".join(f"{count} {status}" for status, count in batch.counts.items() if status not in _FINISHED)
        super().__init__(
            f"batch {batch.id}: {batch.finished} of {batch.total} tasks are finished after {timeout_s:g} s of waiting; "
            f"still open: {still or 'unknown'}"
        )
        self.batch = batch
        self.timeout_s = timeout_s

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.batch, self.timeout_s)


def _again(kind: type[ApiError], detail: str, status: int | None, problem: dict[str, Any]) -> ApiError:
    return kind(detail, status=status, problem=problem)


class NonRetryableError(MilepostError):
    """Raise in a handler, or derive your own errors from it, to fail the task at once, whatever retries are left."""


class InvalidInputError(NonRetryableError, ValueError):
    """A task's input does not fit its handler.

    field: the path to what does not fit, such as `$.pages[0]`; `$` is the whole input. value: what stands there; None
    when nothing does.
    """

    def __init__(self, problem: str, *, field: str, value: Any = None) -> None:
        super().__init__(f"input {field}: {problem}")
        self.field = field
        self.value = value


class ApprovalExpired(NonRetryableError):
    """Nobody answered what a run asked in time, and `on_expiry` was `fail`. ask_id: which ask."""

    def __init__(self, ask_id: str, title: str) -> None:
        super().__init__(f"nobody answered {title!r} in time (ask {ask_id})")
        self.ask_id = ask_id
        self.title = title

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.ask_id, self.title)


class AskNotAnsweredError(MilepostError, TimeoutError):
    """An ask that was waited for is still open. ask: as it stood last. timeout_s: given."""

    def __init__(self, ask: Ask, timeout_s: float) -> None:
        super().__init__(f"ask {ask.id} ({ask.title!r}) is still open after {timeout_s:g} s of waiting")
        self.ask = ask
        self.timeout_s = timeout_s

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.ask, self.timeout_s)


class RetryLater(MilepostError):
    """Raise in a handler to fail the attempt and have the next one wait, whatever the backoff says.

    after_s: at least so long, in seconds from 0.

    Raises:
        ValueError: after_s is below 0 or not a number.
    """

    def __init__(self, after_s: float, message: str = "") -> None:
        if not after_s >= 0:
            raise ValueError(f"after_s must be a number from 0, got {after_s!r}")
        super().__init__(message or f"to be tried again in {after_s:g} s")
        self.after_s = after_s


class ReportRefusedError(MilepostError, ValueError):
    """The collector does not keep what an attempt handed over, because it is too large or the task's state forbids it.

    what: `checkpoint`, `step`, `result` or `deliverable`. reason: why.
    """

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what} not kept: {reason}")
        self.what = what
        self.reason = reason


class BudgetExceededError(MilepostError):
    """A budget does not allow what was to be reserved; nothing was. Do without it, or let it leave the handler: then
    the task waits for a person, who may raise the budget, and a later attempt goes on.

    budget_id: which; None when too much is reserved by the attempt itself. waits: it may be granted later, when others
    have used less than they reserved; the task is then tried again in some seconds.
    """

    def __init__(self, reason: str, budget_id: str | None = None, *, waits: bool = False) -> None:
        super().__init__(reason)
        self.budget_id = budget_id
        self.waits = waits

    def __reduce__(self) -> tuple[Any, ...]:
        return _exceeded, (str(self), self.budget_id, self.waits)


def _exceeded(reason: str, budget_id: str | None, waits: bool) -> BudgetExceededError:
    return BudgetExceededError(reason, budget_id, waits=waits)


class TaskStopped(BaseException):
    """The handler that gets it is to stop: let it pass, after putting in order what must be.

    Not an `Exception`, as `asyncio.CancelledError` is none: agents are full of loops that catch every Exception and try
    again, and a cancelled task must not go on in them. A handler that swallows it is cut off after a grace: nothing
    that it reports is taken any more. reason: why, as far as it is known.
    """

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class TaskCancelled(TaskStopped):
    """The task was cancelled. Asynchronous handlers get `asyncio.CancelledError` at their next await instead."""


class TaskPaused(TaskStopped):
    """The task was asked to pause, or its worker stops. A later attempt goes on from the last checkpoint and steps."""


class TaskSuspended(TaskStopped):
    """The handler has asked a person, and its attempt ends here; a later one goes on with the answer. A handler that
    swallows it ends all the same: what it returns is not taken."""


class LeaseLost(TaskStopped):
    """The attempt belongs to this worker no longer: it was silent for too long and the task was given to another, or
    the task is finished. What this attempt still reports is refused. Asynchronous handlers get
    `asyncio.CancelledError`.
    """
