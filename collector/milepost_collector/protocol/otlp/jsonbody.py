"""OTLP/JSON to `Group`s of records: typed and whole if that goes, else record by record."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import msgspec
from msgspec import DecodeError, Raw, ValidationError

from milepost_collector.errors import MalformedBodyError
from milepost_collector.protocol.foreign import Attributes
from milepost_collector.protocol.otlp import jsonrepair
from milepost_collector.protocol.otlp.export import RefusedError, Signal
from milepost_collector.protocol.otlp.form import Form, Group, Unreadable
from milepost_collector.protocol.otlp.identity import RUN_ID_BYTES, SPAN_ID_BYTES, id_of_text
from milepost_collector.protocol.otlp.jsontypes import (
    NAMES,
    AnyValue,
    KeyValue,
    LogRecord,
    Metric,
    Names,
    Resource,
    Scope,
    Span,
    Status,
)
from milepost_collector.protocol.otlp.resources import Producer, producer_of
from milepost_collector.protocol.otlp.values import MAX_DEPTH, MAX_INT64, MIN_INT64, TOO_DEEP, any_integer, number
from milepost_collector.protocol.rejected import MAX_REJECTED_TEXT

_UNREADABLE = (DecodeError, UnicodeError)  # what msgspec raises for what is no JSON; ValidationError is a DecodeError
_encode = msgspec.json.Encoder(enc_hook=str).encode


class Decoders(NamedTuple):
    """Of one signal: of whole requests, and of requests, resources and scopes whose members stay as they are."""

    whole: Any
    request: Any
    group: Any
    scope: Any
    record: Any


def groups(signal: Signal, body: bytes) -> Iterator[Group]:
    """Yield the records of a body.

    Raises:
        MalformedBodyError: the body is no OTLP/JSON request.
    """
    if jsonrepair.has_snake_case(body):
        body = _repaired(body)
    try:
        request = decoders(signal).whole.decode(body)
    except (*_UNREADABLE, RecursionError):
        return _one_by_one(signal, body)
    sent = getattr(request, NAMES[signal].groups)
    return _whole(signal, sent) if sent else _sent_elsewhere(signal, body)


@cache
def decoders(signal: Signal) -> Decoders:
    """Return the decoders of a signal; made once, when first needed."""
    names = NAMES[signal]

    typed_scope = _struct(names.records, names.record, scope=Scope)
    typed_group = _struct(names.scopes, typed_scope, resource=Resource)
    return Decoders(
        whole=msgspec.json.Decoder(_struct(names.groups, typed_group)),
        request=msgspec.json.Decoder(_struct(names.groups, Raw)),
        group=msgspec.json.Decoder(_struct(names.scopes, Raw, resource=Raw)),
        scope=msgspec.json.Decoder(_struct(names.records, Raw, scope=Raw)),
        record=msgspec.json.Decoder(names.record),
    )


def _struct(repeated: str, member: Any, **others: Any) -> Any:
    """Return a message of a repeated field and others."""
    fields: list[Any] = [(repeated, list[member] | None, None)]
    fields += [(name, Raw, Raw()) if kind is Raw else (name, kind | None, None) for name, kind in others.items()]
    return msgspec.defstruct(repeated, fields, rename="camel")


def _whole(signal: Signal, sent: Any) -> Iterator[Group]:
    names = NAMES[signal]
    for group in sent:
        producer = _producer(group.resource)
        for scope in getattr(group, names.scopes) or ():
            yield Group(producer, *_scope(scope.scope), getattr(scope, names.records) or ())


def _producer(resource: Resource | None) -> Producer:
    return producer_of(attributes(resource.attributes if resource else None, []))


def _scope(scope: Scope | None) -> tuple[str, str]:
    return (_text(scope.name), _text(scope.version)) if scope else ("", "")


def _sent_elsewhere(signal: Signal, body: bytes) -> Iterator[Group]:
    """Yield the records of another signal as unreadable; the caller sees what they are."""
    sent = _read(_object, body)
    names = {other: jsonrepair.CAMEL_NAMES[NAMES[other].groups] for other in NAMES}
    if not sent or names[signal] in sent:
        return iter(())
    for other, name in names.items():
        if name in sent:
            return (_set_aside(group) for group in groups(other, body))
    raise MalformedBodyError(f"the body is no OTLP/JSON request: it has no {names[signal]}")


def _set_aside(group: Group) -> Group:
    group.records = [
        record if isinstance(record, Unreadable) else Unreadable("it is of another signal", record)
        for record in group.records
    ]
    return group


def _one_by_one(signal: Signal, body: bytes) -> Iterator[Group]:
    """Yield what can be read of a body that the schema or strict JSON refuses.

    Raises:
        MalformedBodyError: nothing can.
    """
    names, of = NAMES[signal], decoders(signal)
    try:
        request = _read(of.request, body)
    except RefusedError as error:
        raise MalformedBodyError(f"the body is no OTLP/JSON request: {error}") from error
    return (group for sent in getattr(request, names.groups) or () for group in _groups_of(sent, of, names))


def _groups_of(sent: Raw, of: Decoders, names: Names) -> Iterator[Group]:
    try:
        group = _read(of.group, sent)
    except RefusedError as error:
        yield Group(producer_of({}), "", "", [Unreadable(str(error), bytes(sent))])
        return
    producer = _producer(_read_or_none(_resource, group.resource))
    for part in getattr(group, names.scopes) or ():
        try:
            scope = _read(of.scope, part)
        except RefusedError as error:
            yield Group(producer, "", "", [Unreadable(str(error), bytes(part))])
            continue
        records = [_record(of, raw) for raw in getattr(scope, names.records) or ()]
        yield Group(producer, *_scope(_read_or_none(_scopes, scope.scope)), records)


def _record(of: Decoders, raw: Raw) -> Any:
    try:
        return _read(of.record, raw)
    except RefusedError as error:
        return Unreadable(str(error), bytes(raw))


def _read_or_none(decoder: Any, raw: Raw) -> Any:
    try:
        return _read(decoder, raw) if bytes(raw) not in (b"", b"null") else None
    except RefusedError:
        return None


def _read(decoder: Any, raw: bytes | Raw) -> Any:
    """Decode, making the JSON shallow or strict if that is what it takes.

    Raises:
        RefusedError: it is not what the decoder expects; the text names the bad field.
    """
    try:
        return decoder.decode(raw)
    except ValidationError as error:
        raise RefusedError(str(error)) from error
    except (*_UNREADABLE, RecursionError):
        try:
            return decoder.decode(jsonrepair.repaired(jsonrepair.shallow(bytes(raw))))
        except (ValueError, RecursionError) as error:
            raise RefusedError(str(error)) from error


def _repaired(body: bytes) -> bytes:
    try:
        return jsonrepair.repaired(jsonrepair.shallow(body))
    except (ValueError, RecursionError) as error:
        raise MalformedBodyError(f"the body is no OTLP/JSON request: {error}") from error


def attributes(sent: list[KeyValue] | None, problems: list[str]) -> Attributes:
    """Return attributes; of equal keys the last wins."""
    return {item.key or "": value(item.value) for item in sent} if sent else {}


def value(sent: AnyValue | None, depth: int = 0) -> Any:
    """Return an AnyValue; null doubles (a JavaScript exporter's NaN) are None. depth: lists and maps around it."""
    if sent is None:
        return None
    if sent.string_value is not None:
        return sent.string_value
    if sent.int_value is not None:
        return _number(sent.int_value)
    if sent.bool_value is not None:
        return sent.bool_value
    if sent.double_value is not None:
        return _double(sent.double_value)
    if sent.bytes_value is not None:
        return {"base64": _base64(sent.bytes_value)}
    if sent.array_value is None and sent.kvlist_value is None:
        return None
    if depth >= MAX_DEPTH:
        return TOO_DEEP
    if sent.array_value is not None:
        return [value(member, depth + 1) for member in sent.array_value.values or ()]
    assert sent.kvlist_value is not None
    return {item.key or "": value(item.value, depth + 1) for item in sent.kvlist_value.values or ()}


def _number(sent: Any) -> Any:
    """Return an integer of 64 bits, a double if it is larger, and text that is no number as it is."""
    try:
        whole = any_integer(sent)
    except ValueError:
        return sent
    return whole if MIN_INT64 <= whole <= MAX_INT64 else _double(str(whole))


def _double(sent: Any) -> Any:
    try:
        return number(float(sent))
    except ValueError:
        return sent


def _base64(text: str) -> str:
    """Return base64 as protobuf would give it: the plain alphabet, padded."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    return plain + "=" * (-len(plain) % 4)


def _text(sent: str | None) -> str:
    return sent or ""


def _identity(sent: str | None, size: int, problems: list[str]) -> str:
    return id_of_text(sent or "", size, problems)


def _ids(record: Any, problems: list[str]) -> tuple[str, str]:
    return (
        id_of_text(record.trace_id or "", RUN_ID_BYTES, problems),
        id_of_text(record.span_id or "", SPAN_ID_BYTES, problems),
    )


def _status(sent: Status) -> tuple[int, str]:
    return sent.code, sent.message or ""  # type: ignore[return-value] # a number since it was decoded


def _describe(record: Any) -> str:
    text = record if isinstance(record, bytes) else _encode(record)
    return text[: MAX_REJECTED_TEXT * 4].decode("utf-8", "replace")[:MAX_REJECTED_TEXT]


_SIGNALS: dict[type, Signal] = {Span: "traces", LogRecord: "logs", Metric: "metrics"}


def _signal_of(record: Any) -> Signal | None:
    return _SIGNALS.get(type(record))


_object = msgspec.json.Decoder(dict[str, Raw])
_resource = msgspec.json.Decoder(Resource)
_scopes = msgspec.json.Decoder(Scope)

FORM = Form(
    ids=_ids,
    identity=_identity,
    text=_text,
    attributes=attributes,
    value=value,
    status=_status,
    describe=_describe,
    signal_of=_signal_of,
)
