"""A cadence in English, its day rule and what clock changes do to it included."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from milepost_collector.controller.calendar.cadence import Cadence, Cron, Interval
from milepost_collector.controller.calendar.pattern import Pattern, pattern

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_MS = {"day": 86_400_000, "hour": 3_600_000, "minute": 60_000, "second": 1000, "millisecond": 1}
_WRONG_ORDINAL = re.compile(r"(?<!1)([123])th\b")  # CronSim has words up to nine, then says 21th and 31th
_ORDINAL_ENDS = {"1": "1st", "2": "2nd", "3": "3rd"}
_GAP = {
    "run_after": "A time that the clock skips is made up for right after",
    "skip": "A time that the clock skips is left out",
}
_FOLD = {
    "first": "one that it repeats counts the first time",
    "both": "one that it repeats counts both times",
    "second": "one that it repeats counts the second time",
}


def describe(cadence: Cadence) -> str:
    """Return the rule in one to three sentences."""
    match cadence:
        case Cron():
            return " ".join(_cron(cadence))
        case Interval():
            return f"Every {_duration(cadence.every_ms)} from {_moment(cadence.anchor_at)}."
        case _:
            return f"Once, at {_moment(cadence.at)}."


def _cron(cron: Cron) -> list[str]:
    rule = pattern(cron.expression)
    explanation = _WRONG_ORDINAL.sub(lambda found: _ORDINAL_ENDS[found[1]], rule.explanation())
    sentences = [f"{explanation}, {cron.zone} time.", _days(rule), _clock_changes(cron, rule)]
    return [sentence for sentence in sentences if sentence]


def _days(rule: Pattern) -> str:
    if rule.either_day:
        return "Either day is enough, the day of month or the day of week."
    _, _, day_of_month, _, day_of_week = rule.fields
    if "*" in (day_of_month, day_of_week):
        return ""
    return "Both days must match, the day of month and the day of week, since one of the fields starts with *."


def _clock_changes(cron: Cron, rule: Pattern) -> str:
    if cron.zone == "UTC" or cron.zone.startswith("Etc/"):
        return ""
    if rule.follows_real_time:
        return "It follows the clock: nothing runs for a time that is skipped, and twice what is repeated."
    return f"{_GAP[cron.dst_gap]}, {_FOLD[cron.dst_fold]}."


def _duration(every_ms: int) -> str:
    parts = []
    for name, unit_ms in _UNITS_MS.items():
        number, every_ms = divmod(every_ms, unit_ms)
        if number:
            parts.append(f"{number} {name}{'s' * (number > 1)}")
    return parts[0].removeprefix("1 ") if len(parts) == 1 else " ".join(parts)


def _moment(at: int) -> str:
    moment = (_EPOCH + timedelta(milliseconds=at)).replace(tzinfo=None)
    return f"{moment.isoformat(sep=' ', timespec='milliseconds' if at % 1000 else 'seconds')} UTC"
