"""The door for events: a body in, an answer out once everything in it is committed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from functools import partial

import anyio
import anyio.to_thread

from milepost.errors import ConfigurationError
from milepost.wire import BatchAnswer
from milepost_collector.config import CollectorConfig
from milepost_collector.protocol.batch import event_batch
from milepost_collector.protocol.otlp import Signal, summary
from milepost_collector.protocol.price_file import PriceFileError, parse_prices
from milepost_collector.protocol.pricing import PriceBook
from milepost_collector.protocol.rows import Row
from milepost_collector.storage import Database
from milepost_collector.traces.commit import Clock, Delta
from milepost_collector.traces.feed import LiveFeed
from milepost_collector.traces.helper import Request
from milepost_collector.traces.managed import ManagedRecorder
from milepost_collector.traces.poison import without_poison, without_poison_rows
from milepost_collector.traces.queries import RunIndex
from milepost_collector.traces.reading import Reading
from milepost_collector.traces.usage import RUN
from milepost_collector.traces.writer import Pending, Writer

MAX_REASON_LENGTH = 2000  # characters of what a sender is told


@dataclass(frozen=True, slots=True)
class OtlpOutcome:
    """What became of an OTLP request. rejected: records that were not stored; reason: why, for people."""

    rejected: int
    reason: str


@dataclass(frozen=True, slots=True)
class IngestStats:
    """The state of ingest, for metrics. Counts are totals since the start."""

    queued_batches: int
    queued_bytes: int
    committed_batches: int
    committed_events: int
    rejected_events: int
    duplicate_batches: int
    commits: int
    failed_commits: int
    checkpoints: int
    live_spans: int
    wal_bytes: int


class Ingest:
    """Takes batches in. Belongs to one event loop. index: where runs lie, if others know too.

    feed: what live viewers are told. recorder: keeps a record of what the controller does.
    """

    def __init__(
        self, database: Database, config: CollectorConfig, *, index: RunIndex | None = None, clock: Clock | None = None
    ) -> None:
        clock = clock or Clock()
        self._database = database
        self._book = price_book(config)
        self.reading = Reading(self._book)
        self._clock = clock
        self.feed = LiveFeed(database, index or RunIndex(), clock)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watched: Callable[[], Set[str]] = set
        self._on_watched: Callable[[Set[str]], object] = set
        self._writer = Writer(
            database,
            clock=clock,
            lost_after_s=config.lost_after_s,
            max_waiting_bytes=config.max_waiting_bytes,
            checkpoint_wal_bytes=config.checkpoint_wal_bytes,
            on_delta=self._tell,
            is_expecting=lambda: self.reading.is_busy,
        )
        self.recorder = ManagedRecorder(
            database, self._writer, on_transitions=self.feed.tell_tasks, on_asks=self.feed.tell_asks
        )

    def follow(self, watched: Callable[[], Set[str]], tell: Callable[[Set[str]], object]) -> None:
        """Have it told of commits that brought ended spans of runs that are watched.

        watched: called from the writer's thread. tell: gets the ids of these runs, on the event loop.
        """
        self._watched, self._on_watched = watched, tell

    @property
    def available(self) -> bool:
        """Whether the last commit reached the disk."""
        return self._writer.available

    def start(self) -> None:
        """Start the writer and the live feed. To be called on the event loop."""
        self._loop = asyncio.get_running_loop()
        self.feed.start()
        self._writer.start()

    async def stop(self) -> None:
        """Commit what is queued, then stop."""
        await self.reading.stop()
        await anyio.to_thread.run_sync(self._writer.stop)
        await self.feed.stop()

    async def submit(self, body: bytes, content_type: str) -> BatchAnswer:
        """Store a batch; returns after the commit. body: decompressed.

        Raises:
            UnsupportedEncodingError: neither JSON nor msgpack.
            MalformedBodyError: not a batch.
            QueueFullError: back pressure; try again later.
            StorageUnavailableError: the disk refused; try again later.
        """
        batch = await self.reading.native(body, content_type)
        return await self._store(Pending(batch, partial(without_poison, body, content_type, self._book)))

    async def submit_otlp(self, signal: Signal, body: bytes, content_type: str) -> OtlpOutcome:
        """Store an OTLP request; returns after the commit. body: decompressed.

        Raises:
            UnsupportedEncodingError: neither protobuf nor JSON.
            MalformedBodyError: not an OTLP request.
            QueueFullError: back pressure; try again later.
            StorageUnavailableError: the disk refused; try again later.
        """
        batch = await self.reading.otlp(Request(signal, content_type, self._clock.wall(), body))
        rejected = list(batch.rejected)
        answer = await self._store(Pending(batch, partial(without_poison_rows, batch)))
        if len(answer.rejected) <= len(rejected):  # fewer: it was stored before, and is answered as then
            return OtlpOutcome(len(rejected), summary(rejected))
        reasons = dict.fromkeys(told.reason for told in answer.rejected)
        return OtlpOutcome(len(answer.rejected), "; ".join(reasons)[:MAX_REASON_LENGTH])

    async def record(self, rows: Sequence[Row]) -> bool:
        """Store rows of `events` that name themselves (event_id); returns after the commit whether any was new.

        Raises:
            QueueFullError: back pressure; try again later.
            StorageUnavailableError: the disk refused; try again later.
        """
        batch = event_batch(rows)
        return not (await self._store(Pending(batch, partial(without_poison_rows, batch)))).duplicate

    def _tell(self, delta: Delta) -> None:
        """Tell of what a commit changed; in the writer's thread."""
        self.feed.publish(delta)
        if watched := self._watched():
            found = {row[RUN] for row in delta.spans if row[RUN] in watched}
            if found and self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._on_watched, found)

    async def _store(self, pending: Pending) -> BatchAnswer:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[BatchAnswer] = loop.create_future()

        def reply(result: BatchAnswer | BaseException) -> None:
            loop.call_soon_threadsafe(_settle, answer, result)

        pending.reply = reply
        self._writer.put(pending)
        return await answer

    def stats(self) -> IngestStats:
        """Return the state of ingest."""
        writer, counters = self._writer, self._writer.counters
        return IngestStats(
            queued_batches=writer.queued_batches,
            queued_bytes=writer.queued_bytes,
            committed_batches=counters.committed_batches,
            committed_events=counters.committed_events,
            rejected_events=counters.rejected_events,
            duplicate_batches=counters.duplicate_batches,
            commits=counters.commits,
            failed_commits=counters.failed_commits,
            checkpoints=counters.checkpoints,
            live_spans=writer.live_spans,
            wal_bytes=self._database.wal_bytes(),
        )


def price_book(config: CollectorConfig) -> PriceBook:
    """Return the prices to compute with: the user's own file first, if there is one.

    Raises:
        ConfigurationError: the file cannot be read or is wrong.
    """
    found = config.read_price_file()
    if found is None:
        return PriceBook()
    try:
        return PriceBook(parse_prices(found[1]))
    except PriceFileError as error:
        raise ConfigurationError("price_file", f"{found[0]}: {error}") from error


def _settle(answer: asyncio.Future[BatchAnswer], result: BatchAnswer | BaseException) -> None:
    if answer.done():  # the client went away while it waited
        return
    if isinstance(result, BaseException):
        answer.set_exception(result)
    else:
        answer.set_result(result)
