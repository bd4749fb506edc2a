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
    attribute: str
    highest: int
    takes: str

    def values(self, term: str) -> int:
        """Return how many values one term of the field's list names, 0 if it cannot be read."""
        fields = ["*"] * 5
        fields[self.position] = term
        try:
            return len(getattr(CronSim(" ".join(fields), ANY_MOMENT), self.attribute))
        except CronSimError:
            return 0


FIELDS = (
    Field("minute", 0, "minutes", 59, "0-59"),
    Field("hour", 1, "hours", 23, "0-23"),
    Field("day of month", 2, "days", 31, "1-31, L (last day), LW (last weekday)"),
    Field("month", 3, "months", 12, "1-12 or jan-dec"),
    Field(
        "day of week", 4, "weekdays", 7, "0-7 (0 and 7 are Sunday) or sun-sat, 5L (last Friday), 5#2 (second Friday)"
    ),
)


def written_out(expression: str) -> str:
    """Return the expression as five fields in upper case, one blank between them, as CronSim reads them right.

    Raises:
        CadenceError: it has another number of fields, or a field holds what it cannot take.
    """
    fields = zip(FIELDS, _five(expression), strict=True)
    return " ".join(",".join(_term(field, term, expression) for term in text.split(",")) for field, text in fields)


def _term(field: Field, term: str, expression: str) -> str:
    _check(field, term, expression)
    span, _, step = term.partition("/")
    # CronSim takes the range 5-5/10 for 5/10, "from 5 on every tenth", which is not what a range with an end says.
    return span if step and "-" in span and field.values(span) == 1 else term


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
    if not field.values(term):
        raise CadenceError(
            field.name,
            term,
            f"{field.name} {term!r} of {expression!r} is not valid; it takes {field.takes}, * for all, rising ranges "
            "(1-5), steps (*/2, 1-5/2) and lists of these (1,3)",
        )
