"""Protobuf's framing read by hand: what is left of a message when a part of it is damaged.

Source: protobuf's encoding, "Message Structure". Nothing here knows OTLP.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # the wire types in use; 3 and 4 are groups, which OTLP has never had
_MAX_SHIFT = 63  # of the tenth byte, the last a number of 64 bits can have
_WIDTHS = {FIXED64: 8, FIXED32: 4}


class FramingError(ValueError):
    """The bytes are no protobuf message from `position` on."""

    def __init__(self, position: int, what: str) -> None:
        super().__init__(f"{what} at byte {position}")
        self.position = position


class Field(NamedTuple):
    """A field as it lies in its message. value: a number of a varint, else the bytes. start: where its tag is."""

    number: int
    wire_type: int
    value: int | bytes
    start: int


def fields(data: bytes) -> Iterator[Field]:
    """Yield the fields of a message.

    Raises:
        FramingError: where the framing ends; the fields before have been yielded.
    """
    position, size = 0, len(data)
    while position < size:
        start = position
        tag, position = varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        if not number:
            raise FramingError(start, "a field number of 0")
        if wire_type == VARINT:
            value, position = varint(data, position)
            yield Field(number, wire_type, value, start)
            continue
        width = _WIDTHS.get(wire_type)
        if wire_type == BYTES:
            width, position = varint(data, position)
        if width is None:
            raise FramingError(start, f"an unknown wire type {wire_type}")
        if position + width > size:
            raise FramingError(start, f"a field of {width} bytes where {size - position} are left")
        yield Field(number, wire_type, data[position : position + width], start)
        position += width


def varint(data: bytes, position: int) -> tuple[int, int]:
    """Return the number at a position and the position behind it.

    Raises:
        FramingError: there is none.
    """
    try:
        byte = data[position]
        if byte < 0x80:
            return byte, position + 1
        result, shift, at = byte & 0x7F, 7, position + 1
        while (byte := data[at]) > 0x7F and shift < _MAX_SHIFT:
            result |= (byte & 0x7F) << shift
            shift, at = shift + 7, at + 1
    except IndexError:
        raise FramingError(position, "an unfinished number") from None
    if byte > 0x7F:
        raise FramingError(position, "a number of more than 10 bytes")
    return (result | byte << shift) & 0xFFFFFFFFFFFFFFFF, at + 1


def to_varint(value: int) -> bytes:
    """Return a number that is not negative as a varint."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
