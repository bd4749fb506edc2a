"""Queries that end with their client: one that went away, or was told to stop, wants no answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from duckdb import DuckDBPyConnection
from starlette.requests import Request

from milepost_collector.traces.queries import QueryPool

Answer = TypeVar("Answer")


async def run_while_wanted(
    request: Request,
    queries: QueryPool,
    query: Callable[[DuckDBPyConnection], Answer],
    *,
    growth_bytes: int | None = None,
) -> Answer:
    """Run a query as `QueryPool.run` does, and interrupt it when the client closes its connection.

    The request's body must have been read.
    """
    given_up = threading.Event()
    watcher = asyncio.create_task(_until_gone(request, given_up))
    try:
        return await queries.run(query, growth_bytes=growth_bytes, given_up=given_up)
    finally:
        watcher.cancel()


async def _until_gone(request: Request, given_up: threading.Event) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    given_up.set()
