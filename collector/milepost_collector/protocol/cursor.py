"""Opaque page cursors: where the last page ended, and the order and filters it belonged to."""

from __future__ import annotations

import base64
import binascii
import hashlib

import msgspec


class Cursor(msgspec.Struct, array_like=True, frozen=True):
    """The place after which the next page starts.

    scope: what the pages list (order and filters), digested, so that a cursor is refused elsewhere. key: the last row's
    sort value, None for NULL. tie: what tells rows of equal key apart.
    """

    scope: str
    key: int | float | str | None
    tie: str


def scope_of(*parts: object) -> str:
    """Digest the order and filters a cursor belongs to."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=6).hexdigest()


def encode_cursor(cursor: Cursor) -> str:
    """Write a cursor as URL-safe text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def decode_cursor(text: str, scope: str) -> Cursor:
    """Read a cursor.

    Raises:
        ValueError: the text was not made by `encode_cursor`, or for another order or other filters.
    """
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        cursor = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=Cursor)
    except (UnicodeEncodeError, binascii.Error, msgspec.DecodeError) as error:
        raise ValueError("the cursor is malformed") from error
    if cursor.scope != scope:
        raise ValueError("the cursor belongs to another order or other filters")
    return cursor
