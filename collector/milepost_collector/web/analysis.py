"""`GET /api/runs/{id}/export`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from duckdb import DuckDBPyConnection
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from milepost_collector.protocol.exports.markdown import LEAST_BYTES
from milepost_collector.traces.analysis import RunExport
from milepost_collector.traces.analysis.exporting import DEFAULT_PAGE_BYTES
from milepost_collector.web.endpoint import Endpoint
from milepost_collector.web.negotiation import JSON
from milepost_collector.web.parameters import checked_id, parse
from milepost_collector.web.runs import streamed
from milepost_collector.web.state import services

MARKDOWN = "text/markdown"
MAX_PAGE_BYTES = 1_000_000
_ENDINGS = {"otlp": "otlp.json", "chrome": "trace.json", "speedscope": "speedscope.json", "markdown": "md"}


class ExportParameters(Struct, kw_only=True):
    """How a run is written."""

    format: Annotated[
        Literal["otlp", "chrome", "speedscope", "markdown"],
        Meta(
            description="otlp: a trace request, /v1/traces takes it back; chrome: trace events, for Perfetto; "
            "speedscope; markdown: a summary."
        ),
    ] = "otlp"
    budget: Annotated[
        int, Meta(description="Bytes of a Markdown summary at most.", ge=LEAST_BYTES, le=MAX_PAGE_BYTES)
    ] = DEFAULT_PAGE_BYTES


async def get_export(request: Request) -> Response:
    """Stream a run in another tool's format."""
    queries = services(request).queries
    run_id = checked_id("run_id", request.path_params["run_id"], 32)
    wanted = parse(request.query_params, ExportParameters)

    def export(connection: DuckDBPyConnection) -> Iterator[bytes]:
        return RunExport(connection, queries.index, run_id).pieces(wanted.format, budget=wanted.budget)

    answer = await streamed(queries.stream(export), MARKDOWN if wanted.format == "markdown" else JSON)
    answer.headers["Content-Disposition"] = f'attachment; filename="{run_id}.{_ENDINGS[wanted.format]}"'
    return answer


ANALYSIS_ENDPOINTS = (
    Endpoint(
        path="/api/runs/{run_id}/export",
        handler=get_export,
        summary="A run in another tool's format, streamed: OTLP/JSON, Chrome trace events, speedscope or Markdown.",
        parameters=ExportParameters,
        answers={JSON: None, MARKDOWN: None},
        errors=(400, 404, 503),
    ),
)
