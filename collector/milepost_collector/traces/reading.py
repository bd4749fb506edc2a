"""Bodies to rows, off the event loop, and beside the writer when bodies have to wait for each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread

from milepost_collector.protocol.batch import DecodedBatch
from milepost_collector.protocol.codec import decode_batch
from milepost_collector.protocol.pricing import PriceBook
from milepost_collector.traces.helper import IN_FLIGHT, Helper, Request, read_otlp

Result = TypeVar("Result")

# Reading takes about 10 ms a megabyte; larger bodies would hold up everyone else on the event loop.
READ_IN_THREAD_BYTES = 512 * 1024
# How many more bodies found others being read than did not, before a process that helps is worth its 60 MB.
CROWDED = 8
HELPER_IDLE_S = 60.0


class Reading:
    """Reads bodies. Belongs to one event loop. book: the prices to compute with.

    crowded: when to start a process that helps, as CROWDED. idle_s: how long it is kept for nothing.
    """

    def __init__(self, book: PriceBook, *, crowded: int = CROWDED, idle_s: float = HELPER_IDLE_S) -> None:
        self._book = book
        self._crowded_at = crowded
        self._idle_s = idle_s
        # Python reads one body at a time whatever the threads; several at once only get in each other's way.
        self._alone = anyio.CapacityLimiter(1)
        self._helped = anyio.CapacityLimiter(IN_FLIGHT)
        self._being_read = 0  # requests
        self._crowd = 0
        self._used = asyncio.Event()
        self.helper = Helper(book)
        self.tending: asyncio.Task[None] | None = None  # done once the process that helped has ended

    @property
    def is_busy(self) -> bool:
        """Whether bodies are being read."""
        return self._being_read > 0

    async def native(self, body: bytes, content_type: str) -> DecodedBatch:
        """Return the rows of a batch of Milepost's own.

        Raises:
            UnsupportedEncodingError, MalformedBodyError: as `decode_batch`.
        """
        read = partial(decode_batch, body, content_type, self._book)
        return read() if len(body) < READ_IN_THREAD_BYTES else await self._in_thread(read, self._alone)

    async def otlp(self, request: Request) -> DecodedBatch:
        """Return the rows of an OTLP request.

        Raises:
            UnsupportedEncodingError, MalformedBodyError: as `read_otlp`.
        """
        if len(request.body) < READ_IN_THREAD_BYTES:
            return read_otlp(request, self._book)
        self._note_crowd()
        is_helped = self.helper.process_id is not None
        return await self._in_thread(partial(self.helper.read, request), self._helped if is_helped else self._alone)

    async def stop(self) -> None:
        """End the process that helps."""
        if self.tending is not None:
            self.tending.cancel()
            await asyncio.wait([self.tending])
        await anyio.to_thread.run_sync(self.helper.stop)

    async def _in_thread(self, read: Callable[[], Result], limiter: anyio.CapacityLimiter) -> Result:
        self._being_read += 1
        try:
            return await anyio.to_thread.run_sync(read, limiter=limiter)
        finally:
            self._being_read -= 1

    def _note_crowd(self) -> None:
        self._used.set()
        self._crowd = self._crowd + 1 if self._being_read else max(self._crowd - 1, 0)
        is_tended = self.tending is not None and not self.tending.done()
        if self._crowd >= self._crowded_at and self.helper.is_usable and not is_tended:
            self.tending = asyncio.create_task(self._tend())

    async def _tend(self) -> None:
        """Keep the process that helps for as long as there is something to do."""
        await anyio.to_thread.run_sync(self.helper.start)
        is_used = True
        while is_used:
            self._used.clear()
            with anyio.move_on_after(self._idle_s):
                await self._used.wait()
            is_used = self._used.is_set()
        self._crowd = 0
        await anyio.to_thread.run_sync(self.helper.stop)
