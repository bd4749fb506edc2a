"""The next instants of a cadence as people want to see them: in UTC, by the clock of the zone, and with remarks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from milepost_collector.controller.calendar.cadence import Cadence, Cron
from milepost_collector.controller.calendar.clock_changes import makes_up, skipped
from milepost_collector.controller.calendar.instants import next_instants
from milepost_collector.controller.calendar.pattern import DAY_S, Pattern, pattern
from milepost_collector.controller.calendar.zones import Stretch, stretches

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PreviewedInstant(msgspec.Struct, frozen=True, kw_only=True):
    """One instant to come.

    at: milliseconds since 1970. utc, local: RFC 3339, the latter by the clock of the cron's zone (UTC for other
    cadences). note: what a change of the clock does to it or did just before it, None if nothing.
    """

    at: int
    utc: str
    local: str
    note: str | None = None


def preview(cadence: Cadence, after_at: int, n: int) -> list[PreviewedInstant]:
    """Return the first n instants later than after_at, fewer if the cadence ends before."""
    found = next_instants(cadence, after_at, n)
    return [_previewed(cadence, before, at) for before, at in zip([after_at, *found], found, strict=False)]


def _previewed(cadence: Cadence, before_at: int, at: int) -> PreviewedInstant:
    """before_at: the instant before this one, or from when the preview looks."""
    utc = _EPOCH + timedelta(milliseconds=at)
    precision = "milliseconds" if at % 1000 else "seconds"
    written = utc.isoformat(timespec=precision).replace("+00:00", "Z")
    if not isinstance(cadence, Cron):
        return PreviewedInstant(at=at, utc=written, local=written)
    local = utc.astimezone(ZoneInfo(cadence.zone))
    notes = "; ".join(_notes(cadence, before_at // 1000, at // 1000))
    return PreviewedInstant(at=at, utc=written, local=local.isoformat(), note=notes or None)


def _notes(cron: Cron, before_s: int, at_s: int) -> Iterator[str]:
    rule = pattern(cron.expression)
    for stretch in stretches(cron.zone, max(before_s, 0), at_s + 1):
        if before_s < stretch.start_s <= at_s and stretch.came_s > 0:
            yield from _of_skipped_times(cron, rule, stretch, at_s)
        if stretch.start_s <= at_s < stretch.end_s:
            yield from _of_repeated_time(cron, rule, stretch, at_s)


def _of_skipped_times(cron: Cron, rule: Pattern, stretch: Stretch, at_s: int) -> Iterator[str]:
    times = list(skipped(rule, stretch))
    if not times:
        return
    shown_s = at_s + stretch.offset_s
    fact = f"{_listed(times)} {'does' if len(times) == 1 else 'do'} not exist {_day(times[0], shown_s)}"
    if rule.follows_real_time or cron.dst_gap == "skip" or not makes_up(stretch.came_s):
        yield f"{fact}, nothing runs for {'it' if len(times) == 1 else 'them'}"
    else:
        yield f"{fact}, {'runs' if len(times) == 1 else 'one run'} at {_clock(shown_s)}"


def _of_repeated_time(cron: Cron, rule: Pattern, stretch: Stretch, at_s: int) -> Iterator[str]:
    first = stretch.goes_s < 0 and at_s >= stretch.end_s + stretch.goes_s
    second = stretch.came_s < 0 and at_s < stretch.start_s - stretch.came_s
    if not (first or second):
        return
    which = "first" if first else "second"
    alone = not rule.follows_real_time and cron.dst_fold == which
    shown = _clock(at_s + stretch.offset_s)
    yield f"{shown} comes twice on this day, " + (f"runs the {which} time only" if alone else f"this is the {which}")


def _listed(times: list[int]) -> str:
    if len(times) > 2:
        return f"{_clock(times[0])} to {_clock(times[-1])} ({len(times)} times)"
    return " and ".join(_clock(time) for time in times)


def _clock(shown_s: int) -> str:
    return f"{shown_s // 3600 % 24:02}:{shown_s // 60 % 60:02}"


def _day(time_s: int, shown_s: int) -> str:
    if time_s // DAY_S == shown_s // DAY_S:
        return "on this day"
    return f"on {(_EPOCH + timedelta(seconds=time_s)).date()}"
