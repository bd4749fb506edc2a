"""A worker: this process serving an agent, from its registration until its last attempt is reported.

Three threads beside those of the handlers: one polls, one reports, and the one that serves waits until it is told to
stop and sees to it that what is under way ends well.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable

import msgspec

from milepost._bell import Bell
from milepost._version import __version__
from milepost.agents.channel import UNREGISTER, Channel
from milepost.agents.dispatch import Dispatch
from milepost.agents.handlers import HandlerTable
from milepost.agents.membership import Membership
from milepost.agents.poller import Poller
from milepost.agents.traits import Traits
from milepost.errors import MilepostError
from milepost.wire.worker import RegisterRequest, UnregisterRequest

__all__ = ["Worker"]

logger = logging.getLogger("milepost.agents")

_LONGEST_TRY_S = 5.0  # of a request, beside what it may wait for: shorter than leases are
_PAUSE_S = 5.0  # for what is asked to pause when a drain has taken its time
_RELEASE_S = 1.0  # for what is told to stop after that
_REPORT_S = 5.0  # for the last reports, if the time for the drain is over
_JOIN_S = 2.0


class Worker:
    """Serves an agent in this process. Made by `Agent`; a context manager that stops at its end.

    It does not survive a fork: serve the agent in the child, after the fork. Methods may be called from any thread.
    """

    def __init__(
        self,
        agent: str,
        teams: list[str],
        handlers: HandlerTable,
        *,
        concurrency: int,
        endpoint: str,
        traits: Traits | None = None,
    ) -> None:
        """Made by `Agent.serve` and `Agent.serve_in_background`."""
        self._agent = agent
        self._endpoint = endpoint
        self._membership = Membership(
            RegisterRequest(
                agent=agent,
                concurrency=concurrency,
                tasks=handlers.names,
                any=handlers.has_any,
                teams=teams,
                capabilities=list(traits.capabilities) if traits else [],
                labels=dict(traits.labels) if traits else {},
                host_name=socket.gethostname()[:255] or None,
                process_id=os.getpid(),
                sdk_version=__version__,
            )
        )
        self._news = Bell()  # for whoever waits in `wait` or `stop`
        self._resting = Bell()
        self._dispatch = Dispatch(
            agent, handlers, self._membership, self._channel(), concurrency=concurrency, news=self._news
        )
        self._outbox, self._holdings = self._dispatch.outbox, self._dispatch.holdings
        self._poller = Poller(self._channel(), self._membership, self._holdings, self._dispatch, self._rest)
        self._threads = [
            threading.Thread(target=self._work, args=(self._poller.work,), name="milepost-poller", daemon=True),
            threading.Thread(target=self._work, args=(self._outbox.work,), name="milepost-reporter", daemon=True),
        ]
        self._process_id = os.getpid()
        self._stop_requests = 0
        self._stopped = False
        self._stop_lock = threading.Lock()
        self.failure: Exception | None = None

    def _channel(self) -> Channel:
        return Channel(self._endpoint, _LONGEST_TRY_S)

    # --- what the agent's owner calls -----------------------------------------------------------------------------

    @property
    def worker_id(self) -> str | None:
        """The id under which the collector knows it; None: it has not registered yet."""
        return self._membership.worker_id

    @property
    def is_elsewhere(self) -> bool:
        """Tell whether this is a process forked from the worker's."""
        return os.getpid() != self._process_id

    def start(self) -> None:
        """Register, and begin to work, in threads of its own."""
        for thread in self._threads:
            thread.start()

    def ask_to_stop(self) -> None:
        """Have `wait` return; asked twice, the drain is cut short. May be called from a signal handler."""
        self._stop_requests += 1
        self._news.ring()

    def wait(self) -> None:
        """Return when it is asked to stop, or cannot go on."""
        while not self._stop_requests and self.failure is None:
            self._news.wait(None)

    def stop(self, drain_timeout_s: float = 30.0) -> None:
        """Take no more work, let the work under way end, and leave.

        What is not done within drain_timeout_s is asked to save its state and pause; what does not do that within 5 s
        is stopped as by a cancellation, and its task goes back to the queue. Code in threads that does not react keeps
        its lease until that runs out, since it may still be at it. Safe to call twice; in a forked process it does
        nothing, since the worker is the parent's.
        """
        if self.is_elsewhere:
            return
        with self._stop_lock:
            if self._stopped:
                return
            self._stopped = True
            self._dispatch.begin_to_drain()
            self._poller.interrupt()
            deadline = time.monotonic() + drain_timeout_s
            self._drain(drain_timeout_s)
            self._leave(max(deadline - time.monotonic(), _REPORT_S))

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    # --- inside ---------------------------------------------------------------------------------------------------

    def _work(self, work: Callable[[], None]) -> None:
        """Run one of the two threads. A worker that no longer polls or reports must not look as if it did."""
        try:
            work()
        except Exception as error:
            self.failure = error
            logger.error(
                "agent %r is not served: %s", self._agent, error, exc_info=not isinstance(error, MilepostError)
            )
            self._news.ring()

    def _rest(self, seconds: float) -> None:
        self._resting.wait(seconds)

    # --- stopping -------------------------------------------------------------------------------------------------

    def _drain(self, timeout_s: float) -> None:
        if self._wait_for_code(timeout_s):
            return
        self._dispatch.ask_all("drain")
        if self._wait_for_code(_PAUSE_S):
            return
        self._dispatch.ask_all("release")
        self._wait_until(lambda: not self._holdings.working(), _RELEASE_S)

    def _wait_for_code(self, timeout_s: float) -> bool:
        """Wait until no handler works; tell whether that came about. A second request to stop ends the wait."""
        if self._stop_requests > 1:
            return not self._holdings.working()
        return self._wait_until(
            lambda: not self._holdings.working(), timeout_s, give_up=lambda: self._stop_requests > 1
        )

    def _wait_until(
        self, condition: Callable[[], bool], timeout_s: float, give_up: Callable[[], bool] = lambda: False
    ) -> bool:
        deadline = time.monotonic() + timeout_s
        while not condition():
            left_s = deadline - time.monotonic()
            if left_s <= 0 or give_up():
                return False
            self._news.wait(left_s)
        return True

    def _leave(self, timeout_s: float) -> None:
        """Have the last reports answered, say goodbye if nothing is left behind, and end the threads."""
        working = {attempt.key for attempt in self._holdings.working()}
        reported = self._wait_until(
            lambda: {item.key for item in self._holdings.all()} <= working,
            timeout_s,
            give_up=lambda: self._stop_requests > 2,
        )
        self._end_threads()
        if working:
            logger.warning("%d attempts do not stop; their leases run out", len(working))
        elif not reported:
            logger.warning("%d attempts could not be reported; their leases run out", len(self._holdings))
        elif self.worker_id is not None:
            self._unregister(self.worker_id)
        self._dispatch.stage.close()

    def _end_threads(self) -> None:
        deadline = time.monotonic() + _JOIN_S
        while True:
            # Again and again: a thread that was just about to ask is not in a request that could be broken off.
            self._outbox.close()
            self._poller.close()
            self._resting.ring()
            alive = [thread for thread in self._threads if thread.is_alive()]
            if not alive or time.monotonic() > deadline:
                return
            alive[0].join(0.02)

    def _unregister(self, worker_id: str) -> None:
        channel = self._channel()
        with contextlib.suppress(msgspec.DecodeError):  # whatever it answers to a goodbye
            channel.ask_once(UNREGISTER, msgspec.json.encode(UnregisterRequest(worker_id=worker_id)), _JOIN_S)
        channel.release()
