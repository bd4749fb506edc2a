"""What a cron job does when the clock of its zone changes: the rules of Debian's cron, and the two options beside them.

A job is *fixed* unless its minute or its hour field starts with `*`. Jobs that are not fixed follow real time: they run
whenever the clock shows a minute of theirs, so not in a time that is skipped and twice in a time that is repeated; the
options do not touch them. For fixed jobs, when the clock is put

- forward by less than three hours: what would have run in the skipped time runs once, right after the change
  (`dst_gap="run_after"`), or not at all (`"skip"`);
- back by up to three hours: what falls into the repeated time runs the first time (`dst_fold="first"`), both times
  (`"both"`) or the second time only (`"second"`);
- by more: that is a correction of the clock and not daylight saving. The new time holds at once: what was skipped is
  not made up for, what comes again runs again, and the options have no say. (Samoa had no 30 December 2011, and no
  daily job runs for it.)

Sources: the manual page of Debian's cron and, for changes of exactly three hours, of which the page says nothing (Casey
station has had sixteen), the comparisons in the daemon's main loop: it sees one minute more than the clock was put
forward, and one less than it was put back. Two things of the daemon are left out: it notices only changes that also
switch daylight saving on or off, and takes skips below five minutes, which no zone has, for a late wake-up.

CronSim reads the fields and knows which days match. Its own iteration through a zone agrees with these rules almost
everywhere, `30 */2 * * *` in a skipped hour included, but is not used, because version 2.8 departs from them where

- the clock changes by three hours or more: it takes that for daylight saving (it would run a daily job of noon at
  00:00 on 31 December 2011 in Samoa);
- midnight is skipped and the job, not a fixed one, begins the day there: `*/30 0 4 11 *` ran at 01:00 in São Paulo in
  2018, the minute that is no minute of its;
- the clock is put back by half an hour: after Lord Howe's `15 */3 * * *` misses 03:15 and `*/10 2 * * *` misses 02:00
  to 02:20, because it sets the minute of a local time to 0 and goes on by hours from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from milepost_collector.controller.calendar.pattern import Pattern
from milepost_collector.controller.calendar.zones import Stretch

THREE_HOURS_S = 3 * 3600
DstGap = Literal["run_after", "skip"]
DstFold = Literal["first", "both", "second"]


class Span(NamedTuple):
    """The part of a stretch in which a job runs by the clock, [first_s, end_s), and its instant for what was skipped.

    offset_s: wall clock minus UTC. made_up_s: when to run, once, for times skipped just before; None if there are none.
    It is not after any instant of the span, and not itself one that the clock names.
    """

    first_s: int
    end_s: int
    offset_s: int
    made_up_s: int | None


def span(rule: Pattern, stretch: Stretch, dst_gap: DstGap, dst_fold: DstFold) -> Span:
    """Return where in a stretch a job runs."""
    first_s, end_s, offset_s, came_s, goes_s = stretch
    if rule.follows_real_time:
        return Span(first_s, end_s, offset_s, None)
    if dst_fold == "first":
        first_s += repeated_s(came_s)
    if dst_fold == "second":
        end_s -= repeated_s(goes_s)
    made_up_s = _made_up_s(rule, stretch) if dst_gap == "run_after" and makes_up(came_s) else None
    return Span(first_s, end_s, offset_s, made_up_s)


def repeated_s(by_s: int) -> int:
    """Return how much time a change of the clock repeats, 0 if it is not taken for daylight saving."""
    return -by_s if -THREE_HOURS_S <= by_s < 0 else 0


def makes_up(by_s: int) -> bool:
    """Whether fixed jobs make up for what a change of the clock skips."""
    return 0 < by_s < THREE_HOURS_S


def skipped(rule: Pattern, stretch: Stretch) -> Iterator[int]:
    """Yield the job's wall-clock times (seconds, rising) that the change before a stretch skips."""
    shown_s = stretch.start_s + stretch.offset_s
    return rule.between(shown_s - max(0, stretch.came_s), shown_s)


def _made_up_s(rule: Pattern, stretch: Stretch) -> int | None:
    if next(skipped(rule, stretch), None) is None:
        return None
    shown_s = stretch.start_s + stretch.offset_s
    minute_s = -(-shown_s // 60) * 60  # a clock put forward to the middle of a minute: the next whole one
    if next(rule.between(minute_s, minute_s + 60), None) is not None:
        return None
    return minute_s - stretch.offset_s
