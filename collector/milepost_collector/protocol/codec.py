"""Bytes to a `DecodedBatch`. One bad event costs one event: it is set aside with its reason, the rest goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from msgspec import Raw, Struct

from milepost.wire import (
    SCHEMA_VERSION,
    Batch,
    Event,
    Heartbeat,
    Resource,
    SpanEnded,
    SpanStarted,
    WireEvent,
)
from milepost_collector.errors import MalformedBodyError, UnsupportedEncodingError
from milepost_collector.protocol.batch import DecodedBatch
from milepost_collector.protocol.foreign_rows import Contents, as_foreign, span_rows
from milepost_collector.protocol.messages import event_messages
from milepost_collector.protocol.pricing import BUNDLED, PriceBook
from milepost_collector.protocol.rejected import MAX_REJECTED_TEXT, RejectedEvent
from milepost_collector.protocol.rows import event_row, live_row, native_span_row, with_native

MSGPACK_TYPES = ("application/msgpack", "application/x-msgpack", "application/vnd.msgpack")
CONTENT_TYPES = ("application/json", *MSGPACK_TYPES)


class Envelope(Struct):
    """A batch whose events are not looked at yet; the way out when one of them does not decode."""

    producer_id: str
    sequence: int
    events: list[Raw]
    schema_version: int = SCHEMA_VERSION
    dropped: int = 0
    resource: Resource = Resource()


@dataclass(frozen=True, slots=True)
class Decoders:
    """The decoders of one format, and a second chance for bodies they refuse."""

    whole: Any
    envelope: Any
    event: Any
    untyped: Any
    repair: Callable[[bytes], bytes]


def _repair_json(body: bytes) -> bytes:
    """Return the body without what strict JSON forbids and common writers send: lone surrogates, NaN and infinities."""
    try:
        text = json.dumps(json.loads(body, parse_constant=lambda _: None), ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


_msgpack = Decoders(
    msgspec.msgpack.Decoder(Batch),
    msgspec.msgpack.Decoder(Envelope),
    msgspec.msgpack.Decoder(WireEvent),
    msgspec.msgpack.Decoder(),
    lambda body: body,
)
_json = Decoders(
    msgspec.json.Decoder(Batch),
    msgspec.json.Decoder(Envelope),
    msgspec.json.Decoder(WireEvent),
    msgspec.json.Decoder(),
    _repair_json,
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A body taken apart: what is said of the batch, the events that decode, and those that do not.

    indexes: the places of the events in the batch.
    """

    batch: Batch
    events: list[WireEvent]
    indexes: Sequence[int]
    rejected: list[RejectedEvent]
    size: int


def decode_batch(body: bytes, content_type: str, book: PriceBook = BUNDLED) -> DecodedBatch:
    """Decode a body and turn its events into rows.

    content_type: the media type, parameters allowed. book: the prices to compute with. Safe in any thread.

    Raises:
        UnsupportedEncodingError: neither JSON nor msgpack.
        MalformedBodyError: not a batch at all, or of a schema version this program does not know.
    """
    return to_rows(parse(body, content_type), book)


def parse(body: bytes, content_type: str) -> Parsed:
    """Decode a body, setting aside the events that are not what the schema says.

    Raises:
        UnsupportedEncodingError, MalformedBodyError: as `decode_batch`.
    """
    decoders = _decoders(content_type)
    try:
        batch = decoders.whole.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        parsed = _decode_one_by_one(decoders.repair(body), decoders)
    else:
        parsed = Parsed(batch, batch.events, range(len(batch.events)), [], len(body))
    _check_version(parsed.batch.schema_version)
    return parsed if ids_are_valid(parsed.events) else _without_bad_ids(parsed)


def to_rows(parsed: Parsed, book: PriceBook = BUNDLED) -> DecodedBatch:
    """Turn the events into rows."""
    of = parsed.batch
    decoded = DecodedBatch(
        of.producer_id,
        of.sequence,
        of.dropped,
        of.resource,
        parsed.size,
        rejected=list(parsed.rejected),
        contents=Contents(book=book),
    )
    add_rows(decoded, parsed.events, parsed.indexes)
    return decoded


def add_rows(decoded: DecodedBatch, events: Sequence[WireEvent], indexes: Sequence[int]) -> None:
    """Append the rows of the events. indexes: their places in the batch."""
    producer_id, resource = decoded.producer_id, decoded.resource
    ended = [event for event in events if type(event) is SpanEnded]
    started = [event for event in events if type(event) is SpanStarted]
    for span in ended:
        if span.scope is None:
            decoded.spans.append(native_span_row(span, resource, producer_id, decoded.contents.book))
        else:
            _add_foreign(decoded, span)
    # The end is the whole span: a start beside it has nothing to add.
    done = {(span.run_id, span.span_id) for span in ended} if started else set()
    alone = [span for span in started if (span.run_id, span.span_id) not in done]
    decoded.starts += [live_row(span, resource, producer_id) for span in alone]
    decoded.accepted += len(events)
    if len(ended) + len(started) == len(events):
        return
    for index, event in zip(indexes, events, strict=True):
        if type(event) is Event:
            _add_event(decoded, event, index)
        elif type(event) is Heartbeat and (decoded.heartbeat is None or event.time >= decoded.heartbeat.time):
            decoded.heartbeat = event


