"""Wire events to table rows: plain tuples in the order of the column lists, ready to become Arrow columns."""

from __future__ import annotations

from typing import Any

import msgspec

from milepost.wire import Event, Resource, SpanBase, SpanEnded, SpanStarted, Usage
from milepost_collector.protocol.conventions import Promoted, promote
from milepost_collector.protocol.foreign_rows import MAX_NAME_LENGTH
from milepost_collector.protocol.pricing import BUNDLED, COUNTS, NO_USAGE, PriceBook, price_items, total

Row = tuple[Any, ...]

SPAN_COLUMNS = (
    "run_id", "span_id", "parent_span_id", "name", "kind", "status", "start_time", "end_time", "agent", "session_id",
    "user_id", "tags", "task_id", "attempt", "model", "provider", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_tokens", "reasoning_tokens", "cost_usd", "cost_source", "error_type", "error_message", "error_stack",
    "reason", "input", "output", "attributes", "usage", "links", "service", "scope", "producer_id", "tool",
    "request_model", "response_id", "time_to_first_token_ms",
)  # fmt: skip
LIVE_COLUMNS = (
    "run_id", "span_id", "parent_span_id", "name", "kind", "start_time", "agent", "session_id", "user_id", "tags",
    "task_id", "attempt", "input", "attributes", "links", "service", "scope", "producer_id",
)  # fmt: skip
EVENT_COLUMNS = (
    "run_id", "span_id", "time", "kind", "name", "severity", "message", "fraction", "body", "attributes", "producer_id",
    "sequence", "batch_index", "event_id",
)  # fmt: skip
JSON_COLUMNS = frozenset({"input", "output", "attributes", "usage", "links", "body", "parts", "buckets"})

_ERROR_COLUMNS = ("error_type", "error_message", "error_stack", "reason")
_NOTHING = Promoted()
_encode = msgspec.json.Encoder(enc_hook=str).encode


def native_span_row(span: SpanEnded, resource: Resource, producer_id: str, book: PriceBook = BUNDLED) -> Row:
    """Return the `spans` row of a span that Milepost's own API ended."""
    said = promote(span.attributes) if span.attributes else _NOTHING
    if span.usage is None and not said.counts and said.model is None:
        totals, usage_text = NO_USAGE, None
    else:
        items = price_items(_usage_of(span, said), span.start_time, book)
        totals, usage_text = total(items), _json(items)
    return (
        span.run_id, span.span_id, span.parent_span_id, _name(span), span.kind, span.status,
        span.start_time, span.end_time, span.agent or said.agent or resource.agent, span.session_id or said.session_id,
        span.user_id or said.user_id, span.tags, span.task_id, span.attempt,
        *totals,
        span.error_type, span.error_message, span.error_stack, span.reason,
        span.input_json if span.input is None or span.input_json is not None else _json(span.input),
        span.output_json if span.output is None or span.output_json is not None else _json(span.output),
        _json(span.attributes) if span.attributes else None,
        usage_text,
        _json(span.links) if span.links else None,
        resource.service_name, None, producer_id, None, None, None, None,
    )  # fmt: skip


def with_native(row: Row, span: SpanEnded) -> Row:
    """Return the row of an OpenTelemetry span with what Milepost's SDK knows of it beside its attributes."""
    known = dict(zip(SPAN_COLUMNS, row, strict=True))
    for column in ("agent", "session_id", "user_id", "tags", "task_id", "attempt", *_ERROR_COLUMNS):
        if (value := getattr(span, column)) is not None:
            known[column] = value
    return tuple(known.values())


def live_row(span: SpanStarted, resource: Resource, producer_id: str) -> Row:
    """Return the `live_spans` row of a started span."""
    said = promote(span.attributes) if span.attributes else _NOTHING
    return (
        span.run_id, span.span_id, span.parent_span_id, _name(span), _kind(span, said), span.start_time,
        span.agent or said.agent or resource.agent, span.session_id or said.session_id, span.user_id or said.user_id,
        span.tags, span.task_id, span.attempt,
        span.input_json if span.input is None or span.input_json is not None else _json(span.input),
        _json(span.attributes) if span.attributes else None,
        _json(span.links) if span.links else None,
        resource.service_name, span.scope, producer_id,
    )  # fmt: skip


def event_row(event: Event, producer_id: str, sequence: int, index: int) -> Row:
    """Return the `events` row of an event. index: its place in its batch."""
    body = event.body_json if event.body is None or event.body_json is not None else _json(event.body)
    return (
        event.run_id, event.span_id, event.time, event.kind, event.name, event.severity, event.message, event.fraction,
        body, _json(event.attributes) if event.attributes else None, producer_id, sequence, index, None,
    )  # fmt: skip


def lost_row(live: Row, last_seen: int) -> Row:
    """Return the `spans` row that closes a running span whose producer went away. last_seen: Unix ns."""
    known = dict(zip(LIVE_COLUMNS, live, strict=True))
    known.update(status="lost", end_time=max(last_seen, known["start_time"]))
    return tuple(known.get(column) for column in SPAN_COLUMNS)


def _usage_of(span: SpanEnded, said: Promoted) -> list[Usage]:
    if span.usage is not None:
        return span.usage
    counts = {name: said.counts.get(name) for name in COUNTS}
    return [Usage(model=said.model, provider=said.provider, **counts)]


def _name(span: SpanBase) -> str:
    name = span.name or span.kind
    return name if len(name) <= MAX_NAME_LENGTH else name[: MAX_NAME_LENGTH - 1] + "…"


def _kind(span: SpanBase, said: Promoted) -> str:
    # Only of spans that came through OpenTelemetry does the table know better than the sender.
    return said.kind or span.kind if span.scope is not None else span.kind


def _json(value: Any) -> str:
    return _encode(value).decode()
