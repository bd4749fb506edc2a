"""The events of a run: checkpoints, logs, exceptions, progress."""

from __future__ import annotations

from typing import Any

import msgspec
from duckdb import DuckDBPyConnection
from msgspec import Raw

from milepost_collector.errors import InvalidParameterError
from milepost_collector.protocol.api import EventItem, EventList, EventMarks
from milepost_collector.protocol.cursor import Cursor, encode_cursor, scope_of
from milepost_collector.protocol.foreign_rows import LOG_BODY
from milepost_collector.protocol.messages import piece_ids, restore
from milepost_collector.protocol.timestamps import iso_from_ns
from milepost_collector.traces.queries.conversations import pieces
from milepost_collector.traces.queries.filters import decode

MAX_LIMIT = 2000
MOST_MARKS = 20_000  # of a run; more than any screen has room for
SPAN_EVENTS_LIMIT = 500  # events that come with a span's detail; the list has them all

MARK = '{"$'  # in attributes that refer to pieces

_MARKS = """
SELECT epoch_ns(time), span_id, kind, severity FROM events
WHERE run_id = ? AND kind IN ('log', 'exception', 'event') ORDER BY events.time, rowid LIMIT ?
"""

_FIELDS = EventItem.__struct_fields__
_COLUMNS = ", ".join("epoch_ns(time) AS time" if name == "time" else name for name in _FIELDS)
_PLACE = "rowid"  # events are only appended, so a row's number tells events of the same instant apart for ever


def list_events(
    connection: DuckDBPyConnection,
    run_id: str,
    *,
    kind: str | None = None,
    span_id: str | None = None,
    cursor: str | None = None,
    limit: int = 200,
) -> EventList:
    """Return a page of a run's events in time order; empty for an unknown run.

    Raises:
        InvalidParameterError: the limit is out of range, or the cursor malformed or of another list.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidParameterError("limit", limit, f"use a number from 1 to {MAX_LIMIT}")
    scope = scope_of(run_id, kind, span_id)
    rows = _rows(connection, {"run_id": run_id, "kind": kind, "span_id": span_id}, _after(cursor, scope), limit + 1)
    page = rows[:limit]
    last = page[-1] if len(rows) > limit else None
    next_cursor = encode_cursor(Cursor(scope, last[1], str(last[0]))) if last else None
    return EventList(run_id=run_id, events=_whole(connection, page), next_cursor=next_cursor)


def event_marks(connection: DuckDBPyConnection, run_id: str) -> EventMarks:
    """Return where a run's logs, exceptions and events lie in time, without what they say."""
    rows = connection.execute(_MARKS, [run_id, MOST_MARKS + 1]).fetchall()
    kept = rows[:MOST_MARKS]
    first = kept[0][0] if kept else None
    return EventMarks(
        run_id=run_id,
        origin=None if first is None else iso_from_ns(first),
        offset_ns=[row[0] - first for row in kept],
        span_id=[row[1] for row in kept],
        kind=[row[2] for row in kept],
        severity=[row[3] for row in kept],
        truncated=len(rows) > MOST_MARKS,
    )


def span_events(connection: DuckDBPyConnection, run_id: str, span_id: str) -> list[EventItem]:
    """Return the first events of a span in time order."""
    return _whole(connection, _rows(connection, {"run_id": run_id, "span_id": span_id}, None, SPAN_EVENTS_LIMIT))


def event_item(row: tuple[Any, ...]) -> EventItem:
    """Build an event from the columns of `EventItem`, its time in nanoseconds since 1970."""
    fields = dict(zip(_FIELDS, row, strict=True))
    fields["time"] = iso_from_ns(fields["time"])
    fields["body"] = raw_json(fields["body"])
    fields["attributes"] = raw_json(fields["attributes"])
    return EventItem(**fields)


def _whole(connection: DuckDBPyConnection, rows: list[tuple[Any, ...]]) -> list[EventItem]:
    """Build events, with what their attributes only refer to."""
    items = [event_item(row[1:]) for row in rows]
    cut = [(item, text) for item in items if item.attributes and MARK in (text := bytes(item.attributes).decode())]
    texts = pieces(connection, sorted({name for _, text in cut for name in piece_ids(text)}))
    for item, text in cut:
        attributes: dict[str, Raw] = msgspec.json.decode(restore(text, texts), type=dict[str, Raw])
        body = attributes.pop(LOG_BODY, None)
        if body is not None:
            item.body = Raw(msgspec.json.decode(body, type=str).encode())
        item.attributes = Raw(msgspec.json.encode(attributes))
    return items


def raw_json(text: str | None) -> Raw | None:
    """Pass a JSON column through without decoding it."""
    return None if text is None else Raw(text.encode())


def _rows(
    connection: DuckDBPyConnection, equal: dict[str, str | None], after: Cursor | None, limit: int
) -> list[tuple[Any, ...]]:
    wanted = {column: value for column, value in equal.items() if value is not None}
    conditions = [f"{column} = ?" for column in wanted]
    values: list[Any] = list(wanted.values())
    if after:
        conditions.append(f"(time, {_PLACE}) > (make_timestamp_ns(?), ?)")
        values += [after.key, int(after.tie)]
    where = " AND ".join(conditions)
    sql = f"SELECT {_PLACE}, {_COLUMNS} FROM events WHERE {where} ORDER BY events.time, {_PLACE} LIMIT ?"
    return connection.execute(sql, [*values, limit]).fetchall()


def _after(cursor: str | None, scope: str) -> Cursor | None:
    if cursor is None:
        return None
    after = decode(cursor, scope)
    if not isinstance(after.key, int) or abs(after.key) >= 2**63 or not after.tie.isdecimal() or len(after.tie) > 18:
        raise InvalidParameterError("cursor", cursor, "the cursor is malformed; start again without it")
    return after
