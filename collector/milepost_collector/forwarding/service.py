"""The door for bodies to be forwarded: into every destination's queue before their sender is answered."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from milepost._version import __version__
from milepost.errors import ConfigurationError
from milepost_collector.errors import StorageError
from milepost_collector.forwarding.destinations import Destination
from milepost_collector.forwarding.queue import DiskQueue
from milepost_collector.forwarding.records import Record
from milepost_collector.forwarding.sender import Sender, Timing

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger("milepost.forwarding")

MAX_WAITING_BYTES = 64 * 1024 * 1024  # for the disk; beyond it bodies are given up, ingest never waits for them
MAX_HOPS = 8
SYNC_INTERVAL_S = 1.0
FLUSH_S = 2.0  # how long a stop waits for destinations that answer
REQUEST_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 5.0
COLLECTOR_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class DestinationStats:
    """The state of one destination, for metrics. Counts are bodies as received, totals since the start.

    dropped_full: for want of room in the queue. dropped_refused: the destination refused them for good.
    dropped_damaged: unreadable in the queue. dropped_unwritten: the disk did not take them.
    """

    destination: str
    queued_bytes: int
    queued_bodies: int
    sent: int
    dropped_full: int
    dropped_refused: int
    dropped_damaged: int
    dropped_unwritten: int
    attempts: int
    failed_attempts: int


class Forwarding:
    """Passes OTLP bodies on to other endpoints. Belongs to one event loop; without destinations it does nothing.

    A body is in every queue once `enqueue` returns, and in the system's hands: it outlives any end of this process.
    Files are synced once a second, so a loss of power can cost about a second. Delivery is at least once, in order.

    data_dir: the collector's folder; queues are below it. max_bytes: of each destination's queue on disk.
    """

    def __init__(
        self, data_dir: Path, destinations: Sequence[Destination], *, max_bytes: int, timing: Timing | None = None
    ) -> None:
        self._folder = data_dir / "forwarding"
        self._destinations = destinations
        self._max_bytes = max_bytes
        self._timing = timing or Timing()
        self._senders: list[Sender] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._waiting_bytes = 0
        self.own_id = ""

    async def start(self) -> None:
        """Open the queues and begin to send what is in them.

        Raises:
            StorageError: a queue's folder cannot be created or read.
            ConfigurationError: an address cannot be used.
        """
        if not self._destinations:
            return
        self._loop = asyncio.get_running_loop()
        self._client = _client(self._destinations)
        self._files = ThreadPoolExecutor(1, thread_name_prefix="milepost-forwarding")
        try:
            self._senders = await self._loop.run_in_executor(self._files, self._open)
        except OSError as error:
            self._files.shutdown()
            await self._client.aclose()
            raise StorageError(self._folder, f"queues in {self._folder} cannot be used ({error.strerror})") from error
        self._tasks = [asyncio.create_task(sender.run(), name="milepost-forwarding") for sender in self._senders]
        self._syncing = asyncio.create_task(self._sync())

    async def stop(self, deadline_s: float = FLUSH_S) -> None:
        """Send what is queued to those who answer, for so long; the rest stays on disk for the next start."""
        if not self._senders:
            return
        for sender in self._senders:
            sender.finish()
        await asyncio.wait(self._tasks, timeout=deadline_s)
        for task in (*self._tasks, self._syncing):
            task.cancel()
        await asyncio.gather(*self._tasks, self._syncing, return_exceptions=True)
        await self._client.aclose()
        await asyncio.to_thread(self._close)
        self._senders = []

    async def enqueue(self, signal: str, content_type: str, body: bytes, via: str = "") -> None:
        """Put a body into every destination's queue; never raises, never waits for a destination.

        signal: traces, logs or metrics. content_type: application/x-protobuf or application/json. body: inflated. via:
        the request's `Milepost-Forwarded` header. A body that has come through this collector before goes no further.
        """
        if not self._senders or not body:
            return
        hops = _hops(via)
        if self.own_id in hops or len(hops) > MAX_HOPS:
            self._senders[0].log("loop", "a body came back to this collector and goes no further; look for a circle")
            return
        record = Record(signal, content_type, body, ",".join(hops))
        if self._waiting_bytes + len(body) > MAX_WAITING_BYTES:
            for sender in self._senders:
                _give_up(sender, "the disk is too slow")
            return
        self._waiting_bytes += len(body)
        appended = self._loop.run_in_executor(self._files, self._append, record)
        appended.add_done_callback(lambda _: self._appended(len(body)))
        await asyncio.shield(appended)

    def stats(self) -> list[DestinationStats]:
        """Return the state of every destination."""
        return [_stats(sender) for sender in self._senders]

    # --- on the thread of the files

    def _open(self) -> list[Sender]:
        self._folder.mkdir(parents=True, exist_ok=True)
        self.own_id = _collector_id(self._folder / "id")
        self._tell_of_strangers()
        return [
            Sender(
                destination=one,
                queue=DiskQueue(self._folder / one.folder, self._max_bytes),
                files=self._files,
                client=self._client,
                own_id=self.own_id,
                timing=self._timing,
            )
            for one in self._destinations
        ]

    def _tell_of_strangers(self) -> None:
        known = {one.folder for one in self._destinations}
        for folder in self._folder.iterdir():
            if folder.is_dir() and folder.name not in known and any(folder.glob("*.segment")):
                logger.warning(
                    "%s holds bodies for a destination that is no longer set; set it again or delete the folder", folder
                )

    def _append(self, record: Record) -> None:
        for sender in self._senders:
            before = sender.queue.dropped
            try:
                sender.queue.append(record)
            except (OSError, ValueError) as error:
                _give_up(sender, str(error))
            if sender.queue.dropped > before:
                sender.log("full", "its queue is full; the oldest %d bodies were dropped so far", sender.queue.dropped)

    def _close(self) -> None:
        _sync_files(self._take_unsynced())
        for sender in self._senders:
            self._files.submit(sender.queue.close)
        self._files.shutdown()

    def _take_unsynced(self) -> list[int]:
        take = [self._files.submit(sender.queue.take_unsynced) for sender in self._senders]
        return [descriptor for taken in take for descriptor in taken.result()]

    # --- on the event loop

    def _appended(self, size: int) -> None:
        self._waiting_bytes -= size
        for sender in self._senders:
            sender.wake()

    async def _sync(self) -> None:
        """Sync what was written, once a second and not on the thread that appends: a sync can take long."""
        while True:
            await asyncio.sleep(SYNC_INTERVAL_S)
            await asyncio.to_thread(lambda: _sync_files(self._take_unsynced()))


def _client(destinations: Sequence[Destination]) -> httpx.AsyncClient:
    import httpx  # takes 60 ms, which only those who forward should spend

    for one in destinations:
        try:
            httpx.URL(one.address("traces"))
        except httpx.InvalidURL as error:
            raise ConfigurationError("forward_to", f"{one.url!r} is not an address ({error})") from error
    return httpx.AsyncClient(
        timeout=httpx.Timeout(REQUEST_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        headers={"user-agent": f"milepost/{__version__}"},
    )


def _hops(via: str) -> list[str]:
    """Return the collectors a body has come through; of what is no id of a collector, nothing."""
    return [hop for part in via.split(",") if COLLECTOR_ID.fullmatch(hop := part.strip())]


def _collector_id(file: Path) -> str:
    """Return this collector's id, the same in every life of its folder, made when there is none."""
    with suppress(OSError):
        if COLLECTOR_ID.fullmatch(known := file.read_text("ascii").strip()):
            return known
    made = secrets.token_hex(8)
    file.write_text(made + "\n", "ascii")
    return made


def _give_up(sender: Sender, reason: str) -> None:
    sender.counts.unwritten += 1
    sender.log("unwritten", "%d bodies could not be queued so far (%s)", sender.counts.unwritten, reason)


def _sync_files(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        try:
            os.fdatasync(descriptor)
        except OSError as error:
            logger.warning("a queue's file cannot be synced (%s)", error.strerror)
        finally:
            os.close(descriptor)


def _stats(sender: Sender) -> DestinationStats:
    queue, counts = sender.queue, sender.counts
    return DestinationStats(
        destination=sender.destination.url,
        queued_bytes=queue.waiting_bytes,
        queued_bodies=len(queue),
        sent=counts.sent,
        dropped_full=queue.dropped,
        dropped_refused=counts.refused,
        dropped_damaged=queue.damaged,
        dropped_unwritten=counts.unwritten,
        attempts=counts.attempts,
        failed_attempts=counts.failed_attempts,
    )
