"""Attribute values as this collector keeps them, whatever encoding they came in."""

from __future__ import annotations

from math import isfinite
from typing import Any

MAX_DEPTH = 64  # lists and maps inside one another; deeper values become the text TOO_DEEP
TOO_DEEP = f"a value nested more than {MAX_DEPTH} levels deep was left out"
MAX_INT64 = 2**63 - 1
MIN_INT64 = -(2**63)


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
    """Return a 64-bit integer however JSON spells it: number, text, number with exponent; None is 0.

    Raises:
        ValueError: it is none.
    """
    if type(value) is int:
        return value
    if value is None:
        return 0
    try:
        return int(value)
    except ValueError:
        return int(float(value))  # "1e3"
    except OverflowError as error:
        raise ValueError(f"{value!r} is not an integer") from error
