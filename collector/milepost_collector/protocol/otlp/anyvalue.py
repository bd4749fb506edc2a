"""OTLP's KeyValue and AnyValue from protobuf bytes: the innermost loop of ingest.

Written by hand because it is faster than asking protobuf's objects (a quarter of the time where attributes repeat, as
most do), because it has its own limit of depth, and because damage costs one attribute. Numbers of fields are those of
opentelemetry/proto/common/v1/common.proto.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from struct import unpack, unpack_from
from typing import Any

from milepost_collector.protocol.foreign import Attributes
from milepost_collector.protocol.otlp.framing import BYTES, FIXED64, VARINT, FramingError, fields, to_varint, varint
from milepost_collector.protocol.otlp.values import MAX_DEPTH, MAX_INT64, TOO_DEEP, number

# Model, provider, operation … are the same in span after span. Whole attributes are looked up by their bytes; the
# caches hold at most MAX_CACHED × MAX_CACHED_BYTES, and nothing that is given out can be changed in them.
MAX_CACHED = 4096
MAX_CACHED_BYTES = 96

_MAX_HEADERS = 16_384

_KEY, _VALUE = 1, 2
_TEXT_TAG = 0x0A  # field 1, of bytes: KeyValue's key as well as AnyValue's text
_VALUE_TAG = 0x12
_BOOLEAN_TAG = 0x10
_INTEGER_TAG = 0x18
_DOUBLE_TAG = 0x21
_LIST_TAG = 0x2A
_TEXT, _BOOLEAN, _INTEGER, _DOUBLE, _LIST, _MAP, _BYTES = 1, 2, 3, 4, 5, 6, 7
_WIRE_TYPES = {
    _TEXT: BYTES, _BOOLEAN: VARINT, _INTEGER: VARINT, _DOUBLE: FIXED64, _LIST: BYTES, _MAP: BYTES, _BYTES: BYTES
}  # fmt: skip

_attributes: dict[bytes, tuple[str, Any]] = {}
_lists: dict[bytes, list[Any]] = {}  # copied whenever they are used
_keys: dict[bytes, str] = {}
_headers: dict[int, bytes] = {}


def attributes(encoded: Sequence[bytes], problems: list[str]) -> Attributes:
    """Return the attributes; of equal keys the last wins. problems: told which could not be read as they were."""
    found: Attributes = {}
    cached = _attributes
    try:
        for data in encoded[:]:  # protobuf copies a list in half the time it takes to walk through its own
            pair = cached.get(data) if len(data) <= MAX_CACHED_BYTES else None
            if pair is None:
                pair = _usual_pair(data)
            key, found[key] = pair
    except (ValueError, IndexError):  # damaged, or not UTF-8
        return _one_by_one(encoded, problems)
    return found


def value(data: bytes, *, errors: str = "strict", depth: int = 0) -> Any:
    """Return an AnyValue. errors: as of `bytes.decode`. depth: lists and maps around it.

    Raises:
        ValueError: the bytes are damaged (`FramingError`) or not UTF-8.
    """
    if data and data[0] == _TEXT_TAG:
        size, start = varint(data, 1)
        if start + size == len(data):
            return data[start:].decode("utf-8", errors)
    kind, sent = 0, b""
    for field in fields(data):
        if _WIRE_TYPES.get(field.number) == field.wire_type:
            kind, sent = field.number, field.value  # type: ignore[assignment] # as _WIRE_TYPES says
    return _of_kind(kind, sent, errors, depth)


def key_value(data: bytes, *, errors: str = "strict", depth: int = 0) -> tuple[str, Any]:
    """Return a KeyValue's key and value.

    Raises:
        ValueError: as `value`.
    """
    key, sent = b"", b""
    for field in fields(data):
        if field.wire_type != BYTES:
            continue
        if field.number == _KEY:
            key = field.value  # type: ignore[assignment] # bytes by its wire type
        elif field.number == _VALUE:
            sent = field.value  # type: ignore[assignment]
    return key.decode("utf-8", errors), value(sent, errors=errors, depth=depth)


def _of_kind(kind: int, sent: Any, errors: str, depth: int) -> Any:
    if kind == _TEXT:
        return sent.decode("utf-8", errors)
    if kind == _BOOLEAN:
        return sent != 0
    if kind == _INTEGER:
        return _signed(sent)
    if kind == _DOUBLE:
        return number(unpack("<d", sent)[0])
    if kind == _BYTES:
        return {"base64": base64.b64encode(sent).decode()}
    if kind not in (_LIST, _MAP):
        return None
    if depth >= MAX_DEPTH:
        return TOO_DEEP
    members = [field.value for field in fields(sent) if field.number == 1 and field.wire_type == BYTES]
    if kind == _LIST:
        return [value(member, errors=errors, depth=depth + 1) for member in members]  # type: ignore[arg-type]
    return dict(key_value(member, errors=errors, depth=depth + 1) for member in members)  # type: ignore[arg-type]


def _signed(unsigned: int) -> int:
    return unsigned if unsigned <= MAX_INT64 else unsigned - 2**64


class UnusualError(ValueError):
    """The bytes are not laid out as every exporter does, though they may be well-formed."""


def _usual_pair(data: bytes) -> tuple[str, Any]:
    """Return an attribute of a short key followed by a value, nothing else, and remember it if it can be shared.

    Raises:
        UnusualError, IndexError: it is laid out in another way.
    """
    split, end = data[1] + 2, len(data)
    if data[0] != _TEXT_TAG or split > 0x81:
        raise UnusualError
    header = _headers.get(end - split) or _text_header(end - split)
    if data.startswith(header, split):
        value: Any = data[split + len(header) :].decode()
    else:
        value = _usual_member(data, split, end)
    pair = _keys.get(data[2:split]) or _key(data[2:split]), value
    if end <= MAX_CACHED_BYTES and type(value) is not list:
        if len(_attributes) >= MAX_CACHED:
            _attributes.clear()
        _attributes[data] = pair
    return pair


def _text_header(size: int) -> bytes:
    """Return what begins a KeyValue's value if it is a text that fills `size` bytes with it: tags and lengths."""
    for width in range(1, 10):  # of both lengths, which may differ by one
        for inner_width in (width - 1, width):
            inner = size - 2 - width - inner_width
            header = b"".join([b"\x12", to_varint(size - 1 - width), b"\x0a", to_varint(inner)]) if inner >= 0 else b""
            if header and len(header) + inner == size:
                if size <= _MAX_HEADERS:
                    _headers[size] = header
                return header
    return b"\xff"  # what no value begins with: there is no such text


