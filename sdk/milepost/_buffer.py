"""The queue between the application's threads and the exporter's: bounded, and never waited for.

Threads append without a lock, because a deque's append is atomic and two uncontended locks would cost a tenth of a
task's whole budget. Small entries are therefore charged a flat price, so that their bytes follow from their number;
only large ones are counted one by one, under a lock. Threads racing for the last place may overshoot the limit by one
entry each.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from milepost import wire

if TYPE_CHECKING:
    from milepost._codec import Codec

__all__ = ["SMALL_BYTES", "Buffer", "Entry", "Marker"]

SMALL_BYTES = 1024  # the flat price of an entry; about what a span object with a small input really takes
_NEVER = 2**62


class Entry(Protocol):
    """Something on its way to the collector, turned into a wire event as late as possible."""

    def export(self, codec: Codec) -> wire.WireEvent | None:
        """Return the event to send, or None if there is nothing (left) to say. Called by the exporter's thread only."""


class Marker:
    """A place in the queue: `passed` is set, and `then` called, once everything before it was acknowledged or given up.

    then: called in the thread that sends, so it must neither block nor raise.
    """

    def __init__(self, then: Callable[[], object] | None = None) -> None:
        self.passed = threading.Event()
        self.then = then

    def export(self, codec: Codec) -> None:
        return None


class _Large(NamedTuple):
    entry: Entry
    size: int


class Buffer:
    """A queue bounded by entries and bytes. When it is full, what arrives is refused and counted.

    Starts and events find it full a little earlier than ends do (at 7/8), because an end holds its whole span.

    max_events, max_bytes: the bounds. flush_events: this many entries are urgent. signal: called with True when an
    entry is urgent and with False when the queue was empty; at most twice between two calls of `take`.
    """

    def __init__(self, max_events: int, max_bytes: int, flush_events: int, signal: Callable[[bool], None]) -> None:
        self._entries: deque[Entry | _Large] = deque()
        self._lock = threading.RLock()  # re-entrant: a signal handler may record while its thread is in here
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._flush_events = flush_events
        self._signal = signal
        self._signal_at = 1  # the length of the queue that is worth a signal
        self._large_bytes = 0
        self._closed = False
        self.dropped = 0  # refused ends and events; a refused start loses nothing if its end gets through
        self._set_room()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size_bytes(self) -> int:
        """What the entries are charged."""
        with self._lock:
            return self._large_bytes + SMALL_BYTES * len(self._entries)

    @property
    def is_urgent(self) -> bool:
        return self._signal_at == _NEVER

    def put_start(self, entry: Entry, size: int) -> None:
        """Append the start of a span, unless it is full. Makes what waits before it urgent."""
        waiting = len(self._entries)
        if size > SMALL_BYTES:
            self._put_large(entry, size, self._max_bytes - self._max_bytes // 8)
        elif waiting < self._lesser_room:
            self._entries.append(entry)
        if waiting:
            if self._signal_at != _NEVER:
                self._notify(urgent=True)
        elif self._signal_at == 1:
            self._notify(urgent=False)

    def put_event(self, entry: Entry, size: int) -> bool:
        """Append an event; False: the buffer was full and it was counted as dropped."""
        return self._put(entry, size, self._lesser_room, self._max_bytes - self._max_bytes // 8)

    def put_end(self, entry: Entry, size: int) -> bool:
        """Append the end of a span; False: the buffer was full and it was counted as dropped."""
        return self._put(entry, size, self._room, self._max_bytes)

    def put_marker(self, marker: Marker) -> None:
        """Append a marker, full or not, and make everything before it urgent."""
        self._entries.append(marker)
        self._notify(urgent=True)

    def take(self, max_entries: int, max_bytes: int) -> list[Entry]:
        """Remove and return the oldest entries, up to the first that reaches a limit. Called by one thread only."""
        self._signal_at = 1  # before looking, so that what is appended from now on either is seen or signals
        taken: list[Entry] = []
        while self._entries and len(taken) < max_entries and max_bytes > 0:
            entry = self._entries.popleft()
            if isinstance(entry, _Large):
                self._release(entry.size)
                max_bytes -= entry.size
                entry = entry.entry
            taken.append(entry)
        return taken

    def count_dropped(self, events: int) -> None:
        with self._lock:
            self.dropped += events

    def close(self) -> None:
        """Refuse, without counting, everything from now on."""
        with self._lock:
            self._closed = True
            self._set_room()

    def abandon(self) -> None:
        """Refuse everything from now on, in a process that has just been forked."""
        self._lock = threading.RLock()  # the old one may be held by a thread that this process does not have
        self.close()

    def _put(self, entry: Entry, size: int, room: int, max_bytes: int) -> bool:
        waiting = len(self._entries) + 1
        if size > SMALL_BYTES:
            if not self._put_large(entry, size, max_bytes):
                return self._refuse()
        elif waiting > room:
            return self._refuse()
        else:
            self._entries.append(entry)
        if waiting >= self._signal_at:
            self._notify(urgent=waiting >= self._flush_events)
        return True

    def _put_large(self, entry: Entry, size: int, max_bytes: int) -> bool:
        with self._lock:
            waiting = len(self._entries)
            charged = self._large_bytes + SMALL_BYTES * waiting + size
            if self._closed or waiting >= self._max_events or charged > max_bytes:
                return False
            self._large_bytes += size - SMALL_BYTES
            self._set_room()
            self._entries.append(_Large(entry, size))
        return True

    def _refuse(self) -> bool:
        if not self._closed:
            self.count_dropped(1)
        return False

    def _release(self, size: int) -> None:
        with self._lock:
            self._large_bytes -= size - SMALL_BYTES
            self._set_room()

    def _set_room(self) -> None:
        """Work out how many entries may be waiting before a small one is refused."""
        room = min(self._max_events, (self._max_bytes - self._large_bytes) // SMALL_BYTES)
        self._room = 0 if self._closed else max(room, 0)
        self._lesser_room = self._room - self._room // 8

    def _notify(self, *, urgent: bool) -> None:
        self._signal_at = _NEVER if urgent else self._flush_events
        self._signal(urgent)
