"""What an attempt attaches to its task: sent until the collector has it, under the attempt's fence."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from typing import Any

from milepost._http import BlockingSender
from milepost._span import BaseSpan
from milepost.agents.attempt import Attempt
from milepost.agents.stops import interrupts
from milepost.errors import NotFoundError, ReportRefusedError
from milepost.resources import _deliverables
from milepost.resources._content import Content
from milepost.resources._exchange import Flow, Patience, exchange
from milepost.wire.deliverables import Deliverable

__all__ = ["EVENT", "Uploads"]

EVENT = "milepost.deliverable"  # of the timeline; its attributes begin with that too
_PATIENCE = Patience(max_retries=2**62)  # an attempt that is no longer wanted is told so
_TIMEOUT_S = 10.0


class Uploads:
    """The uploads of a worker's attempts. May be used from any thread; the connections are made by the first."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._sender: BlockingSender | None = None

    def attach(self, attempt: Attempt, span: BaseSpan, name: str, content: Content) -> Deliverable:
        """Attach a content and record that in the timeline.

        Raises:
            ConflictError: the attempt's lease is over.
            InvalidRequestError: it is too large, or its name is none.
            ReportRefusedError: the task is gone.
            TaskStopped: the attempt was told to stop meanwhile.
        """
        watched = _Watched(content, attempt)
        task_id, number = attempt.key
        operation = _deliverables.attach("tasks", task_id, name, watched, attempt=number, span_id=span.span_id)
        flow = exchange(operation, endpoint=self._endpoint, patience=_PATIENCE, random=random.random)
        try:
            found = self._connected().run(watched.while_wanted(flow))
        except NotFoundError as error:
            raise ReportRefusedError("deliverable", str(error)) from error
        span.add_event(EVENT, _attributes(found))
        return found

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._sender is not None:
                self._sender.close()

    def _connected(self) -> BlockingSender:
        with self._lock:
            if self._sender is None:
                self._sender = BlockingSender(self._endpoint, _TIMEOUT_S)
            return self._sender


class _Watched(Content):
    """A content whose sending ends when its attempt is told to stop; one that was told before may still attach."""

    def __init__(self, content: Content, attempt: Attempt) -> None:
        self._content = content
        self._attempt = attempt
        self._asked = attempt.asked
        self.content_type, self.type = content.content_type, content.type
        self.size_bytes, self.digest = content.size_bytes, content.digest

    def blocks(self) -> Iterator[bytes]:
        """Yield the content in blocks."""
        for block in self._content.blocks():
            self._check()
            yield block

    def while_wanted(self, flow: Flow[Deliverable]) -> Flow[Deliverable]:
        """Carry a flow out as long as the attempt is not told to stop."""
        outcome = None
        while True:
            self._check()
            try:
                step = flow.send(outcome)
            except StopIteration as end:
                found: Deliverable = end.value
                return found
            outcome = yield step

    def _check(self) -> None:
        self._attempt.check_lost()
        if self._attempt.asked != self._asked and interrupts(self._attempt.asked):
            self._attempt.check()


def _attributes(found: Deliverable) -> dict[str, Any]:
    names = ("name", "version", "type", "content_type", "size_bytes", "sha256")
    return {f"{EVENT}.{name}": getattr(found, name) for name in names}
