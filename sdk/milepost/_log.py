"""At most one line a minute about the same trouble."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Throttle"]


class Throttle:
    """Lets something through once per interval. Under threads a rare second line may slip through; nothing waits."""

    def __init__(self, interval_s: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_s = interval_s
        self._clock = clock
        self._next = float("-inf")

    def is_open(self) -> bool:
        """Tell whether the interval has passed since the last time it was open; if so, it is closed again."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + self._interval_s
        return True
