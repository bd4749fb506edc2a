"""`ctx`: what a handler knows of its task and says about its attempt."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from milepost._annotations import Severity
from milepost._api import current_own
from milepost._asks import KeyLedger
from milepost._client import start_task_here
from milepost._span import BaseSpan, Run, Task
from milepost.agents.asking import Asking
from milepost.agents.reserving import Reservation, Reserving
from milepost.agents.steps import StepLedger, remembered_result
from milepost.agents.values import kept_json
from milepost.errors import InvalidRequestError, ReportRefusedError
from milepost.wire.budgets import BudgetLeft
from milepost.wire.deliverables import Deliverable, ExpectedDeliverable
from milepost.wire.worker import (
    AttemptReport,
    CheckpointSaved,
    ReportResult,
    ReservationAsked,
    StepCompleted,
    StepReused,
)

if TYPE_CHECKING:
    from milepost.agents.attempt import Attempt
    from milepost.agents.outbox import Outbox

__all__ = ["TaskContext"]

P = ParamSpec("P")
R = TypeVar("R")

Learn = Callable[[ReportResult], None]
_PROGRESS_INTERVAL_S = 0.1  # of the timeline; a new phase is always shown


class TaskContext(Asking):
    """The task that a handler works on, and its way to the controller. May be used from any thread of the handler.

    `checkpoint` and `step` return once the controller has kept what they were given; asynchronous code, which must not
    block, awaits `acheckpoint` and `astep` instead. `ask_approval` and `ask` put something to a person. A stopped
    attempt learns of it from the exceptions of `milepost.TaskStopped`: every call of `step`, `checkpoint`,
    `raise_if_stopped` and `yield_if_asked` raises it, and the first of `log`, `progress` and (unless recording is
    disabled) of the functions that record, such as `milepost.start_task`.
    """

    def __init__(self, attempt: Attempt, outbox: Outbox) -> None:
        """Made by the worker."""
        self._attempt = attempt
        self._outbox = outbox
        self._lease = attempt.lease
        self._ledger = StepLedger(attempt.lease.steps)
        self._keys = KeyLedger()
        self._reserving = Reserving(attempt.lease)
        self._sequence = 0
        self._lock = threading.Lock()
        self._shown: tuple[float, str | None] = (0.0, None)  # when progress was last recorded, and which phase

    # --- the task -------------------------------------------------------------------------------------------------

    @property
    def task_id(self) -> str:
        """The task's id."""
        return self._lease.task_id

    @property
    def name(self) -> str:
        """The task's name."""
        return self._lease.name

    @property
    def input(self) -> Any:
        """The task's input, made of JSON's types."""
        return self._lease.input

    @property
    def context(self) -> Any:
        """What else was given with the task, made of JSON's types; a retry may replace it."""
        return self._lease.context

    @property
    def attempt(self) -> int:
        """The attempt's number: 1 for the first, and higher with every lease of the task."""
        return self._lease.attempt

    @property
    def failures(self) -> int:
        """How many attempts before this one failed in their code."""
        return self._lease.failures

    @property
    def priority(self) -> str:
        """`low`, `medium`, `high` or `urgent`."""
        return self._lease.priority

    @property
    def tags(self) -> list[str]:
        """The task's tags."""
        return list(self._lease.tags)

    @property
    def deadline(self) -> datetime | None:
        """When the task must be finished, in UTC; None: any time."""
        return self._lease.deadline

    @property
    def scheduled_for(self) -> datetime | None:
        """The instant of its schedule that the task is for, in UTC; None when no schedule's instant made it."""
        return self._lease.scheduled_for

    @property
    def time_left_s(self) -> float | None:
        """How long until the attempt's timeout or the task's deadline, whichever is nearer, in seconds from 0; None:
        there is neither."""
        left = []
        if self._lease.timeout_ms is not None:
            left.append(self._lease.timeout_ms / 1_000 - (time.monotonic() - self._attempt.started_at))
        if self._lease.deadline is not None:
            left.append((self._lease.deadline - datetime.now(UTC)).total_seconds())
        return max(min(left), 0.0) if left else None

    @property
    def run(self) -> Run:
        """The run that records this attempt."""
        return self._attempt.run

    @property
    def last_checkpoint(self) -> Any:
        """The state that an earlier attempt saved last, made of JSON's types; None: there is none."""
        return self._lease.checkpoint

    # --- budgets --------------------------------------------------------------------------------------------------

    @property
    def budget(self) -> BudgetLeft:
        """What the attempt may still use: over all its budgets the least of each measure, as told with the lease and by
        every reservation since; None: not limited. `finishing`: hand back what there is, this is the last attempt."""
        return self._reserving.left

    def reserve(
        self, *, usd: float = 0.0, tokens: int = 0, tool_calls: int = 0, expires_s: float = 300.0
    ) -> Reservation:
        """Reserve so much of every budget that the task draws on, before spending it. Granted once this returns.

        Release it, or use it as a context manager; after expires_s (1 to 86,400 seconds) it is free in any case. Waits
        as long as the collector is away.

        Raises:
            BudgetExceededError: there is not so much left; nothing is reserved.
            TaskStopped: the attempt is to stop at once.
            ValueError: an amount is below 0, or none is above.
        """
        self._refuse_on_loop("reserve")
        report = self._reserving.ask(usd, tokens, tool_calls, expires_s)
        self._await_kept(report, self._reserving.learn)
        return self._reservation(report)

    async def areserve(
        self, *, usd: float = 0.0, tokens: int = 0, tool_calls: int = 0, expires_s: float = 300.0
    ) -> Reservation:
        """Do what `reserve` does, from asynchronous code: `with await ctx.areserve(usd=0.10): …`.

        Raises:
            BudgetExceededError: there is not so much left; nothing is reserved.
            TaskStopped: the attempt is to stop at once.
            ValueError: an amount is below 0, or none is above.
        """
        report = self._reserving.ask(usd, tokens, tool_calls, expires_s)
        await self._until_kept(report, self._reserving.learn)
        return self._reservation(report)

    def _reservation(self, report: ReservationAsked) -> Reservation:
        def tell() -> None:
            if not self._attempt.over:  # at its end, all of its reservations are given back
                self._outbox.put(self._attempt, self._reserving.give_back(report))

        def release() -> None:
            self._attempt.run._producer.when_sent(tell)  # then what was spent on it is known

        return Reservation(report.usd, report.tokens, report.tool_calls, release)

    # --- stopping -------------------------------------------------------------------------------------------------

    @property
    def cancelled(self) -> bool:
        """Tell whether the attempt is to stop at once: its task was cancelled, or its lease is lost."""
        return self._attempt.asked in ("cancel", "lost")

    @property
    def pause_requested(self) -> bool:
        """Tell whether the attempt is asked to save its state and stop, to go on later."""
        return self._attempt.asked in ("drain", "pause", "release")

    @property
    def stop_reason(self) -> str:
        """Why it is to stop, as far as that is known."""
        return self._attempt.reason

    def raise_if_stopped(self) -> None:
        """Return unless the attempt is to stop at once.

        Raises:
            TaskCancelled: the task was cancelled.
            LeaseLost: the task was given to another worker, or is finished.
        """
        self._attempt.check()

    def yield_if_asked(self) -> None:
        """Stop here if that was asked for, also to pause: call it where the next attempt can go on.

        Raises:
            TaskPaused: the task is to pause.
            TaskCancelled: the task was cancelled.
            LeaseLost: the task was given to another worker, or is finished.
        """
        self._attempt.check(may_pause=True)

    # --- checkpoints ----------------------------------------------------------------------------------------------

    def checkpoint(self, state: Any, *, name: str | None = None) -> None:
        """Save state for a later attempt; it is kept once this returns. Then stop if a pause was asked for.

        state: anything JSON can express; the next attempt gets the newest as `last_checkpoint`. name: which of several
        kinds of state it is. Waits as long as the collector is away.

        Raises:
            TaskStopped: the attempt is to stop; for a pause after the state was saved.
            ReportRefusedError: the state is too large or cannot be written as JSON.
        """
        self._refuse_on_loop("checkpoint")
        self._await_kept(self._checkpoint_report(state, name))
        self._record_checkpoint(state, name)
        self._attempt.check(may_pause=True)

    async def acheckpoint(self, state: Any, *, name: str | None = None) -> None:
        """Do what `checkpoint` does, from asynchronous code.

        Raises:
            TaskStopped: the attempt is to stop; for a pause after the state was saved.
            ReportRefusedError: the state is too large or cannot be written as JSON.
        """
        await self._until_kept(self._checkpoint_report(state, name))
        self._record_checkpoint(state, name)
        self._attempt.check(may_pause=True)

    def _checkpoint_report(self, state: Any, name: str | None) -> CheckpointSaved:
        kept = kept_json(state, "checkpoint", self._outbox.max_value_bytes)
        with self._lock:
            self._sequence += 1
            sequence = self._sequence
        return CheckpointSaved(
            task_id=self._lease.task_id, attempt=self._lease.attempt, sequence=sequence, state=kept, name=name or None
        )

    def _record_checkpoint(self, state: Any, name: str | None) -> None:
        span = self._here()
        span._record("checkpoint", name=name, body=span._producer.capture(state))

    # --- steps ----------------------------------------------------------------------------------------------------

    def step(self, name: str, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function unless an earlier attempt did with the same arguments; return its result or the remembered.

        It is a task in the timeline, and skipped there when its result was reused. The result is kept once this
        returns. What is remembered is its JSON: it comes back as the type that the function's annotation names, or
        made of JSON's types when there is none. The same name with the same arguments again is another step.

        Raises:
            TaskStopped: the attempt is to stop, before or after the step.
            ReportRefusedError: the result is too large or cannot be written as JSON.
            TypeError: an argument cannot be written as JSON, or the function is asynchronous.
        """
        self._refuse_on_loop("step")
        if inspect.iscoroutinefunction(function):
            raise TypeError(f"step {name!r} calls an asynchronous function; use `await ctx.astep(…)`")
        digest, is_known, result = self._recall(name, function, args, kwargs)
        if not is_known:
            with self._step_span(name, args, kwargs) as span:
                result = function(*args, **kwargs)
                span.complete(result)
            self._await_kept(self._step_report(name, digest, result))
        self._attempt.check(may_pause=True)
        return result  # type: ignore[no-any-return]

    @overload
    async def astep(
        self, name: str, function: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> R: ...
    @overload
    async def astep(self, name: str, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R: ...
    async def astep(self, name: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Do what `step` does, from asynchronous code; the function may be asynchronous or not.

        Raises:
            TaskStopped: the attempt is to stop, before or after the step.
            ReportRefusedError: the result is too large or cannot be written as JSON.
            TypeError: an argument cannot be written as JSON.
        """
        digest, is_known, result = self._recall(name, function, args, kwargs)
        if not is_known:
            with self._step_span(name, args, kwargs) as span:
                outcome: Any = function(*args, **kwargs)
                result = await outcome if inspect.isawaitable(outcome) else outcome
                span.complete(result)
            await self._until_kept(self._step_report(name, digest, result))
        self._attempt.check(may_pause=True)
        return result

    def _recall(
        self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[str, bool, Any]:
        """Begin a step: return the digest of its input, whether its result is known already, and that result."""
        self._attempt.check(may_pause=True)
        try:
            digest, memory = self._ledger.next(name, [args, kwargs])
        except TypeError as error:
            raise TypeError(f"the arguments of step {name!r} cannot be told apart: {error}") from error
        if memory is None:
            return digest, False, None
        fits, result = remembered_result(function, memory.result)
        if fits:
            self._step_span(name, args, kwargs).skip(f"reused from attempt {memory.attempt}")
            report = StepReused(
                task_id=self._lease.task_id, attempt=self._lease.attempt, name=name, input_digest=digest
            )
            self._outbox.put(self._attempt, report)
        return digest, fits, result

    def _step_span(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Task:
        return start_task_here(name, _step_input(args, kwargs), "task", None)

    def _step_report(self, name: str, digest: str, result: Any) -> StepCompleted:
        kept = kept_json(result, "step", self._outbox.max_value_bytes)
        return StepCompleted(
            task_id=self._lease.task_id, attempt=self._lease.attempt, name=name, input_digest=digest, result=kept
        )

    # --- deliverables ---------------------------------------------------------------------------------------------

    @property
    def expected_deliverables(self) -> list[ExpectedDeliverable]:
        """What the task is to hand over before it counts as completed."""
        return list(self._lease.deliverables)

    def attach(
        self, name: str, content: Any, *, type: str | None = None, content_type: str | None = None
    ) -> Deliverable:
        """Hand something over with the task; it is kept once this returns, and recorded in the timeline.

        content: a `pathlib.Path` is a file; bytes, a text or a binary file object are the content; anything else is
        written as JSON. type: what kind of thing it is, as `report`; None: `data` for JSON, else `file`. content_type:
        None: by the name. The same content under the same name again changes nothing, another one is the next version.
        Files are streamed. Waits as long as the collector is away.

        Raises:
            TaskStopped: the attempt is to stop, or its lease is lost.
            ReportRefusedError: it is over a size limit, the name cannot be that of a file, or a value has no JSON form.
            OSError: the file cannot be read.
        """
        self._refuse_on_loop("attach")
        self._attempt.check_lost()
        return self._attach(self._here(), name, content, type, content_type)

    async def aattach(
        self, name: str, content: Any, *, type: str | None = None, content_type: str | None = None
    ) -> Deliverable:
        """Do what `attach` does, from asynchronous code.

        Raises:
            TaskStopped, ReportRefusedError, OSError: see `attach`.
        """
        self._attempt.check_lost()
        return await asyncio.to_thread(self._attach, self._here(), name, content, type, content_type)

    def _attach(
        self, span: BaseSpan, name: str, content: Any, type: str | None, content_type: str | None
    ) -> Deliverable:
        from milepost.resources._content import content_of  # not before something is attached

        try:
            with content_of(name, content, content_type, type) as made:
                return self._outbox.attach(self._attempt, span, name, made)
        except InvalidRequestError as error:
            raise ReportRefusedError("deliverable", str(error)) from error

    # --- telling --------------------------------------------------------------------------------------------------

    def progress(self, fraction: float | None = None, phase: str | None = None) -> None:
        """Say how far it is. Costs no request: what is newest goes along with the next, at most twice a second.

        fraction: done, from 0 to 1; a number outside is moved to the nearer end. phase: what it is doing.

        Raises:
            TaskStopped: the attempt is to stop; once.
        """
        self._attempt.tell_if_stopped()
        done = None if fraction is None or fraction != fraction else min(max(float(fraction), 0.0), 1.0)
        named = phase[:200] if phase else None
        self._outbox.note_progress(self._attempt, done, named)
        now = time.monotonic()
        shown_at, shown_phase = self._shown
        if now - shown_at >= _PROGRESS_INTERVAL_S or (named is not None and named != shown_phase) or done == 1.0:
            self._shown = (now, named or shown_phase)
            self._here()._record("progress", fraction=done, name=named)

    def log(self, message: str, *, severity: Severity = "info", **fields: Any) -> None:
        """Record a line of log with structured fields.

        Raises:
            TaskStopped: the attempt is to stop; once.
        """
        self._here().log(message, severity=severity, **fields)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _here(self) -> BaseSpan:
        """Return the innermost span of this attempt that the calling code is in."""
        span = current_own()
        run = self._attempt.run
        return span if span is not None and span._run_id == run._run_id else run

    def _refuse_on_loop(self, method: str) -> None:
        if self._attempt.on_loop:
            raise RuntimeError(f"ctx.{method} would block the event loop; use `await ctx.a{method}(…)`")

    def _await_kept(self, report: AttemptReport, learn: Learn | None = None) -> None:
        future: Future[None] = Future()
        self._attempt.check_lost()
        with self._attempt.waiting(future):
            self._outbox.put(self._attempt, report, future, learn)
            future.result()

    async def _until_kept(self, report: AttemptReport, learn: Learn | None = None) -> None:
        future: Future[None] = Future()
        self._attempt.check_lost()
        with self._attempt.waiting(future):
            self._outbox.put(self._attempt, report, future, learn)
            await asyncio.wrap_future(future)


def _step_input(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the arguments as they are shown: the only one alone, several as a list, named ones by name."""
    if kwargs:
        return {"args": args, **kwargs} if args else kwargs
    return args[0] if len(args) == 1 else list(args) or None
