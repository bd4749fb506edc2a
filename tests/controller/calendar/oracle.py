"""What a cron job does, minute by minute, as the manual page of Debian's cron and its daemon's main loop have it.

Nothing here knows the code under test or CronSim: expressions are read anew, and every UTC minute is asked what a clock
in the zone shows. Minutes count from 1970: in UTC, or as shown by the clock of the zone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
MINUTES_OF_DAY = 1440
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NAMES = {name: str(number) for names, low in ((WEEKDAYS, 0), (MONTHS, 1)) for number, name in enumerate(names, low)}


def at(text: str) -> int:
    """An instant in milliseconds since 1970; UTC unless the text has an offset."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def numbers(text: str, low: int, high: int) -> set[int]:
    """The numbers that a field of a cron expression names."""
    found: set[int] = set()
    for term in text.lower().split(","):
        span, _, step = term.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            first, last = str(low), str(high)
        elif not last:
            last = str(high) if step else first
        found.update(range(int(NAMES.get(first, first)), int(NAMES.get(last, last)) + 1, int(step or 1)))
    return found


@dataclass
class Job:
    """A cron expression as the manual page reads it."""

    expression: str
    known: dict[int, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        minute, hour, self.dom, self.month, self.dow = self.expression.split()
        self.wild = minute.startswith("*") or hour.startswith("*")
        hours = numbers(hour, 0, 23)
        self.times = {60 * h + m for h in hours for m in numbers(minute, 0, 59)}
        self.days, self.months = numbers(self.dom, 1, 31), numbers(self.month, 1, 12)
        self.weekdays = {number % 7 for number in numbers(self.dow, 0, 7)}

    def names(self, shown: int) -> bool:
        """Whether the job is due when the clock shows this minute."""
        day, time = divmod(shown, MINUTES_OF_DAY)
        if time not in self.times:
            return False
        if day not in self.known:
            self.known[day] = self.names_day(date.fromordinal(day + EPOCH_ORDINAL))
        return self.known[day]

    def names_day(self, day: date) -> bool:
        by_number, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        both = self.dom.startswith("*") or self.dow.startswith("*")
        return day.month in self.months and ((by_number and by_weekday) if both else (by_number or by_weekday))


@dataclass
class Clock:
    """What the clock of a zone shows at every UTC minute from first to last, both included."""

    zone: str
    first: int
    last: int

    @cached_property
    def ticks(self) -> list[tuple[int, int]]:
        """Every UTC minute with what is shown then."""
        info = ZoneInfo(self.zone)
        return [(minute, shown_minute(minute, info)) for minute in range(self.first, self.last + 1)]

    @property
    def window(self) -> tuple[int, int]:
        """The same time as (after, until] in milliseconds."""
        return self.first * 60_000 - 1, self.last * 60_000

    @cached_property
    def minutes_showing(self) -> dict[int, list[int]]:
        showing: dict[int, list[int]] = {}
        for minute, shown in self.ticks:
            showing.setdefault(shown, []).append(minute)
        return showing

    @cached_property
    def skips(self) -> list[tuple[int, int, int]]:
        """(minute after the skip, what was shown before, what is shown then)."""
        steps = pairwise(self.ticks)
        return [(minute, before, shown) for (_, before), (minute, shown) in steps if shown > before + 1]

    def daemon(self, job: Job) -> list[int]:
        """When Debian's daemon runs the job, awake at every minute: its virtual clock only ever goes forward,
        save for changes of more than three hours."""
        runs = set()
        virtual = self.ticks[0][1] - 1
        for minute, shown in self.ticks:
            ahead = shown - virtual
            if ahead == 1 or not -180 < ahead <= 180:
                due, virtual = job.names(shown), shown
            elif ahead > 1:
                missed = range(virtual + 1, shown + 1)
                due, virtual = job.names(shown) if job.wild else any(map(job.names, missed)), shown
            else:
                due = job.wild and job.names(shown)
            if due:
                runs.add(minute)
        return [minute * 60_000 for minute in sorted(runs)]

    def scan(self, job: Job, gap: str, fold: str) -> list[int]:
        """When the job runs with these options, in a time with at most one change, by at most three hours if back."""
        runs = set()
        for shown, minutes in self.minutes_showing.items():
            if job.names(shown):
                both = job.wild or fold == "both"
                runs.update(minutes if both else [minutes[0] if fold == "first" else minutes[-1]])
        for minute, before, shown in self.skips:
            made_up = gap == "run_after" and not job.wild and shown - before <= 180
            if made_up and any(map(job.names, range(before + 1, shown))):
                runs.add(minute)
        return [minute * 60_000 for minute in sorted(runs)]


def shown_minute(minute: int, zone: ZoneInfo) -> int:
    shown = (EPOCH + timedelta(minutes=minute)).astimezone(zone)
    return (shown.toordinal() - EPOCH_ORDINAL) * MINUTES_OF_DAY + shown.hour * 60 + shown.minute


def hours_before_changes(zone: str, first: datetime, end: datetime, step_h: int) -> list[int]:
    """UTC minutes, each followed within step_h hours by a change of the zone's offset."""
    info = ZoneInfo(zone)
    count = int((end - first) / timedelta(hours=step_h))
    moments = [first + timedelta(hours=step_h * index) for index in range(count + 1)]
    changing = (a for a, b in pairwise(moments) if a.astimezone(info).utcoffset() != b.astimezone(info).utcoffset())
    return [int((moment - EPOCH) / timedelta(minutes=1)) for moment in changing]
