"""Who waits for answers to asks, and is woken when something has happened to one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress

LOOK_AGAIN_S = 1.0  # without being woken: what other collectors commit to the same store may be told late or never


class AskDesk:
    """Waits for asks. Belongs to one event loop."""

    def __init__(self) -> None:
        self._waits: dict[str, set[asyncio.Event]] = {}
        self._is_stopping = False

    @property
    def is_stopping(self) -> bool:
        """Whether nobody may wait any more."""
        return self._is_stopping

    async def wait(self, ask_id: str, timeout_s: float) -> None:
        """Return when something may have happened to an ask, at the latest after timeout_s or a second."""
        if self._is_stopping:
            return
        event = asyncio.Event()
        self._waits.setdefault(ask_id, set()).add(event)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), min(timeout_s, LOOK_AGAIN_S))
        finally:
            waiting = self._waits[ask_id]
            waiting.discard(event)
            if not waiting:
                del self._waits[ask_id]

    def announce(self, ask_ids: Iterable[str]) -> None:
        """Wake who waits for these."""
        for ask_id in ask_ids:
            for event in self._waits.get(ask_id, ()):
                event.set()

    def announce_all(self) -> None:
        """Wake everybody: something has happened, nobody knows to which."""
        self.announce(list(self._waits))

    def stop(self) -> None:
        """Wake everybody, and let nobody wait any more."""
        self._is_stopping = True
        self.announce_all()
