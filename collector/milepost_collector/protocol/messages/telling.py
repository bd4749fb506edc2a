"""Ropes that tell of messages: where an attribute holds the text of a message, it refers to the message.

"=" and a message's id stand for its text in JSON's quotes, "~" and the id for the bare text. What an exporter spelled
in another way stays as it is, so that attributes come back byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from milepost_collector.protocol.messages.rope import MIN_TEXT, Rope

LONG_TEXT = 100  # characters of a message that are worth looking for in attributes
MIN_TOLD = 160  # characters of an attribute that is worth looking into
MAX_BETWEEN = 200  # characters between messages of a long text; where there are more, they may be worth pieces
LOOK_AHEAD = 4
MAX_TOLD = 20_000  # pieces remembered, some 400 bytes each
PREFIX = 24  # characters to look for before the whole text is compared: preparing a search takes as long as the text

_encode = msgspec.json.Encoder().encode


class Text(NamedTuple):
    """The text of a message, and as it stands in JSON."""

    message_id: str
    text: str
    quoted: str


class Telling(NamedTuple):
    """A piece as what stands before a message's text, the reference to it, and what stands behind."""

    head: str
    reference: str
    tail: str


_TOLD: dict[str, Telling] = {}


def text_of(message_id: str, text: str) -> Text:
    """Return the text of a message, ready to be looked for."""
    return Text(message_id, text, _encode(text).decode())


def by_messages(text: str, messages: Sequence[Text]) -> Rope | None:
    """Return a text as a rope of the messages in it, which are looked for in their order.

    None: there are none, or so much stands between them that it may be worth pieces of its own.
    """
    rope: Rope = []
    end, size = 0, len(text)
    is_long = size >= MIN_TEXT
    for message_id, content, quoted in messages:
        if len(content) > size - end:
            continue
        start = text.find(quoted[:PREFIX], end)
        if start >= 0 and not text.startswith(quoted, start):
            start = text.find(quoted, start + 1)
        if start < 0:
            if content == text:
                return ["", f"~{message_id}", ""]
            continue
        if is_long and start - end > MAX_BETWEEN:
            return None
        rope += (text[end:start], f"={message_id}")
        end = start + len(quoted)
    if not rope or (is_long and size - end > MAX_BETWEEN):
        return None
    rope.append(text[end:])
    return rope


def told(rope: Rope, pieces: dict[str, str], messages: Sequence[Text]) -> Rope:
    """Return a rope in which pieces that hold messages refer to these, and take those pieces out of `pieces`.

    pieces: of this rope alone, by id, in its order. A history comes again with every call: what a piece was told by is
    remembered.
    """
    tellings = _tellings(pieces, messages)
    if not tellings:
        return rope
    out = rope[:1]
    for place in range(1, len(rope), 2):
        telling = tellings.get(rope[place])
        if telling is None:
            out += rope[place : place + 2]
        else:
            out[-1] += telling.head
            out += (telling.reference, telling.tail + rope[place + 1])
    for name in tellings:
        del pieces[name]
    return out


def _tellings(pieces: dict[str, str], messages: Sequence[Text]) -> dict[str, Telling]:
    found: dict[str, Telling] = {}
    known = {message.message_id for message in messages}
    place = 0
    for piece_id, piece in pieces.items():
        if (remembered := _TOLD.get(piece_id)) is not None and remembered.reference[1:] in known:
            found[piece_id] = remembered
            continue
        # Messages and pieces come in the same order, but not every message is one text, nor every piece a message.
        for step in range(min(LOOK_AHEAD, len(messages) - place) if len(piece) >= LONG_TEXT else 0):
            if (telling := _telling(piece, messages[place + step])) is not None:
                place += step + 1
                found[piece_id] = telling
                _remember(piece_id, telling)
                break
    return found


def _remember(piece_id: str, telling: Telling) -> None:
    if len(_TOLD) >= MAX_TOLD:
        _TOLD.clear()
    _TOLD[piece_id] = telling


def _telling(piece: str, message: Text) -> Telling | None:
    if len(message.text) > len(piece):
        return None
    if piece == message.text:
        return Telling("", f"~{message.message_id}", "")
    start = piece.find(message.quoted)
    if start < 0:
        return None
    return Telling(piece[:start], f"={message.message_id}", piece[start + len(message.quoted) :])
