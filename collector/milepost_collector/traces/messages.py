"""Rows of a commit to the messages of one run. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from milepost_collector.protocol.api import EventItem, LiveEvents, LiveSpans, SpanSkeleton
from milepost_collector.protocol.rows import EVENT_COLUMNS, LIVE_COLUMNS, SPAN_COLUMNS, Row
from milepost_collector.protocol.timestamps import iso_from_ns
from milepost_collector.traces.commit import Delta

SPANS_PER_MESSAGE = 2_000
MARK = '{"$'  # in attributes that refer to pieces
EVENTS_PER_MESSAGE = 500

SKELETON_COLUMNS = (
    "span_id", "name", "kind", "status", "parent_span_id", "agent", "model", "input_tokens", "output_tokens",
    "cost_usd", "error_type", "service", "tool", "task_id", "attempt", "time_to_first_token_ms", "cache_read_tokens",
    "cache_write_tokens",
)  # fmt: skip


def spans_messages(run_id: str, deltas: Sequence[Delta]) -> Iterator[tuple[str, bytes]]:
    """Yield the `spans` messages of a run: every span once, as it stands after the last delta."""
    latest: dict[str, tuple[tuple[str, ...], Row]] = {}
    for delta in deltas:
        latest.update({row[1]: (LIVE_COLUMNS, row) for row in delta.starts if row[0] == run_id})
        latest.update({row[1]: (SPAN_COLUMNS, row) for row in delta.spans if row[0] == run_id})
    rows = list(latest.values())
    for begin in range(0, len(rows), SPANS_PER_MESSAGE):
        known = [dict(zip(columns, row, strict=True)) for columns, row in rows[begin : begin + SPANS_PER_MESSAGE]]
        origin = min(span["start_time"] for span in known)
        skeletons = [_skeleton(span, origin) for span in known]
        yield "spans", msgspec.json.encode(LiveSpans(run_id=run_id, origin=iso_from_ns(origin), spans=skeletons))


def events_messages(run_id: str, deltas: Sequence[Delta]) -> Iterator[tuple[str, bytes]]:
    """Yield the `events` messages of a run."""
    rows = [row for delta in deltas for row in delta.events if row[0] == run_id]
    for begin in range(0, len(rows), EVENTS_PER_MESSAGE):
        items = [_event(row) for row in rows[begin : begin + EVENTS_PER_MESSAGE]]
        yield "events", msgspec.json.encode(LiveEvents(run_id=run_id, events=items))


def _skeleton(span: dict[str, Any], origin: int) -> SpanSkeleton:
    start, end = span["start_time"], span.get("end_time")
    values = {name: span.get(name) for name in SKELETON_COLUMNS}
    values["status"] = values["status"] or "running"
    values["start_ns"] = start - origin
    values["end_ns"] = None if end is None else end - origin
    return msgspec.convert(values, SpanSkeleton)


def _event(row: Row) -> EventItem:
    event: dict[str, Any] = dict(zip(EVENT_COLUMNS, row, strict=True))
    item = EventItem(time=iso_from_ns(event["time"]), kind=event["kind"])
    for name in ("span_id", "name", "severity", "message", "fraction"):
        setattr(item, name, event[name])
    for name in ("body", "attributes"):
        # What only refers to chat messages would need the database; the event is whole when it is fetched.
        if event[name] is not None and MARK not in event[name]:
            setattr(item, name, msgspec.Raw(event[name].encode()))
    return item
