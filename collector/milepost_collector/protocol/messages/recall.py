"""Histories read without reading again what was read before: each call of a model repeats the messages of the last one.

Messages are remembered by the text they were sent as. Nobody may change them: they are shared.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw

from milepost_collector.protocol.messages.flattened import unflatten
from milepost_collector.protocol.messages.message import Message
from milepost_collector.protocol.messages.shapes import (
    CONFIG_KEYS,
    SYSTEM_KEYS,
    merged,
    message_list,
    messages_of,
    system_of,
)
from milepost_collector.protocol.messages.values import MAX_MESSAGES

REMEMBERED = 4_096  # texts
MAX_REMEMBERED = 4_096  # bytes of one; in all 16 MB at most, and as much again for the messages
MIN_TEXT = 1_024  # characters of a history that is worth it

_raws = msgspec.json.Decoder(list[Raw]).decode
_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(order="deterministic").encode


def history_of(text: str) -> list[Message] | None:
    """Return the messages of a JSON text that is a list of messages or a request with one; None if it is neither."""
    if len(text) < MIN_TEXT or text[0] not in "[{":
        return None
    try:
        if text[0] == "[":
            return _of_list([bytes(raw) for raw in _raws(text)])
        fields = _fields(text)
        held = fields.get("messages")
        found = None if held is None else _of_list([bytes(raw) for raw in _raws(held)])
        return None if found is None else _system(fields) + found
    except (msgspec.MsgspecError, RecursionError):
        return None


def of_flattened(fields: Iterable[tuple[int, str, Any]], role: str) -> list[Message]:
    """Return the messages of flattened attributes: (number, path, value)."""
    groups: dict[int, dict[str, Any]] = {}
    for number, path, value in fields:
        groups.setdefault(number, {})[path] = value
    texts = [_encode(groups[number]) for number in sorted(groups)]
    return merged([message for text in texts for message in _recalled(_flattened, text, role)])


def _of_list(texts: list[bytes]) -> list[Message] | None:
    """Return the messages of a list, None if one of its texts is not a message."""
    found: list[Message] = []
    for text in texts[:MAX_MESSAGES]:
        messages = _recalled(_plain, text, "")
        if not messages:
            return None
        found += messages
    return merged(found)


def _recalled(read: Any, text: bytes, role: str) -> tuple[Message, ...]:
    return (_remembered if len(text) <= MAX_REMEMBERED else _read)(read, text, role)


def _read(read: Any, text: bytes, role: str) -> tuple[Message, ...]:
    return tuple(read(_decode(text), role))


_remembered = lru_cache(REMEMBERED)(_read)


def _plain(item: Any, _: str) -> list[Message]:
    return messages_of(item) if isinstance(item, dict) else []


def _flattened(fields: dict[str, Any], role: str) -> list[Message]:
    return message_list(unflatten((0, path, value) for path, value in fields.items()), role)


def _system(fields: dict[str, Raw]) -> list[Message]:
    """Return the system prompt beside a list of messages."""
    return system_of({key: _decode(fields[key]) for key in (*SYSTEM_KEYS, *CONFIG_KEYS) if key in fields})
