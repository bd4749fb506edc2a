"""What OpenTelemetry sent to table rows: spans with what hangs on them, log records and metric points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import repeat
from typing import Any

import msgspec

from milepost.wire import Resource, SpanEnded, Usage
from milepost_collector.protocol.conventions import normalise
from milepost_collector.protocol.evaluations import evaluation_of
from milepost_collector.protocol.foreign import SPAN_KINDS, STATUS_CODES, ForeignLog, ForeignPoint, ForeignSpan
from milepost_collector.protocol.foreign import SpanEvent as ForeignEvent
from milepost_collector.protocol.messages import (
    Found,
    Message,
    Text,
    encode_message,
    event_messages,
    lift,
    span_messages,
)
from milepost_collector.protocol.normalised import Normalised
from milepost_collector.protocol.pricing import BUNDLED, PriceBook, price_item

Row = tuple[Any, ...]

CONVERSATION_COLUMNS = ("run_id", "span_id", "source", "time", "event_id", "input_ids", "output_ids")
MESSAGE_COLUMNS = ("message_id", "role", "text", "parts")
PIECE_COLUMNS = ("piece_id", "text")
LINK_COLUMNS = ("run_id", "span_id", "linked_run_id")
METRIC_COLUMNS = (
    "time", "start_time", "name", "kind", "unit", "temporality", "monotonic", "value", "count", "sum", "min", "max",
    "buckets", "attributes", "description", "service", "scope", "producer_id", "point_id",
)  # fmt: skip

SPANS_AT_ONCE = 64  # enough that each step's code is warm, few enough that the spans are, too
MAX_NAME_LENGTH = 1000  # characters; a name is a label, and longer ones are payloads that lost their way
LOG_BODY = "otel.log.body"  # attribute: the body of a log record that is a chat message
PROBLEMS = "milepost.problems"  # attribute: what was wrong with a span as it was sent

# OpenTelemetry's severity numbers, by four: log data model, "Severity Fields".
_SEVERITIES = ("trace", "debug", "info", "warn", "error", "fatal")

_NO_TOTALS: Row = (None,) * 7

_encode = msgspec.json.Encoder(enc_hook=str).encode

# Ids of messages given and made, and the long texts among them.
Kept = tuple[list[str] | None, list[str] | None, list[Text]]


@dataclass(slots=True)
class Contents:
    """Rows that are stored once by their content: messages and pieces of attributes.

    book: the prices to compute with.
    """

    book: PriceBook = BUNDLED
    messages: dict[str, Row] = field(default_factory=dict)
    pieces: dict[str, str] = field(default_factory=dict)

    def add(self, messages: Sequence[Message], texts: list[Text] | None = None) -> list[str] | None:
        """Add messages; return their ids, None when there are none. texts: takes the long texts among them."""
        if not messages:
            return None
        ids = []
        for message in messages:
            row = message.stored or encode_message(message)
            ids.append(row[0])
            self.messages[row[0]] = row
            if texts is not None and message.text is not None:
                texts.append(message.text)
        return ids

    def keep(self, found: Found) -> Kept:
        """Add what was found of messages."""
        texts: list[Text] = []
        return self.add(found.input, texts), self.add(found.output, texts), texts

    def lift(self, attributes: dict[str, Any], columns: dict[str, str], texts: Sequence[Text] = ()) -> str | None:
        """Return attributes as JSON, without what is kept as pieces, as messages or in columns.

        texts: of messages that may be in the attributes, in their order.
        """
        lifted = lift(attributes, columns=columns, messages=texts)
        if lifted.pieces:
            self.pieces.update(lifted.pieces)
        return lifted.attributes_json


@dataclass(slots=True)
class Attached:
    """Rows that come and go with one copy of a span."""

    events: list[Row] = field(default_factory=list)
    conversations: list[Row] = field(default_factory=list)
    links: list[Row] = field(default_factory=list)


def as_foreign(span: SpanEnded) -> ForeignSpan:
    """Return a span of an OpenTelemetry SDK that Milepost's SpanProcessor sent."""
    return ForeignSpan(
        run_id=span.run_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        name=span.name,
        start_time=span.start_time,
        end_time=span.end_time,
        status_code=2 if span.status == "failed" else 0,
        status_message=span.error_message or "",
        attributes=span.attributes or {},
        links=span.links or [],
        scope=span.scope or "",
    )


