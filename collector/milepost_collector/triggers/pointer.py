"""JSON Pointers (RFC 6901): places in JSON values."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from msgspec import UNSET

MAX_INDEX_DIGITS = 9


def at(pointer: str, value: Any) -> Any:
    """Return what is at a place, UNSET when nothing is. pointer: well formed; "" is the whole value."""
    for step in _steps(pointer):
        value = _step(value, step)
        if value is UNSET:
            break
    return value


@lru_cache(maxsize=1_000)
def _steps(pointer: str) -> tuple[str, ...]:
    # ~1 first: "~01" stands for "~1", not for "/" (RFC 6901, section 4).
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def _step(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        return value.get(step, UNSET)
    if isinstance(value, list) and _is_index(step) and int(step) < len(value):
        return value[int(step)]
    return UNSET


def _is_index(step: str) -> bool:
    plain = step.isascii() and step.isdecimal() and len(step) <= MAX_INDEX_DIGITS
    return plain and (step == "0" or not step.startswith("0"))
