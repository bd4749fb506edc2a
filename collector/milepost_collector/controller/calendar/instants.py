"""The questions one asks of a cadence: which instants in a window, how many, the next ones, the latest.

A window is (after_at, until_at]: later than the first, up to and including the second. So windows that adjoin share no
instant and miss none. Instants are whole seconds for cron; all lie in the years 1970 to 2499. Whatever the window, the
answer comes after a bounded amount of work: a cron expression is looked up day by day, skipping months that it does not
name (about a microsecond a day), and never minute by minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from milepost_collector.controller.calendar.cadence import LATEST_AT, Cadence, Cron, Interval, Once
from milepost_collector.controller.calendar.clock_changes import Span, span
from milepost_collector.controller.calendar.pattern import Pattern, pattern
from milepost_collector.controller.calendar.zones import Stretch, stretches, stretches_falling


def rising(cadence: Cadence, after_at: int, until_at: int = LATEST_AT - 1) -> Iterator[int]:
    """Yield the instants of the window, each later than the one before; lazily, so the window may be long."""
    match cadence:
        case Cron():
            first_s, end_s = _window_s(after_at, until_at)
            for stretch in stretches(cadence.zone, first_s, end_s) if first_s < end_s else ():
                yield from _of_stretch(cadence, stretch, first_s, end_s)
        case Interval():
            yield from _interval(cadence, after_at, until_at)
        case Once():
            yield from [cadence.at] if after_at < cadence.at <= until_at else []


def falling(cadence: Cadence, after_at: int, until_at: int) -> Iterator[int]:
    """Yield the instants of the window from the latest to the earliest; lazily, so the window may be long."""
    match cadence:
        case Cron():
            first_s, end_s = _window_s(after_at, until_at)
            for stretch in stretches_falling(cadence.zone, first_s, end_s) if first_s < end_s else ():
                yield from _of_stretch_falling(cadence, stretch, first_s, end_s)
        case Interval():
            yield from _interval(cadence, after_at, until_at)[::-1]
        case Once():
            yield from rising(cadence, after_at, until_at)


def instants(cadence: Cadence, after_at: int, until_at: int, limit: int) -> list[int]:
    """Return the first instants of the window, rising, at most `limit` of them."""
    return list(islice(rising(cadence, after_at, until_at), limit))


def next_instants(cadence: Cadence, after_at: int, n: int) -> list[int]:
    """Return the first n instants later than after_at, rising; fewer if the cadence ends before."""
    return list(islice(rising(cadence, after_at), n))


def latest_at_or_before(cadence: Cadence, at: int, *, after_at: int = -1) -> int | None:
    """Return the latest instant that is not later than `at`, or None if there is none later than after_at."""
    return next(falling(cadence, after_at, at), None)


def previous(cadence: Cadence, before_at: int, *, after_at: int = -1) -> int | None:
    """Return the latest instant earlier than before_at, or None if there is none later than after_at."""
    return latest_at_or_before(cadence, before_at - 1, after_at=after_at)


def count(cadence: Cadence, after_at: int, until_at: int) -> int:
    """Return how many instants the window has, without making them: ten years of minutes take a few milliseconds."""
    match cadence:
        case Cron():
            first_s, end_s = _window_s(after_at, until_at)
            found = stretches(cadence.zone, first_s, end_s) if first_s < end_s else ()
            return sum(_count_of_stretch(cadence, stretch, first_s, end_s) for stretch in found)
        case Interval():
            return len(_interval(cadence, after_at, until_at))
        case Once():
            return int(after_at < cadence.at <= until_at)


def _window_s(after_at: int, until_at: int) -> tuple[int, int]:
    """Return the whole seconds of the window as [first, end)."""
    return max(after_at // 1000 + 1, 0), min(until_at, LATEST_AT - 1) // 1000 + 1


def _interval(cadence: Interval, after_at: int, until_at: int) -> range:
    every_ms, anchor_at = cadence.every_ms, cadence.anchor_at
    skipped = max(0, (after_at - anchor_at) // every_ms + 1)
    return range(anchor_at + skipped * every_ms, min(until_at, LATEST_AT - 1) + 1, every_ms)


def _clipped(cron: Cron, stretch: Stretch, first_s: int, end_s: int) -> tuple[Pattern, Span]:
    """Return the part of a stretch in which the job runs, held to the window; made_up_s only if it lies there."""
    rule = pattern(cron.expression)
    whole = span(rule, stretch, cron.dst_gap, cron.dst_fold)
    made_up_s = whole.made_up_s
    inside = made_up_s is not None and first_s <= made_up_s < end_s
    start_s = max(first_s, whole.first_s)
    stop_s = max(start_s, min(end_s, whole.end_s))
    return rule, Span(start_s, stop_s, whole.offset_s, made_up_s if inside else None)


def _of_stretch(cron: Cron, stretch: Stretch, first_s: int, end_s: int) -> Iterator[int]:
    rule, part = _clipped(cron, stretch, first_s, end_s)
    if part.made_up_s is not None:
        yield part.made_up_s * 1000
    for shown_s in rule.between(part.first_s + part.offset_s, part.end_s + part.offset_s):
        yield (shown_s - part.offset_s) * 1000


def _of_stretch_falling(cron: Cron, stretch: Stretch, first_s: int, end_s: int) -> Iterator[int]:
    rule, part = _clipped(cron, stretch, first_s, end_s)
    for shown_s in rule.between_falling(part.first_s + part.offset_s, part.end_s + part.offset_s):
        yield (shown_s - part.offset_s) * 1000
    if part.made_up_s is not None:
        yield part.made_up_s * 1000


def _count_of_stretch(cron: Cron, stretch: Stretch, first_s: int, end_s: int) -> int:
    rule, part = _clipped(cron, stretch, first_s, end_s)
    named = rule.count(part.first_s + part.offset_s, part.end_s + part.offset_s)
    return named + (part.made_up_s is not None)
