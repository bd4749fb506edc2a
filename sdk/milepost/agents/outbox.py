"""Reports on their way: what gathers while one request is under way goes with the next.

So a worker that completes a thousand tasks a second makes a few hundred requests, and one that completes a task makes
one, at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from milepost._bell import Bell
from milepost.agents.attempt import Attempt, settle
from milepost.agents.channel import REPORT, Channel, Refusal
from milepost.agents.membership import Membership
from milepost.agents.stops import stop_error
from milepost.errors import BudgetExceededError, ConfigurationError, ConflictError, ReportRefusedError
from milepost.wire.worker import (
    AttemptAsked,
    AttemptCancelled,
    AttemptCompleted,
    AttemptFailed,
    AttemptPaused,
    AttemptReport,
    Command,
    ProgressMade,
    ReportResult,
    ReportsAnswer,
)

if TYPE_CHECKING:
    from milepost._span import BaseSpan
    from milepost.agents.attaching import Uploads
    from milepost.resources._content import Content
    from milepost.wire.deliverables import Deliverable

__all__ = ["Outbox"]

logger = logging.getLogger("milepost.agents")

_ENDS = (AttemptCompleted, AttemptFailed, AttemptCancelled, AttemptPaused, AttemptAsked)
_FINAL = (AttemptCompleted, AttemptAsked)  # refused once, they would be again
_MAX_REPORTS = 2_000  # of one request
_MAX_BYTES = 4_000_000
_PROGRESS_INTERVAL_S = 0.5
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class _Letter:
    """A report, encoded by whoever made it."""

    attempt: Attempt
    report: AttemptReport
    body: bytes
    wait: Future[None] | None
    ends: bool
    learn: Callable[[ReportResult], None] | None = None


class Outbox:
    """Takes reports from any thread and sends them in their order, from one thread that runs `work`.

    on_command: obeys what an answer commands. on_end: hears of attempts whose end was answered or is of no use.
    """

    def __init__(
        self,
        channel: Channel,
        membership: Membership,
        on_command: Callable[[Command], None],
        on_end: Callable[[Attempt], None],
    ) -> None:
        self._channel = channel
        self._membership = membership
        self._on_command = on_command
        self._on_end = on_end
        self._letters: deque[_Letter] = deque()
        self._moving: dict[Attempt, None] = {}  # have made progress that is not sent
        self._next_progress = 0.0
        self._bell = Bell()
        self._closed = False
        self._uploads: Uploads | None = None
        self._attaching = threading.Lock()

    @property
    def max_value_bytes(self) -> int:
        """The most that a checkpoint, a step's result or a result may take as JSON."""
        return self._membership.max_value_bytes

    def put(
        self,
        attempt: Attempt,
        report: AttemptReport,
        wait: Future[None] | None = None,
        learn: Callable[[ReportResult], None] | None = None,
    ) -> None:
        """Send a report; wait: ends once it is answered, with an exception unless it was taken. learn: gets the answer
        before, in the thread that sends.

        Raises:
            Exception: it cannot be encoded.
        """
        self._letters.append(_Letter(attempt, report, _encode(report), wait, isinstance(report, _ENDS), learn))
        self._bell.ring()

    def note_progress(self, attempt: Attempt, fraction: float | None, phase: str | None) -> None:
        """Send how far an attempt is, when something is sent anyway or half a second has passed."""
        before = attempt.progress
        if before is not None:  # what is not said now is as it was
            fraction = before[0] if fraction is None else fraction
            phase = before[1] if phase is None else phase
        attempt.progress = (fraction, phase)
        if attempt not in self._moving:
            self._moving[attempt] = None
            self._bell.ring()

    def attach(self, attempt: Attempt, span: BaseSpan, name: str, content: Content) -> Deliverable:
        """Attach a content to an attempt's task; returns once it is kept.

        Raises:
            InvalidRequestError: it is too large, or its name is none.
            ReportRefusedError: the task is gone.
            TaskStopped: the attempt is to stop, or its lease is lost.
        """
        from milepost.agents.attaching import Uploads  # httpx, which workers that attach nothing do without

        with self._attaching:
            self._uploads = self._uploads or Uploads(self._channel.endpoint)
        try:
            return self._uploads.attach(attempt, span, name, content)
        except ConflictError as error:
            task_id, number = attempt.key
            self._on_command(Command(kind="lost", task_id=task_id, attempt=number, reason=error.detail))
            attempt.check_lost()
            raise ReportRefusedError("deliverable", error.detail) from error

    def close(self) -> None:
        """Have `work` return; what is under way is given up."""
        if self._uploads is not None:
            self._uploads.close()
        self._closed = True
        self._channel.close()
        self._bell.ring()

    # --- the thread that sends --------------------------------------------------------------------------------------

    def work(self) -> None:
        """Send until closed."""
        try:
            while not self._closed:
                self._wait()
                if batch := self._take():
                    self._deliver(batch)
        finally:
            self._channel.release()

    def _wait(self) -> None:
        """Return when there is, or may be, something to send."""
        if self._letters:
            self._bell.silence()
        else:
            self._bell.wait(self._until_progress())

    def _until_progress(self) -> float | None:
        return max(self._next_progress - time.monotonic(), 0.0) if self._moving else None

    def _take(self) -> list[_Letter]:
        """Remove and return what goes with the next request: progress first, since an end may follow it."""
        batch: list[_Letter] = []
        size = 0
        if self._moving and (self._letters or time.monotonic() >= self._next_progress):
            batch = self._take_progress()
        while self._letters and len(batch) < _MAX_REPORTS and size < _MAX_BYTES:
            letter = self._letters.popleft()
            if letter.attempt.gone:
                self._settle(letter, ReportResult(outcome="stale"))
                continue
            size += len(letter.body)
            batch.append(letter)
        return batch

    def _take_progress(self) -> list[_Letter]:
        self._next_progress = time.monotonic() + _PROGRESS_INTERVAL_S
        taken = []
        for attempt in list(self._moving):
            del self._moving[attempt]
            made, attempt.progress = attempt.progress, None
            if made is not None and not attempt.gone:
                task_id, number = attempt.key
                report = ProgressMade(task_id=task_id, attempt=number, progress=made[0], phase=made[1])
                taken.append(_Letter(attempt, report, _encode(report), None, ends=False))
        return taken

    def _deliver(self, batch: list[_Letter]) -> None:
        """Send a batch until it is answered; one that is refused as a whole goes in halves."""
        answer = self._ask(batch)
        if answer is None:
            return
        if isinstance(answer, ReportsAnswer):
            for letter, result in zip(batch, answer.results, strict=True):
                self._settle(letter, result)
            for command in answer.commands:
                self._on_command(command)
        elif len(batch) > 1:
            middle = len(batch) // 2
            self._deliver(batch[:middle])
            self._deliver(batch[middle:])
        else:
            self._settle(batch[0], ReportResult(outcome="refused", reason=f"{answer.status} {answer.detail}"))

    def _ask(self, batch: list[_Letter]) -> ReportsAnswer | Refusal | None:
        reports = [msgspec.Raw(letter.body) for letter in batch]
        worker_id = self._membership.worker_id
        while True:
            body = _encode({"worker_id": worker_id, "reports": reports})
            answer = self._channel.ask(REPORT, lambda body=body: body)  # type: ignore[misc]
            if not isinstance(answer, Refusal) or answer.status != 404:
                return answer
            try:
                worker_id = self._membership.join(self._channel, worker_id)
            except ConfigurationError as error:
                return Refusal(404, str(error))

    def _settle(self, letter: _Letter, result: ReportResult) -> None:
        attempt = letter.attempt
        if result.outcome == "stale" and not attempt.gone:
            task_id, number = attempt.key
            reason = result.reason or "the lease is over"
            self._on_command(Command(kind="lost", task_id=task_id, attempt=number, reason=reason))
        if letter.learn is not None:
            letter.learn(result)
        if letter.wait is not None:
            settle(letter.wait, _error_of(letter, result))
        if letter.ends:
            if result.outcome == "applied" and result.reason:
                logger.info("task %s, attempt %d, counts as failed: %s", *attempt.key, result.reason)
            if result.outcome == "refused" and self._replace(letter, result.reason):
                return
            self._on_end(attempt)

    def _replace(self, letter: _Letter, reason: str) -> bool:
        """Report an end that was refused as a failure instead; tell whether that was done."""
        task_id, number = letter.attempt.key
        logger.warning("the end of task %s, attempt %d, was refused: %s", task_id, number, reason)
        if isinstance(letter.report, AttemptFailed):
            return False
        report = AttemptFailed(
            task_id=task_id,
            attempt=number,
            error_type="milepost.errors.ReportRefusedError",
            error_message=str(ReportRefusedError(_kind_of(letter), reason)),
            retryable=not isinstance(letter.report, _FINAL),
        )
        self.put(letter.attempt, report)
        return True


def _kind_of(letter: _Letter) -> str:
    return "ask" if isinstance(letter.report, AttemptAsked) else str(type(letter.report).__struct_config__.tag)


def _error_of(letter: _Letter, result: ReportResult) -> BaseException | None:
    """Return what whoever waits for a report gets instead of its being kept."""
    if result.outcome in ("applied", "repeated"):
        return None
    if result.outcome == "stale":
        return stop_error("lost", result.reason)
    if result.budget_id is not None:
        return BudgetExceededError(result.reason, result.budget_id, waits=result.waits)
    return ReportRefusedError(_kind_of(letter), result.reason)
