"""Which wall-clock minutes a cron expression names, on a calendar without zones or clock changes.

Wall-clock times are integer seconds since 1970-01-01 00:00 on that same wall clock, every day having 86,400 of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

from cronsim import CronSim, CronSimError

from milepost_collector.controller.calendar.errors import CadenceError
from milepost_collector.controller.calendar.fields import ANY_MOMENT, written_out

DAY_S = 86_400
DAYS_OF_400_YEARS = 146_097  # after these the Gregorian calendar repeats, days of the week included
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


class Pattern:
    """The wall-clock minutes of one cron expression. Made by `pattern`; safe to share between threads.

    fields: the five fields written out. follows_real_time: whether the minute or the hour field starts with `*`, which
    are the jobs that Debian's cron runs by the clock alone, whatever the clock does. either_day: whether one of the
    two day fields is enough; Debian wants both when either of them starts with `*`.
    """

    def __init__(self, expression: str) -> None:
        self.fields = written_out(expression).split()
        minute, hour, day_of_month, _, day_of_week = self.fields
        self.follows_real_time = minute.startswith("*") or hour.startswith("*")
        self.either_day = not (day_of_month.startswith("*") or day_of_week.startswith("*"))
        try:
            self._rule = CronSim(" ".join(self.fields), ANY_MOMENT)
        except CronSimError as error:  # every term alone can be read, so it is the day that no month has
            raise self._never_fires(expression) from error
        self._seconds = sorted(3600 * hour + 60 * minute for hour in self._rule.hours for minute in self._rule.minutes)
        if next(self._days(range(DAYS_OF_400_YEARS)), None) is None:
            raise self._never_fires(expression)

    def _never_fires(self, expression: str) -> CadenceError:
        _, _, day_of_month, month, day_of_week = self.fields
        return CadenceError(
            "day of month",
            day_of_month,
            f"cron expression {expression!r} never fires: in 400 years no day has day of month {day_of_month!r}, month "
            f"{month!r} and day of week {day_of_week!r}; change one of them (L is the last day of any month)",
        )

    def explanation(self) -> str:
        """Return the five fields in English, as CronSim says them."""
        return self._rule.explain()

    def between(self, first_s: int, end_s: int) -> Iterator[int]:
        """Yield the minutes of [first_s, end_s), rising."""
        for day in self._days(_days_of(first_s, end_s)):
            yield from self._of_day(day, first_s, end_s)

    def between_falling(self, first_s: int, end_s: int) -> Iterator[int]:
        """Yield the minutes of [first_s, end_s), falling."""
        for day in self._days(_days_of(first_s, end_s)[::-1]):
            yield from reversed(self._of_day(day, first_s, end_s))

    def count(self, first_s: int, end_s: int) -> int:
        """Return how many minutes [first_s, end_s) has; about one microsecond for each day of it."""
        return sum(
            bisect_left(self._seconds, end_s - day * DAY_S) - bisect_left(self._seconds, first_s - day * DAY_S)
            for day in self._days(_days_of(first_s, end_s))
        )

    def _of_day(self, day: int, first_s: int, end_s: int) -> list[int]:
        midnight = day * DAY_S
        start = bisect_left(self._seconds, first_s - midnight)
        stop = bisect_left(self._seconds, end_s - midnight)
        return [midnight + second for second in self._seconds[start:stop]]

    def _days(self, candidates: range) -> Iterator[int]:
        """Yield the days that match out of a range in steps of 1 or -1, in its order."""
        index = 0
        while index < len(candidates):
            moment = date.fromordinal(candidates[index] + _EPOCH_ORDINAL)
            if moment.month not in self._rule.months:
                index += _rest_of_month(moment, candidates.step)
                continue
            if self._rule.match_day(moment):
                yield candidates[index]
            index += 1


def _days_of(first_s: int, end_s: int) -> range:
    return range(first_s // DAY_S, -(-end_s // DAY_S))


def _rest_of_month(moment: date, step: int) -> int:
    """Return how many days from this one lead out of its month, forwards or backwards."""
    if step < 0:
        return moment.day
    next_month = (moment.replace(day=1) + timedelta(days=32)).replace(day=1)
    return (next_month - moment).days


@lru_cache(maxsize=4096)
def pattern(expression: str) -> Pattern:
    """Return the pattern of a cron expression.

    Raises:
        CadenceError: it cannot be read, or never fires.
    """
    return Pattern(expression)
