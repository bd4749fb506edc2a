"""Sends one destination's queue, in order, one request at a time, until it is stopped."""

from __future__ import annotations

import asyncio
import gzip
import logging
import random
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from milepost_collector.forwarding.destinations import Destination
from milepost_collector.forwarding.queue import DiskQueue, Entry
from milepost_collector.forwarding.records import PROTOBUF, Record
from milepost_collector.forwarding.retry import Answer, decide, parse_retry_after
from milepost_collector.forwarding.throttle import Throttle

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger("milepost.forwarding")

T = TypeVar("T")

FORWARDED = "milepost-forwarded"
MAX_REQUEST_BYTES = 1024 * 1024  # bodies are joined up to this size, so that a backlog of small ones drains quickly
MAX_REQUEST_BODIES = 512
GZIP_MIN_BYTES = 1024
GZIP_IN_THREAD_BYTES = 32 * 1024  # about 0.5 ms; more would hold up everyone else on the event loop
GZIP_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Timing:
    """The time and chance, handed in. wall: Unix ns. monotonic: seconds. jitter: in [0, 1)."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    wall: Callable[[], int] = time.time_ns
    monotonic: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random


@dataclass(slots=True)
class Counts:
    """Totals since the start, in bodies as they were received. attempts: requests made."""

    sent: int = 0
    refused: int = 0
    unwritten: int = 0
    attempts: int = 0
    failed_attempts: int = 0


@dataclass(frozen=True, slots=True)
class _Request:
    """Records that go together. content: as sent."""

    entries: list[Entry]
    content: bytes
    headers: dict[str, str]

    @property
    def last(self) -> int:
        return self.entries[-1].number


@dataclass(slots=True)
class Sender:
    """A destination's queue and the task that empties it. files: the one thread that works on queues.

    own_id: this collector's name in `Milepost-Forwarded`.
    """

    destination: Destination
    queue: DiskQueue
    files: Executor
    client: httpx.AsyncClient
    own_id: str
    timing: Timing
    counts: Counts = field(default_factory=Counts)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _failures: int = 0  # in a row
    _single_up_to: int = 0  # records below this number are sent one by one, to find the one that is refused
    _logged: dict[str, Throttle] = field(default_factory=dict)

    def wake(self) -> None:
        """Tell it that there is something to send. To be called on the event loop."""
        self._wake.set()

    def finish(self) -> None:
        """Ask it to end once its queue is empty, or at once if the destination does not answer."""
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Send until told to finish."""
        while True:
            request = await self._next()
            if request is None:
                if self._stopping.is_set():
                    return
                await self._wake.wait()
                self._wake.clear()
            elif not await self._deliver(request):
                return

    def log(self, what: str, text: str, *arguments: object) -> None:
        """Log a line of a kind, at most once a minute."""
        if what not in self._logged:
            self._logged[what] = Throttle(self.timing.monotonic)
        if self._logged[what].is_open():
            logger.warning("forwarding to %s: " + text, self.destination.url, *arguments)  # noqa: G003 # a fixed prefix

    async def _next(self) -> _Request | None:
        """Return the oldest records as a request; None: there are none."""
        most = 1 if self.queue.head < self._single_up_to else MAX_REQUEST_BODIES
        try:
            entries = await self._on_files(lambda: self.queue.peek(MAX_REQUEST_BYTES, most))
        except OSError as error:
            self.log("unreadable", "the queue cannot be read (%s)", error.strerror)
            await self._pause(1.0)
            self._wake.set()
            return None
        return await self._request(_joinable(entries)) if entries else None

    async def _request(self, entries: list[Entry]) -> _Request:
        first = entries[0].record
        body = first.body if len(entries) == 1 else b"".join(entry.record.body for entry in entries)
        headers = {**self.destination.headers, "content-type": first.content_type}
        headers[FORWARDED] = f"{first.via},{self.own_id}" if first.via else self.own_id
        if len(body) >= GZIP_MIN_BYTES:
            headers["content-encoding"] = "gzip"
            body = await _compressed(body)
        return _Request(entries, body, headers)

    async def _deliver(self, request: _Request) -> bool:
        """Send until the destination takes or refuses it; return False if told to finish before."""
        self._failures = 0
        while True:
            answer = await self._attempt(request)
            decision = decide(answer, self._failures, jitter=self.timing.jitter())
            if decision.verdict == "sent":
                self.counts.sent += len(request.entries)
                await self._forget(request)
                return True
            if decision.verdict == "refused":
                await self._refused(request, answer)
                return True
            self._failures += 1
            self.log("retry", "%s; %d records wait, it is tried again", answer.detail, len(self.queue))
            if not await self._pause(decision.delay_s):
                return False

    async def _attempt(self, request: _Request) -> Answer:
        import httpx

        self.counts.attempts += 1
        address = self.destination.address(request.entries[0].record.signal)
        try:
            response = await self.client.post(address, content=request.content, headers=request.headers)
        except httpx.HTTPError as error:
            self.counts.failed_attempts += 1
            return Answer(status=None, detail=f"no answer ({type(error).__name__})")
        if not response.is_success:
            self.counts.failed_attempts += 1
        asked = parse_retry_after(response.headers.get("retry-after"), self.timing.wall() / 1e9)
        return Answer(status=response.status_code, retry_after_s=asked, detail=f"answered {response.status_code}")

    async def _refused(self, request: _Request, answer: Answer) -> None:
        if len(request.entries) > 1:
            self._single_up_to = request.last + 1
            return
        self.counts.refused += 1
        record = request.entries[0].record
        self.log(
            "refused",
            "%s to a %s body of %d bytes, which is dropped (%d so far); check the address and forward_headers",
            answer.detail,
            record.signal,
            len(record.body),
            self.counts.refused,
        )
        await self._forget(request)

    async def _forget(self, request: _Request) -> None:
        try:
            await self._on_files(lambda: self.queue.pop(request.last))
        except OSError as error:
            self.log("position", "the position cannot be written (%s); some will be sent again", error.strerror)

    async def _pause(self, seconds: float) -> bool:
        """Wait; return False if told to finish, which ends the wait."""
        waiting = [asyncio.ensure_future(self.timing.sleep(seconds)), asyncio.ensure_future(self._stopping.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
        return not self._stopping.is_set()

    async def _on_files(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.files, work)


def _joinable(entries: list[Entry]) -> list[Entry]:
    """Return the first entries that can be one request.

    Two protobuf messages one after the other are the message that holds the lists of both (Protocol Buffers, "Last One
    Wins"), and an OTLP request is nothing but a list.
    """
    first = entries[0].record
    if first.content_type != PROTOBUF:
        return entries[:1]
    count = next((place for place, entry in enumerate(entries) if _kind(entry.record) != _kind(first)), len(entries))
    return entries[:count]


def _kind(record: Record) -> tuple[str, str, str]:
    return record.signal, record.content_type, record.via


async def _compressed(body: bytes) -> bytes:
    if len(body) < GZIP_IN_THREAD_BYTES:
        return gzip.compress(body, GZIP_LEVEL, mtime=0)
    return await asyncio.to_thread(gzip.compress, body, GZIP_LEVEL, mtime=0)
