"""What becomes of leases and commands: attempts begin, are told to stop, and are given up."""

from __future__ import annotations

import logging
import time

from milepost._bell import Bell
from milepost.agents.attempt import Attempt
from milepost.agents.channel import Channel
from milepost.agents.execution import Execution
from milepost.agents.handlers import HandlerTable
from milepost.agents.holdings import Holdings
from milepost.agents.membership import Membership
from milepost.agents.outbox import Outbox
from milepost.agents.stage import Stage
from milepost.agents.stops import StopKind
from milepost.wire.worker import AttemptPaused, Command, TaskLease

__all__ = ["Dispatch"]

logger = logging.getLogger("milepost.agents")


class Dispatch:
    """The attempts of a worker, where they run, and the reports of them. May be used from any thread.

    agent: the name to record them under. news: rung when an attempt's code has returned or its end was answered.
    """

    def __init__(
        self,
        agent: str,
        handlers: HandlerTable,
        membership: Membership,
        channel: Channel,
        *,
        concurrency: int,
        news: Bell,
    ) -> None:
        self._agent = agent
        self._handlers = handlers
        self._news = news
        self.holdings = Holdings(concurrency)
        self.stage = Stage(concurrency)
        self.outbox = Outbox(channel, membership, self.obey, self._drop)
        self.draining = False

    def accept(self, lease: TaskLease) -> None:
        """Work on an attempt, unless that is done already."""
        attempt = Attempt(lease, self._handlers.find(lease.name))
        if not self.holdings.add(attempt):
            return
        if self.draining:
            if attempt.withdraw():
                self._hand_back(attempt)
            return
        execution = Execution(attempt, self._agent, self.outbox, self._code_ended)
        if attempt.handler is not None and attempt.handler.is_async:
            self.stage.run_async(execution.perform_async)
        else:
            self.stage.run(execution.perform)

    def obey(self, command: Command) -> None:
        """Do what the controller commands; a repeated command, and one for an attempt that is gone, changes nothing."""
        attempt = self.holdings.find((command.task_id, command.attempt))
        if attempt is None:
            return
        is_news = attempt.ask(command.kind, command.reason)
        if command.kind == "lost":
            self._drop(attempt)
        elif is_news:
            logger.debug("%s task %s, attempt %d: %s", command.kind, *attempt.key, command.reason)
            if command.kind == "cancel":
                grace_ms = attempt.lease.cancel_grace_ms if command.grace_ms is None else command.grace_ms
                attempt.abandon_at = time.monotonic() + grace_ms / 1_000

    def abandon_overdue(self, now: float) -> None:
        """Give up the attempts that were cancelled and have not stopped within their grace."""
        for attempt in self.holdings.all():
            if attempt.abandon_at is not None and attempt.abandon_at <= now and not attempt.over:
                logger.warning("task %s, attempt %d, was cancelled and does not stop; it is given up", *attempt.key)
                attempt.ask("lost", "it was cancelled and did not stop in time")
                attempt.gone = True  # but held, until the controller says that it is over: else it would be sent again
                attempt.abandon_at = None

    def _drop(self, attempt: Attempt) -> None:
        self.holdings.drop(attempt)
        self._news.ring()

    def _code_ended(self, attempt: Attempt) -> None:
        self.holdings.code_ended(attempt)
        self._news.ring()

    def _hand_back(self, attempt: Attempt) -> None:
        """Give back an attempt whose code will not begin."""
        task_id, number = attempt.key
        report = AttemptPaused(task_id=task_id, attempt=number, released=True, reason="the worker stops")
        self.outbox.put(attempt, report)

    def begin_to_drain(self) -> None:
        """Begin nothing more; what has not begun goes back."""
        self.draining = True
        for attempt in self.holdings.all():
            if attempt.withdraw():
                self._hand_back(attempt)

    def ask_all(self, kind: StopKind) -> None:
        """Ask every attempt to stop, because the worker does."""
        logger.info("%d attempts are asked to stop (%s)", len(self.holdings.working()), kind)
        for attempt in self.holdings.all():
            attempt.ask(kind, "the worker stops")
