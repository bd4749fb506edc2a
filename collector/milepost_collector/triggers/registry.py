"""Triggers at hand, so that an address that nobody has costs nothing: no query, no thread.

What is found here may be a moment old. Whatever is done with it is done in a transaction that looks at the trigger's
version again, and reads it anew when that is another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property

from milepost.wire.triggers import TriggerDefinition
from milepost_collector.controller.rows import TriggerRow
from milepost_collector.controller.service import Controller
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.errors import ConflictError
from milepost_collector.triggers.definitions import definition_of

MAX_TRIGGERS = 1_000
LOOK_AGAIN_S = 1.0  # for triggers that other collectors have made


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
        self._reading: asyncio.Task[None] | None = None
        self._all: list[Known] = []
        self._by_hook: dict[str, Known] = {}

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

    def expire(self) -> None:
        """Read everything anew when it is next asked for: something was changed."""
        self._is_stale = True
        self._reading = None  # what is being read may be from before

    def _find(self, hook_id: str, now: int) -> Known | None:
        known = self._by_hook.get(hook_id)
        if known is None or not known.row.enabled:
            return None
        is_current = known.row.hook_id == hook_id
        return known if is_current or now < (known.row.previous_until or 0) else None

    async def _refresh(self) -> None:
        """Read everything, unless that was done a moment ago. Many who ask at once read once."""
        if not self._is_stale and self._clock_s() - self._read_s < LOOK_AGAIN_S:
            return
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        await asyncio.shield(self._reading)

    async def _read(self) -> None:
        own, self._is_stale = self._reading, False
        try:
            rows = await self._controller.read(every)
        except BaseException:
            self._is_stale = True
            raise
        finally:
            self._reading = None if self._reading is own else self._reading
        self._read_s = self._clock_s()
        self._all = [Known(row) for row in rows]
        hooks = ((hook, known) for known in self._all for hook in (known.row.previous_hook_id, known.row.hook_id))
        self._by_hook = {hook: known for hook, known in hooks if hook is not None}


def every(tx: Tx) -> list[TriggerRow]:
    """Return all triggers by name."""
    return tx.find(TriggerRow, Find(order=("name",), limit=MAX_TRIGGERS))


def check_room(tx: Tx) -> None:
    """Refuse another trigger when there are too many.

    Raises:
        ConflictError: there are.
    """
    if tx.count(TriggerRow, Find()) >= MAX_TRIGGERS:
        raise ConflictError(f"there are {MAX_TRIGGERS} triggers, as many as there may be; delete one")
