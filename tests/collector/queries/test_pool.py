"""Queries off the event loop: limits, streams, what failures become."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import duckdb
import pytest
from duckdb import DuckDBPyConnection

from milepost_collector.errors import NotFoundError, QueryInterruptedError, QueryMemoryError, QueryTimeoutError
from milepost_collector.storage import Database
from milepost_collector.traces.queries import QueryPool
from milepost_collector.traces.queries.pool import STREAM_CHUNKS

MIB = 1024 * 1024
ENDLESS = "SELECT count(*) FROM range(100000000000) a, range(100) b WHERE hash(a.range) = hash(b.range)"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "milepost.duckdb", memory_limit_bytes=256 * MIB)
    yield made
    made.close()


@pytest.fixture
def pool(database: Database) -> QueryPool:
    return QueryPool(database, threads=2, timeout_s=0.2)


async def test_answer_is_returned(pool: QueryPool) -> None:
    assert await pool.run(lambda connection: connection.execute("SELECT 42").fetchall()) == [(42,)]


async def test_endless_query_is_stopped_at_its_limit(pool: QueryPool) -> None:
    with pytest.raises(QueryTimeoutError, match=r"ran longer than 0\.2 s"):
        await pool.run(lambda connection: connection.execute(ENDLESS).fetchall())


async def test_query_that_makes_the_process_grow_is_stopped(database: Database) -> None:
    pool = QueryPool(database, threads=2, timeout_s=60)
    hog = "SELECT repeat('x', 30000) FROM range(1000000)"
    with pytest.raises(QueryMemoryError, match=r"grew by \d+ MiB"):
        await pool.run(lambda connection: connection.execute(hog).fetchall(), growth_bytes=100 * MIB)


async def test_query_that_nobody_waits_for_is_stopped(database: Database) -> None:
    pool = QueryPool(database, threads=1, timeout_s=60)
    given_up = threading.Event()

    def endless(connection: DuckDBPyConnection) -> None:
        given_up.set()
        connection.execute(ENDLESS)

    with pytest.raises(QueryInterruptedError, match="nobody waits"):
        await pool.run(endless, given_up=given_up)
    with pytest.raises(QueryInterruptedError, match="nobody waits"):  # while it waited for its turn
        await pool.run(lambda connection: connection.execute("SELECT 1"), given_up=given_up)


async def test_queries_cannot_write(pool: QueryPool) -> None:
    with pytest.raises(duckdb.TransactionException, match="read-only"):
        await pool.run(lambda connection: connection.execute("DELETE FROM spans").fetchall())


async def test_closing_the_database_interrupts_queries(database: Database) -> None:
    pool = QueryPool(database, threads=2, timeout_s=60)
    running = threading.Event()

    def endless(connection: DuckDBPyConnection) -> None:
        running.set()
        connection.execute(ENDLESS)

    asking = asyncio.create_task(pool.run(endless))
    await asyncio.to_thread(running.wait)
    await asyncio.to_thread(interrupt_until_done, database, asking)
    with pytest.raises(QueryInterruptedError, match="closed or reopened"):
        await asking


def interrupt_until_done(database: Database, asking: asyncio.Task[None]) -> None:
    """Interrupt as closing does; an interrupt between the event and the query's begin is lost."""
    while database._readers:
        database.interrupt_readers()


async def test_stream_yields_every_piece_in_order(pool: QueryPool) -> None:
    pieces = [b"%d" % number for number in range(STREAM_CHUNKS * 2)]
    assert [piece async for piece in pool.stream(lambda connection: iter(pieces))] == pieces


async def test_error_before_the_first_piece_is_raised(pool: QueryPool) -> None:
    def missing(connection: DuckDBPyConnection) -> Iterator[bytes]:
        raise NotFoundError("run", "x")

    with pytest.raises(NotFoundError):
        await anext(pool.stream(missing))


async def test_stream_given_up_by_its_reader_frees_the_connection(pool: QueryPool, database: Database) -> None:
    def endless(connection: DuckDBPyConnection) -> Iterator[bytes]:
        while True:
            yield b"x"

    stream = pool.stream(endless)
    assert isinstance(stream, AsyncIterator)
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]  # an async generator in fact
    await asyncio.wait_for(asyncio.to_thread(database.close), 5)  # which waits for every reader
