"""The poll: one request after the other, each of which renews the leases that are held and may bring work and commands.

It has a thread of its own, so that neither a handler nor a blocked event loop can hold it up.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

import msgspec

from milepost.agents.attempt import AttemptKey
from milepost.agents.channel import POLL, Channel, Refusal
from milepost.agents.holdings import Holdings
from milepost.agents.membership import Membership
from milepost.wire.worker import Command, PollAnswer, PollRequest, TaskLease

__all__ = ["Polled", "Poller"]

logger = logging.getLogger("milepost.agents")

_CROWDED_WAIT_MS = 1_000  # while code of lost attempts takes every slot: how soon a free one is noticed
_REFUSED_PAUSE_S = 5.0
_START_TOLD_WITHIN_MS = 250  # an attempt that has ended by then need not be told to have started


class Polled(Protocol):
    """What a poll's answer is for."""

    @property
    def draining(self) -> bool:
        """Tell whether no more work is wanted."""

    def accept(self, lease: TaskLease) -> None:
        """Work on an attempt."""

    def obey(self, command: Command) -> None:
        """Do what is commanded."""

    def abandon_overdue(self, now: float) -> None:
        """Give up the attempts that were to have stopped by now, on the monotonic clock."""


class Poller:
    """Polls, in the thread that runs `work`."""

    def __init__(
        self,
        channel: Channel,
        membership: Membership,
        holdings: Holdings,
        worker: Polled,
        pause: Callable[[float], object],
    ) -> None:
        self._channel = channel
        self._membership = membership
        self._holdings = holdings
        self._worker = worker
        self._pause = pause
        self._within_ms = 0  # how soon the next poll must come, by the answer to the last
        self._started: set[AttemptKey] = set()  # attempts that the last poll told to have started
        self._closed = False

    def work(self) -> None:
        """Poll until closed.

        Raises:
            ConfigurationError: the collector refuses the agent.
        """
        try:
            worker_id = self._membership.join(self._channel)
            while worker_id is not None and not self._closed:
                worker_id = self._poll(worker_id)
                self._worker.abandon_overdue(time.monotonic())
        finally:
            self._channel.release()

    def _poll(self, worker_id: str) -> str | None:
        """Poll once; return the id to go on with."""
        wait_ms = self._wait_ms()
        request = partial(self._request, worker_id, wait_ms)  # each try names what is held by then
        answer = self._channel.ask(POLL, request, wait_s=wait_ms / 1_000)
        if isinstance(answer, Refusal):
            return self._after_refusal(answer, worker_id)
        if answer is not None:
            self._take(answer)
        return worker_id

    def interrupt(self) -> None:
        """Poll anew at once: what the worker wants has changed."""
        self._channel.interrupt()

    def close(self) -> None:
        """Have `work` return."""
        self._closed = True
        self._channel.close()

    def _request(self, worker_id: str, wait_ms: int) -> bytes:
        held = self._holdings.held()
        self._started = {(item.task_id, item.attempt) for item in held if item.started}
        draining = self._worker.draining or self._holdings.is_crowded
        return _encode(PollRequest(worker_id=worker_id, held=held, wait_ms=wait_ms, draining=draining))

    def _wait_ms(self) -> int:
        wait_ms = min(self._membership.max_wait_ms, self._within_ms)
        if self._holdings.is_crowded:
            wait_ms = min(wait_ms, _CROWDED_WAIT_MS)
        if any(attempt.key not in self._started for attempt in self._holdings.all()):
            wait_ms = min(wait_ms, _START_TOLD_WITHIN_MS)
        abandon_at = self._holdings.next_abandon()
        if abandon_at is not None:
            wait_ms = min(wait_ms, int((abandon_at - time.monotonic()) * 1_000) + 1)
        return max(wait_ms, 0)

    def _take(self, answer: PollAnswer) -> None:
        self._within_ms = answer.poll_within_ms
        for command in answer.commands:
            self._worker.obey(command)
        for lease in answer.leases:
            self._worker.accept(lease)

    def _after_refusal(self, refusal: Refusal, worker_id: str) -> str | None:
        """Register anew if the collector does not know the worker; return the id to go on with."""
        if refusal.status == 404:
            return self._membership.join(self._channel, worker_id)
        logger.error("the collector refuses to be polled: %d %s", refusal.status, refusal.detail)
        self._pause(_REFUSED_PAUSE_S)
        return worker_id


_encode = msgspec.json.Encoder().encode
