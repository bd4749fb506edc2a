"""A chat message in one shape, whichever convention it came in by, and what is stored of it."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from milepost_collector.protocol.messages.values import json_text

Part = dict[str, Any]

_decode = msgspec.json.Decoder().decode

ID_BYTES = 16
# System prompts and the messages of a history come again with every call: their ids are remembered.
REMEMBERED = 4_096
MAX_REMEMBERED = 2_048  # characters of one; in all 8 MB at most, if they are ASCII


class Message(Struct, gc=False):
    """A chat message. role: system, developer, user, assistant, tool or what was sent, in lower case.

    parts: objects with a `type`: text {content}, reasoning {content}, tool_call {id, name, arguments}, tool_result {id,
    name, result}, image, audio or file {mime_type, uri | name | sha256, bytes}, or another type with what was sent. The
    name of who speaks, if one was sent, is `name` of the first part.
    """

    role: str
    parts: list[Part]


class Found(Struct, gc=False):
    """What a model was sent and what it answered."""

    input: list[Message]
    output: list[Message]


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


def text_parts_json(text: str) -> str:
    """Return the parts, as JSON, of a message that is one text."""
    return json_text([{"content": text, "type": "text"}])


def encode_message(message: Message) -> EncodedMessage:
    """Return a message as it is stored.

    Its id is BLAKE2b-128 over role and parts, so equal messages have one id wherever they came from. The role's length
    comes first and the form after it, so that no two different messages are the same bytes.
    """
    role, parts = message.role, message.parts
    if len(parts) == 1 and len(part := parts[0]) == 2 and part["type"] == "text":
        content: str = part["content"]
        return (_remembered_text if len(content) <= MAX_REMEMBERED else _encoded_text)(role, content)
    parts_json = json_text(parts)
    return (_remembered_parts if len(parts_json) <= MAX_REMEMBERED else _encoded_parts)(role, parts_json)


def _encoded_parts(role: str, parts_json: str) -> EncodedMessage:
    text = "\n".join([piece for part in _decode(parts_json) if (piece := part_text(part))])
    return EncodedMessage(_digest(f"{len(role)}:{role}:parts:{parts_json}"), role, text, parts_json)


def _encoded_text(role: str, content: str) -> EncodedMessage:
    return EncodedMessage(_digest(f"{len(role)}:{role}:text:{content}"), role, content)


_remembered_text = lru_cache(REMEMBERED)(_encoded_text)
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
