"""Triggers at hand, so that an address that nobody has costs nothing: no query, no thread.

What is found here may be a moment old. Whatever is done with it is done in a transaction that looks at the trigger's
version again, and reads it anew when that is another.
"""

from __future__ import annotations

import asyncio
import secrets as random_source
from collections.abc import Callable
from functools import cached_property

from milepost.wire.triggers import TriggerDefinition
from milepost_collector.controller.rows import PositionRow, TriggerRow
from milepost_collector.controller.service import Controller
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.errors import ConflictError
from milepost_collector.triggers.definitions import definition_of

MAX_TRIGGERS = 1_000
LOOK_AGAIN_S = 1.0  # for triggers that other collectors have made
FOLLOWER = "triggers"
REGISTRY = "registry"  # among the positions: the stamp of the newest change


class Known:
    """A trigger as it was read."""

    def __init__(self, row: TriggerRow) -> None:
        self.row = row

    @cached_property
    def definition(self) -> TriggerDefinition:
        """What it does."""
        return definition_of(self.row)


class Registry:
    """All triggers, as of at most a second ago. Belongs to one event loop. clock_s: rises, seconds."""

    def __init__(self, controller: Controller, clock_s: Callable[[], float]) -> None:
        self._controller = controller
        self._clock_s = clock_s
        self._read_s = float("-inf")
        self._is_stale = True
        self._generation = 0  # rises when something was changed: what was being read then may be from before
        self._reading: asyncio.Task[None] | None = None
        self._all: list[Known] = []
        self._by_hook: dict[str, Known] = {}
        self.stamp = ""

    async def of_hook(self, hook_id: str, now: int) -> Known | None:
        """Return the enabled trigger of an address. now: milliseconds since the Unix epoch."""
        found = self._find(hook_id, now)
        if found is None or self._is_stale:
            await self._refresh()
            found = self._find(hook_id, now)
        return found

    async def are_any(self) -> bool:
        """Tell whether there are triggers."""
        await self._refresh()
        return bool(self._all)

    async def waiting_for(self, source: str) -> list[Known]:
        """Return the enabled triggers that wait for events of a source."""
        await self._refresh()
        prefix = f"{source}."
        return [
            known
            for known in self._all
            if known.row.enabled and known.row.kind == "event" and (known.definition.event or "").startswith(prefix)
        ]

    async def is_current(self) -> bool:
        """Tell whether all triggers that are there by now are known, also those that other collectors have made; if
        not, they are read when they are next asked for."""
        if await self._controller.read(stamp_of) == self.stamp:
            return True
        self.expire()
        return False

    def expire(self) -> None:
        """Read everything anew when it is next asked for: something was changed."""
        self._generation += 1
        self._is_stale = True
        self._reading = None

    def _find(self, hook_id: str, now: int) -> Known | None:
        known = self._by_hook.get(hook_id)
        if known is None or not known.row.enabled:
            return None
        is_current = known.row.hook_id == hook_id
        return known if is_current or now < (known.row.previous_until or 0) else None

    async def _refresh(self) -> None:
        """Read everything, unless that was done a moment ago. Many who ask at once read once."""
        while self._is_stale or self._clock_s() - self._read_s >= LOOK_AGAIN_S:
            if self._reading is None:
                self._reading = asyncio.create_task(self._read(self._generation))
            await asyncio.shield(self._reading)

    async def _read(self, generation: int) -> None:
        try:
            rows, stamp = await self._controller.read(lambda tx: (every(tx), stamp_of(tx)))
        finally:
            if generation == self._generation:
                self._reading = None
        if generation != self._generation:
            return
        self._is_stale, self._read_s, self.stamp = False, self._clock_s(), stamp
        self._all = [Known(row) for row in rows]
        hooks = ((hook, known) for known in self._all for hook in (known.row.previous_hook_id, known.row.hook_id))
        self._by_hook = {hook: known for hook, known in hooks if hook is not None}


def every(tx: Tx) -> list[TriggerRow]:
    """Return all triggers by name."""
    return tx.find(TriggerRow, Find(order=("name",), limit=MAX_TRIGGERS))


def stamp_of(tx: Tx) -> str:
    """Return what is another after every change of any trigger."""
    found = tx.find(PositionRow, Find(equal={"follower": FOLLOWER, "source": REGISTRY}, limit=1))
    return found[0].position if found else ""


def stamp_anew(tx: Tx) -> None:
    """Note that a trigger is changed."""
    tx.upsert([PositionRow(follower=FOLLOWER, source=REGISTRY, position=random_source.token_hex(8))])


def check_room(tx: Tx) -> None:
    """Refuse another trigger when there are too many.

    Raises:
        ConflictError: there are.
    """
    if tx.count(TriggerRow, Find()) >= MAX_TRIGGERS:
        raise ConflictError(f"there are {MAX_TRIGGERS} triggers, as many as there may be; delete one")
