"""Running queries off the event loop: how many at once, for how long, in which transaction."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread
import duckdb
from anyio.streams.memory import MemoryObjectSendStream
from duckdb import DuckDBPyConnection

from milepost.errors import MilepostError
from milepost_collector.errors import (
    QueryInterruptedError,
    QueryMemoryError,
    StorageUnavailableError,
)
from milepost_collector.storage import Database
from milepost_collector.traces.queries.limits import GIVEN_UP, limited
from milepost_collector.traces.queries.run_index import RunIndex
from milepost_collector.traces.queries.source import Snapshot

logger = logging.getLogger("milepost.queries")

Answer = TypeVar("Answer")

STREAM_CHUNKS = 64  # made ahead of a slow reader, some 250 KB each
STALL_TIMEOUT_S = 30.0  # a reader that takes nothing for so long is given up: its transaction must not live for ever


class QueryPool:
    """Runs functions over read connections in worker threads.

    index: where runs lie, shared by all queries of this database. threads: queries at once, and streams at once.
    """

    def __init__(self, database: Database, *, threads: int, timeout_s: float, index: RunIndex | None = None) -> None:
        self.index = index or RunIndex()
        self._database = database
        self._timeout_s = timeout_s
        self._limiter = anyio.CapacityLimiter(threads)
        self._stream_limiter = anyio.CapacityLimiter(threads)  # apart: slow downloads must not hold up other queries

    async def run(
        self,
        query: Callable[[DuckDBPyConnection], Answer],
        *,
        growth_bytes: int | None = None,
        given_up: threading.Event | None = None,
    ) -> Answer:
        """Run a query in a read-only transaction and return its answer.

        growth_bytes: by how much the process may grow meanwhile; None for queries that are known not to. given_up: set
        when nobody waits for the answer any more.

        Raises:
            QueryTimeoutError: it took longer than the limit.
            QueryMemoryError: it needed more memory than the limit.
            QueryInterruptedError: it was given up, or the database is being closed or reopened.
            StorageUnavailableError: the database cannot be read.
        """
        return await anyio.to_thread.run_sync(self._answer, query, growth_bytes, given_up, limiter=self._limiter)

    async def warm_up(self) -> None:
        """Fill the index, which takes a second per million runs, before the first query needs it."""
        try:
            await self.run(lambda connection: Snapshot(connection, self.index))
        except MilepostError as error:
            logger.info("the index of runs is not filled yet: %s", error)

    async def stream(self, query: Callable[[DuckDBPyConnection], Iterator[bytes]]) -> AsyncIterator[bytes]:
        """Yield the pieces a query makes, in one read-only transaction. Errors are raised as by `run`."""
        send, receive = anyio.create_memory_object_stream[bytes](STREAM_CHUNKS)
        worker = asyncio.create_task(anyio.to_thread.run_sync(self._feed, query, send, limiter=self._stream_limiter))
        worker.add_done_callback(_retrieve)
        with receive:  # closing it makes the worker's next piece its last
            async for chunk in receive:
                yield chunk
        await worker

    def _answer(
        self,
        query: Callable[[DuckDBPyConnection], Answer],
        growth_bytes: int | None,
        given_up: threading.Event | None,
    ) -> Answer:
        if given_up is not None and given_up.is_set():  # while it waited for its turn
            raise QueryInterruptedError(GIVEN_UP)
        with self._connection() as connection, limited(connection, self._timeout_s, growth_bytes, given_up):
            return query(connection)

    def _feed(
        self, query: Callable[[DuckDBPyConnection], Iterator[bytes]], send: MemoryObjectSendStream[bytes]
    ) -> None:
        try:
            with self._connection() as connection, suppress(anyio.BrokenResourceError):
                for chunk in query(connection):
                    anyio.from_thread.run(_send, send, chunk)
        finally:
            anyio.from_thread.run_sync(send.close)

    @contextmanager
    def _connection(self) -> Iterator[DuckDBPyConnection]:
        try:
            with self._database.reader() as connection, read_only(connection):
                yield connection
        except duckdb.InterruptException as error:
            raise QueryInterruptedError from error
        except duckdb.OutOfMemoryException as error:
            raise QueryMemoryError(str(error).partition("\n")[0]) from error
        except (duckdb.FatalException, duckdb.IOException, duckdb.ConnectionException) as error:
            raise StorageUnavailableError(self._database.path, str(error).partition("\n")[0]) from error


@contextmanager
def read_only(connection: DuckDBPyConnection) -> Iterator[None]:
    """Run the block in one read-only transaction: one snapshot, and no way to write."""
    connection.execute("BEGIN TRANSACTION READ ONLY")
    try:
        yield
    finally:
        with suppress(duckdb.Error):  # the transaction is gone already when the instance has failed
            connection.execute("ROLLBACK")


async def _send(send: MemoryObjectSendStream[bytes], chunk: bytes) -> None:
    with anyio.fail_after(STALL_TIMEOUT_S):
        await send.send(chunk)


def _retrieve(worker: asyncio.Task[None]) -> None:
    """Log a failure that came after the reader had gone; asyncio would complain of it at some random later time."""
    if not worker.cancelled() and (error := worker.exception()):
        logger.debug("a streamed query ended with %s", type(error).__name__)
