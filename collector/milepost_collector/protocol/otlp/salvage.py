"""The records of a protobuf body whose framing is damaged somewhere: everything beside the damage.

Works on the three levels that all signals share: request (field 1: resources), resource (1: who, 2: scopes) and scope
(1: which, 2: records). A length that is too large is taken to mean "to the end". Where a level cannot be read any
further, spans are found again by how they begin: a trace id of 16 bytes followed by a span id of 8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from milepost_collector.protocol.otlp.framing import BYTES, FramingError, varint

_SPAN = re.compile(rb"\x12[\x80-\xff]{0,4}[\x00-\x7f]\x0a\x10.{16}\x12\x08", re.DOTALL)
_WHO, _CHILDREN, _SCHEMA_URL = 1, 2, 3
_OLD_SCOPES = 1000  # instrumentation_library_spans, gone since OTLP 0.15
_BROKEN = 0


@dataclass(slots=True)
class Piece:
    """What can be read of one scope. lost: ends of levels that could not be read any further."""

    resource: bytes = b""
    scope: bytes = b""
    records: list[bytes] = field(default_factory=list)
    lost: list[bytes] = field(default_factory=list)


def pieces(body: bytes) -> list[Piece]:
    """Return what can be read of a request. Nothing: it is none."""
    found: list[Piece] = []
    for number, data in _members(body, _WHO):
        if number == _WHO:
            found += _of_resource(data)
        elif found or any(spans_in(data)):
            found.append(Piece(resource=found[-1].resource if found else b"", lost=[data]))
    return found


def spans_in(data: bytes) -> Iterator[bytes]:
    """Yield the spans that begin somewhere in damaged bytes, the first byte excepted."""
    position = 1
    while match := _SPAN.search(data, position):
        size, start = varint(data, match.start() + 1)
        yield data[start : start + size]
        position = start + size if start + size <= len(data) else match.start() + 1


def _of_resource(data: bytes) -> list[Piece]:
    found: list[Piece] = []
    resource = b""
    for number, member in _members(data, _SCHEMA_URL):
        if number == _WHO:
            resource = member
        elif number == _CHILDREN:
            found.append(_of_scope(member))
        elif number == _BROKEN:
            found.append(Piece(lost=[member]))
    for piece in found:
        piece.resource = resource
    # bytes that hold neither a resource nor a record were no resource's
    return found if resource or any(piece.records for piece in found) else []


def _of_scope(data: bytes) -> Piece:
    piece = Piece()
    for number, member in _members(data, _SCHEMA_URL):
        if number == _WHO:
            piece.scope = member
        elif number == _CHILDREN:
            piece.records.append(member)
        elif number == _BROKEN:
            piece.lost.append(member)
    return piece


def _members(data: bytes, last: int) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of a level's members; where it cannot be read any further, _BROKEN and the rest.

    last: the highest number a member has; unless it is the only one, member 1 comes once.
    """
    position, single = 0, 0
    while position < len(data):
        start = position
        try:
            tag, position = varint(data, position)
            size, position = varint(data, position)
        except FramingError:
            yield _BROKEN, data[start:]
            return
        number = tag >> 3
        single += number == _WHO != last
        if tag & 7 != BYTES or not (1 <= number <= last or number == _OLD_SCOPES) or single > 1:
            yield _BROKEN, data[start:]
            return
        yield number, data[position : position + size]
        position += size
