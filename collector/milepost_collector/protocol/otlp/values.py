"""Attribute values as this collector keeps them, whatever encoding they came in."""

from __future__ import annotations

from math import isfinite
from typing import Any

MAX_DEPTH = 64  # lists and maps inside one another; deeper values become the text TOO_DEEP
TOO_DEEP = f"a value nested more than {MAX_DEPTH} levels deep was left out"
MAX_INT64 = 2**63 - 1
MIN_INT64 = -(2**63)
MAX_UINT64 = 2**64 - 1


def number(value: float) -> Any:
    """Return a double as JSON can hold it: NaN and infinities as the texts that OTLP/JSON uses."""
    if isfinite(value):
        return value
    if value != value:
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def finite(value: float | None) -> float | None:
    """Return a double, or None in place of NaN and infinities."""
    return value if value is not None and isfinite(value) else None


def integer(value: int | float | str | None) -> int:
    """Return an integer of 64 bits, signed or not, however JSON spells it; larger ones are cut down. None is 0.

    Raises:
        ValueError: it is none.
    """
    return max(MIN_INT64, min(any_integer(value), MAX_UINT64))


def any_integer(value: int | float | str | None) -> int:
    """Return an integer of any size however JSON spells it: number, text, number with exponent. None is 0.

    Raises:
        ValueError: it is none.
    """
    if type(value) is int:
        return value
    if value is None:
        return 0
    try:
        return int(value)
    except (ValueError, OverflowError):
        whole = float(value)  # "1e3"
    if not isfinite(whole):
        raise ValueError(f"{value!r} is not an integer")
    return int(whole)
