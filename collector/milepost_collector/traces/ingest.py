"""The door for events: a body in, an answer out once everything in it is committed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import anyio.to_thread

from milepost.wire import BatchAnswer
from milepost_collector.config import CollectorConfig
from milepost_collector.protocol.codec import DecodedBatch, decode_batch
from milepost_collector.storage import Database
from milepost_collector.traces.commit import Clock
from milepost_collector.traces.feed import LiveFeed
from milepost_collector.traces.queries import RunIndex
from milepost_collector.traces.writer import Pending, Writer

# Decoding takes about 10 ms a megabyte; larger bodies would hold up everyone else on the event loop.
DECODE_IN_THREAD_BYTES = 512 * 1024


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
    """Takes batches in. Belongs to one event loop. index: where runs lie, if others know too."""

    def __init__(
        self, database: Database, config: CollectorConfig, *, index: RunIndex | None = None, clock: Clock | None = None
    ) -> None:
        clock = clock or Clock()
        self._database = database
        self.feed = LiveFeed(database, index or RunIndex(), clock)
        self._writer = Writer(
            database,
            clock=clock,
            lost_after_s=config.lost_after_s,
            max_waiting_bytes=config.max_waiting_bytes,
            checkpoint_wal_bytes=config.checkpoint_wal_bytes,
            on_delta=self.feed.publish,
        )

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
        batch = await self._decode(body, content_type)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[BatchAnswer] = loop.create_future()

        def reply(result: BatchAnswer | BaseException) -> None:
            loop.call_soon_threadsafe(_settle, answer, result)

        self._writer.put(Pending(batch, body, content_type, reply))
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

    async def _decode(self, body: bytes, content_type: str) -> DecodedBatch:
        if len(body) < DECODE_IN_THREAD_BYTES:
            return decode_batch(body, content_type)
        return await anyio.to_thread.run_sync(decode_batch, body, content_type)


def _settle(answer: asyncio.Future[BatchAnswer], result: BatchAnswer | BaseException) -> None:
    if answer.done():  # the client went away while it waited
        return
    if isinstance(result, BaseException):
        answer.set_exception(result)
    else:
        answer.set_result(result)