def _usual_member(data: bytes, split: int, end: int) -> Any:
    known = _lists.get(data) if end <= MAX_CACHED_BYTES else None
    if known is not None:
        return known.copy()
    if data[split] != _VALUE_TAG:
        raise UnusualError
    size, start = data[split + 1], split + 2
    if size > 0x7F:
        size, start = varint(data, split + 1)
    if start + size != end:
        raise UnusualError
    value = _usual_value(data, start, end, 0)
    if end <= MAX_CACHED_BYTES and type(value) is list and list not in map(type, value):
        if len(_lists) >= MAX_CACHED:
            _lists.clear()
        _lists[data] = value.copy()
    return value


def _usual_value(data: bytes, start: int, end: int, depth: int) -> Any:
    """Return the AnyValue in data[start:end] if it is one field that fills it."""
    tag, size = data[start], data[start + 1]
    start += 2
    if size > 0x7F and tag != _DOUBLE_TAG:
        size, start = varint(data, start - 1)
    if tag == _TEXT_TAG and start + size == end:
        return data[start:end].decode()
    if tag == _INTEGER_TAG and start == end:
        return _signed(size)
    if tag == _LIST_TAG and start + size == end:
        return _usual_list(data, start, end, depth)
    if tag == _DOUBLE_TAG and start + 7 == end:
        return number(unpack_from("<d", data, start - 1)[0])
    if tag == _BOOLEAN_TAG and start == end:
        return size != 0
    raise UnusualError


def _usual_list(data: bytes, start: int, end: int, depth: int) -> Any:
    if depth >= MAX_DEPTH:
        return TOO_DEEP
    members: list[Any] = []
    while start < end:
        size, begin = data[start + 1], start + 2
        if size > 0x7F:
            size, begin = varint(data, start + 1)
        if data[start] != _TEXT_TAG or begin + size > end:
            raise UnusualError
        start = begin + size
        if size > 1 and data[begin] == _TEXT_TAG and data[begin + 1] == size - 2:  # a text of up to 127 bytes
            members.append(data[begin + 2 : start].decode())
        else:
            members.append(_usual_value(data, begin, start, depth + 1) if size else None)
    return members


def _key(encoded: bytes) -> str:
    if len(_keys) >= MAX_CACHED:
        _keys.clear()
    return _keys.setdefault(encoded, encoded.decode())


def _one_by_one(encoded: Sequence[bytes], problems: list[str]) -> Attributes:
    found: Attributes = {}
    for place, data in enumerate(encoded):
        try:
            key, found[key] = _replacing(data, problems)
        except FramingError as error:
            problems.append(f"attribute {place} is damaged and was left out: {error}")
    return found


def _replacing(data: bytes, problems: list[str]) -> tuple[str, Any]:
    try:
        return key_value(data)
    except UnicodeDecodeError:
        key, read = key_value(data, errors="replace")
        problems.append(f"attribute {key!r} is not UTF-8; the bytes that are not were replaced")
        return key, read
