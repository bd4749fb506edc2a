"""`POST /api/sql` and `GET /api/schema`."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from milepost_collector.errors import MalformedBodyError
from milepost_collector.protocol.api import SqlRequest
from milepost_collector.storage.schema import public_schema
from milepost_collector.traces.sql import Format, run_sql
from milepost_collector.web.body import read_body
from milepost_collector.web.negotiation import ARROW, CSV, JSON, PARQUET, preferred
from milepost_collector.web.runs import answer
from milepost_collector.web.state import services
from milepost_collector.web.wanted import run_while_wanted

FORMATS: dict[str, Format] = {JSON: "json", ARROW: "arrow", CSV: "csv", PARQUET: "parquet"}

_decode = msgspec.json.Decoder(SqlRequest).decode


async def post_sql(request: Request) -> Response:
    """Answer one SELECT statement. `Milepost-Truncated: true` says that there were more rows, in any format.

    `Milepost-Elapsed-Ms` is what it took; in Arrow, `duckdb_type` in a field's metadata is the column's type. A client
    that closes its connection stops its query.
    """
    shared = services(request)
    media_type = preferred(request, tuple(FORMATS))
    wanted = _request(await read_body(request, shared.config))
    most = shared.config.sql_max_rows
    max_rows = most if wanted.limit is None else min(wanted.limit, most)
    result = await run_while_wanted(
        request,
        shared.queries,
        lambda connection: run_sql(connection, wanted.sql, max_rows=max_rows, wanted=FORMATS[media_type]),
        growth_bytes=shared.config.memory_limit_bytes,
    )
    headers = {
        "Cache-Control": "no-store",
        "Vary": "Accept",
        "Milepost-Truncated": str(result.truncated).lower(),
        "Milepost-Elapsed-Ms": str(result.elapsed_ms),
    }
    return Response(result.body, media_type=media_type, headers=headers)


async def get_schema(request: Request) -> Response:
    """Return the documented tables and views."""
    return answer(public_schema())


def _request(body: bytes) -> SqlRequest:
    try:
        return _decode(body)
    except msgspec.DecodeError as error:
        raise MalformedBodyError(f'the body is not {{"sql": "SELECT …", "limit": 100}}: {error}') from error
