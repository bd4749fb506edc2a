"""A queue of records in files: bounded, in order, there again after a crash.

Records are appended to segment files, each named by the number of its first record; numbers only grow. `position`
holds the number of the next record to hand out. Every append is one write to the operating system, so what was appended
outlives any end of this process; `take_unsynced` is for whoever syncs files against a loss of power. A record cut off
or damaged is never handed out. Nothing is handed out in another order than it came, and, unless a crash has come
between handing it out and `pop`, nothing twice.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from milepost_collector.forwarding.records import HEADER, Record, decode, encode, length_at

SEGMENTS_PER_QUEUE = 16  # the oldest are dropped a segment at a time, so a full queue is at least 15/16 of its limit
MAX_SEGMENT_BYTES = 16 * 1024 * 1024
SUFFIX = ".segment"


class Entry(NamedTuple):
    """A record and its number in the queue."""

    number: int
    record: Record


@dataclass(slots=True)
class Segment:
    """One file. first: the number of its first record."""

    path: Path
    first: int
    size: int = 0


class DiskQueue:
    """A queue in a folder of its own. Belongs to one thread at a time.

    max_bytes: of all files; beyond it the oldest records are dropped. dropped: records given up for want of space;
    damaged: records found unreadable. Both count from the opening.

    Raises:
        OSError: the folder cannot be created or read.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._segment_bytes = min(max(max_bytes // SEGMENTS_PER_QUEUE, 1), MAX_SEGMENT_BYTES)
        self.dropped = 0
        self.damaged = 0
        self._head = 0  # number and place of the next record to hand out
        self._head_offset = 0
        self._lent = 0  # numbers below it have been handed out
        self._unsynced: dict[Path, int] = {}
        self._writer: int | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._segments = sorted(self._found(), key=lambda segment: segment.first)
        self._recover()

    def __len__(self) -> int:
        """Return how many records wait, those handed out and not popped included."""
        return self._next - self._head

    @property
    def size(self) -> int:
        """The size of all files, bytes."""
        return sum(segment.size for segment in self._segments)

    @property
    def waiting_bytes(self) -> int:
        """The bytes of the records that wait."""
        return max(self.size - self._head_offset, 0)

    @property
    def head(self) -> int:
        """The number of the oldest record that waits."""
        return self._head

    def append(self, record: Record) -> None:
        """Add a record; it outlives this process once the method has returned. The oldest make room for it.

        Raises:
            ValueError: it alone is over the limit, or cannot be encoded.
            OSError: it cannot be written; the queue is as before.
        """
        data = encode(record)
        if len(data) > self._max_bytes:
            raise ValueError(f"a record of {len(data)} bytes does not fit a queue of {self._max_bytes}")
        while self.size + len(data) > self._max_bytes:
            self._drop_oldest()
        if not self._segments or self._segments[-1].size + len(data) > self._segment_bytes:
            self._begin_segment()
        self._write(self._segments[-1], data)
        self._next += 1

    def peek(self, max_bytes: int, max_records: int) -> list[Entry]:
        """Return the oldest records, at least one if there is one, else of at most so many bytes and records.

        Raises:
            OSError: they cannot be read.
        """
        while self._head < self._next:
            found = self._read(max_bytes, max_records)
            if found:
                self._lent = found[-1].number + 1
                return found
            self._skip_damaged()
        return []

    def pop(self, through: int) -> None:
        """Forget the records up to and including this number; those that were dropped meanwhile do not matter.

        Raises:
            OSError: the position cannot be written; after a crash the records would be handed out again.
        """
        self._advance(max(self._head, min(through + 1, self._next)))
        if self._head == self._next and self._segments and self._segments[-1].size > self._segment_bytes // 4:
            self._begin_segment()  # nothing waits, so nothing need stay on the disk
        self._remove_spent()
        self._save_position()

    def take_unsynced(self) -> list[int]:
        """Return file descriptors to sync and close: of the files written since the last call."""
        taken, self._unsynced = self._unsynced, {}
        return list(taken.values())

    def close(self) -> None:
        """Close all files. Safe to call twice."""
        if self._writer is not None:
            os.close(self._writer)
            self._writer = None
        for descriptor in self.take_unsynced():
            os.close(descriptor)

    # --- opening

    def _found(self) -> Iterator[Segment]:
        for path in self._folder.glob(f"*{SUFFIX}"):
            if path.stem.isdecimal():
                yield Segment(path, int(path.stem), path.stat().st_size)

    def _recover(self) -> None:
        """Find out where the queue begins and ends; cut off what a crash left half written."""
        position = self._saved_position()
        self._head = max(position, self._segments[0].first) if self._segments else position
        self._next = self._head
        if self._segments:
            last = self._segments[-1]
            count, last.size = _whole_records(last.path.read_bytes())
            os.truncate(last.path, last.size)
            self._next = last.first + count
        if self._head >= self._next:  # numbers are not used twice: the saved position may be beyond what was kept
            self._next = self._head
            if self._segments:
                self._begin_segment()
        self._head_offset = self._offset_of(self._head)
        self._remove_spent()

    def _saved_position(self) -> int:
        with suppress(OSError, ValueError):
            number, checked = (self._folder / "position").read_text("ascii").split()
            if zlib.crc32(number.encode()) == int(checked):
                return int(number)
        return 0

    def _offset_of(self, number: int) -> int:
        """Return where a record lies in the segment that holds it."""
        segment = self._holding(number)
        if segment is None or number == segment.first:
            return 0
        data, offset = segment.path.read_bytes(), 0
        for _ in range(number - segment.first):
            offset += length_at(data, offset) or len(data)
        return offset

    # --- writing

    def _begin_segment(self) -> None:
        path = self._folder / f"{self._next:020d}{SUFFIX}"
        if self._segments and self._segments[-1].path == path:
            return  # the last one is empty
        if self._writer is not None:
            os.close(self._writer)
            self._writer = None
        self._segments.append(Segment(path, self._next))
        if self._head == self._next:
            self._head_offset = 0
            self._remove_spent()

    def _write(self, segment: Segment, data: bytes) -> None:
        if self._writer is None:
            self._writer = os.open(segment.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(self._writer, data[written:] if written else data, segment.size + written)
        except OSError:
            os.ftruncate(self._writer, segment.size)
            raise
        segment.size += len(data)
        if segment.path not in self._unsynced:
            self._unsynced[segment.path] = os.dup(self._writer)

    def _drop_oldest(self) -> None:
        """Give up the oldest segment; what has been handed out may still arrive and is not counted."""
        if len(self._segments) == 1:
            self._begin_segment()
        end = self._segments[1].first
        self.dropped += max(end - max(self._head, self._lent), 0)
        self._advance(max(self._head, end))
        self._remove_spent()

    # --- reading

    def _read(self, max_bytes: int, max_records: int) -> list[Entry]:
        """Return whole, sound records from the head on, out of one segment."""
        segment, left = self._holding(self._head), self._left_in_head_segment()
        if segment is None or left <= 0:
            return []
        data = self._read_at(segment, max(max_bytes, HEADER.size))
        needed = length_at(data, 0)
        if needed is not None and needed > len(data):
            data = self._read_at(segment, needed)
        found: list[Entry] = []
        offset = 0
        while len(found) < min(max_records, left) and (part := decode(data, offset)) is not None:
            record, offset = part
            found.append(Entry(self._head + len(found), record))
        return found

    def _read_at(self, segment: Segment, length: int) -> bytes:
        with suppress(FileNotFoundError), segment.path.open("rb") as file:
            file.seek(self._head_offset)
            return file.read(length)
        return b""

    def _skip_damaged(self) -> None:
        """Give up the rest of a segment whose next record is damaged: where the one after it begins is unknown."""
        end = self._head + self._left_in_head_segment()
        self.damaged += end - self._head
        if end == self._next:
            self._begin_segment()
        self.pop(end - 1)

    def _left_in_head_segment(self) -> int:
        following = (segment.first for segment in self._segments if segment.first > self._head)
        return next(following, self._next) - self._head

    def _holding(self, number: int) -> Segment | None:
        return next((segment for segment in reversed(self._segments) if segment.first <= number), None)

    # --- moving on

    def _advance(self, number: int) -> None:
        """Move the head to a number; its place is found by hopping over the records between."""
        segment = self._holding(number)
        if segment is None or segment is not self._holding(self._head):
            self._head, self._head_offset = number, self._offset_of(number)
        while self._head < number and segment is not None:
            self._head_offset += length_at(self._read_at(segment, HEADER.size), 0) or 0
            self._head += 1

    def _save_position(self) -> None:
        """Write the position beside the old one, then put it in its place, so that there is always a whole one.

        It may lag behind: whoever opens the queue begins with the first segment there is.
        """
        text = f"{self._head:d}"
        draft = self._folder / "position.new"
        draft.write_text(f"{text} {zlib.crc32(text.encode())}\n", "ascii")
        draft.replace(self._folder / "position")

    def _remove_spent(self) -> None:
        """Delete the segments before the one that holds the head."""
        while len(self._segments) > 1 and self._segments[1].first <= self._head:
            spent = self._segments.pop(0)
            if (unsynced := self._unsynced.pop(spent.path, None)) is not None:
                os.close(unsynced)
            spent.path.unlink(missing_ok=True)


def _whole_records(data: bytes) -> tuple[int, int]:
    """Return how many records a file begins with, and the bytes they take."""
    count, end = 0, 0
    while (part := decode(data, end)) is not None:
        count, end = count + 1, part[1]
    return count, end
