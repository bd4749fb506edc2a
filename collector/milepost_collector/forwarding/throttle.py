"""At most one line a minute about the same trouble."""

from __future__ import annotations

from collections.abc import Callable

INTERVAL_S = 60.0


class Throttle:
    """Lets something through once per minute. monotonic: seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._next_s = float("-inf")

    def is_open(self) -> bool:
        """Tell whether a minute has passed since the last time it was open; if so, it is closed again."""
        now_s = self._monotonic()
        if now_s < self._next_s:
            return False
        self._next_s = now_s + INTERVAL_S
        return True
