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

Take = Callable[[bytes], None]

MAX_MEMBERS = 1000  # gzip and zstd allow any number; a body of a million empty ones would only cost time
ENCODINGS = ("gzip", "deflate", "zstd", "identity")

# Inflating takes about 3 ms a megabyte of output; more would hold up everyone else on the event loop.
INFLATE_IN_THREAD_BYTES = 64 * 1024
_PIECE_BYTES = 64 * 1024
_ZSTD_WINDOW_BYTES = 8 * 1024 * 1024  # what RFC 9659 lets senders of the zstd content coding use
_ZSTD_PIECE_BYTES = 256  # zstd cannot be told how much to give out; a block of 4 bytes may become 128 KB
_GZIP_WBITS = 16 + zlib.MAX_WBITS


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
    """Decompress gzip and zstd (also several members), or deflate (with or without zlib's header).

    Raises:
        BodyTooLargeError: more than `limit` bytes come out; inflating stopped there.
        MalformedBodyError: the body is damaged or cut off.
    """
    read = {"gzip": _inflate_gzip, "deflate": _inflate_deflate, "zstd": _inflate_zstd}[encoding]
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


def _inflate_gzip(body: bytes, take: Take) -> None:
    _inflate_members(body, take, lambda position: _inflate_zlib(_GZIP_WBITS, body, position, take))


def _inflate_deflate(body: bytes, take: Take) -> None:
    # "deflate" means zlib's format, yet some senders leave its header out.
    raw = len(body) < 2 or body[0] & 0x0F != 8 or int.from_bytes(body[:2], "big") % 31 != 0
    _inflate_zlib(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS, body, 0, take)


def _inflate_zstd(body: bytes, take: Take) -> None:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
    _inflate_members(body, take, lambda position: _inflate_frame(decompressor, body, position, take))


def _inflate_members(body: bytes, take: Take, inflate_one: Callable[[int], int]) -> None:
    """Inflate members one after another; zeros at the end are padding.

    inflate_one: inflates the member at a position and returns where it ended.
    """
    length = len(body.rstrip(b"\0"))
    position = 0
    for _ in range(MAX_MEMBERS):
        position = inflate_one(position)
        if position >= length:
            return
    raise MalformedBodyError(f"the body has more than {MAX_MEMBERS} compressed members; send one")


def _inflate_zlib(wbits: int, body: bytes, position: int, take: Take) -> int:
    inflater = zlib.decompressobj(wbits)
    while not inflater.eof:
        piece = inflater.unconsumed_tail or body[position : position + _PIECE_BYTES]
        if not inflater.unconsumed_tail:
            position += len(piece)
        inflated = inflater.decompress(piece, _PIECE_BYTES)
        if not piece and not inflated and not inflater.eof:
            raise EOFError("it ends too early")
        take(inflated)
    return position - len(inflater.unused_data)


def _inflate_frame(decompressor: zstandard.ZstdDecompressor, body: bytes, position: int, take: Take) -> int:
    inflater = decompressor.decompressobj()
    while not inflater.eof:
        piece = body[position : position + _ZSTD_PIECE_BYTES]
        if not piece:
            raise EOFError("it ends too early")
        position += len(piece)
        take(inflater.decompress(piece))
    return position - len(inflater.unused_data)
