"""Contents become deliverables, and deliverables are read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from milepost.wire.deliverables import CollectAnswer, Deliverable, DeliverableList
from milepost_collector.controller import views
from milepost_collector.controller.engine.deliverables import Arrival, Attached, Owner
from milepost_collector.controller.service import Controller
from milepost_collector.deliverables.garbage import Garbage
from milepost_collector.deliverables.place import Place, Stored, TooLong
from milepost_collector.errors import (
    ControllerBusyError,
    DeliverableStoreError,
    DigestMismatchError,
    DuplicateRowError,
    QueryError,
    ValueTooLargeError,
)

logger = logging.getLogger("milepost.deliverables")

UPLOADS_AT_ONCE = 16  # each holds some parts in memory
MAX_WAITING = 200
_TRIES = 5  # of a transaction that meets another one attaching the same


class Incoming(Struct, kw_only=True, frozen=True):
    """What an upload says of itself. size_bytes, sha256: if it says so."""

    name: str
    type: str
    content_type: str
    size_bytes: int | None = None
    sha256: str | None = None
    attempt: int | None = None
    span_id: str | None = None
    by: str | None = None


class Deliverables:
    """Attaches, lists, reads and removes deliverables. Belongs to the controller's event loop.

    max_bytes: of one content. quota_bytes: of all contents of a task, or of a run without one.
    """

    def __init__(self, controller: Controller, place: Place, *, max_bytes: int, quota_bytes: int) -> None:
        self._controller = controller
        self._place = place
        self._max_bytes = max_bytes
        self._quota_bytes = quota_bytes
        self._slots = asyncio.Semaphore(UPLOADS_AT_ONCE)
        self._waiting = 0
        self._garbage = Garbage(controller, place)

    def start(self) -> None:
        """Begin to collect garbage from time to time."""
        self._garbage.start()

    async def stop(self) -> None:
        """Collect no more. Safe to call twice."""
        await self._garbage.stop()

    async def attach(self, owner: Owner, incoming: Incoming, chunks: AsyncIterator[bytes]) -> tuple[Deliverable, bool]:
        """Store a content and make it a deliverable; return it once that is durable, and whether it is a new version.

        Raises:
            ConflictError: the attempt's lease is over.
            NotFoundError: there is no such task.
            ValueTooLargeError: it is over a limit.
            DigestMismatchError: it is not what its digest says.
            ControllerBusyError: too many uploads are under way.
            StorageError: it cannot be kept.
        """
        self._check_size(incoming.name, incoming.size_bytes or 0)
        # What cannot be taken is refused before it is sent: the body has not been asked for yet.
        await self._controller.write(
            lambda engine, tx: engine.check_arrival(
                tx, owner, incoming.attempt, incoming.size_bytes or 0, self._quota_bytes
            )
        )
        async with self._slot():
            stored = await self._store(incoming, chunks)
            attached = await self._commit(owner, incoming, stored)
        return views.shown(attached.row), attached.made

    async def list(self, owner: Owner, *, all_versions: bool) -> DeliverableList:
        """Return an owner's deliverables."""
        return await self._controller.read(lambda tx: views.deliverables(tx, owner, all_versions=all_versions))

    async def get(self, owner: Owner, name: str, version: int | None) -> Deliverable:
        """Return one version of a deliverable, None: the newest."""
        return await self._controller.read(lambda tx: views.deliverable(tx, owner, name, version))

    async def find(self, owner: Owner, name: str, version: int | None) -> tuple[Deliverable, str]:
        """Return one version of a deliverable and the key of its content."""
        row, content = await self._controller.read(lambda tx: views.content(tx, owner, name, version))
        return views.shown(row), content.key

    def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield bytes of a content; see `Place.read`."""
        return self._place.read(key, start, end)

    async def remove(self, owner: Owner, name: str, version: int | None) -> None:
        """Remove a deliverable or one version of it; its content goes with the next collection of garbage."""
        await self._controller.write(lambda engine, tx: engine.detach(tx, owner, name, version))

    async def collect(self) -> CollectAnswer:
        """Remove contents that nothing refers to any more."""
        return await self._garbage.collect()

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        if self._waiting >= MAX_WAITING:
            raise ControllerBusyError(self._waiting, MAX_WAITING)
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()

    def _check_size(self, name: str, size: int) -> None:
        if size > self._max_bytes:
            raise ValueTooLargeError(
                "Content-Length", size, self._max_bytes,
                f"deliverable {name!r} has {size} bytes, {self._max_bytes} are allowed; attach it in parts or raise "
                "max_deliverable_bytes",
            )  # fmt: skip

    async def _store(self, incoming: Incoming, chunks: AsyncIterator[bytes]) -> Stored:
        try:
            stored = await self._place.write(chunks, self._max_bytes)
        except TooLong:
            self._check_size(incoming.name, self._max_bytes + 1)
            raise
        if incoming.sha256 not in (None, stored.sha256):
            await self._discard(stored.key)
            raise DigestMismatchError(incoming.name, str(incoming.sha256), stored.sha256)
        return stored

    async def _commit(self, owner: Owner, incoming: Incoming, stored: Stored) -> Attached:
        arrival = Arrival(
            owner=owner,
            name=incoming.name,
            type=incoming.type,
            content_type=incoming.content_type,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            key=stored.key,
            attempt=incoming.attempt,
            span_id=incoming.span_id,
            by=incoming.by,
        )
        try:
            attached = await self._attached(arrival)
        except QueryError:  # refused; after any other error it may have been committed all the same
            await self._discard(stored.key)
            raise
        if attached.spare_key is not None:
            await self._discard(attached.spare_key)
        return attached

    async def _attached(self, arrival: Arrival) -> Attached:
        for _ in range(_TRIES - 1):
            try:
                return await self._controller.write(lambda engine, tx: engine.attach(tx, arrival, self._quota_bytes))
            except DuplicateRowError:  # somebody attached the same at the same time: now it is there
                continue
        return await self._controller.write(lambda engine, tx: engine.attach(tx, arrival, self._quota_bytes))

    async def _discard(self, key: str) -> None:
        """Remove a content that has no row; if that fails, the collection of garbage will."""
        try:
            await self._place.remove([key])
        except DeliverableStoreError as error:
            logger.warning("a content that is not needed stays for now: %s", error)
