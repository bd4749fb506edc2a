"""Texts cut into pieces that repeat from call to call: the messages and tools inside a JSON text, byte for byte.

A rope is a list of texts: what stands between the pieces at even places, ids of pieces at odd ones. Put together it is
the text it was made of, exactly: a piece is a slice of it, wherever it was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

import msgspec
from msgspec import Raw

MIN_PIECE = 100  # characters; a reference to a shorter one would cost as much
MIN_TEXT = 512  # characters of a text that is worth cutting, and of a string inside it that is a piece of its own
MIN_CONTAINER = 1_024  # characters of a list's only element that is looked into
MAX_PIECES = 4_096  # of one text; the rest of it stays as it is
MAX_NESTING = 4  # objects around the list: {"llm_request": {"config": {"tools": […]}}}
ID_BYTES = 16
# What is taken out comes again with every call: ids are remembered, of this many pieces of at most so many bytes.
REMEMBERED = 4_096
MAX_REMEMBERED = 2_048

_LIST = ord("[")
_OPEN = (b"[", b"{")
_MESSAGE_KEYS = frozenset(("role", "content", "parts", "type", "text", "name"))
_list = msgspec.json.Decoder(list[Raw]).decode
_object = msgspec.json.Decoder(dict[str, Raw]).decode

Rope = list[str]


def piece_id(text: str) -> str:
    """Return the id of a piece: 32 hexadecimal digits of BLAKE2b over its UTF-8."""
    return blake2b(text.encode(), digest_size=ID_BYTES).hexdigest()


def cut(text: str, pieces: dict[str, str]) -> Rope | None:
    """Return a JSON text as a rope and add its pieces to `pieces`; None if there is nothing in it to take out."""
    found: list[bytes] = []
    try:
        _find(text, found, MAX_NESTING)
    except (msgspec.DecodeError, RecursionError):
        return None
    return _rope(text, found, pieces) if found else None


def whole(text: str, pieces: dict[str, str]) -> Rope:
    """Return a text as a rope of one piece."""
    return _rope(text, [text.encode()], pieces)


def joined(rope: Rope, pieces: Mapping[str, str]) -> str:
    """Return the text of a rope.

    Raises:
        LookupError: a piece is missing.
    """
    return "".join([_piece(text, pieces) if place % 2 else text for place, text in enumerate(rope)])


def _piece(name: str, pieces: Mapping[str, str]) -> str:
    try:
        return pieces[name]
    except KeyError:
        raise LookupError(f"piece {name} of an attribute is missing; pass the texts of all piece_ids()") from None


def _rope(text: str, found: list[bytes], pieces: dict[str, str]) -> Rope:
    rope: Rope = []
    end = 0
    for raw in found[:MAX_PIECES]:
        name, piece = (_remembered_piece if len(raw) <= MAX_REMEMBERED else _named_piece)(raw)
        # Searching a text prepares tables for it; most often a bracket or a comma is all that stands before the piece.
        start = end + 1
        if not text.startswith(piece, start):
            start = start + 1 if text.startswith(piece, start + 1) else text.find(piece, end)
        pieces[name] = piece
        rope += (text[end:start], name)
        end = start + len(piece)
    rope.append(text[end:])
    return rope


def _named_piece(raw: bytes) -> tuple[str, str]:
    return blake2b(raw, digest_size=ID_BYTES).hexdigest(), raw.decode()


_remembered_piece = lru_cache(REMEMBERED)(_named_piece)


def _find(text: str | bytes, found: list[bytes], depth: int) -> None:
    """Add the slices of a list or object that are pieces to `found`, in order."""
    if text[:1] in ("[", b"["):
        if text[1:2] not in _NUMBERS:  # a vector: a thousand numbers, and not one piece
            _find_in_list([bytes(raw) for raw in _list(text)], found, depth)
    elif depth > 0:
        for raw in _object(text).values():
            value = bytes(raw)
            if value[:1] in _OPEN and len(value) >= MIN_PIECE:
                _find(value, found, depth - 1)
            elif len(value) >= MIN_TEXT:
                found.append(value)


def _find_in_list(values: list[bytes], found: list[bytes], depth: int) -> None:
    if len(values) == 1 and depth > 0 and _is_container(values[0]):
        _find(values[0], found, depth - 1)
        return
    for value in values:
        if len(value) >= MIN_PIECE:
            if value[0] != _LIST:
                found.append(value)
            elif depth > 0:
                _find(value, found, depth - 1)


def _is_container(value: bytes) -> bool:
    """Tell whether a list's only element is an object around other things rather than a message."""
    if len(value) < MIN_CONTAINER or value[:1] != b"{":
        return value[:1] == b"["
    return _MESSAGE_KEYS.isdisjoint(_object(value))


_NUMBERS = frozenset(sign for text in "0123456789-tfn]" for sign in (text, text.encode()))
