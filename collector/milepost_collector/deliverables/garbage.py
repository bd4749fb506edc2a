"""Contents that nothing refers to any more are removed, and what broken uploads left."""

from __future__ import annotations

import asyncio
import logging

from milepost.wire.deliverables import CollectAnswer
from milepost_collector.controller.rows import ContentRow
from milepost_collector.controller.service import Controller
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.deliverables.place import Place

logger = logging.getLogger("milepost.deliverables")

FIRST_S = 120.0  # after the start
EVERY_S = 3_600.0
# An upload's content lies there for moments before a row refers to it; parts of one that is under way are renewed.
GRACE_S = 3_600.0
BATCH = 500


class Garbage:
    """Collects garbage now and from time to time. Belongs to the controller's event loop."""

    def __init__(self, controller: Controller, place: Place) -> None:
        self._controller = controller
        self._place = place
        self._task: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="milepost-deliverables-garbage")

    async def stop(self) -> None:
        """End. Safe to call twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def collect(self) -> CollectAnswer:
        """Remove what nothing has referred to for the grace.

        Raises:
            StorageError: it cannot be done now.
        """
        async with self._lock:
            answer = CollectAnswer(contents=0, leftovers=0, bytes=0)
            await self._contents(answer)
            await self._leftovers(answer)
        return answer

    async def _run(self) -> None:
        await asyncio.sleep(FIRST_S)
        while True:
            try:
                if self._place.is_open or await self._controller.read(_has_contents):
                    found = await self.collect()
                    if found.contents or found.leftovers:
                        logger.info(
                            "%d contents and %d leftovers of deliverables are removed, %d bytes",
                            found.contents, found.leftovers, found.bytes,
                        )  # fmt: skip
            except Exception:  # what is not removed now is next time
                logger.exception("garbage of deliverables is not collected, next in %.0f s", EVERY_S)
            await asyncio.sleep(EVERY_S)

    async def _contents(self, answer: CollectAnswer) -> None:
        """Forget contents first, then remove them: their keys are never used again, so nothing newer can be hit."""
        more = True
        while more:
            rows = await self._controller.write(
                lambda engine, tx: engine.forget_contents(tx, round(GRACE_S * 1_000), BATCH)
            )
            await self._place.remove([row.key for row in rows])
            answer.contents += len(rows)
            answer.bytes += sum(row.size_bytes for row in rows)
            more = len(rows) == BATCH

    async def _leftovers(self, answer: CollectAnswer) -> None:
        """Remove contents that no transaction came to refer to, and parts of uploads."""
        async for found in self._place.contents(GRACE_S):
            keys = [key for key, _ in found]
            known = await self._controller.read(lambda tx, keys=keys: _known(tx, keys))  # type: ignore[misc]
            lost = [(key, size) for key, size in found if key not in known]
            await self._place.remove([key for key, _ in lost])
            answer.leftovers += len(lost)
            answer.bytes += sum(size for _, size in lost)
        removed, size = await self._place.remove_incoming(GRACE_S)
        answer.leftovers += removed
        answer.bytes += size


def _known(tx: Tx, keys: list[str]) -> set[str]:
    return {row.key for row in tx.find(ContentRow, Find(one_of={"key": keys}, limit=len(keys) or 1))}


def _has_contents(tx: Tx) -> bool:
    return tx.count(ContentRow, Find()) > 0
