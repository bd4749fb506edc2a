"""A chat message in one shape, whichever convention it came in by, and what is stored of it."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from milepost_collector.protocol.messages.telling import LONG_TEXT, Text, text_of
from milepost_collector.protocol.messages.values import json_text

Part = dict[str, Any]

_decode = msgspec.json.Decoder().decode

ID_BYTES = 16
# Calls of tools come again as the messages of a history, in several spellings: what is stored of them is remembered.
REMEMBERED = 1_024
MAX_REMEMBERED = 2_048  # characters of one; in all 2 MB at most, if they are ASCII


class EncodedMessage(NamedTuple):
    """A message as it is stored, a row of `stored_messages`.

    message_id: 32 hexadecimal digits, of the content alone. text: for full-text search. other_parts: the parts as JSON,
    None if the message is nothing but its text.
    """

    message_id: str
    role: str
    text: str
    other_parts: str | None = None

    @property
    def is_text(self) -> bool:
        """Whether the message is one text, which `text` then holds exactly."""
        return self.other_parts is None

    @property
    def parts_json(self) -> str:
        """The parts as JSON, keys sorted."""
        return text_parts_json(self.text) if self.other_parts is None else self.other_parts


class Message(Struct, gc=False, eq=False):
    """A chat message. role: system, developer, user, assistant, tool or what was sent, in lower case.

    parts: objects with a `type`: text {content}, reasoning {content}, tool_call {id, name, arguments}, tool_result {id,
    name, result}, image, audio or file {mime_type, uri | name | sha256, bytes}, or another type with what was sent. The
    name of who speaks, if one was sent, is `name` of the first part. stored, text: noted by `encode_message`, so that
    the messages of a history, which are remembered, are encoded once.
    """

    role: str
    parts: list[Part]
    stored: EncodedMessage | None = None
    text: Text | None = None  # if it is nothing but a long text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self.role == other.role and self.parts == other.parts

    __hash__ = None  # type: ignore[assignment] # its parts may change


class Found(Struct, gc=False):
    """What a model was sent and what it answered."""

    input: list[Message]
    output: list[Message]


def text_parts_json(text: str) -> str:
    """Return the parts, as JSON, of a message that is one text."""
    return json_text([{"content": text, "type": "text"}])


def encode_message(message: Message) -> EncodedMessage:
    """Return a message as it is stored.

    It is also noted in the message. Its id is BLAKE2b-128 over role and parts, so equal messages have one id wherever
    they came from. The role's length comes first and the form after it, so that no two different messages are the same
    bytes.
    """
    if message.stored is not None:
        return message.stored
    role, parts = message.role, message.parts
    if len(parts) == 1 and len(part := parts[0]) == 2 and part["type"] == "text":
        content: str = part["content"]
        stored = EncodedMessage(_digest(f"{len(role)}:{role}:text:{content}"), role, content)
        if len(content) >= LONG_TEXT:
            message.text = text_of(stored.message_id, content)
    else:
        parts_json = json_text(parts)
        stored = (_remembered_parts if len(parts_json) <= MAX_REMEMBERED else _encoded_parts)(role, parts_json)
    message.stored = stored
    return stored


def _encoded_parts(role: str, parts_json: str) -> EncodedMessage:
    text = "\n".join([piece for part in _decode(parts_json) if (piece := part_text(part))])
    return EncodedMessage(_digest(f"{len(role)}:{role}:parts:{parts_json}"), role, text, parts_json)


_remembered_parts = lru_cache(REMEMBERED)(_encoded_parts)


def part_text(part: Part) -> str:
    """Return what of a part people search for: contents, names of tools and files, arguments and results."""
    kind = part["type"]
    if kind == "text" or kind == "reasoning":
        return str(part["content"])
    if kind == "tool_call":
        return _joined(part.get("name"), part.get("arguments"))
    if kind == "tool_result":
        return _joined(part.get("name"), part.get("result"))
    if kind in ("image", "audio", "file"):
        return _joined(part.get("name"), part.get("uri"))
    return _joined(*[value for key, value in part.items() if key != "type"])


def _joined(*values: Any) -> str:
    texts = [value if type(value) is str else json_text(value) for value in values if value is not None]
    return " ".join(text for text in texts if text)


def _digest(text: str) -> str:
    return blake2b(text.encode(errors="replace"), digest_size=ID_BYTES).hexdigest()
