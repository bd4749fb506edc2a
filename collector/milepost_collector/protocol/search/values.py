"""Values of a search: patterns, numbers with units, times; their texts are read and written here."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence

from milepost_collector.protocol.search.fields import Field, Kind
from milepost_collector.protocol.search.query import Instant, Number, Pattern, Value
from milepost_collector.protocol.timestamps import ns_from_text

_UNITS: dict[Kind, dict[str, float]] = {
    Kind.COUNT: {"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9},
    Kind.USD: {"": 1},
    Kind.DURATION: {"ms": 1, "s": 1e3, "m": 6e4, "min": 6e4, "h": 3.6e6, "d": 8.64e7},
}
_EXAMPLES = {
    Kind.COUNT: "a number, as 900, 12k or 1.5M",
    Kind.USD: "US dollars, as 0.05 or $2",
    Kind.DURATION: "a duration with its unit (ms, s, m, h, d), as 300ms or 2s",
    Kind.TIME: "now, now-2h (s, m, h, d, w) or an ISO 8601 time, as 2026-11-21 or 2026-11-21T07:30:00Z",
}
_NUMBER = re.compile(r"(?P<number>-?\d{1,30}(?:\.\d{0,30})?(?:e[+-]?\d{1,3})?)(?P<unit>[A-Za-z]*)")
_ESCAPED = re.compile(r'\\([*"\\])|(\*)', re.DOTALL)
LATEST_NS = 2**63 - 2  # in the year 2262; the next nanosecond means infinity to DuckDB
_LATER_NS = 2**62  # any present that is late enough for `now-…` to lie after 1970


def read_value(field: Field, text: str) -> Value:
    """Read one value of a field.

    Raises:
        ValueError: it is none; the error says what is allowed.
    """
    if field.kind is Kind.TEXT:
        return read_pattern(text)
    if field.kind is Kind.CHOICE:
        return Pattern((_choice(field, text),))
    if field.kind is Kind.TIME:
        return _instant(text)
    return Number(_number(field.kind, text))


def read_pattern(text: str) -> Pattern:
    r"""Read a text with wildcards. Of a star, a quote or a backslash that is meant as such, \ stands before it."""
    parts = [""]
    place = 0
    for match in _ESCAPED.finditer(text):
        parts[-1] += text[place : match.start()] + (match[1] or "")
        place = match.end()
        if match[2] and not (len(parts) > 1 and parts[-1] == ""):
            parts.append("")
    parts[-1] += text[place:]
    return Pattern(tuple(parts))


def instant_ns(instant: Instant, now_ns: int) -> int:
    """Return what a time that was read means now, nanoseconds since 1970; `now-…` before 1970 is 1970."""
    if instant.text.startswith("now"):
        return max(ns_from_text(instant.text, now_ns=_LATER_NS) - _LATER_NS + now_ns, 0)
    return min(ns_from_text(instant.text, now_ns=now_ns), LATEST_NS)


def nearest(word: str, known: Sequence[str]) -> str | None:
    """Return which known word may have been meant."""
    return next(iter(difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)), None)


def _choice(field: Field, text: str) -> str:
    if text.lower() in field.choices:
        return text.lower()
    near = nearest(text, field.choices)
    meant = f"did you mean {near}? allowed are" if near else "use one of"
    raise ValueError(f"{meant} {', '.join(field.choices)}")


def _instant(text: str) -> Instant:
    try:
        ns_from_text(text, now_ns=_LATER_NS)
    except ValueError as error:
        raise ValueError(f"use {_EXAMPLES[Kind.TIME]}") from error
    return Instant(text)


def _number(kind: Kind, text: str) -> float:
    match = _NUMBER.fullmatch(text.removeprefix("$") if kind is Kind.USD else text)
    if match is None:
        raise ValueError(f"use {_EXAMPLES[kind]}")
    number, unit = float(match["number"]), match["unit"]
    if number == 0 and not unit:
        return 0.0
    factor = _UNITS[kind].get(unit)
    if factor is None or not math.isfinite(number * factor):
        raise ValueError(f"use {_EXAMPLES[kind]}")
    return number * factor
