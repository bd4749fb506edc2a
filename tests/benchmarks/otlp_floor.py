"""The floor of OTLP: HTTP, protobuf's own parser, the same columns through Arrow, one INSERT and COMMIT a group.

    python -m tests.benchmarks.otlp_floor DIR

No identity of requests or spans, no conventions, prices, messages, repeats of usage, rejected spans or live feed.
"""

from __future__ import annotations

import asyncio
import gzip
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.benchmarks.bare_server import serve
from tests.benchmarks.floor_server import Floor, Row

COLUMNS = (
    "run_id", "span_id", "parent_span_id", "name", "kind", "status", "start_time", "end_time", "model", "provider",
    "input_tokens", "output_tokens", "attributes", "service", "scope", "producer_id",
)  # fmt: skip

_json = msgspec.json.Encoder().encode


class OtlpFloor(Floor):
    """A queue of rows and a thread that commits everything in it."""

    async def store_rows(self, rows: list[Row]) -> None:
        """Return once the rows are committed."""
        done: asyncio.Future[None] = self._loop.create_future()
        self._queue.put((rows, done))
        await done

    def _commit(self, batches: Sequence[Any], commit_id: int) -> None:
        self._connection.execute("BEGIN")
        self._insert("spans", COLUMNS, [row for rows in batches for row in rows], {"commit_id": commit_id})
        self._connection.execute("COMMIT")


def rows_of(body: bytes) -> list[Row]:
    """Return a row per span."""
    rows = []
    for group in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = next((one.value.string_value for one in group.resource.attributes if one.key == "service.name"), None)
        for scoped in group.scope_spans:
            rows += [_row(span, service, scoped.scope.name) for span in scoped.spans]
    return rows


def _row(span: Span, service: str | None, scope: str) -> Row:
    attributes = {one.key: _value(one.value) for one in span.attributes}
    get = attributes.get
    return (
        span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex() or None, span.name, "llm", "completed",
        span.start_time_unix_nano, span.end_time_unix_nano, get("gen_ai.response.model"), get("gen_ai.provider.name"),
        get("gen_ai.usage.input_tokens"), get("gen_ai.usage.output_tokens"), _json(attributes).decode(), service, scope,
        "floor",
    )  # fmt: skip


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind) if kind else None


def create_app(data_dir: Path) -> Starlette:
    """Return the floor's application."""
    floor = OtlpFloor(data_dir)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        floor.start()
        yield
        floor.stop()

    async def post_traces(request: Request) -> Response:
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        await floor.store_rows(rows_of(body))
        return Response(b"", media_type="application/x-protobuf")

    async def readyz(request: Request) -> Response:
        return Response(b"ready")

    routes = [Route("/v1/traces", post_traces, methods=["POST"]), Route("/readyz", readyz)]
    return Starlette(routes=routes, lifespan=lifespan)


if __name__ == "__main__":
    serve(create_app(Path(sys.argv[1])))
