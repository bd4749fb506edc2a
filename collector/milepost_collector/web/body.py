"""Reading request bodies: any chunking, limits on the size as sent and as inflated."""

from __future__ import annotations

import io
import zlib
from collections.abc import AsyncIterator, Callable

import anyio.to_thread
import zstandard
from starlette.requests import Request

from milepost_collector.config import CollectorConfig
from milepost_collector.errors import BodyTooLargeError, MalformedBodyError, UnsupportedEncodingError

ENCODINGS = ("gzip", "deflate", "zstd", "identity")

# Inflating takes about 3 ms a megabyte of output; more would hold up everyone else on the event loop.
INFLATE_IN_THREAD_BYTES = 64 * 1024
_PIECE_BYTES = 256 * 1024
_ZSTD_WINDOW_BYTES = 8 * 1024 * 1024  # what RFC 9659 lets senders of the zstd content coding use
_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS


async def read_body(request: Request, config: CollectorConfig) -> bytes:
    """Return the request's body, inflated.

    Raises:
        BodyTooLargeError: over the limit as sent or as inflated; nothing more of it was read.
        UnsupportedEncodingError: the content encoding is unknown.
        MalformedBodyError: the body is not what its content encoding says.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower() or "identity"
    encoding = "gzip" if encoding == "x-gzip" else encoding
    if encoding not in ENCODINGS:
        raise UnsupportedEncodingError("Content-Encoding", encoding, ENCODINGS)
    _check_declared_size(request, config.max_body_bytes)
    body = await collect(request.stream(), config.max_body_bytes)
    if encoding == "identity":
        if len(body) > config.max_inflated_bytes:
            raise BodyTooLargeError("inflated", config.max_inflated_bytes)
        return body
    if len(body) < INFLATE_IN_THREAD_BYTES:
        return inflate(encoding, body, config.max_inflated_bytes)
    return await anyio.to_thread.run_sync(inflate, encoding, body, config.max_inflated_bytes)


async def collect(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    """Join chunks.

    Raises:
        BodyTooLargeError: they hold more than `limit` bytes.
    """
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise BodyTooLargeError("compressed", limit)
        parts.append(chunk)
    return b"".join(parts)


def inflate(encoding: str, body: bytes, limit: int) -> bytes:
    """Decompress gzip (any number of members), deflate (with or without zlib's header) or zstd (any number of frames).

    Raises:
        BodyTooLargeError: more than `limit` bytes come out; inflating stopped there.
        MalformedBodyError: the body is damaged or cut off.
    """
    read = {"gzip": _inflate_members, "deflate": _inflate_deflate, "zstd": _inflate_zstd}[encoding]
    out = io.BytesIO()

    def take(piece: bytes) -> None:
        if out.tell() + len(piece) > limit:
            raise BodyTooLargeError("inflated", limit)
        out.write(piece)

    try:
        read(body, take)
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise MalformedBodyError(f"the body is not valid {encoding}: {error}") from error
    return out.getvalue()


def _check_declared_size(request: Request, limit: int) -> None:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise BodyTooLargeError("compressed", limit)


def _inflate_members(body: bytes, take: Callable[[bytes], None]) -> None:
    rest = _inflate_one(zlib.decompressobj(_ZLIB_OR_GZIP), body, take)
    while rest.strip(b"\0"):  # gzip allows members one after another, and zeros as padding at the end
        rest = _inflate_one(zlib.decompressobj(_ZLIB_OR_GZIP), rest, take)


def _inflate_deflate(body: bytes, take: Callable[[bytes], None]) -> None:
    # "deflate" means zlib's format, yet some senders leave its header out.
    raw = len(body) < 2 or body[0] & 0x0F != 8 or int.from_bytes(body[:2], "big") % 31 != 0
    _inflate_one(zlib.decompressobj(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS), body, take)


def _inflate_one(inflater: zlib._Decompress, body: bytes, take: Callable[[bytes], None]) -> bytes:
    """Inflate one stream in pieces and return what follows it."""
    rest = body
    while not inflater.eof:
        piece = inflater.decompress(rest, _PIECE_BYTES)
        if not piece and not inflater.eof and not inflater.unconsumed_tail:
            raise EOFError("it ends too early")
        take(piece)
        rest = inflater.unconsumed_tail
    return inflater.unused_data


def _inflate_zstd(body: bytes, take: Callable[[bytes], None]) -> None:
    if not body:
        raise EOFError("it ends too early")
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
    with decompressor.stream_reader(body, read_across_frames=True) as reader:
        while piece := reader.read(_PIECE_BYTES):
            take(piece)
