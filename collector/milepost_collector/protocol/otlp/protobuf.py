"""OTLP's protobuf encoding to `Group`s of records; imported with the first such request."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any

import msgspec
from google.protobuf.message import DecodeError

from milepost_collector.errors import MalformedBodyError
from milepost_collector.protocol.otlp import anyvalue, salvage
from milepost_collector.protocol.otlp.export import Signal
from milepost_collector.protocol.otlp.form import Form, Group, Unreadable
from milepost_collector.protocol.otlp.framing import BYTES, FIXED64, FramingError, fields
from milepost_collector.protocol.otlp.identity import (
    RUN_ID_BYTES,
    SPAN_ID_BYTES,
    ZERO_RUN_ID,
    ZERO_SPAN_ID,
    id_of_bytes,
)
from milepost_collector.protocol.otlp.resources import Producer, producer_of
from milepost_collector.protocol.otlp.schema import SHAPES, Resource, Scope, Shape, Status
from milepost_collector.protocol.rejected import MAX_REJECTED_TEXT

MAX_CACHED_BYTES = 16_384  # of a resource; a process sends the same one with every request


def groups(signal: Signal, body: bytes) -> Iterator[Group]:
    """Yield the records of a body.

    Raises:
        MalformedBodyError: the body is no OTLP message.
    """
    shape = SHAPES[signal]
    try:
        request = shape.request.FromString(body)
    except DecodeError as error:
        return _salvaged(shape, body, str(error))
    resources = getattr(request, shape.groups)
    if body and not resources:
        raise MalformedBodyError(f"the body is no OTLP message: it has no {shape.groups}")
    return _whole(shape, resources)


def _whole(shape: Shape, resources: Any) -> Iterator[Group]:
    for resource in resources:
        producer = producer_from(resource.resource)
        for scope in getattr(resource, shape.scopes):
            yield Group(producer, *scope_from(scope.scope), getattr(scope, shape.records))


def _salvaged(shape: Shape, body: bytes, cause: str) -> Iterator[Group]:
    are_spans = shape is SHAPES["traces"]
    pieces = salvage.pieces(body, partial(_is_readable, shape, are_spans), are_spans=are_spans)
    if not pieces:
        hint = "; it looks like JSON: say so in Content-Type" if body[:1] in (b"{", b"[") else ""
        raise MalformedBodyError(f"the body is no OTLP message: {cause}{hint}")
    return (
        Group(producer_from(piece.resource), *scope_from(piece.scope), list(_records(shape, piece))) for piece in pieces
    )


def _is_readable(shape: Shape, are_spans: bool, raw: bytes) -> bool:
    try:
        record = shape.record.FromString(raw)
    except DecodeError:
        return False
    # a span that has swallowed the next one has that as its id
    return not are_spans or len(record.span_id) == SPAN_ID_BYTES


def _records(shape: Shape, piece: salvage.Piece) -> Iterator[Any]:
    for raw in piece.records:
        try:
            yield shape.record.FromString(raw)
        except DecodeError as error:
            yield Unreadable(f"it is damaged: {error}", raw)
    for raw in piece.lost:
        yield Unreadable(f"{len(raw)} bytes are damaged; only what begins like a span was found again in them", raw)


def producer_from(encoded: bytes) -> Producer:
    """Return the producer of an encoded Resource, damaged or not."""
    return _cached_producer(encoded) if len(encoded) <= MAX_CACHED_BYTES else _producer(encoded)


def scope_from(encoded: bytes) -> tuple[str, str]:
    """Return name and version of an encoded InstrumentationScope, damaged or not."""
    return _cached_scope(encoded) if len(encoded) <= MAX_CACHED_BYTES else _scope(encoded)


def _producer(encoded: bytes) -> Producer:
    try:
        attributes = Resource.FromString(encoded).attributes
    except DecodeError:
        attributes = ()
    return producer_of(anyvalue.attributes(attributes, []))


def _scope(encoded: bytes) -> tuple[str, str]:
    try:
        scope = Scope.FromString(encoded)
    except DecodeError:
        return "", ""
    return _text(scope.name), _text(scope.version)


_cached_producer = lru_cache(maxsize=256)(_producer)
_cached_scope = lru_cache(maxsize=1024)(_scope)


def _ids(record: Any, problems: list[str]) -> tuple[str, str]:
    run_id, span_id = record.trace_id.hex(), record.span_id.hex()
    if len(run_id) == 32 and len(span_id) == 16 and run_id != ZERO_RUN_ID and span_id != ZERO_SPAN_ID:
        return run_id, span_id
    return (
        id_of_bytes(record.trace_id, RUN_ID_BYTES, problems),
        id_of_bytes(record.span_id, SPAN_ID_BYTES, problems),
    )


def _text(encoded: bytes) -> str:
    return encoded.decode("utf-8", "replace")


def _value(encoded: bytes) -> Any:
    try:
        return anyvalue.value(encoded, errors="replace")
    except FramingError as error:
        return f"the value is damaged and was left out: {error}"


def _status(encoded: bytes) -> tuple[int, str]:
    try:
        status = Status.FromString(encoded)
    except DecodeError as error:
        return 0, f"the status is damaged and was left out: {error}"
    return status.code, _text(status.message)


def _describe(record: Any) -> str:
    """Return a record as JSON: what its fields hold as far as they can be read, else its bytes."""
    if isinstance(record, bytes):
        return repr(record[:MAX_REJECTED_TEXT])[:MAX_REJECTED_TEXT]
    read = {field.name: _plain(field.name, value) for field, value in record.ListFields()}
    return msgspec.json.encode(read, enc_hook=str).decode()[:MAX_REJECTED_TEXT]


def _plain(name: str, value: Any) -> Any:
    if name == "attributes":
        return anyvalue.attributes(value, [])
    if name.endswith("_id"):
        return value.hex()
    if name in ("body", "status"):
        return _value(value) if name == "body" else _status(value)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def signal_of(record: Any) -> Signal | None:
    """Tell spans, log records and metrics apart by fields that only one of them has."""
    raw = record if isinstance(record, bytes) else record.SerializeToString()
    seen: set[tuple[int, int]] = set()
    with contextlib.suppress(FramingError):  # what was seen before the damage has to do
        seen.update((field.number, field.wire_type) for field in fields(raw))
    if seen & {(7, FIXED64), (8, FIXED64)}:  # start and end time
        return "traces"
    if seen & {(1, FIXED64), (11, FIXED64)}:  # time and observed time
        return "logs"
    if (1, BYTES) in seen and seen & {(number, BYTES) for number in (5, 7, 9, 10, 11)}:  # name and kind of data
        return "metrics"
    return None


FORM = Form(
    ids=_ids,
    identity=id_of_bytes,
    text=_text,
    attributes=anyvalue.attributes,
    value=_value,
    status=_status,
    describe=_describe,
    signal_of=signal_of,
)
