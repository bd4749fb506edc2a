"""What is attached: bytes, files, texts and values, known by size and digest before anything is sent."""

from __future__ import annotations

import hashlib
import io
import mimetypes
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any, Self

import msgspec

from milepost.errors import InvalidRequestError
from milepost.resources._operation import encode_body
from milepost.wire.deliverables import DEFAULT_CONTENT_TYPE, DEFAULT_TYPE

__all__ = ["BLOCK_BYTES", "Content", "content_of"]

BLOCK_BYTES = 256 * 1024
_IN_MEMORY_BYTES = 8 * 1024 * 1024  # of a stream that can be read only once
_TEXT_TYPES = {".csv": "text/csv", ".jsonl": "application/x-ndjson", ".md": "text/markdown"}  # not every system knows


class Content:
    """Something to attach. It can be read any number of times, one reading at a time.

    open: returns it as a binary file from its beginning, which is closed by whoever has read it. copy: what is no
    longer needed when it has been attached. A context manager that closes the copy.
    """

    def __init__(
        self, open: Callable[[], IO[bytes]], content_type: str, type: str, copy: IO[bytes] | None = None
    ) -> None:
        self._open = open
        self._copy = copy
        self.content_type = content_type
        self.type = type
        digest, size = hashlib.sha256(), 0
        for block in self.blocks():
            digest.update(block)
            size += len(block)
        self.size_bytes = size
        self.digest = digest.digest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._copy is not None:
            self._copy.close()

    def blocks(self) -> Iterator[bytes]:
        """Yield it in blocks, from the beginning."""
        with self._open() as file:
            while block := file.read(BLOCK_BYTES):
                if not isinstance(block, bytes):
                    raise InvalidRequestError(
                        f"a file that gives {type(block).__name__} cannot be attached",
                        problem={"remedy": "open it in binary mode"},
                    )
                yield block


def content_of(name: str, given: Any, content_type: str | None = None, type: str | None = None) -> Content:
    """Return what was given as something to attach.

    given: a `Path` (or another `os.PathLike`) is the file at that place; bytes are the content; a text is the content
    in UTF-8; an object with `read` is a binary file, read from where it stands; anything else is written as JSON.
    content_type: None: by the name. type: None: `data` for what is written as JSON, else `file`.

    Raises:
        InvalidRequestError: the value has no JSON form, or the file is a text file.
        OSError: the file cannot be read.
    """
    guessed = content_type or _guess(name)
    if isinstance(given, os.PathLike):
        path = os.fspath(given)
        return Content(lambda: open(path, "rb"), guessed or DEFAULT_CONTENT_TYPE, type or DEFAULT_TYPE)
    if isinstance(given, (bytes, bytearray, memoryview)):
        return _of_bytes(bytes(given), guessed or DEFAULT_CONTENT_TYPE, type or DEFAULT_TYPE)
    if isinstance(given, str):
        return _of_bytes(given.encode(), guessed or "text/plain; charset=utf-8", type or DEFAULT_TYPE)
    if callable(getattr(given, "read", None)):
        return _of_file(given, guessed or DEFAULT_CONTENT_TYPE, type or DEFAULT_TYPE)
    return _of_bytes(_json(given), content_type or "application/json", type or "data")


def _guess(name: str) -> str | None:
    ending = os.path.splitext(name)[1].lower()
    return _TEXT_TYPES.get(ending) or mimetypes.guess_type(name, strict=False)[0]


def _json(value: Any) -> bytes:
    return msgspec.json.format(encode_body(value), indent=2)


def _of_bytes(content: bytes, content_type: str, type: str) -> Content:
    return Content(lambda: io.BytesIO(content), content_type, type)


def _of_file(file: Any, content_type: str, type: str) -> Content:
    """Return a file's rest; one that cannot be read again is copied first, to the disk when it is large."""
    seekable = getattr(file, "seekable", None)
    if seekable is not None and seekable():
        begin = file.tell()
        return Content(lambda: _Again(file, begin), content_type, type)  # type: ignore[arg-type,return-value]
    copy = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115  # closed with the content
    while block := file.read(BLOCK_BYTES):
        copy.write(block)
    return Content(lambda: _Again(copy, 0), content_type, type, copy)  # type: ignore[arg-type,return-value]


class _Again:
    """A file that is read from a place, and stays open: it is somebody else's."""

    def __init__(self, file: Any, begin: int) -> None:
        self._file = file
        self._begin = begin

    def __enter__(self) -> Any:
        self._file.seek(self._begin)
        return self._file

    def __exit__(self, *exc_info: object) -> None:
        return None
