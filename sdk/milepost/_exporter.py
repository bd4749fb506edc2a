"""The background thread: waits for events, encodes them, sends batches, keeps trying, and says that the process lives.

A batch once numbered is sent byte for byte the same until the collector has acknowledged or refused it, so that the
collector can tell a repetition from news. Meanwhile the queue fills and in the end refuses; only this thread waits.
"""

from __future__ import annotations

import logging
import os
import platform
import random
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from milepost import wire
from milepost._bell import Bell
from milepost._buffer import Entry, Marker
from milepost._codec import MAX_BATCH_BYTES, Codec, compress, pack_batch
from milepost._config import Config
from milepost._ids import span_text
from milepost._log import Throttle
from milepost._process import finish_with_process, importing
from milepost._retry import Answer, decide
from milepost._scrub import Scrubber
from milepost._version import __version__

if TYPE_CHECKING:
    from milepost._producer import Producer
    from milepost._transport import Transport

__all__ = ["Exporter"]

logger = logging.getLogger("milepost.exporter")

_GAP_S = 0.01  # urgent or not, this long is waited for company: at most 100 requests a second
# Urgent starts follow the batch before them after three times as long as it took, up to this. A commit costs the
# collector about the same with one event as with a hundred; so it is kept busy with them a quarter of the time at most.
_LONGEST_GAP_S = 0.1
_GAP_OF_SENDING = 3
_HEARTBEAT_S = 5.0
_MAX_BATCH_EVENTS = 4_000
_MAX_LISTED_SPANS = 1_000
_CLOSING_PAUSE_S = 0.1
_NEVER = float("inf")
_TOO_LARGE = 413

Fate = Literal["acknowledged", "too large", "lost"]


