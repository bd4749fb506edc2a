"""Operations on deliverables, of tasks and of runs: what is asked, and the flow of a download."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from types import NoneType
from typing import Any, Literal, Protocol, TypeVar
from urllib.parse import quote

from milepost.errors import ApiError, InvalidRequestError
from milepost.resources._content import Content
from milepost.resources._exchange import Flow
from milepost.resources._operation import Operation, path_of, query_of
from milepost.wire.deliverables import (
    ATTEMPT_HEADER,
    BY_HEADER,
    SPAN_HEADER,
    TYPE_HEADER,
    Deliverable,
    DeliverableList,
    name_problem,
)

__all__ = ["Progress", "attach", "downloading", "get", "listing", "place_for", "remove", "saving"]

T = TypeVar("T")
Kind = Literal["tasks", "runs"]
Progress = Callable[[int, int], None]
PIECE_BYTES = 2 * 1024 * 1024  # asked for at a time: so much is in memory, and so much is asked for again at most


class Ask(Protocol):
    """How an operation is sent, as a flow."""

    def __call__(self, operation: Operation[T], /) -> Flow[T]:
        """Return the flow."""
        ...


def attach(
    kind: Kind,
    owner: Any,
    name: str,
    content: Content,
    *,
    attempt: int | None = None,
    span_id: str | None = None,
    by: str | None = None,
) -> Operation[Deliverable]:
    """Return what attaches a content."""
    headers = {
        "content-type": content.content_type,
        "content-digest": f"sha-256=:{base64.b64encode(content.digest).decode()}:",
        TYPE_HEADER: quote(content.type),
        ATTEMPT_HEADER: None if attempt is None else str(attempt),
        SPAN_HEADER: span_id,
        BY_HEADER: None if by is None else quote(by),
    }
    return Operation(
        method="PUT",
        path=_path(kind, owner, _checked(name)),
        answer=Deliverable,
        content=content,
        headers=tuple((key, value) for key, value in headers.items() if value is not None),
        repeatable=True,
    )


def listing(kind: Kind, owner: Any, *, all_versions: bool) -> Operation[DeliverableList]:
    """Return what lists deliverables."""
    query = query_of({"versions": "all" if all_versions else "newest"})
    return Operation(method="GET", path=_path(kind, owner), answer=DeliverableList, query=query, repeatable=True)


def get(kind: Kind, owner: Any, name: str, version: int | None) -> Operation[Deliverable]:
    """Return what asks for one deliverable."""
    query = query_of({"version": version})
    path = _path(kind, owner, _checked(name))
    return Operation(method="GET", path=path, answer=Deliverable, query=query, repeatable=True)


def remove(kind: Kind, owner: Any, name: str, version: int | None) -> Operation[None]:
    """Return what removes a deliverable, or one version of it."""
    query = query_of({"version": version})
    path = _path(kind, owner, _checked(name))
    return Operation(method="DELETE", path=path, answer=NoneType, query=query, repeatable=True)


def downloading(
    ask: Ask, kind: Kind, owner: Any, name: str, version: int | None, take: Callable[[bytes], object], told: Progress
) -> Flow[Deliverable]:
    """Hand a content over piece by piece, and check its digest in the end; return what it is.

    take: gets the pieces in their order. told: hears after each how many bytes there are, and of how many.

    Raises:
        ApiError: it is not there, or not what its digest says.
    """
    found = yield from ask(get(kind, owner, name, version))
    digest, done = hashlib.sha256(), 0
    told(0, found.size_bytes)
    while done < found.size_bytes:
        piece = yield from ask(_piece(kind, owner, found, done))
        digest.update(piece)
        done += len(piece)
        if not piece or done > found.size_bytes:
            break
        take(piece)
        told(done, found.size_bytes)
    if digest.hexdigest() != found.sha256:
        raise ApiError(
            f"the content of {found.name!r}, version {found.version}, has SHA-256 {digest.hexdigest()} instead of "
            f"{found.sha256}",
            problem={"remedy": "download it again; if that does not help, the store of contents is damaged"},
        )
    return found


def saving(ask: Ask, kind: Kind, owner: Any, name: str, version: int | None, to: Path, told: Progress) -> Flow[Path]:
    """Write a content to a file, which is there once it is complete; return its place.

    Raises:
        ApiError: see `downloading`.
        OSError: it cannot be written.
    """
    target = place_for(name, to)
    part = target.with_name(f".{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            yield from downloading(ask, kind, owner, name, version, file.write, told)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return target


def place_for(name: str, to: Path) -> Path:
    """Return where a deliverable is saved: `to`, or in it under its name if it is a folder.

    Raises:
        InvalidRequestError: the name is none that a deliverable can have, whatever a collector says.
    """
    return to / _checked(name) if to.is_dir() else to


def _piece(kind: Kind, owner: Any, found: Deliverable, start: int) -> Operation[bytes]:
    end = min(start + PIECE_BYTES, found.size_bytes)
    return Operation(
        method="GET",
        path=_path(kind, owner, found.name, "content"),
        answer=bytes,
        query=query_of({"version": found.version}),
        headers=(("range", f"bytes={start}-{end - 1}"),),
        accept="*/*",
        repeatable=True,
    )


def _checked(name: str) -> str:
    if (problem := name_problem(name)) is not None:
        detail = f"{name[:300]!r} cannot be the name of a deliverable"
        raise InvalidRequestError(detail, problem={"field": "name", "value": name, "remedy": problem})
    return name


def _path(kind: Kind, owner: Any, *more: str) -> str:
    own_id = owner if isinstance(owner, str) else str(getattr(owner, "id", None) or getattr(owner, "run_id", owner))
    return path_of(kind, own_id, "deliverables", *more)
