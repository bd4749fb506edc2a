"""Texts cut into pieces that repeat from call to call: the messages and tools inside a JSON text, byte for byte.

A rope is a list of texts: what stands between the pieces at even places, ids of pieces at odd ones. Put together it is
the text it was made of, exactly: a piece is a slice of it, wherever it was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import msgspec
from msgspec import Raw

MIN_PIECE = 100  # characters; a reference to a shorter one would cost as much
MIN_TEXT = 512  # characters of a text that is worth cutting, and of a string inside it that is a piece of its own
MIN_CONTAINER = 1_024  # characters of a list's only element that is looked into
MAX_PIECES = 4_096  # of one text; the rest of it stays as it is
MAX_NESTING = 4  # objects around the list: {"llm_request": {"config": {"tools": […]}}}
ID_BYTES = 16

_MESSAGE_KEYS = frozenset(("role", "content", "parts", "type", "text", "name"))
_list = msgspec.json.Decoder(list[Raw]).decode
_object = msgspec.json.Decoder(dict[str, Raw]).decode

Rope = list[str]


def piece_id(text: str) -> str:
    """Return the id of a piece: 32 hexadecimal digits of BLAKE2b over its UTF-8."""
    return blake2b(text.encode(), digest_size=ID_BYTES).hexdigest()


def cut(text: str, pieces: dict[str, str]) -> Rope | None:
    """Return a JSON text as a rope and add its pieces to `pieces`; None if there is nothing in it to take out."""
    found: list[str] = []
    try:
        _find(text, found, MAX_NESTING)
    except (msgspec.DecodeError, RecursionError):
        return None
    return _rope(text, found, pieces) if found else None


def whole(text: str, pieces: dict[str, str]) -> Rope:
    """Return a text as a rope of one piece."""
    return _rope(text, [text], pieces)


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


def _rope(text: str, found: list[str], pieces: dict[str, str]) -> Rope:
    rope: Rope = []
    end = 0
    for piece in found[:MAX_PIECES]:
        start = text.find(piece, end)
        rope.append(text[end:start])
        name = piece_id(piece)
        pieces[name] = piece
        rope.append(name)
        end = start + len(piece)
    rope.append(text[end:])
    return rope


def _find(text: str, found: list[str], depth: int) -> None:
    """Add the slices of a list or object that are pieces to `found`, in order."""
    if text[0] == "[":
        if text[1:2] not in _NUMBERS:  # a vector: a thousand numbers, and not one piece
            _find_in_list(_list(text), found, depth)
    elif depth > 0:
        for raw in _object(text).values():
            _look(raw, found, depth - 1, MIN_TEXT)


def _find_in_list(raws: list[Raw], found: list[str], depth: int) -> None:
    if len(raws) == 1 and depth > 0 and _is_container(raws[0]):
        _find(str(raws[0], "utf-8"), found, depth - 1)
        return
    for raw in raws:
        _look(raw, found, depth - 1, MIN_PIECE, is_element=True)


def _look(raw: Raw, found: list[str], depth: int, shortest: int, *, is_element: bool = False) -> None:
    value = bytes(raw)
    if len(value) < MIN_PIECE:
        return
    first = value[:1]
    if first == b"[" or (first == b"{" and not is_element):
        if depth >= 0:
            _find(value.decode(), found, depth)
    elif len(value) >= shortest:
        found.append(value.decode())


def _is_container(raw: Raw) -> bool:
    """Tell whether a list's only element is an object around other things rather than a message."""
    value = bytes(raw)
    if len(value) < MIN_CONTAINER or value[:1] != b"{":
        return value[:1] == b"["
    return _MESSAGE_KEYS.isdisjoint(_object(value))


_NUMBERS = frozenset("0123456789-tfn]")
