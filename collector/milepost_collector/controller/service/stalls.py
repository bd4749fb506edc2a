"""Looks for attempts that keep still: the engine says which do, the recorded runs whether they do indeed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from milepost.errors import MilepostError
from milepost_collector.controller.engine import Engine, stalls
from milepost_collector.controller.store.interface import Tx

logger = logging.getLogger("milepost.controller")

T = TypeVar("T")

# The newest sign of progress that is recorded of runs since an instant, by run id; in milliseconds since the epoch.
Activity = Callable[[Sequence[str], int], Awaitable[dict[str, int]]]
Read = Callable[[Callable[[Tx], list[stalls.Still]]], Awaitable[list[stalls.Still]]]
Write = Callable[[Callable[[Engine, Tx], None]], Awaitable[None]]

LOOK_EVERY_S = 5.0
USUAL_KEPT_MS = 60_000


class StallWatch:
    """Marks attempts that show no sign of progress for unusually long. Belongs to one event loop."""

    def __init__(self, read: Read, write: Write) -> None:
        self._read = read
        self._write = write
        self._usual = stalls.Usual()
        self._looked_at_s = 0.0
        self.activity: Activity | None = None

    async def look(self, now_s: float) -> None:
        """Look if it is time to; what cannot be looked up now is looked up the next time. now_s: monotonic."""
        if now_s - self._looked_at_s < LOOK_EVERY_S:
            return
        self._looked_at_s = now_s
        try:
            them = await self._read(lambda tx: stalls.still(tx, self._usual, kept_ms=USUAL_KEPT_MS))
            if them:
                seen_at = await self._seen(them)
                await self._write(lambda engine, tx: engine.judge_stalls(tx, them, seen_at))
        except MilepostError as error:
            logger.warning("stalled attempts are not looked for now: %s", error)

    async def _seen(self, them: Sequence[stalls.Still]) -> dict[str, int]:
        if self.activity is None:
            return {}
        return await self.activity([one.run_id for one in them], min(one.leased_at for one in them))