class Exporter:
    """Owns the thread. `signal`, `urge` and `close` may be called from any thread; the rest runs in its own.

    clock: seconds, monotonic.
    """

    def __init__(self, producer: Producer, *, clock: Callable[[], float] = time.monotonic) -> None:
        config = producer.config
        self._producer = producer
        self._config = config
        self._clock = clock
        self._codec = Codec(Scrubber(config.scrub), config.max_value_bytes)
        self._throttle = Throttle(clock=clock)
        self._jitter = random.Random().random
        self._wake = Bell()  # look again
        self._urge = Bell()  # somebody waits: no pause, no delay before the next attempt
        self._done = threading.Event()
        self._start_lock = threading.RLock()  # re-entrant: a signal handler may record while its thread is in here
        self._thread: threading.Thread | None = None
        self._transport: Transport | None = None
        self._resource: wire.Resource | None = None
        self._deadline = _NEVER
        self._sequence = 0
        self._busy = False
        self._gave_up = False
        self._answered = False  # the collector has been heard of in this process
        self._reported_drops = 0
        self._waiting_since: float | None = None
        self._last_export = -_NEVER
        self._gap_s = _GAP_S
        self._next_heartbeat = clock() + _HEARTBEAT_S

    @property
    def is_idle(self) -> bool:
        return not self._busy

    @property
    def has_given_up(self) -> bool:
        """Tell whether the process's end came before everything was acknowledged or refused."""
        return self._gave_up

    def is_done(self) -> bool:
        return self._done.is_set()

    def signal(self, urgent: bool) -> None:
        """Look at the queue; starts the thread at the first call."""
        if self._thread is None:
            self._start()
        self._wake.ring()

    def urge(self) -> None:
        """Send at once what is queued, and do not sit out a pause between attempts."""
        self._urge.ring()
        self._wake.ring()

    def close(self, timeout_s: float) -> bool:
        """Send what is left, say goodbye and stop; tell whether that was done within the timeout."""
        self._deadline = self._clock() + timeout_s
        if self._thread is None:
            self._done.set()
            return True
        self.urge()
        return self._done.wait(timeout_s) and not self._gave_up

    def _start(self) -> None:
        with self._start_lock:
            if self._thread is not None or self._is_closing:
                return
            # Known before it runs: a signal handler that records meanwhile must not start a second one.
            self._thread = threading.Thread(target=self._run, name="milepost-exporter", daemon=True)
            try:
                self._thread.start()
            except RuntimeError as error:  # the interpreter is exiting, or the system is out of threads
                logger.warning("nothing is recorded from now on, because events cannot be sent: %s", error)
                self._producer.buffer.close()
                self._gave_up = True
                self._done.set()
        finish_with_process()

    @property
    def _is_closing(self) -> bool:
        return self._deadline != _NEVER

    # --- the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._wait_for_work():
                self._export()
            if self._sequence:
                self._say_goodbye()
        finally:
            if self._transport is not None:
                self._transport.close()
            self._release_waiting()

    def _release_waiting(self) -> None:
        """Let everybody go who waits for something: nothing more is sent."""
        self._gave_up = self._gave_up or len(self._producer.buffer) > 0
        self._done.set()  # before the last look at the queue: `flush` does not wait for a marker that comes after it
        while entries := self._producer.buffer.take(_MAX_BATCH_EVENTS, MAX_BATCH_BYTES):
            for entry in entries:
                pass_marker(entry)

    def _wait_for_work(self) -> bool:
        """Wait until something is due; False: the queue is empty and nothing more will come."""
        while (delay_s := self._delay()) > 0:
            self._wake.wait(None if delay_s == _NEVER else delay_s)
        return not self._is_closing or (len(self._producer.buffer) > 0 and self._clock() < self._deadline)

    def _delay(self) -> float:
        """Return the seconds until something is due, or 0 or less if it is."""
        if self._is_closing or self._urge.is_rung:
            return 0.0
        now = self._clock()
        heartbeat_s = self._next_heartbeat - now if self._producer.open else _NEVER
        if not len(self._producer.buffer):
            self._waiting_since = None
            return heartbeat_s
        if self._waiting_since is None:
            self._waiting_since = now
        # The first event after a quiet time goes out at once, the following ones in batches: late by an interval at
        # most, and early when nothing else is going on.
        return min(max(self._last_export + self._pause_s(), self._waiting_since + _GAP_S) - now, heartbeat_s)

    def _pause_s(self) -> float:
        """Return the seconds between the last batch and the next."""
        interval_s = self._config.flush_interval_ms / 1_000
        if not self._producer.buffer.is_urgent:
            return interval_s
        return _GAP_S if len(self._producer.buffer) >= self._config.flush_events else min(self._gap_s, interval_s)

    def _export(self) -> None:
        """Send one helping of the queue, and a heartbeat if one is due."""
        self._busy = True
        begin = self._clock()
        self._urge.silence()
        entries: list[Entry] = []
        try:
            events = self._heartbeat()
            entries = self._producer.buffer.take(_MAX_BATCH_EVENTS, MAX_BATCH_BYTES)
            self._send_all(events + self._encoded(entries))
        except Exception:
            self._producer.buffer.count_dropped(len(entries))
            if self._throttle.is_open():
                logger.exception("a batch was lost to an error in the exporter; please report it")
        finally:
            self._last_export = self._clock()
            self._gap_s = min(max((self._last_export - begin) * _GAP_OF_SENDING, _GAP_S), _LONGEST_GAP_S)
            self._waiting_since = None
            self._busy = False
            for entry in entries:
                pass_marker(entry)

    def _heartbeat(self, *, closing: bool = False) -> list[bytes]:
        # Read before the queue is taken: a span that is missing here and starts now has its start in a later place.
        still_open = self._producer.open.copy()
        now = self._clock()
        if not closing and now < self._next_heartbeat:
            return []
        self._next_heartbeat = now + _HEARTBEAT_S
        if not still_open and not closing:
            return []
        listed = [span_text(span_id) for span_id in still_open] if len(still_open) <= _MAX_LISTED_SPANS else None
        return [self._codec.encode(wire.Heartbeat(time=self._producer.now(), open_spans=listed, closing=closing))]

    def _encoded(self, entries: list[Entry]) -> list[bytes]:
        encoded = []
        for entry in entries:
            try:
                event = entry.export(self._codec)
                if event is not None:
                    encoded.append(self._codec.encode(event))
            except Exception as error:
                self._producer.buffer.count_dropped(1)
                if self._throttle.is_open():
                    logger.warning("an event cannot be encoded and is dropped: %s: %s", type(error).__name__, error)
        return encoded

    def _send_all(self, events: list[bytes]) -> None:
        """Send events in as many batches as their size asks for."""
        batch: list[bytes] = []
        size = 0
        for event in events:
            if batch and size + len(event) > MAX_BATCH_BYTES:
                self._send(batch)
                batch, size = [], 0
            batch.append(event)
            size += len(event)
        if batch:
            self._send(batch)

    def _send(self, events: list[bytes]) -> None:
        """Number a batch and see it through; one that is refused as too large goes in halves, batches of their own."""
        if self._resource is None:
            self._resource = describe_process(self._config)
        if self._transport is None:
            self._transport = connect(self._config)
        sequence, self._sequence = self._sequence, self._sequence + 1
        producer = self._producer
        packed = pack_batch(producer.producer_id, sequence, producer.buffer.dropped, self._resource, events)
        fate = self._deliver(self._transport, *compress(packed), divisible=len(events) > 1)
        if fate == "too large":
            middle = len(events) // 2
            self._send(events[:middle])
            self._send(events[middle:])
        elif fate == "lost":
            producer.buffer.count_dropped(len(events))
        self._report_drops()

    def _deliver(self, transport: Transport, body: bytes, headers: dict[str, str], *, divisible: bool) -> Fate:
        """Send a batch until it is acknowledged, refused, or time is up."""
        failures = 0
        unknown = False  # whether an earlier attempt was stored; then its events must not come under another number
        while True:
            answer = transport.send(body, headers)
            self._answered = self._answered or answer.status is not None
            decision = decide(answer, failures, jitter=self._jitter())
            if decision.verdict == "acknowledged":
                self._report_rejected(answer)
                return "acknowledged"
            if answer.status == _TOO_LARGE and divisible and not unknown:
                return "too large"
            self._report_trouble(answer, failures, refused=decision.verdict == "refused")
            if decision.verdict == "refused" or not self._pause(decision.delay_s, answer):
                return "lost"
            failures += 1
            unknown = unknown or answer.reached

    def _pause(self, delay_s: float, answer: Answer) -> bool:
        """Sit out the pause between two attempts; False: the process is leaving and another attempt is no use."""
        self._urge.silence()  # before asking: who closes from now on rings it again
        if not self._is_closing:
            self._urge.wait(delay_s)
            if not self._is_closing:
                return True
        # No collector was ever seen here and none listens: nobody is about to come back.
        hopeless = not self._answered and not answer.reached
        left_s = self._deadline - self._clock()
        if hopeless or left_s <= 0:
            self._gave_up = True
            return False
        threading.Event().wait(min(delay_s, left_s, _CLOSING_PAUSE_S))
        return True

    def _say_goodbye(self) -> None:
        if self._clock() < self._deadline and self._answered:
            self._send(self._heartbeat(closing=True))

    # --- the log, once a minute ---------------------------------------------------------------------------------------

    def _report_trouble(self, answer: Answer, failures: int, *, refused: bool) -> None:
        # A kept connection that the other side has closed meanwhile is no trouble: the next attempt is made at once.
        is_trouble = refused or failures or answer.status is not None or not answer.reached
        if is_trouble and self._throttle.is_open():
            logger.warning(
                "the collector at %s %s (%s %s); %d events wait, %d were dropped so far%s",
                self._config.endpoint, "refuses a batch" if refused else "does not take events",
                answer.status or "no answer:", answer.detail, len(self._producer.buffer), self._producer.buffer.dropped,
                _remedy(answer),
            )  # fmt: skip

    def _report_rejected(self, answer: Answer) -> None:
        if answer.rejected and self._throttle.is_open():
            logger.warning("the collector rejected %d events, the first because %s", answer.rejected, answer.detail)

    def _report_drops(self) -> None:
        dropped = self._producer.buffer.dropped
        if dropped > self._reported_drops and self._throttle.is_open():
            logger.warning("%d events were dropped since the last report, %d in all",
                           dropped - self._reported_drops, dropped)  # fmt: skip
            self._reported_drops = dropped


def _remedy(answer: Answer) -> str:
    if not answer.reached:
        return "; start it with `milepost serve`, or set MILEPOST_DISABLED=true"
    return "; lower MILEPOST_MAX_VALUE_BYTES" if answer.status == _TOO_LARGE else ""


def pass_marker(entry: Entry) -> None:
    """Tell whoever waits at a marker that it was reached."""
    if isinstance(entry, Marker):
        entry.passed.set()
        if entry.then is not None:
            entry.then()


def connect(config: Config) -> Transport:
    """Return the way to the collector."""
    with importing():  # the HTTP client is a quarter of the SDK's import time, and many processes send nothing
        from milepost._transport import Transport
    return Transport(config)


def describe_process(config: Config) -> wire.Resource:
    """Return what every batch says about its producer."""
    return wire.Resource(
        agent=config.agent_name,
        service_name=config.service_name,
        service_version=config.service_version,
        host_name=socket.gethostname() or None,
        process_id=os.getpid(),
        sdk_name="milepost-python",
        sdk_version=__version__,
        runtime=f"{platform.python_implementation()} {platform.python_version()}",
        attributes=dict(config.resource_attributes) or None,
    )
