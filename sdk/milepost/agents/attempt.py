"""One attempt that a worker holds, from the answer that brought it until its end is reported, and how it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, InvalidStateError
from typing import NoReturn

from milepost import _stops
from milepost._span import Run
from milepost.agents.handlers import Handler
from milepost.agents.stops import StopKind, interrupts, is_more_urgent, stop_error
from milepost.errors import TaskSuspended
from milepost.wire.asks import AskDefinition
from milepost.wire.worker import TaskLease

__all__ = ["Attempt", "AttemptKey", "settle"]

AttemptKey = tuple[str, int]


class Attempt:
    """An attempt and its state. Every method may be called from any thread.

    started: its code has begun. over: its code has returned. gone: nothing that it reports is of use any more.
    """

    run: Run

    def __init__(self, lease: TaskLease, handler: Handler | None) -> None:
        self.lease = lease
        self.key: AttemptKey = (lease.task_id, lease.attempt)
        self.handler = handler
        self.started = False
        self.started_at = time.monotonic()
        self.over = False
        self.gone = False
        self.progress: tuple[float | None, str | None] | None = None  # not sent yet
        self.asked: StopKind | None = None
        self.reason = ""
        self.suspension: AskDefinition | None = None  # what its code has asked
        self.abandon_at: float | None = None  # by when a cancelled attempt must have stopped; monotonic
        self.loop_thread: int | None = None  # the thread of the event loop that it runs on
        self._process_id = os.getpid()
        self._task: asyncio.Task[None] | None = None
        self._told: set[int] = set()  # threads that were
        self._is_recorded = False
        self._waits: set[Future[None]] = set()
        self._lock = threading.Lock()

    # --- the worker's side ----------------------------------------------------------------------------------------

    def withdraw(self) -> bool:
        """Have its code not begin at all; False: it has."""
        with self._lock:
            if not self.started:
                self.over = True
            return self.over

    def claim(self) -> bool:
        """Note that its code begins; False: it was withdrawn."""
        with self._lock:
            self.started = not self.over
            return self.started

    def age_ms(self, now: float) -> int:
        """Return how long ago its code began, on the monotonic clock; 0 before."""
        return max(int((now - self.started_at) * 1_000), 0) if self.started else 0

    def begin(self, run: Run) -> None:
        """Note the run that records it."""
        with self._lock:
            self.run = run
            self._is_recorded = True
            self.started_at = time.monotonic()
            if interrupts(self.asked):
                self._announce()

    def run_as(self, task: asyncio.Task[None]) -> None:
        """Note the asyncio task, and its loop's thread, in which it runs; called in that thread."""
        with self._lock:
            self._task = task
            self.loop_thread = threading.get_ident()
            if interrupts(self.asked):
                task.cancel(self.reason)

    def finish(self) -> None:
        """Note that its code has returned."""
        with self._lock:
            self.over = True
            self._task = None
            if self.loop_thread is not None and interrupts(self.asked):
                _stops.linger(self.run._run_id)  # threads that it started go on, and are told at their next call
            else:
                _stops.requested.pop(self.run._run_id, None)

    def ask(self, kind: StopKind, reason: str) -> bool:
        """Have its code stop; tell whether that is news. Code that waits for a report to be kept waits no longer."""
        with self._lock:
            if not is_more_urgent(kind, self.asked) or self.over:
                return False
            self.asked, self.reason = kind, reason
            if interrupts(kind):
                self._told = set()
                self._announce()
            return True

    def _announce(self) -> None:
        if self._is_recorded:
            _stops.requested[self.run._run_id] = self.tell_once
        if self.asked != "cancel":  # a cancelled attempt's last checkpoint is still kept: its task may be tried again
            for wait in self._waits:
                settle(wait, self.stop())
        task = self._task
        if task is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                task.get_loop().call_soon_threadsafe(task.cancel, self.reason)

    # --- the code's side ------------------------------------------------------------------------------------------

    @property
    def on_loop(self) -> bool:
        """Tell whether the calling code runs on the event loop that all asynchronous handlers share."""
        return self.loop_thread == threading.get_ident()

    def stop(self) -> BaseException:
        """Return the exception that tells its code to stop."""
        assert self.asked is not None
        return stop_error(self.asked, self.reason)

    def tell_once(self) -> None:
        """Raise that exception unless the thread was told already, so that code which cleans up may be recorded.

        On the event loop it is not raised: there the task is cancelled, and being told twice would be once too many.
        """
        thread = threading.get_ident()
        if thread not in self._told and thread != self.loop_thread:
            self._told.add(thread)
            raise self.stop()

    def tell_if_stopped(self) -> None:
        """Raise that exception once if the code is to stop now."""
        if interrupts(self.asked):
            self.tell_once()

    def check_lost(self) -> None:
        """Raise if nothing that the attempt reports is of use any more.

        Raises:
            LeaseLost: it is lost.
            RuntimeError: the process was forked from the worker's.
        """
        if os.getpid() != self._process_id:
            raise RuntimeError("this context belongs to the process that serves the agent, not to one forked from it")
        if self.asked == "lost":
            self._told.add(threading.get_ident())
            raise self.stop()

    def suspend(self, ask: AskDefinition) -> NoReturn:
        """End its code by asking a person; of several asks the first counts.

        Raises:
            TaskSuspended: always.
        """
        with self._lock:
            self.suspension = self.suspension or ask
            raise TaskSuspended(self.suspension.title)

    def check(self, *, may_pause: bool = False) -> None:
        """Raise if the code is to stop now or, where its state is saved, to pause.

        Raises:
            TaskStopped: it is.
        """
        if interrupts(self.asked) or (may_pause and self.asked is not None):
            self._told.add(threading.get_ident())
            raise self.stop()
        if self.suspension is not None:
            raise TaskSuspended(self.suspension.title)

    @contextlib.contextmanager
    def waiting(self, future: Future[None]) -> Iterator[None]:
        """Wait for a report inside of the block: the future ends with the exception when the code is to stop."""
        with self._lock:
            self._waits.add(future)
            if self.asked in ("release", "lost"):
                settle(future, self.stop())
        try:
            yield
        finally:
            with self._lock:
                self._waits.discard(future)


def settle(future: Future[None], error: BaseException | None = None) -> None:
    """End a future unless it has ended."""
    with contextlib.suppress(InvalidStateError):
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
