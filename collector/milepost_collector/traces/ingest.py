"""The door for events: a body in, an answer out once everything in it is committed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread

from milepost.errors import ConfigurationError
from milepost.wire import BatchAnswer
from milepost_collector.config import CollectorConfig
from milepost_collector.protocol.batch import DecodedBatch
from milepost_collector.protocol.codec import decode_batch
from milepost_collector.protocol.export_rows import export_batch
from milepost_collector.protocol.otlp import decode_export
from milepost_collector.protocol.otlp.export import Export, Signal, summary
from milepost_collector.protocol.price_file import PriceFileError, parse_prices
from milepost_collector.protocol.pricing import PriceBook
from milepost_collector.storage import Database
from milepost_collector.traces.commit import Clock
from milepost_collector.traces.feed import LiveFeed
from milepost_collector.traces.managed import ManagedRecorder
from milepost_collector.traces.poison import without_poison, without_poison_rows
from milepost_collector.traces.queries import RunIndex
from milepost_collector.traces.writer import Pending, Writer

Decoded = TypeVar("Decoded")

MAX_REASON_LENGTH = 2000  # characters of what a sender is told

# Decoding takes about 10 ms a megabyte; larger bodies would hold up everyone else on the event loop.
DECODE_IN_THREAD_BYTES = 512 * 1024


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
        # Python decodes one body at a time whatever the threads; several at once only get in each other's way.
        self._decoding = anyio.CapacityLimiter(1)
        self._being_decoded = 0  # requests
        self._database = database
        self._book = price_book(config)
        self._clock = clock
        self.feed = LiveFeed(database, index or RunIndex(), clock)
        self._writer = Writer(
            database,
            clock=clock,
            lost_after_s=config.lost_after_s,
            max_waiting_bytes=config.max_waiting_bytes,
            checkpoint_wal_bytes=config.checkpoint_wal_bytes,
            on_delta=self.feed.publish,
            is_expecting=lambda: self._being_decoded > 0,
        )
        self.recorder = ManagedRecorder(database, self._writer, on_transitions=self.feed.tell_tasks)

    @property
    def available(self) -> bool:
        """Whether the last commit reached the disk."""
        return self._writer.available

    def start(self) -> None:
        """Start the writer and the live feed. To be called on the event loop."""
        self.feed.start()
        self._writer.start()

    async def stop(self) -> None:
        """Commit what is queued, then stop."""
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
        batch = await self._decode(len(body), partial(decode_batch, body, content_type, self._book))
        return await self._store(Pending(batch, partial(without_poison, body, content_type, self._book)))

    async def submit_otlp(self, signal: Signal, body: bytes, content_type: str) -> OtlpOutcome:
        """Store an OTLP request; returns after the commit. body: decompressed.

        Raises:
            UnsupportedEncodingError: neither protobuf nor JSON.
            MalformedBodyError: not an OTLP request.
            QueueFullError: back pressure; try again later.
            StorageUnavailableError: the disk refused; try again later.
        """
        received_at = self._clock.wall()
        export, batch = await self._decode(
            len(body), partial(_decode_otlp, signal, body, content_type, received_at, self._book)
        )
        answer = await self._store(Pending(batch, partial(without_poison_rows, batch)))
        if len(answer.rejected) <= len(export.rejected):  # fewer: it was stored before, and is answered as then
            return OtlpOutcome(len(export.rejected), summary(export.rejected))
        reasons = dict.fromkeys(told.reason for told in answer.rejected)
        return OtlpOutcome(len(answer.rejected), "; ".join(reasons)[:MAX_REASON_LENGTH])

    async def _decode(self, size: int, decode: Callable[[], Decoded]) -> Decoded:
        if size < DECODE_IN_THREAD_BYTES:
            return decode()
        self._being_decoded += 1
        try:
            return await anyio.to_thread.run_sync(decode, limiter=self._decoding)
        finally:
            self._being_decoded -= 1

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


def _decode_otlp(
    signal: Signal, body: bytes, content_type: str, received_at: int, book: PriceBook
) -> tuple[Export, DecodedBatch]:
    export = decode_export(signal, body, content_type, received_at)
    return export, export_batch(export, book)


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
