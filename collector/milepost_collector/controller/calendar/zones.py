"""A time zone as stretches of time in which its UTC offset is constant.

Within a stretch the wall clock is UTC plus a constant, so that times can be matched and counted without ever guessing
which instant a wall-clock time means. Instants and offsets are integer seconds here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

STEP_S = 86_400  # offsets are compared a day apart: since 1970 no zone has had two changes within six days
MARGIN_S = 2 * 86_400  # no change of a clock reaches further than a day
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Change(NamedTuple):
    """The offset changes at this instant. by_s: above 0 the clock skips that much, below 0 it repeats as much."""

    at_s: int
    before_s: int
    by_s: int


class Stretch(NamedTuple):
    """[start_s, end_s) with one offset.

    came_s, goes_s: by how much the offset changed at its start and changes at its end; 0 where the time that was looked
    at begins and ends.
    """

    start_s: int
    end_s: int
    offset_s: int
    came_s: int
    goes_s: int


def stretches(zone: str, first_s: int, end_s: int) -> Iterator[Stretch]:
    """Yield the stretches that cover [first_s, end_s), rising, with two days more at both ends.

    The extra days show a change just before or after the time asked for, which can matter inside it. Years are looked
    at one after the other while the caller goes on, so the time asked for may be long.
    """
    start_s, came_s = first_s - MARGIN_S, 0
    for change in _changes(zone, range(_year(start_s), _year(end_s + MARGIN_S) + 1)):
        if start_s < change.at_s < end_s + MARGIN_S:
            yield Stretch(start_s, change.at_s, change.before_s, came_s, change.by_s)
            start_s, came_s = change.at_s, change.by_s
    yield Stretch(start_s, end_s + MARGIN_S, offset_s(zone, start_s), came_s, 0)


def stretches_falling(zone: str, first_s: int, end_s: int) -> Iterator[Stretch]:
    """Yield what `stretches` does from the last to the first, looking at years only as far as the caller goes."""
    stop_s, goes_s = end_s + MARGIN_S, 0
    for change in _changes(zone, range(_year(first_s - MARGIN_S), _year(stop_s) + 1)[::-1]):
        if first_s - MARGIN_S < change.at_s < stop_s:
            yield Stretch(change.at_s, stop_s, change.before_s + change.by_s, change.by_s, goes_s)
            stop_s, goes_s = change.at_s, change.by_s
    yield Stretch(first_s - MARGIN_S, stop_s, offset_s(zone, first_s - MARGIN_S), 0, goes_s)


def offset_s(zone: str, at_s: int) -> int:
    """Return the zone's offset at an instant: wall clock minus UTC."""
    return _offset_s(ZoneInfo(zone), at_s)


def _offset_s(zone: ZoneInfo, at_s: int) -> int:
    offset = _moment(at_s).astimezone(zone).utcoffset()
    assert offset is not None  # the type allows it; ZoneInfo answers for every aware datetime
    return round(offset.total_seconds())


def _year(at_s: int) -> int:
    return _moment(at_s).year


def _moment(at_s: int) -> datetime:
    return _EPOCH + timedelta(seconds=at_s)  # fromtimestamp refuses times before 1970 on some systems


def _changes(zone: str, years: range) -> Iterator[Change]:
    for year in years:
        yield from _changes_of_year(zone, year)[:: years.step]


@lru_cache(maxsize=8192)  # about a third of a millisecond each, and small
def _changes_of_year(zone: str, year: int) -> tuple[Change, ...]:
    """Return the changes after the first instant of the year in UTC, up to and including the first of the next."""
    info = ZoneInfo(zone)
    start_s, end_s = (int(datetime(first, 1, 1, tzinfo=UTC).timestamp()) for first in (year, year + 1))
    changes = []
    before_s = _offset_s(info, start_s)
    for low_s in range(start_s, end_s, STEP_S):
        after_s = _offset_s(info, low_s + STEP_S)
        if after_s != before_s:
            changes.append(Change(_first_with(info, after_s, low_s), before_s, after_s - before_s))
        before_s = after_s
    return tuple(changes)


def _first_with(zone: ZoneInfo, offset_s: int, low_s: int) -> int:
    """Return the first second after low_s, at most a step later, that has this offset."""
    high_s = low_s + STEP_S
    while high_s - low_s > 1:
        middle_s = (low_s + high_s) // 2
        low_s, high_s = (low_s, middle_s) if _offset_s(zone, middle_s) == offset_s else (middle_s, high_s)
    return high_s
