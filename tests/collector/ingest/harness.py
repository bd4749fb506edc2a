"""A committer over a real database file, a clock that the test moves, and what is stored as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from milepost.wire import Batch, WireEvent
from milepost_collector.protocol.codec import DecodedBatch, decode_batch
from milepost_collector.storage import Database
from milepost_collector.traces.commit import Clock, Committer

MIB = 1024 * 1024


@dataclass(slots=True)
class SteppingClock:
    """A clock that stands still until it is advanced."""

    now: int = 1_800_000_000_000_000_000
    elapsed_s: float = field(default=0.0)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += int(seconds * 1e9)
        self.elapsed_s += seconds

    @property
    def clock(self) -> Clock:
        """The clock as the collector takes it."""
        return Clock(wall=lambda: self.now, monotonic=lambda: self.elapsed_s)


@dataclass(slots=True)
class Store:
    """A database and its committer."""

    database: Database
    time: SteppingClock
    committer: Committer

    def send(self, *batches: Batch) -> list[bool]:
        """Commit batches together, each having been through msgpack; return which were new."""
        is_new, _ = self.committer.commit([decoded(batch) for batch in batches])
        return is_new

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self.database.reader() as connection:
            return connection.execute(query, list(parameters)).fetchall()

    def restart(self) -> None:
        """Close and open everything again."""
        self.database.close()
        self.database = Database(self.database.path, memory_limit_bytes=512 * MIB)
        self.committer = Committer(self.database, self.time.clock, 30)


def decoded(batch: Batch) -> DecodedBatch:
    """Return a batch as the collector decodes it."""
    return decode_batch(msgspec.msgpack.encode(batch), "application/msgpack")


def batch_of(events: Sequence[WireEvent], *, producer_id: str = "producer", sequence: int = 0) -> Batch:
    """Return a batch."""
    return Batch(producer_id=producer_id, sequence=sequence, events=list(events))
