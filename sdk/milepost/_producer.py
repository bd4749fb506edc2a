"""A producer: one process's identity towards the collector, with its clock, its ids, its queue and its exporter.

A process that forks gets another producer in the child, with an empty queue and no thread: what the parent had queued
is the parent's to send. Spans opened before the fork keep the parent's producer, so that the child cannot send their
ends.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from milepost._buffer import Buffer, Marker
from milepost._capture import Snapshot, snapshot
from milepost._config import Config
from milepost._exporter import Exporter
from milepost._ids import IdGenerator, RandomIds
from milepost._records import EventRecord

if TYPE_CHECKING:
    from milepost._span import BaseSpan

__all__ = ["ExporterLike", "Producer"]


class ExporterLike(Protocol):
    """What empties the queue."""

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing that was taken from the queue is still on its way."""

    @property
    def has_given_up(self) -> bool:
        """Tell whether the process's end came before everything was acknowledged or refused."""

    def is_done(self) -> bool:
        """Tell whether it has stopped for good."""

    def signal(self, urgent: bool) -> None:
        """Look at the queue."""

    def urge(self) -> None:
        """Send at once."""

    def close(self, timeout_s: float) -> bool:
        """Send what is left and stop."""


class Producer:
    """Takes what spans hand over. Every method may be called from any thread and returns at once, except `flush`.

    clock: nanoseconds since the Unix epoch.
    """

    def __init__(
        self, config: Config, *, clock: Callable[[], int] = time.time_ns, ids: IdGenerator | None = None
    ) -> None:
        ids = ids or RandomIds()
        self.config = config
        self.recording = not config.disabled
        self.captures = config.capture and not config.disabled
        self.max_value_bytes = config.max_value_bytes
        self.now = clock
        self.new_run_id = ids.new_run_id
        self.new_span_id = ids.new_span_id
        self.open: set[int] = set()  # spans whose end the exporter has not seen
        self.heir: Producer | None = None  # the child process's producer, once this one is the parent's
        self.producer_id = os.urandom(16).hex()
        self._exporter = self._make_exporter()
        self.buffer = Buffer(
            config.max_queue_events, config.max_queue_bytes, config.flush_events, self._exporter.signal
        )
        if config.disabled:
            self.buffer.close()

    def _make_exporter(self) -> ExporterLike:
        return Exporter(self)

    @property
    def newest(self) -> Producer:
        """The producer of this process: itself, unless the process has forked since."""
        return self if self.heir is None else self.heir.newest

    def capture(self, value: Any) -> Snapshot | None:
        """Return the value as it is now, or None if values are not to be recorded."""
        return snapshot(value, self.max_value_bytes) if self.captures else None

    def ended(self, span: BaseSpan, size: int) -> None:
        """Take a span that has ended."""
        if not self.buffer.put_end(span, size):
            span._exported = True  # its start may still be queued and must not be taken for the end that was dropped
            self.open.discard(span._span_id)

    def happened(self, event: EventRecord) -> None:
        """Take an event, also of a span that was opened before the process forked."""
        self.newest.buffer.put_event(event, event.size)

    def flush(self, timeout_s: float) -> bool:
        """Send everything recorded so far; tell whether it was acknowledged or refused for good within the timeout."""
        if self._exporter.is_done() or (not len(self.buffer) and self._exporter.is_idle):
            return not len(self.buffer) and not self._exporter.has_given_up
        marker = Marker()
        self.buffer.put_marker(marker)
        if self._exporter.is_done():  # asked after the marker is in: an exporter that stops now lets it pass
            return False
        self._exporter.urge()
        return marker.passed.wait(timeout_s) and not self._exporter.has_given_up

    def when_sent(self, then: Callable[[], object]) -> None:
        """Call a function once everything recorded so far was acknowledged or refused for good, at once if it was.

        It is called in the thread that sends, or in this one, and may be called twice while the process ends.
        """
        if self._exporter.is_done() or (not len(self.buffer) and self._exporter.is_idle):
            then()
            return
        self.buffer.put_marker(Marker(then))
        if self._exporter.is_done():  # it may not have seen the marker
            then()
            return
        self._exporter.urge()

    def close(self, timeout_s: float) -> bool:
        """Send what is left and say goodbye, within the timeout; record nothing from now on."""
        self.recording = False
        self.buffer.close()
        return self._exporter.close(timeout_s)

    def fork(self) -> Producer:
        """Return the producer of a process that has just been forked, and retire this copy of the parent's."""
        child = type(self)(self.config)
        self.heir = child
        self.recording = False
        self.buffer.abandon()
        return child
