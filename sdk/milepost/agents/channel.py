"""A thread's way to the collector's `/api/worker`: a request is repeated until it is answered."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from milepost._bell import Bell
from milepost._log import Throttle
from milepost._retry import Answer, decide
from milepost._transport import Connection, refusal
from milepost.wire.worker import PollAnswer, RegisterAnswer, ReportsAnswer

__all__ = ["POLL", "REGISTER", "REPORT", "UNREGISTER", "Channel", "Operation", "Refusal"]

logger = logging.getLogger("milepost.agents")

T = TypeVar("T")

_HEADERS = {"content-type": "application/json", "accept": "application/json"}
_MAX_ANSWER_BYTES = 256 * 2**20


class Operation(Generic[T]):
    """A request of the worker's protocol: where it goes and what is answered."""

    def __init__(self, path: str, answer: type[T]) -> None:
        self.path = path
        self.decode: Callable[[bytes], T] = msgspec.json.Decoder(answer).decode


REGISTER = Operation("/api/worker/register", RegisterAnswer)
POLL = Operation("/api/worker/poll", PollAnswer)
REPORT = Operation("/api/worker/reports", ReportsAnswer)
UNREGISTER = Operation("/api/worker/unregister", Any)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that says no. 404: the worker is not known (any more)."""

    status: int
    detail: str


class Channel:
    """A kept connection with patience. Used by one thread, but for `close` and `interrupt`.

    jitter: random numbers in [0, 1).
    """

    def __init__(self, endpoint: str, timeout_s: float, *, jitter: Callable[[], float] = random.random) -> None:
        self.endpoint = endpoint
        self._timeout_s = timeout_s
        self._connection = Connection(endpoint, timeout_s)
        self._jitter = jitter
        self._hurry = Bell()  # ends a pause between two tries
        self._throttle = Throttle()
        self._closed = False
        self.is_away = False  # the last try got no answer

    def ask(
        self, operation: Operation[T], make_body: Callable[[], bytes], *, wait_s: float = 0.0
    ) -> T | Refusal | None:
        """Return the answer, however long the collector is away; None: the channel was closed meanwhile.

        make_body: called for every try. wait_s: how long the collector itself may take before it answers.
        """
        failures = 0
        while not self._closed:
            answer = self._try(operation, make_body(), wait_s)
            if not isinstance(answer, Answer):
                self.is_away = False
                return answer
            decision = decide(answer, failures, jitter=self._jitter())
            if decision.verdict == "refused" and answer.status is not None:
                return Refusal(answer.status, _detail_of(answer.detail))
            # A kept connection that the other side has closed meanwhile is no trouble: the next try is made at once.
            if failures or answer.status is not None or not answer.reached:
                self.is_away = True
                self._report(answer)
                self._hurry.wait(decision.delay_s)
            failures += 1
        return None

    def ask_once(self, operation: Operation[T], body: bytes, timeout_s: float) -> T | Refusal | None:
        """Return the answer to one try; None: there is none."""
        reply = self._connection.post(
            operation.path, body, _HEADERS, max_bytes=_MAX_ANSWER_BYTES, timeout_s=max(timeout_s, 0.01)
        )
        if isinstance(reply, Answer):
            return None
        response, content = reply
        if not 200 <= response.status < 300:
            return Refusal(response.status, _detail_of(content[:500].decode(errors="replace")))
        return operation.decode(content or b"null")

    def interrupt(self) -> None:
        """Break off a request or pause under way, so that it is tried again at once. May be called from any thread."""
        self._hurry.ring()
        self._connection.interrupt()

    def close(self) -> None:
        """Give up what is under way, and close the connection. May be called from any thread, and again."""
        self._closed = True
        self.interrupt()

    def release(self) -> None:
        """Close the connection; called by the thread that used it, or after that has ended."""
        self._connection.close()

    def _try(self, operation: Operation[T], body: bytes, wait_s: float) -> T | Answer:
        reply = self._connection.post(
            operation.path, body, _HEADERS, max_bytes=_MAX_ANSWER_BYTES, timeout_s=self._timeout_s + wait_s
        )
        if isinstance(reply, Answer):
            return reply
        response, content = reply
        if not 200 <= response.status < 300:
            return refusal(response, content)
        try:
            return operation.decode(content)
        except msgspec.DecodeError as error:
            return Answer(status=response.status + 300, detail=f"the answer cannot be read: {error}")

    def _report(self, answer: Answer) -> None:
        if not self._closed and self._throttle.is_open():
            hint = "" if answer.reached else "; start it with `milepost serve`"
            logger.warning(
                "the collector at %s does not answer (%s %s); work goes on and is reported later%s",
                self.endpoint, answer.status or "no answer:", _detail_of(answer.detail), hint,
            )  # fmt: skip


def _detail_of(text: str) -> str:
    """Return what a problem says, or the text itself if it is none."""
    try:
        problem = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    detail = problem.get("detail") if isinstance(problem, dict) else None
    return str(detail or text)
