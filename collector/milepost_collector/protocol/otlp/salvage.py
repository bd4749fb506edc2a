"""The records of a protobuf body whose framing is damaged somewhere: everything beside the damage.

Works on the three levels that all signals share: request (field 1: resources), resource (1: who, 2: scopes) and scope
(1: which, 2: records). A length that is too large is taken to mean "to the end". Where a level cannot be read any
further, spans are found again by how they begin: a trace id of 16 bytes followed by a span id of 8.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from milepost_collector.protocol.otlp.framing import BYTES, FramingError, varint

_SPAN = re.compile(rb"\x12[\x80-\xff]{0,4}[\x00-\x7f]\x0a\x10.{16}\x12\x08", re.DOTALL)
_WHO, _CHILDREN, _SCHEMA_URL = 1, 2, 3
_OLD_SCOPES = 1000  # instrumentation_library_spans, gone since OTLP 0.15
_BROKEN = 0

IsReadable = Callable[[bytes], bool]


@dataclass(slots=True)
class Piece:
    """What can be read of one scope. records: each decodes or is damaged. lost: beginnings of what has no framing."""

    resource: bytes = b""
    scope: bytes = b""
    records: list[bytes] = field(default_factory=list)
    lost: list[bytes] = field(default_factory=list)


def pieces(body: bytes, is_readable: IsReadable, *, are_spans: bool) -> list[Piece]:
    """Return what can be read of a request. Nothing: it is none. is_readable: tells whether bytes are a record."""
    scopes = _Scopes(is_readable, are_spans)
    found: list[Piece] = []
    for number, begin, end in _members(body, _WHO):
        if number == _WHO:
            found += _of_resource(body[begin:end], scopes)
            continue
        rest = scopes.read(body[begin:], broken=True)
        rest.resource = found[-1].resource if found else b""
        found += [rest] if found or rest.records else []
    return found


def _of_resource(data: bytes, scopes: _Scopes) -> list[Piece]:
    found: list[Piece] = []
    resource = b""
    for number, begin, end in _members(data, _SCHEMA_URL):
        if number == _WHO:
            resource = data[begin:end]
        elif number in (_CHILDREN, _BROKEN):
            found.append(scopes.read(data[begin:end], broken=number == _BROKEN))
    for piece in found:
        piece.resource = resource
    # bytes that hold neither a resource nor a record were no resource's
    return found if resource or any(piece.records for piece in found) else []


@dataclass(frozen=True, slots=True)
class _Scopes:
    """Reads scopes of one signal. are_spans: records can be found again by how they begin."""

    is_readable: IsReadable
    are_spans: bool

    def read(self, data: bytes, *, broken: bool = False) -> Piece:
        """Return what is in a scope; of one that is broken from its beginning, what begins like a span."""
        piece = Piece(lost=[data] if broken else [])
        last_span = _last_span(data) if self.are_spans else -1
        position = _next_span(data, 0, len(data), last_span) if broken else 0
        while position < len(data):
            number, begin, end = _member(data, position, _SCHEMA_URL)
            position = end
            if number == _WHO:
                piece.scope = piece.scope or data[begin:end]
            elif number == _CHILDREN:
                piece.records.append(data[begin:end])
                if not self.is_readable(data[begin:end]):  # it may have swallowed the beginning of the next
                    position = _next_span(data, begin + 1, end, last_span)
            elif number == _BROKEN:
                piece.lost.append(data[begin:])
                position = _next_span(data, begin + 1, end, last_span)
        return piece


def _next_span(data: bytes, position: int, otherwise: int, last: int) -> int:
    match = _SPAN.search(data, position) if position <= last else None
    return match.start() if match else otherwise


def _last_span(data: bytes) -> int:
    """Return where the last span begins; looking for one behind it would read the rest again for every damaged one."""
    return max((match.start() for match in _SPAN.finditer(data)), default=-1)


def _members(data: bytes, last: int) -> Iterator[tuple[int, int, int]]:
    """Yield the members of a level as `_member` gives them. Unless it is the only one, member 1 comes once."""
    position, single = 0, 0
    while position < len(data):
        start = position
        number, begin, position = _member(data, position, last)
        single += number == _WHO != last
        if single > 1:
            yield _BROKEN, start, len(data)
            return
        yield number, begin, position


def _member(data: bytes, position: int, last: int) -> tuple[int, int, int]:
    """Return a member's number and where its content lies; _BROKEN and the rest if there is none.

    last: the highest number a member has.
    """
    start = position
    try:
        tag, position = varint(data, position)
        size, position = varint(data, position)
    except FramingError:
        return _BROKEN, start, len(data)
    number = tag >> 3
    if tag & 7 != BYTES or not (1 <= number <= last or number == _OLD_SCOPES):
        return _BROKEN, start, len(data)
    return number, position, min(position + size, len(data))
