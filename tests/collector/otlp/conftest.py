"""A collector that takes nothing more in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest

from milepost_collector.traces.ingest import Ingest
from tests.collector.otlp.messages import PROTOBUF, make_span, traces
from tests.collector.server import Server, StartServer


def on_loop(server: Server, work: Coroutine[Any, Any, Any]) -> Any:
    """Run something on the collector's event loop."""
    return asyncio.run_coroutine_threadsafe(work, server.app.state.services.loop).result(15)


@pytest.fixture
def full_server(start_server: StartServer) -> Iterator[Server]:
    """Return a server whose queue is full until the test ends: its writer has not begun."""
    server = start_server()
    services = server.app.state.services
    working = services.ingest

    async def make() -> Ingest:
        return Ingest(services.database, replace(services.config, max_waiting_bytes=1))

    services.ingest = waiting = on_loop(server, make())
    body = traces(make_span()).SerializeToString()
    first = asyncio.run_coroutine_threadsafe(waiting.submit_otlp("traces", body, PROTOBUF), services.loop)
    deadline = time.monotonic() + 10
    while not waiting.stats().queued_batches:
        assert time.monotonic() < deadline
    yield server

    async def drain() -> None:
        waiting.start()
        await asyncio.wrap_future(first)
        await waiting.stop()

    on_loop(server, drain())
    services.ingest = working
