"""Where contents lie: a folder, or an object store, with the same code."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from msgspec import Struct

from milepost.errors import MilepostError
from milepost_collector.errors import DeliverableStoreError, NotFoundError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

logger = logging.getLogger("milepost.deliverables")

PART_BYTES = 8 * 1024 * 1024  # of a multipart upload, and what an upload holds in memory of its content
PARTS_AT_ONCE = 2
READ_BYTES = 1024 * 1024
LIST_AT_ONCE = 1_000
_INCOMING, _CONTENTS = "incoming", "contents"
_RETRIES = {"max_retries": 4, "retry_timeout": timedelta(seconds=30)}


class Stored(Struct, frozen=True):
    """A content that is stored. key: where."""

    key: str
    size_bytes: int
    sha256: str


class TooLong(Exception):
    """A content goes on beyond its limit."""


class Place:
    """Stores, reads and removes contents. Belongs to one event loop. url: as the setting `deliverables_url`; None:
    `folder`.

    A content is written under a temporary key and gets its own, which names its digest, when it is complete: by then it
    is on the disk, as far as the folder is on this machine. clock: seconds since the Unix epoch.
    """

    def __init__(self, url: str | None, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._url = url
        self._folder = folder
        self._clock = clock
        self._opened: ObjectStore | None = None
        self._opening = asyncio.Lock()
        self._root: Path | None = None  # of a folder on this machine

    @property
    def shown(self) -> str:
        """Return where it is, for texts."""
        return self._url or str(self._folder)

    @property
    def is_open(self) -> bool:
        """Tell whether it has been used."""
        return self._opened is not None

    async def write(self, chunks: AsyncIterator[bytes], limit: int) -> Stored:
        """Store what comes, and return where it is once it is complete and safe.

        Raises:
            TooLong: there are more than `limit` bytes; nothing is left of it.
            DeliverableStoreError: it cannot be written.
        """
        import obstore

        store = await self._store()
        token = secrets.token_hex(8)
        incoming = f"{_INCOMING}/{token}"
        digest, size = hashlib.sha256(), 0
        with self._errors():
            # Leaving the block with an exception takes back what has been written.
            async with obstore.open_writer_async(
                store, incoming, buffer_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
            ) as writer:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > limit:
                        raise TooLong
                    digest.update(chunk)
                    await writer.write(chunk)
            sha256 = digest.hexdigest()
            key = f"{_CONTENTS}/{sha256[:2]}/{sha256}-{token}"
            try:
                await self._move(store, incoming, key)
            except BaseException:
                with suppress(Exception):
                    await obstore.delete_async(store, incoming)
                raise
        return Stored(key, size, sha256)

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield a content's bytes from start up to, but without, end.

        Raises:
            NotFoundError: there is no content of that key.
            DeliverableStoreError: it cannot be read.
        """
        import obstore

        store = await self._store()
        with self._errors():
            try:
                found = await obstore.get_async(store, key, options={"range": (start, end)})
            except FileNotFoundError as error:
                raise NotFoundError("content", f"{key} in {self.shown}") from error
            async for piece in found.stream(min_chunk_size=READ_BYTES):
                yield bytes(piece)

    async def remove(self, keys: Sequence[str]) -> None:
        """Remove contents; what is not there is removed already.

        Raises:
            DeliverableStoreError: it cannot be done.
        """
        import obstore

        store = await self._store()
        with self._errors():
            for key in keys:
                with suppress(FileNotFoundError):
                    await obstore.delete_async(store, key)

    async def contents(self, older_than_s: float) -> AsyncIterator[list[tuple[str, int]]]:
        """Yield keys and sizes of all contents that were stored so long ago, some at a time."""
        async for found in self._listed(_CONTENTS, older_than_s):
            yield found

    async def remove_incoming(self, older_than_s: float) -> tuple[int, int]:
        """Remove what broken uploads left so long ago; return how much that was, and its bytes."""
        removed, size = await anyio.to_thread.run_sync(self._remove_parts, older_than_s)
        async for found in self._listed(_INCOMING, older_than_s):
            await self.remove([key for key, _ in found])
            removed, size = removed + len(found), size + sum(one for _, one in found)
        return removed, size

    async def _listed(self, prefix: str, older_than_s: float) -> AsyncIterator[list[tuple[str, int]]]:
        import obstore

        store, before = await self._store(), self._clock() - older_than_s
        with self._errors():
            async for batch in obstore.list(store, prefix, chunk_size=LIST_AT_ONCE):
                yield [(one["path"], one["size"]) for one in batch if one["last_modified"].timestamp() < before]

    def _remove_parts(self, older_than_s: float) -> tuple[int, int]:
        """Remove the parts of uploads that were killed: in a folder they are files which the object store's own list
        leaves out. An object store removes such parts by a rule of its bucket."""
        removed = size = 0
        folder = None if self._root is None else self._root / _INCOMING
        if folder is None or not folder.is_dir():
            return 0, 0
        for entry in os.scandir(folder):
            with suppress(FileNotFoundError):  # it has just been completed
                about = entry.stat()
                if about.st_mtime < self._clock() - older_than_s:
                    os.unlink(entry.path)
                    removed, size = removed + 1, size + about.st_size
        return removed, size

    async def _move(self, store: ObjectStore, incoming: str, key: str) -> None:
        import obstore

        if self._root is not None:
            await anyio.to_thread.run_sync(_sync, self._root / incoming)
        await obstore.rename_async(store, incoming, key)
        if self._root is not None:
            target = self._root / key
            for folder in (target.parent, target.parent.parent, self._root):
                await anyio.to_thread.run_sync(_sync, folder)

    async def _store(self) -> ObjectStore:
        async with self._opening:
            if self._opened is None:
                self._opened = await asyncio.get_running_loop().run_in_executor(None, self._open)
        return self._opened

    def _open(self) -> ObjectStore:
        from obstore.store import LocalStore, MemoryStore, from_url

        with self._errors():
            if self._url is None:
                self._root = self._folder.absolute()
                return LocalStore(self._root, mkdir=True)
            if self._url.startswith("memory:"):
                return MemoryStore()
            if self._url.startswith("file:"):
                local = LocalStore.from_url(self._url, mkdir=True)
                self._root = Path(local.prefix) if local.prefix is not None else None
                return local
            remote: ObjectStore = from_url(self._url, retry_config=_retry_config())
            return remote

    @contextmanager
    def _errors(self) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except MilepostError:  # some are OSErrors too: of the body that is being stored
            raise
        except (BaseError, OSError) as error:
            first = str(error).partition("\n")[0] or type(error).__name__
            raise DeliverableStoreError(self.shown, first) from error


def _retry_config() -> Any:
    return dict(_RETRIES)


def _sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
