"""OTLP's KeyValue and AnyValue from protobuf bytes: the innermost loop of ingest.

Written by hand because it is faster than asking protobuf's objects (a quarter of the time where attributes repeat, as
most do), because it has its own limit of depth, and because damage costs one attribute. Numbers of fields are those of
opentelemetry/proto/common/v1/common.proto.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from struct import unpack
from typing import Any

from milepost_collector.protocol.foreign import Attributes
from milepost_collector.protocol.otlp.framing import BYTES, FIXED64, VARINT, FramingError, fields, varint
from milepost_collector.protocol.otlp.values import MAX_DEPTH, MAX_INT64, TOO_DEEP, number

# Model, provider, operation … are the same in span after span. Whole attributes are looked up by their bytes; the
# caches hold at most MAX_CACHED × MAX_CACHED_BYTES and only values that cannot be changed.
MAX_CACHED = 4096
MAX_CACHED_BYTES = 96

_KEY, _VALUE = 1, 2
_TEXT_TAG = 0x0A  # field 1, of bytes: KeyValue's key as well as AnyValue's text
_VALUE_TAG = 0x12
_INTEGER_TAG = 0x18
_TEXT, _BOOLEAN, _INTEGER, _DOUBLE, _LIST, _MAP, _BYTES = 1, 2, 3, 4, 5, 6, 7
_WIRE_TYPES = {
    _TEXT: BYTES, _BOOLEAN: VARINT, _INTEGER: VARINT, _DOUBLE: FIXED64, _LIST: BYTES, _MAP: BYTES, _BYTES: BYTES
}  # fmt: skip

_attributes: dict[bytes, tuple[str, Any]] = {}
_keys: dict[bytes, str] = {}


def attributes(encoded: Iterable[bytes], problems: list[str]) -> Attributes:
    """Return the attributes; of equal keys the last wins. problems: told which could not be read as they were."""
    found: Attributes = {}
    cached = _attributes
    try:
        for data in encoded:
            pair = cached.get(data)
            if pair is None:
                pair = _remembered(data)
            found[pair[0]] = pair[1]
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


def _remembered(data: bytes) -> tuple[str, Any]:
    """Return an attribute that is not cached, caching it if it is small and can be shared."""
    pair = _common(data) or key_value(data)
    if len(data) <= MAX_CACHED_BYTES and type(pair[1]) not in (list, dict):
        if len(_attributes) >= MAX_CACHED:
            _attributes.clear()
        _attributes[data] = pair
    return pair


def _common(data: bytes) -> tuple[str, Any] | None:
    """Return an attribute if it is laid out as every exporter does: a short key, then a text or a small integer."""
    split = data[1] + 2
    if data[0] != _TEXT_TAG or split > 0x81 or data[split] != _VALUE_TAG:
        return None
    size = data[split + 1]
    if size < 0x80:
        start = split + 2
    else:
        size, start = varint(data, split + 1)
    if start + size != len(data) or size < 2:
        return None
    tag, size, text = data[start], data[start + 1], start + 2
    if size >= 0x80:
        size, text = varint(data, start + 1)
    if tag == _TEXT_TAG and text + size == len(data):
        return _key(data[2:split]), data[text:].decode()
    if tag == _INTEGER_TAG and text == len(data):
        return _key(data[2:split]), _signed(size)
    return None


def _key(encoded: bytes) -> str:
    key = _keys.get(encoded)
    if key is None:
        key = encoded.decode()
        if len(_keys) >= MAX_CACHED:
            _keys.clear()
        _keys[encoded] = key
    return key


def _one_by_one(encoded: Iterable[bytes], problems: list[str]) -> Attributes:
    found: Attributes = {}
    for place, data in enumerate(encoded):
        try:
            key, read = key_value(data, errors="replace")
        except FramingError as error:
            problems.append(f"attribute {place} is damaged and was left out: {error}")
            continue
        found[key] = read
        if _replaced(data):
            problems.append(f"attribute {key!r} is not UTF-8; the bytes that are not were replaced")
    return found


def _replaced(data: bytes) -> bool:
    try:
        key_value(data)
    except UnicodeDecodeError:
        return True
    return False
