"""The floor: the least that can acknowledge events after their commit, on the same HTTP stack, into the same tables.

    python -m tests.benchmarks.floor_server DIR

uvicorn and Starlette, msgspec into the same structs, Arrow, one INSERT per table and a COMMIT for everything queued,
and the same checkpoint rule. No identity of batches or spans, no running spans, no prices, no conventions, no bad
events, no live feed, no security, no metrics: the difference to the collector is what all of that costs.
"""

from __future__ import annotations

import asyncio
import gzip
import importlib.util
import queue
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from milepost.wire import Batch, BatchAnswer, Event, SpanEnded
from milepost_collector.config import CollectorConfig
from milepost_collector.protocol.rows import EVENT_COLUMNS, SPAN_COLUMNS
from milepost_collector.storage.migrate import known_migrations
from milepost_collector.traces.arrow import to_arrow
from tests.benchmarks.bare_server import serve

Row = tuple[Any, ...]
Waiting = tuple[Any, asyncio.Future[None]]

_decode = msgspec.msgpack.Decoder(Batch).decode
_encode = msgspec.msgpack.Encoder().encode
_json = msgspec.json.Encoder().encode


class Floor:
    """A queue and a thread that commits everything in it."""

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self._path = data_dir / "milepost.duckdb"
        self._connection = duckdb.connect(str(self._path), config={"checkpoint_threshold": "1TB"})
        for step in known_migrations():
            self._connection.execute(step.sql)
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run)
        _hide_absent_modules()

    def start(self) -> None:
        """Start the thread and remember the loop that waits."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Commit what is queued and close the file."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()

    async def store(self, batch: Batch) -> None:
        """Return once the batch is committed."""
        done: asyncio.Future[None] = self._loop.create_future()
        self._queue.put((batch, done))
        await done

    def _run(self) -> None:
        commit_id = 0
        while group := self._take():
            self._commit([batch for batch, _ in group], commit_id)
            commit_id += 1
            self._loop.call_soon_threadsafe(_settle, [done for _, done in group])
            if commit_id % 100 == 0 and self._wal_bytes() > CollectorConfig().checkpoint_wal_bytes:
                self._connection.execute("CHECKPOINT")

    def _take(self) -> list[Waiting]:
        group = []
        waiting = self._queue.get()
        while waiting is not None:
            group.append(waiting)
            if self._queue.empty():
                break
            waiting = self._queue.get()
        return group

    def _commit(self, batches: Sequence[Batch], commit_id: int) -> None:
        spans = [_span_row(event, batch) for batch in batches for event in batch.events if type(event) is SpanEnded]
        events = [
            _event_row(event, batch, place)
            for batch in batches
            for place, event in enumerate(batch.events)
            if type(event) is Event
        ]
        self._connection.execute("BEGIN")
        self._insert("spans", SPAN_COLUMNS, spans, {"commit_id": commit_id})
        self._insert("events", EVENT_COLUMNS, events, {})
        self._connection.execute("COMMIT")

    def _insert(self, table: str, columns: tuple[str, ...], rows: Sequence[Row], same: dict[str, int]) -> None:
        """Insert rows; same: columns whose value is the same in all of them."""
        if rows:
            incoming: pa.Table = to_arrow(columns, rows).__arrow_c_stream__()  # noqa: F841 # read by the statement's name
            names, values = ", ".join([*columns, *same]), ", ".join([*columns, *map(str, same.values())])
            self._connection.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM incoming")

    def _wal_bytes(self) -> int:
        wal = self._path.with_name(self._path.name + ".wal")
        return wal.stat().st_size if wal.exists() else 0


def _hide_absent_modules() -> None:
    """Keep pyarrow and DuckDB from looking for pandas again and again: each search costs a tenth of a millisecond."""
    pa.array(["pyarrow itself has looked for it once"])
    if importlib.util.find_spec("pandas") is None:
        sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]


def _span_row(span: SpanEnded, batch: Batch) -> Row:
    usage = span.usage[0] if span.usage else _NO_USAGE
    return (
        span.run_id, span.span_id, span.parent_span_id, span.name, span.kind, span.status, span.start_time,
        span.end_time, span.agent, span.session_id, span.user_id, span.tags, span.task_id, span.attempt, usage.model,
        usage.provider, usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens,
        usage.reasoning_tokens, usage.cost_usd, None, span.error_type, span.error_message, span.error_stack,
        span.reason, span.input_json, span.output_json, _json(span.attributes).decode() if span.attributes else None,
        None, None, batch.resource.service_name, span.scope, batch.producer_id, None, None, None, None,
    )  # fmt: skip


def _event_row(event: Event, batch: Batch, place: int) -> Row:
    return (
        event.run_id, event.span_id, event.time, event.kind, event.name, event.severity, event.message, event.fraction,
        event.body_json, None, batch.producer_id, batch.sequence, place, None,
    )  # fmt: skip


def _settle(waiting: Sequence[asyncio.Future[None]]) -> None:
    for done in waiting:
        if not done.done():
            done.set_result(None)


def create_app(data_dir: Path) -> Starlette:
    """Return the floor's application."""
    floor = Floor(data_dir)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        floor.start()
        yield
        floor.stop()

    async def post_events(request: Request) -> Response:
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        batch = _decode(body)
        await floor.store(batch)
        return Response(_encode(BatchAnswer(len(batch.events), [])), media_type="application/msgpack")

    async def readyz(request: Request) -> Response:
        return Response(b"ready")

    routes = [Route("/v1/events", post_events, methods=["POST"]), Route("/readyz", readyz)]
    return Starlette(routes=routes, lifespan=lifespan)


class _NoUsage:
    model = provider = input_tokens = output_tokens = cache_read_tokens = cache_write_tokens = None
    reasoning_tokens = cost_usd = None


_NO_USAGE = _NoUsage()


if __name__ == "__main__":
    serve(create_app(Path(sys.argv[1])))
