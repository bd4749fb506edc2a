"""Protobuf as a tree that can be changed in ways no protobuf library allows: wrong types, lengths, numbers, orders."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

VARINT, FIXED64, BYTES, GROUP, FIXED32 = 0, 1, 2, 3, 5
Value: TypeAlias = "int | bytes | list[Field]"

# Which fields of which messages are messages, by the names used here.
MESSAGES: dict[str, dict[int, str]] = {
    "span": {9: "attribute", 11: "event", 13: "link", 15: "status"},
    "event": {3: "attribute"},
    "link": {4: "attribute"},
    "log": {5: "value", 6: "attribute"},
    "attribute": {2: "value"},
    "value": {5: "array", 6: "object"},
    "array": {1: "value"},
    "object": {1: "attribute"},
    "metric": {5: "numbers", 7: "numbers", 9: "histogram", 10: "exponential", 11: "summary"},
    "numbers": {1: "number"},
    "number": {7: "attribute"},
    "histogram": {1: "histogram point"},
    "histogram point": {9: "attribute"},
    "exponential": {1: "exponential point"},
    "exponential point": {1: "attribute", 8: "buckets", 9: "buckets"},
    "summary": {1: "summary point"},
    "summary point": {6: "quantile", 7: "attribute"},
}
TEXTS = {("span", 3), ("span", 5), ("event", 2), ("status", 2), ("attribute", 1), ("value", 1), ("log", 3), ("log", 12),
         ("metric", 1), ("metric", 2), ("metric", 3), ("link", 3)}  # fmt: skip


@dataclass(slots=True)
class Field:
    """A field as it will be written. message: the kind it belongs to. length: a false one; None for the true one."""

    number: int
    wire_type: int
    value: Value
    message: str = ""
    length: int | None = None


def parse(data: bytes, message: str) -> list[Field]:
    """Return the fields of a well-formed message, those that are messages themselves parsed too."""
    nested = MESSAGES.get(message, {})
    found = []
    position = 0
    while position < len(data):
        tag, position = read_varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        value: Value
        if wire_type == VARINT:
            value, position = read_varint(data, position)
        else:
            size = {FIXED64: 8, FIXED32: 4}.get(wire_type)
            if size is None:
                size, position = read_varint(data, position)
            value, position = data[position : position + size], position + size
            if number in nested:
                value = parse(value, nested[number])
        found.append(Field(number, wire_type, value, message))
    return found


def encode(fields: list[Field]) -> bytes:
    """Return the bytes of a message, lies included."""
    return b"".join(map(_encoded, fields))


def _encoded(field: Field) -> bytes:
    tag = varint(field.number << 3 | field.wire_type)
    value = field.value
    if isinstance(value, int):
        return tag + varint(value)
    content = value if isinstance(value, bytes) else encode(value)
    if field.wire_type == BYTES:
        return tag + varint(len(content) if field.length is None else field.length) + content
    return tag + content


def varint(number: int) -> bytes:
    """Return a number as protobuf writes it; above 64 bits it is one that no reader accepts."""
    out = bytearray()
    number = number if number >= 0 else number & 0xFFFFFFFFFFFFFFFF
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Return the number at a position and the position behind it."""
    result = shift = 0
    while True:
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
        shift += 7


def member(number: int, data: bytes) -> bytes:
    """Return a field of bytes."""
    return varint(number << 3 | BYTES) + varint(len(data)) + data


def walk(fields: list[Field]) -> Iterator[tuple[list[Field], int]]:
    """Yield every field of a tree as the list that holds it and its place there."""
    for place, field in enumerate(fields):
        yield fields, place
        if isinstance(field.value, list):
            yield from walk(field.value)


def any_field(fields: list[Field], dice: random.Random) -> tuple[list[Field], int]:
    """Return one field of a tree that is not empty; a deep one is as likely as a shallow one."""
    return dice.choice(list(walk(fields)))
