"""Milliseconds since the Unix epoch, as the wire has them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import overload

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@overload
def to_datetime(at: int) -> datetime: ...


@overload
def to_datetime(at: int | None) -> datetime | None: ...


def to_datetime(at: int | None) -> datetime | None:
    """Return an instant in UTC; integers only, so that no millisecond is lost to a float."""
    return None if at is None else _EPOCH + timedelta(milliseconds=at)


def from_datetime(instant: datetime) -> int:
    """Return milliseconds since the Unix epoch, rounded down; the datetime must have an offset."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)
