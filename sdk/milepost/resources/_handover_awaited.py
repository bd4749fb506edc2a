"""What tasks and runs hand over: methods that `Tasks` and `Runs` of `AsyncClient` share."""

from __future__ import annotations

import asyncio
from os import PathLike
from pathlib import Path
from typing import Any

from milepost.resources import _deliverables
from milepost.resources._bound import AsyncResource
from milepost.resources._content import content_of
from milepost.resources._deliverables import Kind, Progress
from milepost.wire.deliverables import Deliverable, DeliverableList
from milepost.wire.tasks import Task

__all__ = ["AsyncHandover"]


class AsyncHandover(AsyncResource):
    """Deliverables of tasks, or of runs. owner: a task or its id, or a run's id."""

    _kind: Kind

    async def attach(
        self,
        owner: Task | str,
        name: str,
        content: Any,
        *,
        type: str | None = None,
        content_type: str | None = None,
        by: str | None = None,
    ) -> Deliverable:
        """Attach a file or a value; the same again changes nothing, something else is the next version.

        content: a `pathlib.Path` is a file; bytes, a text or a binary file object are the content; anything else is
        written as JSON. type: what kind of thing it is, as `report`. content_type: None: by the name.

        Raises:
            InvalidRequestError: the name is not one, or it is over a size limit.
            NotFoundError: there is no such task.
        """
        with await asyncio.to_thread(content_of, name, content, content_type, type) as made:
            return await self._sender.send(_deliverables.attach(self._kind, owner, name, made, by=by))

    async def deliverables(self, owner: Task | str, *, all_versions: bool = False) -> DeliverableList:
        """Return what was handed over, by name: the newest version of each, or all.

        Raises:
            NotFoundError: there is no such task.
        """
        return await self._sender.send(_deliverables.listing(self._kind, owner, all_versions=all_versions))

    async def deliverable(self, owner: Task | str, name: str, *, version: int | None = None) -> Deliverable:
        """Return what is known of one deliverable. version: None: the newest.

        Raises:
            NotFoundError: there is none.
        """
        return await self._sender.send(_deliverables.get(self._kind, owner, name, version))

    async def download(
        self,
        owner: Task | str,
        name: str,
        to: str | PathLike[str],
        *,
        version: int | None = None,
        on_progress: Progress | None = None,
    ) -> Path:
        """Save a deliverable and return its place; the file is there once it is complete and its digest is right.

        to: a file, or a folder that there is. on_progress: hears how many bytes there are, and of how many.

        Raises:
            NotFoundError: there is no such deliverable.
            ApiError: what came is not what its digest says.
            OSError: it cannot be written.
        """
        flow = _deliverables.saving(
            self._sender.ask, self._kind, owner, name, version, Path(to), on_progress or (lambda done, size: None)
        )
        return await self._sender.run(flow)

    async def read(self, owner: Task | str, name: str, *, version: int | None = None) -> bytes:
        """Return a deliverable's content; for one that fits into memory.

        Raises:
            NotFoundError: there is no such deliverable.
            ApiError: what came is not what its digest says.
        """
        pieces: list[bytes] = []
        take, told = pieces.append, lambda done, size: None
        await self._sender.run(
            _deliverables.downloading(self._sender.ask, self._kind, owner, name, version, take, told)
        )
        return b"".join(pieces)

    async def delete_deliverable(self, owner: Task | str, name: str, *, version: int | None = None) -> None:
        """Remove a deliverable, or one version of it.

        Raises:
            NotFoundError: there is none.
        """
        await self._sender.send(_deliverables.remove(self._kind, owner, name, version))
