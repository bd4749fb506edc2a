"""The five fields of a cron expression: nicknames written out, every term checked, errors that name the term."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cronsim import CronSim, CronSimError

from milepost_collector.controller.calendar.errors import CadenceError

NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
MAX_LENGTH = 256  # characters; all that people write is shorter, and it bounds the work that one expression can cause
ANY_MOMENT = datetime(2000, 1, 1)  # CronSim wants to start somewhere, and only its reading of the fields is used


@dataclass(frozen=True, slots=True)
class Field:
    """One of the five fields. highest: its largest number, and so the largest step that can mean anything."""

    name: str
    position: int
    highest: int
    takes: str

    def accepts(self, term: str) -> bool:
        """Whether one term of the field's list can be read."""
        fields = ["*"] * 5
        fields[self.position] = term
        try:
            CronSim(" ".join(fields), ANY_MOMENT)
        except CronSimError:
            return False
        return True


FIELDS = (
    Field("minute", 0, 59, "0-59"),
    Field("hour", 1, 23, "0-23"),
    Field("day of month", 2, 31, "1-31, L (last day), LW (last weekday)"),
    Field("month", 3, 12, "1-12 or jan-dec"),
    Field("day of week", 4, 7, "0-7 (0 and 7 are Sunday) or sun-sat, 5L (last Friday), 5#2 (second Friday)"),
)


def written_out(expression: str) -> str:
    """Return the expression as five fields in upper case with one blank between them.

    Raises:
        CadenceError: it has another number of fields, or a field holds what it cannot take.
    """
    fields = _five(expression)
    for field, text in zip(FIELDS, fields, strict=True):
        for term in text.split(","):
            _check(field, term, expression)
    return " ".join(fields)


def _five(expression: str) -> list[str]:
    if len(expression) > MAX_LENGTH:
        raise CadenceError(
            "expression",
            expression,
            f"cron expression has {len(expression)} characters, at most {MAX_LENGTH} are taken; split it into several "
            "schedules",
        )
    nickname = expression.strip().lower()
    if nickname.startswith("@") and nickname not in NICKNAMES:
        raise CadenceError(
            "expression",
            expression,
            f"cron nickname {nickname!r} is unknown; use one of {', '.join(sorted(NICKNAMES))}, or an interval for "
            "other periods",
        )
    fields = NICKNAMES.get(nickname, expression).upper().split()
    if len(fields) != len(FIELDS):
        raise CadenceError(
            "expression",
            expression,
            f"cron expression {expression!r} has {len(fields)} fields instead of 5; write minute, hour, day of month, "
            "month and day of week (seconds and years are not fields; use an interval for seconds)",
        )
    return fields


def _check(field: Field, term: str, expression: str) -> None:
    step = term.rpartition("/")[2] if "/" in term else ""
    if step.isdecimal() and int(step) > field.highest:
        raise CadenceError(
            field.name,
            term,
            f"{field.name} {term!r} of {expression!r} has the step {step}, but steps count within one field and the "
            f"largest is {field.highest}; use an interval for longer periods",
        )
    if not field.accepts(term):
        raise CadenceError(
            field.name,
            term,
            f"{field.name} {term!r} of {expression!r} is not valid; it takes {field.takes}, * for all, rising ranges "
            "(1-5), steps (*/2, 1-5/2) and lists of these (1,3)",
        )
