"""A run's spans: the skeleton of the timeline in chunks, and everything about one span."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from duckdb import DuckDBPyConnection
from msgspec import Raw

from milepost_collector.errors import NotFoundError
from milepost_collector.protocol.api import Payload, SpanDetail, SpanSkeleton, UsageItem
from milepost_collector.protocol.messages import piece_ids, restore
from milepost_collector.protocol.timestamps import iso_from_ns, optional_iso_from_ns
from milepost_collector.traces.queries.arrow import encoded, ipc_stream, with_dictionaries
from milepost_collector.traces.queries.conversations import conversation, decode_problems, pieces
from milepost_collector.traces.queries.events import raw_json, span_events
from milepost_collector.traces.queries.run_index import Bounds, RunIndex
from milepost_collector.traces.queries.runs import not_counted
from milepost_collector.traces.queries.source import SPAN_BOUNDS, Snapshot

CHUNK_SPANS = 2000  # about 250 KB of JSON
ARROW_BATCH_SPANS = 8192

_FIELDS = SpanSkeleton.__struct_fields__
_EXPRESSIONS = {
    "start_ns": "epoch_ns(start_time) - $origin AS start_ns",
    "end_ns": "epoch_ns(end_time) - $origin AS end_ns",
}
_SPANS = f"(SELECT * FROM spans WHERE run_id = $run_id AND {SPAN_BOUNDS} UNION ALL BY NAME {{running}})"
OF_RUN = _SPANS.format(running="SELECT *, 'running' AS status FROM live_spans WHERE run_id = $run_id")
_ORIGIN = f"SELECT epoch_ns(min(start_time)) FROM {OF_RUN}"
# Columns that most runs have no value in. An Arrow stream goes without those that would be empty.
_SELDOM = _FIELDS[_FIELDS.index("tool") :]
_REPEATED = frozenset(
    {"name", "kind", "status", "parent_span_id", "agent", "model", "error_type", "service", "tool", "task_id"}
)
_KNOWN = f"SELECT {', '.join(f'count({name}) > 0' for name in _SELDOM)} FROM {OF_RUN}"

_ELSEWHERE = {"events", "messages", "not_counted", "problems"}  # what a span's row does not hold
_DETAIL_FIELDS = tuple(name for name in SpanDetail.__struct_fields__ if name not in _ELSEWHERE)
# A payload may be megabytes: only what is answered leaves the database.
_PAYLOAD = (
    "strlen({name}), CASE WHEN strlen({name}) <= $limit THEN {name}::VARCHAR ELSE left({name}::VARCHAR, $limit) END"
)
_DETAIL_EXPRESSIONS = {
    "start_time": "epoch_ns(start_time) AS start_time",
    "end_time": "epoch_ns(end_time) AS end_time",
    "tags": "coalesce(tags, []) AS tags",
    "input": _PAYLOAD.format(name="input"),
    "output": _PAYLOAD.format(name="output"),
}
_DETAIL = f"SELECT {', '.join(_DETAIL_EXPRESSIONS.get(name, name) for name in _DETAIL_FIELDS)}"
_RUN_OF_SPAN = "SELECT run_id FROM all_spans WHERE span_id = ? LIMIT 1"


class RunSpansReader:
    """The spans of one run, for streaming. Use within one transaction of one connection.

    origin: the run's earliest start, nanoseconds since 1970; times in skeletons count from it.

    Raises:
        NotFoundError: the run has no spans.
    """

    def __init__(self, connection: DuckDBPyConnection, index: RunIndex, run_id: str) -> None:
        self.run_id = run_id
        self._connection = connection
        self._values: dict[str, Any] = {"run_id": run_id, **run_bounds(connection, index, run_id)._asdict()}
        self.origin = connection.execute(_ORIGIN, self._values).fetchall()[0][0]
        if self.origin is None:
            raise NotFoundError("run", run_id)

    def json(self) -> Iterator[bytes]:
        """Yield a `RunSpans` document piece by piece."""
        head = {"run_id": self.run_id, "origin": iso_from_ns(self.origin)}
        yield msgspec.json.encode(head)[:-1] + b',"spans":['
        encoder, separator = msgspec.json.Encoder(), b""
        self._execute(_FIELDS)
        while rows := self._connection.fetchmany(CHUNK_SPANS):
            spans = [SpanSkeleton(**dict(zip(_FIELDS, row, strict=True))) for row in rows]
            yield separator + encoder.encode(spans)[1:-1]
            separator = b","
        yield b"]}"

    def arrow_stream(self) -> Iterator[bytes]:
        """Yield an Arrow IPC stream piece by piece; its schema carries `run_id` and `origin` as metadata.

        Of the seldom columns only those come that some span has a value in. Texts that many spans share are numbers
        into a dictionary: half the bytes, and a viewer reads each text once.
        """
        known = self._connection.execute(_KNOWN, self._values).fetchall()[0]
        absent = {name for name, is_known in zip(_SELDOM, known, strict=True) if not is_known}
        self._execute(tuple(name for name in _FIELDS if name not in absent))
        reader = self._connection.to_arrow_reader(ARROW_BATCH_SPANS)
        metadata = {"run_id": self.run_id, "origin": iso_from_ns(self.origin)}
        schema = with_dictionaries(reader.schema, _REPEATED).with_metadata(metadata)
        yield from ipc_stream(schema, (encoded(batch, schema) for batch in reader))

    def _execute(self, fields: tuple[str, ...]) -> None:
        columns = ", ".join(_EXPRESSIONS.get(name, name) for name in fields)
        sql = f"SELECT {columns} FROM {OF_RUN} ORDER BY start_time, span_id"
        self._connection.execute(sql, {**self._values, "origin": self.origin})


def run_bounds(connection: DuckDBPyConnection, index: RunIndex, run_id: str) -> Bounds:
    """Return between which times the ended spans of a run started."""
    Snapshot(connection, index)  # brings the index up to date
    return index.bounds([run_id])


def span_detail(
    connection: DuckDBPyConnection, index: RunIndex, span_id: str, *, run_id: str | None, payload_limit: int
) -> SpanDetail:
    """Return everything about a span, its events included. Call within a transaction.

    run_id: makes the search fast. payload_limit: bytes of JSON up to which input and output are given whole.

    Raises:
        NotFoundError: there is no such span.
    """
    run_id = run_id or _run_of(connection, span_id)
    values: dict[str, Any] = {"run_id": run_id, **run_bounds(connection, index, run_id)._asdict()}
    sql = f"{_DETAIL} FROM {OF_RUN} WHERE span_id = $span_id"
    row = connection.execute(sql, {**values, "span_id": span_id, "limit": payload_limit}).fetchone()
    if row is None:
        raise NotFoundError("span", span_id)
    between = row[_DETAIL_FIELDS.index("start_time")], row[_DETAIL_FIELDS.index("end_time")]
    detail = _detail(row, span_events(connection, run_id, span_id))
    detail.attributes = _restored(connection, detail, payload_limit)
    detail.messages = conversation(connection, run_id, span_id, between, payload_limit)
    detail.problems = decode_problems(detail.attributes) + _copies(connection, run_id, span_id)
    detail.not_counted = next((one for one in not_counted(connection, run_id) if one.span_id == span_id), None)
    return detail


def _copies(connection: DuckDBPyConnection, run_id: str, span_id: str) -> list[str]:
    """Return what became of other copies of the span."""
    sql = "SELECT DISTINCT reason FROM rejected WHERE starts_with(reason, ?) AND contains(event, ?)"
    return [str(reason) for (reason,) in connection.execute(sql, [f"span {span_id} ", run_id]).fetchall()]


def _restored(connection: DuckDBPyConnection, detail: SpanDetail, limit: int) -> Raw | None:
    """Return the attributes as they were sent; one that is the input or output is not repeated when that is long."""
    if detail.attributes is None:
        return None
    text = bytes(detail.attributes).decode()
    columns = {name: _column_text(name, payload) for name in ("input", "output") if (payload := getattr(detail, name))}
    return Raw(restore(text, pieces(connection, piece_ids(text)), columns).encode())


def _column_text(name: str, payload: Payload) -> str:
    if payload.value is not None:
        return bytes(payload.value).decode()
    return msgspec.json.encode(f"the {name}, {payload.bytes} bytes").decode()


def _run_of(connection: DuckDBPyConnection, span_id: str) -> str:
    row = connection.execute(_RUN_OF_SPAN, [span_id]).fetchone()
    if row is None:
        raise NotFoundError("span", span_id)
    return str(row[0])


def _detail(row: tuple[Any, ...], events: list[Any]) -> SpanDetail:
    values = iter(row)
    fields: dict[str, Any] = {}
    for name in _DETAIL_FIELDS:
        fields[name] = _payload(next(values), next(values)) if name in ("input", "output") else next(values)
    fields["start_time"] = iso_from_ns(fields["start_time"])
    fields["end_time"] = optional_iso_from_ns(fields["end_time"])
    fields["attributes"] = raw_json(fields["attributes"])
    fields["links"] = raw_json(fields["links"])
    fields["usage"] = msgspec.json.decode(fields["usage"] or "[]", type=list[UsageItem])
    return SpanDetail(**fields, events=events)


def _payload(size: int | None, text: str | None) -> Payload | None:
    if size is None or text is None:
        return None
    if len(text.encode()) == size:
        return Payload(bytes=size, value=Raw(text.encode()))
    return Payload(bytes=size, head=text)
