"""The attempts of one worker: those it holds, and code that goes on although its attempt is lost."""

from __future__ import annotations

import threading
import time

from milepost.agents.attempt import Attempt, AttemptKey
from milepost.wire.worker import Held

__all__ = ["Holdings"]


class Holdings:
    """May be used from any thread. concurrency: the worker's slots."""

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._attempts: dict[AttemptKey, Attempt] = {}
        self._strays: set[Attempt] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._attempts)

    def add(self, attempt: Attempt) -> bool:
        """Hold an attempt; False: it is held already, its lease was only answered again."""
        with self._lock:
            return self._attempts.setdefault(attempt.key, attempt) is attempt

    def find(self, key: AttemptKey) -> Attempt | None:
        """Return an attempt that is held."""
        return self._attempts.get(key)

    def all(self) -> list[Attempt]:
        """Return every attempt that is held."""
        with self._lock:
            return list(self._attempts.values())

    def held(self) -> list[Held]:
        """Return what a poll says of them."""
        now = time.monotonic()
        return [Held(*attempt.key, attempt.started, attempt.age_ms(now)) for attempt in self.all()]

    def drop(self, attempt: Attempt) -> None:
        """Hold it no longer. If its code goes on in a thread, that thread is not free."""
        with self._lock:
            attempt.gone = True
            self._attempts.pop(attempt.key, None)
            if attempt.started and not attempt.over and attempt.loop_thread is None:
                self._strays.add(attempt)

    def code_ended(self, attempt: Attempt) -> None:
        """Note that the code of an attempt has returned."""
        with self._lock:
            self._strays.discard(attempt)

    def working(self) -> list[Attempt]:
        """Return the attempts whose code has not returned, the lost ones too."""
        with self._lock:
            return [attempt for attempt in self._attempts.values() if not attempt.over] + list(self._strays)

    @property
    def is_crowded(self) -> bool:
        """Tell whether code of lost attempts leaves no slot for more work, which the collector cannot know."""
        return bool(self._strays) and len(self.working()) >= self._concurrency

    def next_abandon(self) -> float | None:
        """Return when the first cancelled attempt is to be given up, on the monotonic clock."""
        return min((item.abandon_at for item in self.all() if item.abandon_at is not None), default=None)
