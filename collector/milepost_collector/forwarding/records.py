"""A body waiting to be forwarded, and its bytes in a queue's file. Pure."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

SIGNALS = ("traces", "logs", "metrics")
PROTOBUF = "application/x-protobuf"
CONTENT_TYPES = (PROTOBUF, "application/json")

# CRC-32 of all that follows, then bytes of the body, of the way, and places in SIGNALS and CONTENT_TYPES.
HEADER = struct.Struct("<IIHBB")
MAX_VIA_BYTES = 0xFFFF


class Record(NamedTuple):
    """An OTLP body as received, inflated. via: ids of collectors it has come through, with commas between."""

    signal: str
    content_type: str
    body: bytes
    via: str = ""


def encode(record: Record) -> bytes:
    """Return a record's bytes.

    Raises:
        ValueError: the signal or content type is unknown, or something is too long.
    """
    via = record.via.encode()
    if len(via) > MAX_VIA_BYTES or len(record.body) > 0xFFFFFFFF:
        raise ValueError(f"a record of {len(record.body)} bytes, via {len(via)} bytes, does not fit its header")
    places = SIGNALS.index(record.signal), CONTENT_TYPES.index(record.content_type)
    head = HEADER.pack(0, len(record.body), len(via), *places)
    checked = zlib.crc32(record.body, zlib.crc32(via, zlib.crc32(head[4:])))
    return b"".join((checked.to_bytes(4, "little"), head[4:], via, record.body))


def length_at(data: bytes, offset: int) -> int | None:
    """Return the length of the record that begins at an offset, as its header says; None: the header is cut off."""
    if len(data) < offset + HEADER.size:
        return None
    _, body, via, _, _ = HEADER.unpack_from(data, offset)
    return HEADER.size + int(body) + int(via)


def decode(data: bytes, offset: int = 0) -> tuple[Record, int] | None:
    """Return the record at an offset and where it ends; None: it is cut off or damaged."""
    length = length_at(data, offset)
    if length is None or len(data) < offset + length:
        return None
    end = offset + length
    checked, body_bytes, _, signal, content_type = HEADER.unpack_from(data, offset)
    if zlib.crc32(memoryview(data)[offset + 4 : end]) != checked:
        return None
    if signal >= len(SIGNALS) or content_type >= len(CONTENT_TYPES):  # written by a newer program
        return None
    body_at = end - body_bytes
    via = data[offset + HEADER.size : body_at].decode()
    return Record(SIGNALS[signal], CONTENT_TYPES[content_type], data[body_at:end], via), end
