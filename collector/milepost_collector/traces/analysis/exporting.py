"""Runs read for export, a part at a time: what is not yet sent is not held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
from duckdb import DuckDBPyConnection

from milepost._version import __version__
from milepost_collector.errors import NotFoundError
from milepost_collector.protocol.api import RunSummary, SpanDetail
from milepost_collector.protocol.exports import (
    Exported,
    MarkdownRun,
    SpanLink,
    TimedSpan,
    chrome_trace,
    foreign_span,
    markdown,
    otlp_json,
    resource_attributes,
    speedscope,
)
from milepost_collector.protocol.messages import piece_ids
from milepost_collector.protocol.rows import EVENT_COLUMNS, SPAN_COLUMNS
from milepost_collector.protocol.timestamps import iso_from_ns
from milepost_collector.traces.arrow import TIMES
from milepost_collector.traces.queries.conversations import pieces
from milepost_collector.traces.queries.run_index import RunIndex
from milepost_collector.traces.queries.runs import run_detail
from milepost_collector.traces.queries.source import SPAN_BOUNDS
from milepost_collector.traces.queries.spans import run_bounds, span_detail

Format = Literal["otlp", "chrome", "speedscope", "markdown"]

SPANS_AT_ONCE = 500  # with their inputs and outputs: some megabytes
MAX_PAGE_SPANS = 20_000  # that a Markdown page looks at; it shows a few hundred
DEFAULT_PAGE_BYTES = 24_000

_OF_RUN = (
    f"(SELECT * FROM spans WHERE run_id = $run_id AND {SPAN_BOUNDS} UNION ALL BY NAME "
    "SELECT *, 'running' AS status FROM live_spans WHERE run_id = $run_id)"
)
_EXTENT = f"SELECT epoch_ns(min(start_time)), epoch_ns(max(greatest(start_time, end_time))), count(*) FROM {_OF_RUN}"
_ROOT = f"SELECT span_id FROM {_OF_RUN} WHERE parent_span_id IS NULL ORDER BY start_time, span_id LIMIT 1"
_LINKS = f"SELECT links FROM {_OF_RUN} WHERE links IS NOT NULL"
_TIMED = tuple(name for name in TimedSpan.__struct_fields__ if name != "links")
_TIMED_EXPRESSIONS = {
    "start_ns": "epoch_ns(start_time) - $origin",
    "end_ns": "epoch_ns(end_time) - $origin",
    "error_message": "left(error_message, 2000)",
}
_SPANS = (
    f"SELECT {', '.join(_TIMED_EXPRESSIONS.get(name, name) for name in _TIMED)}, links FROM {_OF_RUN} "
    "ORDER BY start_time, span_id"
)
_WHOLE = (
    f"SELECT {', '.join(f'epoch_ns({name})' if name in TIMES else name for name in SPAN_COLUMNS)} FROM spans "
    f"WHERE run_id = $run_id AND {SPAN_BOUNDS} AND (start_time, span_id) > (make_timestamp_ns($after), $after_id) "
    f"ORDER BY start_time, span_id LIMIT {SPANS_AT_ONCE}"
)
_EVENTS = (
    f"SELECT {', '.join(f'epoch_ns({name})' if name in TIMES else name for name in EVENT_COLUMNS)} FROM events "
    "WHERE run_id = $run_id AND (event_id IS NULL OR kind = 'score') "
    "AND span_id IN (SELECT unnest($span_ids::VARCHAR[])) ORDER BY rowid"
)
_RUN_SCORES = (
    f"SELECT {', '.join(f'epoch_ns({name})' if name in TIMES else name for name in EVENT_COLUMNS)} FROM events "
    "WHERE run_id = $run_id AND span_id IS NULL AND kind = 'score' ORDER BY rowid"
)
# What is said of the whole run leaves with its root, or without one with its first span: OTLP has events of spans only.
_BEARER = (
    f"SELECT span_id FROM spans WHERE run_id = $run_id AND {SPAN_BOUNDS} "
    "ORDER BY parent_span_id IS NOT NULL, start_time, span_id LIMIT 1"
)
_PRODUCERS = f"""
SELECT producer_id, attributes, service_name, service_version, host_name, process_id, sdk_name, sdk_version
FROM producers
WHERE producer_id IN (SELECT DISTINCT producer_id FROM spans WHERE run_id = $run_id AND {SPAN_BOUNDS})
"""
_PRODUCER_COLUMNS = (
    "producer_id", "attributes", "service_name", "service_version", "host_name", "process_id", "sdk_name",
    "sdk_version",
)  # fmt: skip

_decode_links = msgspec.json.Decoder(list[SpanLink]).decode
Row = dict[str, Any]


class RunExport:
    """A run to be written in another tool's format. Use within one transaction of one connection.

    Raises:
        NotFoundError: the run has no spans.
    """

    def __init__(self, connection: DuckDBPyConnection, index: RunIndex, run_id: str) -> None:
        self._connection = connection
        self._index = index
        self._values: Row = {"run_id": run_id, **run_bounds(connection, index, run_id)._asdict()}
        self._run_id = run_id
        origin, last, self._count = connection.execute(_EXTENT, self._values).fetchall()[0]
        if origin is None:
            raise NotFoundError("run", run_id)
        self._origin: int = origin
        self._extent: int = last - origin

    def pieces(self, wanted: Format, *, budget: int = DEFAULT_PAGE_BYTES) -> Iterator[bytes]:
        """Yield the document piece by piece. budget: bytes of a Markdown page, the other formats leave nothing out.

        OTLP carries spans that have ended, as its receivers expect; in pictures running ones reach to the end.
        """
        if wanted == "otlp":
            return otlp_json(self._exported())
        if wanted == "markdown":
            return iter([markdown(self._page(), budget=budget).encode()])
        name = self._summary().name
        if wanted == "speedscope":
            return speedscope(name, self._timed(), exporter=f"milepost {__version__}", extent_ns=self._extent)
        return chrome_trace(
            name, iso_from_ns(self._origin), self._timed(), extent_ns=self._extent, linked=self._linked()
        )

    # --- pictures

    def _summary(self) -> RunSummary:
        return run_detail(self._connection, self._index, self._run_id).run

    def _timed(self, limit: int | None = None) -> Iterator[TimedSpan]:
        sql = _SPANS if limit is None else f"{_SPANS} LIMIT {limit:d}"
        self._connection.execute(sql, {**self._values, "origin": self._origin})
        while rows := self._connection.fetchmany(SPANS_AT_ONCE):
            for *fields, links in rows:
                span = TimedSpan(**dict(zip(_TIMED, fields, strict=True)))
                span.links = _decode_links(links) if links else []
                yield span

    def _linked(self) -> frozenset[str]:
        """Return the spans of this run that spans of it link to."""
        texts = [text for (text,) in self._connection.execute(_LINKS, self._values).fetchall()]
        return frozenset(link.span_id for text in texts for link in _decode_links(text) if link.run_id == self._run_id)

    def _page(self) -> MarkdownRun:
        run, output = self._summary(), self._output()
        spans = list(self._timed(MAX_PAGE_SPANS))
        return MarkdownRun(run=run, spans=spans, output=output, omitted=self._count - len(spans))

    def _output(self) -> str | None:
        """Return what the root returned, as JSON: its output, or the messages that a model answered it with."""
        root = self._connection.execute(_ROOT, self._values).fetchall()
        if not root:
            return None
        detail = span_detail(
            self._connection, self._index, root[0][0], run_id=self._run_id, payload_limit=DEFAULT_PAGE_BYTES
        )
        return _output_of(detail)

    # --- whole spans

    def _exported(self) -> Iterator[list[Exported]]:
        resources = self._resources()
        bearer = next((span_id for (span_id,) in self._connection.execute(_BEARER, self._values).fetchall()), None)
        last: Mapping[str, Any] | None = None
        while rows := self._chunk(last):
            events = self._events(rows)
            if bearer is not None and any(row["span_id"] == bearer for row in rows):
                events.setdefault(bearer, []).extend(self._of_run())
            texts = self._texts([*rows, *(event for found in events.values() for event in found)])
            yield [
                Exported(
                    resources.get(row["producer_id"], {}), foreign_span(row, events.get(row["span_id"], ()), texts)
                )
                for row in rows
            ]
            last = rows[-1]

    def _chunk(self, last: Mapping[str, Any] | None) -> list[Row]:
        after = {"after": last["start_time"], "after_id": last["span_id"]} if last else {"after": -1, "after_id": ""}
        found = self._connection.execute(_WHOLE, {**self._values, **after}).fetchall()
        return [dict(zip(SPAN_COLUMNS, row, strict=True)) for row in found]

    def _events(self, rows: Sequence[Row]) -> dict[str, list[Row]]:
        values = {"run_id": self._run_id, "span_ids": [row["span_id"] for row in rows]}
        found: dict[str, list[Row]] = {}
        for event in self._connection.execute(_EVENTS, values).fetchall():
            known = dict(zip(EVENT_COLUMNS, event, strict=True))
            found.setdefault(known["span_id"], []).append(known)
        return found

    def _of_run(self) -> list[Row]:
        """Return the scores of the run as a whole."""
        found = self._connection.execute(_RUN_SCORES, {"run_id": self._run_id}).fetchall()
        return [dict(zip(EVENT_COLUMNS, event, strict=True)) for event in found]

    def _texts(self, rows: Sequence[Row]) -> dict[str, str]:
        texts = [row["attributes"] for row in rows if row["attributes"]]
        return pieces(self._connection, sorted({piece for text in texts for piece in piece_ids(text)}))

    def _resources(self) -> dict[str, dict[str, Any]]:
        rows = self._connection.execute(_PRODUCERS, self._values).fetchall()
        producers = [dict(zip(_PRODUCER_COLUMNS, row, strict=True)) for row in rows]
        return {producer["producer_id"]: resource_attributes(producer) for producer in producers}


def _output_of(detail: SpanDetail) -> str | None:
    if detail.output is not None:
        return detail.output.head if detail.output.value is None else bytes(detail.output.value).decode()
    if detail.messages is None or not detail.messages.output:
        return None
    return msgspec.json.encode([message.parts for message in detail.messages.output if message.parts]).decode()