def span_rows(
    span: ForeignSpan, resource: Resource, producer_id: str, contents: Contents
) -> tuple[Row, Attached | None]:
    """Return the `spans` row of an ended span and what hangs on it, None if nothing does."""
    return rows_of_spans([span], resource, producer_id, contents)[0]


def rows_of_spans(
    spans: Sequence[ForeignSpan], resource: Resource, producer_id: str, contents: Contents
) -> list[tuple[Row, Attached | None]]:
    """Return for each ended span its `spans` row and what hangs on it, None if nothing does.

    spans: SPANS_AT_ONCE at most are quickest. Each step is done for all of them before the next begins: its code and
    tables stay in the processor's caches, which saves a quarter of the time.
    """
    said = [normalise(span, resource) for span in spans]
    found = [_found(span) for span in spans]
    kept = [contents.keep(messages) for messages in found]
    usage = [_usage(one.usage, span.start_time, contents.book) for span, one in zip(spans, said, strict=True)]
    attributes = [
        contents.lift(with_originals(span, one), _columns(one, messages), texts)
        for span, one, messages, (_, _, texts) in zip(spans, said, found, kept, strict=True)
    ]
    rows = map(_span_row, spans, said, found, usage, attributes, repeat(resource), repeat(producer_id))
    return [
        (row, _attached(span, messages, ids, producer_id, contents))
        for span, row, messages, ids in zip(spans, rows, found, kept, strict=True)
    ]


def _attached(span: ForeignSpan, found: Found, kept: Kept, producer_id: str, contents: Contents) -> Attached | None:
    """Return what hangs on a span."""
    if not (span.events or span.links or found.input or found.output):
        return None
    given, made, texts = kept
    attached = Attached()
    if span.events:
        attached.events = [_span_event(span, event, producer_id, contents, texts) for event in span.events]
    if found.input or found.output:
        attached.conversations.append((span.run_id, span.span_id, "span", span.start_time, None, given, made))
    if span.links:
        linked = dict.fromkeys(link.run_id for link in span.links if link.run_id != span.run_id)
        attached.links = [(span.run_id, span.span_id, run_id) for run_id in linked]
    return attached


def _found(span: ForeignSpan) -> Found:
    try:
        return span_messages(span)
    except RecursionError:  # contents nested a thousand deep stay plain attributes
        return Found([], [])


def _span_row(
    span: ForeignSpan,
    said: Normalised,
    found: Found,
    usage: tuple[Row, str | None],
    attributes: str | None,
    resource: Resource,
    producer_id: str,
) -> Row:
    totals, usage_text = usage
    return (
        span.run_id, span.span_id, span.parent_span_id, _label(said.name), said.kind, said.status,
        span.start_time, span.end_time, said.agent or resource.agent, said.session_id, said.user_id, said.tags,
        None, None, said.model, said.provider, *totals,
        said.error_type, said.error_message, said.error_stack, said.reason,
        None if found.input else said.input, None if found.output else said.output, attributes, usage_text,
        _json(span.links) if span.links else None,
        resource.service_name, span.scope, producer_id,
        said.tool, said.request_model, said.response_id, said.time_to_first_token_ms,
    )  # fmt: skip


def live_row(span: ForeignSpan, resource: Resource, producer_id: str) -> Row:
    """Return the `live_spans` row of a span that has started."""
    said = normalise(span, resource)
    return (
        span.run_id, span.span_id, span.parent_span_id, _label(said.name), said.kind, span.start_time,
        said.agent or resource.agent, said.session_id, said.user_id, said.tags, None, None, said.input,
        _json(with_originals(span, said)), _json(span.links) if span.links else None,
        resource.service_name, span.scope, producer_id,
    )  # fmt: skip


def with_originals(span: ForeignSpan, said: Normalised) -> dict[str, Any]:
    """Return the attributes and, under OpenTelemetry's names, what the columns do not keep of the span."""
    kept: dict[str, Any] = {}
    if span.name != _label(said.name):
        kept["otel.name"] = span.name
    if span.kind:
        kept["otel.kind"] = SPAN_KINDS[span.kind]
    if span.status_code:
        kept["otel.status_code"] = STATUS_CODES[span.status_code]
    if span.status_message:
        kept["otel.status_description"] = span.status_message
    if span.scope_version:
        kept["otel.scope.version"] = span.scope_version
    if span.problems or said.problems:
        kept[PROBLEMS] = [*span.problems, *said.problems]
    return {**span.attributes, **kept}


