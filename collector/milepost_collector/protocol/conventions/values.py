"""Attribute values as the things they are meant to be: texts, ids, counts, costs, tags, instants and JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from milepost_collector.protocol.messages.lift import is_json
from milepost_collector.protocol.messages.values import python_literal

MAX_COUNT = 2**53 - 1  # what `Usage` takes: exact in readers that use doubles
MAX_COST_USD = 1e9
MAX_TEXT = 1000  # characters of a name or id; longer ones are payloads that lost their way
MAX_TAGS = 100
MAX_DOCUMENT = 20_000  # characters of an object with counts; real ones have some 300
MAX_FIRST_TOKEN_MS = 1e9

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_NUMBER = frozenset({"", "None", "null", "none", "undefined"})  # said by producers that had nothing to say
_encode = msgspec.json.Encoder(enc_hook=str).encode
_decode = msgspec.json.Decoder().decode


def given(value: Any) -> Any:
    """Return a value as it is, None for an empty text."""
    return None if value == "" else value


def text_of(value: Any) -> str | None:
    """Return a text or a number as text; of a text that is a JSON string, the string it holds."""
    if type(value) is int or (type(value) is float and value == value):
        return str(value)
    if type(value) is not str:
        return None
    text = unquoted(value).strip()
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def unquoted(value: str) -> str:
    """Return the text that a JSON string holds, or the text itself. MLflow quotes all that it sends."""
    if value[:1] == '"' and value[-1:] == '"' and len(value) <= 8 * MAX_TEXT:
        try:
            inner = _decode(value)
        except (msgspec.DecodeError, ValueError):
            return value
        return inner if isinstance(inner, str) else value
    return value


def count_of(value: Any) -> int | None:
    """Return a count of tokens: an integer in [0, 2^53), also as text or as a whole number with a point."""
    if type(value) is int:
        return value if 0 <= value <= MAX_COUNT else None
    if type(value) is str:
        value = unquoted(value).strip()
        if value.isascii() and value.isdigit():
            return int(value) if len(value) <= 16 and int(value) <= MAX_COUNT else None
        value = number_of(value)
    if type(value) is float and value.is_integer() and 0 <= value <= MAX_COUNT:
        return int(value)
    return None


def number_of(value: Any) -> float | None:
    """Return a finite number, also of a text."""
    if type(value) is str and len(value) <= 40:
        try:
            value = float(unquoted(value))
        except ValueError:
            return None
    if type(value) is int and abs(value) < 2**1000:
        value = float(value)
    return value if type(value) is float and value - value == 0 else None


def cost_of(value: Any) -> float | None:
    """Return a cost in USD, in [0, 1e9]."""
    cost = number_of(value)
    return cost if cost is not None and 0 <= cost <= MAX_COST_USD else None


def says_nothing(value: Any) -> bool:
    """Tell whether a value stands for no number at all, so that nothing is wrong with it."""
    return value is None or (type(value) is str and value.strip() in _NO_NUMBER)


def tags_of(value: Any) -> list[str] | None:
    """Return tags, each once: of a list, of a list as JSON text, or of texts with commas between them."""
    if type(value) is str:
        value = value.strip()
        listed = _json(value) if value[:1] in '["' else None
        value = listed if isinstance(listed, list) else (listed if isinstance(listed, str) else value).split(",")
    if not isinstance(value, list):
        return None
    texts = [text for item in value[: 10 * MAX_TAGS] if type(item) is not dict and (text := text_of(item))]
    return list(dict.fromkeys(texts))[:MAX_TAGS] or None


def long_text_of(value: Any) -> str | None:
    """Return a text of any length, or a number as text."""
    return value or None if type(value) is str else text_of(value)


def milliseconds_of(value: Any) -> float | None:
    """Return a time that a model took to begin, in [0, 1e9] ms."""
    number = number_of(value)
    return number if number is not None and 0 <= number <= MAX_FIRST_TOKEN_MS else None


def seconds_of(value: Any) -> float | None:
    """Return as ms what is stated in seconds."""
    number = number_of(value)
    return milliseconds_of(number * 1000) if number is not None else None


def instant_of(value: Any) -> int | None:
    """Return Unix ns of an ISO 8601 text; a time without a zone is UTC."""
    if type(value) is not str or len(value) > 64:
        return None
    try:
        time = datetime.fromisoformat(unquoted(value))
        since = (time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH
    except (ValueError, OverflowError):
        return None
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000


def document_of(value: Any) -> dict[str, Any]:
    """Return an object's numbers by key, one level of nesting dotted: of an object, of JSON or of Python's repr."""
    if type(value) is str:
        value = _json(value) if len(value) <= MAX_DOCUMENT else None
        value = _json(value) if type(value) is str else value  # JSON within JSON
    if type(value) is not dict:
        return {}
    flat = {str(key): item for key, item in value.items() if type(item) is not dict}
    for outer, item in value.items():
        if type(item) is dict:
            flat.update({f"{outer}.{key}": inner for key, inner in item.items() if type(inner) is not dict})
    return flat


def _json(text: str) -> Any:
    """Return what JSON or a Python literal holds; None if the text is neither."""
    try:
        return _decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _literal(text) if "'" in text else None


def _literal(text: str) -> Any:
    try:  # thirty times as fast as parsing Python, and right for nearly all that is sent
        return _decode(text.replace("'", '"').replace(": None", ": null"))
    except (msgspec.DecodeError, ValueError, RecursionError):
        pass
    try:
        return python_literal(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def json_text(value: Any) -> str:
    """Return a value as JSON text: a text that is JSON already as it is, another as a JSON string."""
    if type(value) is str and is_json(value):
        return value
    return _encode(value).decode()
