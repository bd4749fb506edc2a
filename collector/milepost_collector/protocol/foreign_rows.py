"""What OpenTelemetry sent to table rows: spans with what hangs on them, log records and metric points."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec

from milepost.wire import Resource, SpanEnded, Usage
from milepost_collector.protocol.conventions import normalise
from milepost_collector.protocol.foreign import SPAN_KINDS, STATUS_CODES, ForeignLog, ForeignPoint, ForeignSpan
from milepost_collector.protocol.foreign import SpanEvent as ForeignEvent
from milepost_collector.protocol.messages import Found, Message, encode_message, event_messages, lift, span_messages
from milepost_collector.protocol.normalised import Normalised
from milepost_collector.protocol.pricing import BUNDLED, NO_USAGE, PriceBook, price_items, total

Row = tuple[Any, ...]

CONVERSATION_COLUMNS = ("run_id", "span_id", "source", "time", "event_id", "input_ids", "output_ids")
MESSAGE_COLUMNS = ("message_id", "role", "text", "parts")
PIECE_COLUMNS = ("piece_id", "text")
LINK_COLUMNS = ("run_id", "span_id", "linked_run_id")
METRIC_COLUMNS = (
    "time", "start_time", "name", "kind", "unit", "temporality", "monotonic", "value", "count", "sum", "min", "max",
    "buckets", "attributes", "description", "service", "scope", "producer_id", "point_id",
)  # fmt: skip

MAX_NAME_LENGTH = 1000  # characters; a name is a label, and longer ones are payloads that lost their way
LOG_BODY = "otel.log.body"  # attribute: the body of a log record that is a chat message
PROBLEMS = "milepost.problems"  # attribute: what was wrong with a span as it was sent
LONG_TEXT = 100  # characters of a message that are worth looking for in attributes
LOOK_AHEAD = 4
MAX_TOLD = 20_000  # pieces remembered, some 400 bytes each

_TOLD: dict[str, tuple[str, str]] = {}
_ROPE_PIECE = re.compile('","([0-9a-f]{32})","')  # a reference within a rope

Texts = Sequence[tuple[str, str]]

# OpenTelemetry's severity numbers, by four: log data model, "Severity Fields".
_SEVERITIES = ("trace", "debug", "info", "warn", "error", "fatal")

_encode = msgspec.json.Encoder(enc_hook=str).encode


@dataclass(slots=True)
class Contents:
    """Rows that are stored once by their content: messages and pieces of attributes.

    book: the prices to compute with.
    """

    book: PriceBook = BUNDLED
    messages: dict[str, Row] = field(default_factory=dict)
    pieces: dict[str, str] = field(default_factory=dict)

    def add(self, messages: Sequence[Message], texts: list[tuple[str, str]] | None = None) -> list[str] | None:
        """Add messages; return their ids, None when there are none. texts: takes the long texts among them."""
        if not messages:
            return None
        encoded = [encode_message(message) for message in messages]
        for one in encoded:
            if one.message_id not in self.messages:
                self.messages[one.message_id] = (one.message_id, one.role, one.text, one.other_parts)
        if texts is not None:
            texts += [(one.message_id, one.text) for one in encoded if one.is_text and len(one.text) >= LONG_TEXT]
        return [one.message_id for one in encoded]

    def lift(self, attributes: dict[str, Any], columns: dict[str, str], texts: Texts = ()) -> str | None:
        """Return attributes as JSON, without what is kept as pieces or in columns.

        texts: of messages that may be in the attributes, in their order.
        """
        lifted = lift(attributes, columns=columns)
        text = lifted.attributes_json
        if text is None or not lifted.pieces:
            return text
        told = _tell(lifted.pieces, texts) if texts else {}
        used = {piece_id for piece_id in _ROPE_PIECE.findall(text) if piece_id in told} if told else set()
        for piece_id, piece in lifted.pieces.items():
            if piece_id not in used:
                self.pieces[piece_id] = piece
        return _ROPE_PIECE.sub(lambda match: told.get(match[1], match[0]), text) if used else text


def _tell(pieces: dict[str, str], texts: Texts) -> dict[str, str]:
    """Return how ropes tell those of the pieces that are messages, by id.

    A history comes again with every call: what a piece was told by is remembered.
    """
    found: dict[str, str] = {}
    known = {message_id for message_id, _ in texts}
    place = 0
    for piece_id, piece in pieces.items():
        if (remembered := _TOLD.get(piece_id)) is not None and remembered[0] in known:
            found[piece_id] = remembered[1]
            continue
        # Messages and pieces come in the same order, but not every message is one text, nor every piece a message.
        for step in range(min(LOOK_AHEAD, len(texts) - place) if len(piece) >= LONG_TEXT else 0):
            if (told := _told(piece, *texts[place + step])) is not None:
                found[piece_id] = told
                place += step + 1
                _remember(piece_id, texts[place - 1][0], told)
                break
    return found


def _remember(piece_id: str, message_id: str, told: str) -> None:
    if len(_TOLD) >= MAX_TOLD:
        _TOLD.clear()
    _TOLD[piece_id] = message_id, told


def _told(piece: str, message_id: str, text: str) -> str | None:
    """Return how a rope tells a piece by the message in it, None if it is not in.

    "=" and the message's id stand for its text in JSON's quotes, "~" and the id for the bare text. What surrounds them
    in the piece becomes part of the texts beside them in the rope.
    """
    if len(text) > len(piece):
        return None
    if piece == text:
        return f'","~{message_id}","'
    quoted = _json(text)
    start = piece.find(quoted)
    if start < 0:
        return None
    head, tail = _json(piece[:start])[1:-1], _json(piece[start + len(quoted) :])[1:-1]
    return f'{head}","={message_id}","{tail}'


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
    said = normalise(span, resource)
    found = _found(span)
    texts: list[tuple[str, str]] = []
    ids = contents.add(found.input, texts), contents.add(found.output, texts)
    row = _span_row(span, said, found, resource, producer_id, contents, texts)
    if not (span.events or span.links or found.input or found.output):
        return row, None
    attached = Attached([_span_event(span, event, producer_id, contents, texts) for event in span.events])
    if found.input or found.output:
        attached.conversations.append((span.run_id, span.span_id, "span", span.start_time, None, *ids))
    linked = dict.fromkeys(link.run_id for link in span.links if link.run_id != span.run_id)
    attached.links = [(span.run_id, span.span_id, run_id) for run_id in linked]
    return row, attached


def _found(span: ForeignSpan) -> Found:
    try:
        return span_messages(span)
    except RecursionError:  # contents nested a thousand deep stay plain attributes
        return Found([], [])


def _span_row(
    span: ForeignSpan,
    said: Normalised,
    found: Found,
    resource: Resource,
    producer_id: str,
    contents: Contents,
    texts: Texts,
) -> Row:
    given = None if found.input else said.input
    result = None if found.output else said.output
    columns = _columns(said, given, result)
    totals, usage = _usage(said.usage, span.start_time, contents.book)
    return (
        span.run_id, span.span_id, span.parent_span_id, _label(said.name), said.kind, said.status,
        span.start_time, span.end_time, said.agent or resource.agent, said.session_id, said.user_id, said.tags,
        None, None, said.model, said.provider, *totals[2:],
        said.error_type, said.error_message, said.error_stack, said.reason, given, result,
        contents.lift(with_originals(span, said), columns, texts), usage,
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
    kept = {
        "otel.name": span.name if span.name != _label(said.name) else None,
        "otel.kind": SPAN_KINDS[span.kind] if span.kind else None,
        "otel.status_code": STATUS_CODES[span.status_code] if span.status_code else None,
        "otel.status_description": span.status_message or None,
        "otel.scope.version": span.scope_version or None,
        PROBLEMS: [*span.problems, *said.problems] or None,
    }
    return {**span.attributes, **{name: value for name, value in kept.items() if value is not None}}


def log_rows(log: ForeignLog, resource: Resource, producer_id: str, contents: Contents) -> tuple[Row, Row | None]:
    """Return the `events` row of a log record, and a row of `span_messages` when it carries chat messages."""
    event_id = blake2b(_encode([log, producer_id]), digest_size=16).hexdigest()
    found = event_messages(log.event_name, log.attributes, log.body) if log.event_name else Found([], [])
    texts: list[tuple[str, str]] = []
    ids = contents.add(found.input, texts), contents.add(found.output, texts)
    is_text = isinstance(log.body, str)
    body = None if is_text or log.body is None else _json(log.body)
    attributes = log.attributes
    if body is not None and texts:
        attributes, body = {**attributes, LOG_BODY: body}, None
    row = (
        log.run_id, log.span_id, log.time, _log_kind(log), log.event_name or None, _severity(log.severity_number),
        log.body if is_text else log.attributes.get("exception.message"), None, body,
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


def _columns(said: Normalised, given: str | None, result: str | None) -> dict[str, str]:
    columns = {}
    if given is not None and said.input_attribute:
        columns[said.input_attribute] = "input"
    if result is not None and said.output_attribute:
        columns[said.output_attribute] = "output"
    return columns


def _usage(usage: Usage | None, start_time: int, book: PriceBook) -> tuple[Row, str | None]:
    if usage is None:
        return NO_USAGE, None
    items = price_items([usage], start_time, book)
    return total(items), _json(items)


def _span_event(span: ForeignSpan, event: ForeignEvent, producer_id: str, contents: Contents, texts: Texts) -> Row:
    attributes = event.attributes
    is_exception = event.name == "exception"
    return (
        span.run_id, span.span_id, event.time, "exception" if is_exception else "event",
        _label(str(attributes.get("exception.type") or event.name) if is_exception else event.name),
        "error" if is_exception else None, _text(attributes.get("exception.message")) if is_exception else None, None,
        None, contents.lift(attributes, {}, texts) if attributes else None, producer_id, None, None, None,
    )  # fmt: skip


def _log_kind(log: ForeignLog) -> str:
    if "exception.type" in log.attributes or log.event_name == "exception":
        return "exception"
    return "event" if log.event_name else "log"


def _severity(number: int) -> str | None:
    return _SEVERITIES[min((number - 1) // 4, 5)] if number > 0 else None


def _label(name: str) -> str:
    return name if len(name) <= MAX_NAME_LENGTH else name[: MAX_NAME_LENGTH - 1] + "…"


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _json(value: Any) -> str:
    return _encode(value).decode()
