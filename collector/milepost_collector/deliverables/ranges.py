"""Byte ranges of a content (RFC 9110, section 14). Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

_RANGE = re.compile(r"(?:([0-9]+)-([0-9]*)|-([0-9]+))")
_MAX_DIGITS = 19


class Span(NamedTuple):
    """Bytes from start up to, but without, end."""

    start: int
    end: int


class UnsatisfiableRange(Exception):
    """A range lies outside of the content altogether: 416."""


def read_range(header: str | None, size: int) -> Span | None:
    """Return the part that a `Range` header asks for; None: the whole.

    Other units, several ranges and what is malformed are not followed, as section 14.2 allows. size: in bytes.

    Raises:
        UnsatisfiableRange: nothing of the range is in the content.
    """
    unit, separator, wanted = (header or "").partition("=")
    match = _RANGE.fullmatch(wanted.strip())
    if not separator or unit.strip().lower() != "bytes" or match is None or len(wanted) > 2 * _MAX_DIGITS + 1:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        return _suffix(int(suffix), size)
    start, end = int(first), int(last) + 1 if last else size
    if end <= start and last:  # section 14.1.1: such a range is invalid
        return None
    if start >= size:
        raise UnsatisfiableRange
    return Span(start, min(end, size))


def _suffix(length: int, size: int) -> Span | None:
    if length == 0:
        raise UnsatisfiableRange
    if size == 0:  # all of nothing, which no Content-Range can say
        return None
    return Span(max(size - length, 0), size)