def log_rows(log: ForeignLog, resource: Resource, producer_id: str, contents: Contents) -> tuple[Row, Row | None]:
    """Return the `events` row of a log record, and a row of `span_messages` when it carries chat messages."""
    event_id = blake2b(_encode([log, producer_id]), digest_size=16).hexdigest()
    found = event_messages(log.event_name, log.attributes, log.body) if log.event_name else Found([], [])
    *ids, texts = contents.keep(found)
    is_text = isinstance(log.body, str)
    body = None if is_text or log.body is None else _json(log.body)
    attributes = log.attributes
    if body is not None and texts:
        attributes, body = {**attributes, LOG_BODY: body}, None
    kind, name, message = _told(log)
    row = (
        log.run_id, log.span_id, log.time, kind, name, _severity(log.severity_number),
        log.body if is_text else message, None, body,
        contents.lift(attributes, {}, texts) if attributes else None, producer_id, None, None, event_id,
    )  # fmt: skip
    if log.run_id is None or log.span_id is None or not (found.input or found.output):
        return row, None
    return row, (log.run_id, log.span_id, "log", log.time, event_id, *ids)


def point_row(point: ForeignPoint, resource: Resource, producer_id: str) -> Row:
    """Return the `metrics` row of a data point."""
    point_id = blake2b(_encode([point, producer_id]), digest_size=16).hexdigest()
    return (
        point.time, point.start_time, _label(point.name), point.kind, point.unit or None, point.temporality or None,
        point.monotonic, point.value, point.count, point.sum, point.min, point.max,
        None if point.buckets is None else _json(point.buckets), _json(point.attributes) if point.attributes else None,
        point.description or None, resource.service_name, point.scope or None, producer_id, point_id,
    )  # fmt: skip


def _columns(said: Normalised, found: Found) -> dict[str, str]:
    """Return which attributes are the text of a column."""
    columns = {}
    if said.input_attribute and said.input is not None and not found.input:
        columns[said.input_attribute] = "input"
    if said.output_attribute and said.output is not None and not found.output:
        columns[said.output_attribute] = "output"
    return columns


def _usage(usage: Usage | None, start_time: int, book: PriceBook) -> tuple[Row, str | None]:
    """Return tokens, cost and its source, and the usage as it is stored."""
    if usage is None:
        return _NO_TOTALS, None
    item = price_item(usage, start_time, book)
    totals = (
        item.input_tokens, item.output_tokens, item.cache_read_tokens, item.cache_write_tokens, item.reasoning_tokens,
        item.cost_usd, item.cost_source,
    )  # fmt: skip
    return totals, _json([item])


def _span_event(
    span: ForeignSpan, event: ForeignEvent, producer_id: str, contents: Contents, texts: Sequence[Text]
) -> Row:
    attributes = event.attributes
    kind, name, message = _happened(event)
    return (
        span.run_id, span.span_id, event.time, kind, _label(name), "error" if kind == "exception" else None, message,
        None, None, contents.lift(attributes, {}, texts) if attributes else None, producer_id, None, None, None,
    )  # fmt: skip


def _happened(event: ForeignEvent) -> tuple[str, str, str | None]:
    """Return kind, name and message of a span's event."""
    if event.name == "exception":
        kind = event.attributes.get("exception.type")
        return "exception", str(kind or event.name), _text(event.attributes.get("exception.message"))
    if (evaluation := evaluation_of(event.name, event.attributes)) is not None:
        return "score", *evaluation
    return "event", event.name, None


def _told(log: ForeignLog) -> tuple[str, str | None, str | None]:
    """Return kind and name of a log record, and what it says in its attributes."""
    if (evaluation := evaluation_of(log.event_name, log.attributes)) is not None:
        return "score", *evaluation
    name = log.event_name or None
    if "exception.type" in log.attributes or log.event_name == "exception":
        return "exception", name, log.attributes.get("exception.message")
    return "event" if name else "log", name, log.attributes.get("exception.message")


def _severity(number: int) -> str | None:
    return _SEVERITIES[min((number - 1) // 4, 5)] if number > 0 else None


def _label(name: str) -> str:
    return name if len(name) <= MAX_NAME_LENGTH else name[: MAX_NAME_LENGTH - 1] + "…"


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _json(value: Any) -> str:
    return _encode(value).decode()
