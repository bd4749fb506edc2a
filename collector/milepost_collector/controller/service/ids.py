"""Ids of tasks, schedules and workers: ULIDs, whose texts are in the order in which they were made."""

from __future__ import annotations

import random

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: without i, l, o and u
LENGTH = 26  # 48 bits of milliseconds and 80 at random, 5 to a character
_RANDOM_BITS = 80
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]


class Ids:
    """Makes ids that rise, also within a millisecond. One thread at a time; any number of makers may work side by
    side."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._last = -1

    def __call__(self, now: int) -> str:
        """Return an id for an instant, milliseconds since the Unix epoch."""
        value = (now << _RANDOM_BITS) | self._chance.getrandbits(_RANDOM_BITS)
        if value <= self._last:  # of the same millisecond, or the clock was set back
            value = self._last + 1 + self._chance.getrandbits(32)
        self._last = value
        return "".join([_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)])