def _add_foreign(decoded: DecodedBatch, span: SpanEnded) -> None:
    row, attached = span_rows(as_foreign(span), decoded.resource, decoded.producer_id, decoded.contents)
    row = with_native(row, span)
    decoded.spans.append(row)
    if attached:
        decoded.attached[id(row)] = attached


def _add_event(decoded: DecodedBatch, event: Event, index: int) -> None:
    decoded.events.append(event_row(event, decoded.producer_id, decoded.sequence, index))
    if event.span_id is None or event.name is None or not event.name.startswith("gen_ai."):
        return
    found = event_messages(event.name, event.attributes or {}, event.body)
    if found.input or found.output:
        ids = decoded.contents.add(found.input), decoded.contents.add(found.output)
        decoded.conversations.append((event.run_id, event.span_id, "event", event.time, None, *ids))


def ids_are_valid(events: Sequence[WireEvent]) -> bool:
    """Tell whether every id is lower-case hexadecimal and none is zero; all events at once, ~0.2 µs each."""
    placed = [event for event in events if not isinstance(event, Heartbeat)]
    distinct = {event.run_id for event in placed}
    span_ids = [event.span_id for event in placed if event.span_id]
    parents = [event.parent_span_id for event in placed if not isinstance(event, Event) and event.parent_span_id]
    joined = "".join([*distinct, *span_ids, *parents])
    try:
        digits = len(bytes.fromhex(joined)) * 2
    except ValueError:
        return False
    # fromhex skips white space and takes capitals, so both are looked for
    return digits == len(joined) and joined == joined.lower() and _none_is_zero(distinct, span_ids, parents)


def _none_is_zero(run_ids: set[str], span_ids: list[str], parents: list[str]) -> bool:
    return "0" * 32 not in run_ids and "0" * 16 not in span_ids and "0" * 16 not in parents


def _decoders(content_type: str) -> Decoders:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in MSGPACK_TYPES:
        return _msgpack
    if media_type == "application/json":
        return _json
    raise UnsupportedEncodingError("content-type", media_type, CONTENT_TYPES)


def _decode_one_by_one(body: bytes, decoders: Decoders) -> Parsed:
    try:
        outer: Envelope = decoders.envelope.decode(body)
        batch = msgspec.convert({**msgspec.structs.asdict(outer), "events": []}, Batch)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeError, RecursionError) as error:
        raise MalformedBodyError(f"the body is not a batch: {_reason(error)}") from error
    events: list[WireEvent] = []
    indexes: list[int] = []
    rejected: list[RejectedEvent] = []
    for index, raw in enumerate(outer.events):
        try:
            events.append(decoders.event.decode(raw))
            indexes.append(index)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            rejected.append(RejectedEvent(index, _reason(error), _text(bytes(raw), decoders)))
    return Parsed(batch, events, indexes, rejected, len(body))


def _without_bad_ids(parsed: Parsed) -> Parsed:
    good: list[tuple[int, WireEvent]] = []
    bad = list(parsed.rejected)
    for index, event in zip(parsed.indexes, parsed.events, strict=True):
        if ids_are_valid([event]):
            good.append((index, event))
        else:
            reason = f"{_bad_id(event)} must be lower-case hexadecimal and not all zeros"
            bad.append(RejectedEvent(index, reason, event_text(event)))
    return replace(parsed, events=[event for _, event in good], indexes=[index for index, _ in good], rejected=bad)


def event_text(event: WireEvent) -> str:
    """Return an event as JSON, cut at MAX_REJECTED_TEXT."""
    return msgspec.json.encode(event, enc_hook=str).decode()[:MAX_REJECTED_TEXT]


def _bad_id(event: Any) -> str:
    for name in ("run_id", "span_id", "parent_span_id"):
        value = getattr(event, name, None)
        if value is not None and (set(value) - set("0123456789abcdef") or not value.strip("0")):
            return f"{name} {value!r}"
    return "id"


def _check_version(version: int) -> None:
    if version > SCHEMA_VERSION:
        raise MalformedBodyError(
            f"schema_version {version} is newer than {SCHEMA_VERSION}, the newest this collector knows; "
            "upgrade the collector"
        )


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _text(raw: bytes, decoders: Decoders) -> str:
    """Return an undecodable event as JSON if it is at least well-formed, else as its bytes."""
    try:
        return msgspec.json.encode(decoders.untyped.decode(raw), enc_hook=str).decode()[:MAX_REJECTED_TEXT]
    except (msgspec.MsgspecError, TypeError, ValueError, UnicodeError, RecursionError):
        return repr(raw[:MAX_REJECTED_TEXT])[:MAX_REJECTED_TEXT]
