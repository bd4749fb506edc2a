"""Lengths of time as sentences say them."""

from __future__ import annotations

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def spoken(duration_ms: int) -> str:
    """Return a length of time for people, in its two largest units: 850 ms, 4.5 s, 10 min, 4 min 24 s, 2 d 3 h.

    duration_ms: milliseconds; below 0 counts as 0, which is 0 s. A part that is 0 is left out, the rest is rounded.
    """
    if duration_ms < 9_950:
        return _of_moments(max(duration_ms, 0))
    seconds = round(duration_ms / 1_000)
    # What rounds up to the next larger unit is told in that one: 59 min 59.7 s is 1 h.
    place = next(place for place, (_, size) in enumerate(_UNITS) if seconds >= size)
    smallest = _UNITS[min(place + 1, len(_UNITS) - 1)][1]
    seconds = round(seconds / smallest) * smallest
    parts = []
    for unit, size in _UNITS:
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts)


def _of_moments(duration_ms: int) -> str:
    if 0 < duration_ms < 1_000:
        return f"{duration_ms} ms"
    return f"{duration_ms / 1_000:.1f}".removesuffix(".0") + " s"
