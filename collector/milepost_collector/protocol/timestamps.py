"""Text forms of instants: ISO 8601 in UTC with nanoseconds, and what people may type for one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

NANOS = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_RELATIVE = re.compile(r"now(?:-(?P<count>\d{1,9})(?P<unit>[smhdw]))?")
_FRACTION = re.compile(r"(?P<head>.*:\d{2})[.,](?P<digits>\d{1,9})(?P<zone>.*)")
_INT64_MAX = 9_223_372_036_854_775_807


def iso_from_ns(unix_nano: int) -> str:
    """Write an instant as "2026-11-21T07:30:00.123456789Z". unix_nano: nanoseconds since 1970, any 64-bit value."""
    seconds, nanos = divmod(unix_nano, NANOS)
    moment = _EPOCH + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"


def optional_iso_from_ns(unix_nano: int | None) -> str | None:
    """Write an instant, or pass None through."""
    return None if unix_nano is None else iso_from_ns(unix_nano)


def ns_from_text(text: str, *, now_ns: int) -> int:
    """Read an instant: ISO 8601 (UTC unless it names a zone; up to nanoseconds), `now` or `now-24h` (s, m, h, d, w).

    Raises:
        ValueError: the text is neither, or lies outside the years 1970 to 2262.
    """
    if match := _RELATIVE.fullmatch(text):
        unit = match["unit"] or "s"
        nanos = now_ns - int(match["count"] or 0) * _UNITS_S[unit] * NANOS
    else:
        nanos = ns_from_iso(text)
    if not 0 <= nanos <= _INT64_MAX:
        raise ValueError(f"{text!r} is not between the years 1970 and 2262")
    return nanos


def ns_from_iso(text: str) -> int:
    """Read ISO 8601, UTC unless it names a zone.

    Raises:
        ValueError: the text is no such time.
    """
    fraction = 0
    if match := _FRACTION.fullmatch(text):
        fraction = int(match["digits"].ljust(9, "0"))
        text = match["head"] + match["zone"]
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        since = moment - _EPOCH
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not an ISO 8601 time") from error
    return (since.days * 86_400 + since.seconds) * NANOS + since.microseconds * 1000 + fraction
