"""Attribute values as plain JSON values: JSON texts, Python's repr, bounded in size and depth."""

from __future__ import annotations

import ast
import warnings
from typing import Any

import msgspec

from milepost_collector.protocol.messages.media import is_data_uri, uri_reference, without_data

MAX_REPR = 65_536  # characters of a Python repr that are read; Python's parser is a hundred times slower than JSON's
MAX_MESSAGES = 10_000  # of one value; a longer history is cut, and whole in its attribute
MAX_DEPTH = 64  # levels of tool arguments and results that are kept; below stands CUT
CUT = "…"

_WHOLE = 2**53  # doubles beyond it are not integers that someone wrote
_PLAIN = (int, bool, type(None))

_decode = msgspec.json.Decoder().decode
# Sorted keys: what is equal as JSON is the same text.
_encode = msgspec.json.Encoder(order="deterministic", enc_hook=str).encode


def parsed(value: Any) -> Any:
    """Return the value that a JSON text or a Python repr of a list or object stands for; anything else as it is.

    Text that only looks like one stays text. Never raises.
    """
    if type(value) is not str or value[:1] not in ("{", "[", '"', " ", "\n"):
        return value
    try:
        return _decode(value)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return _from_repr(value)


def parsed_container(value: Any) -> Any:
    """Return what a JSON text of a list or object stands for; anything else as it is."""
    if type(value) is not str or value[:1] not in ("{", "["):
        return value
    try:
        return _decode(value)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return value


def json_text(value: Any) -> str:
    """Return a value as JSON with sorted keys."""
    try:
        return _encode(value).decode()
    except RecursionError:
        return _encode(bounded(value)).decode()


def bounded(value: Any, depth: int = MAX_DEPTH) -> Any:
    """Return a value as JSON can hold it: cut below depth, base64 data as references, whole numbers as integers.

    Whole numbers: JavaScript sends 14 where Python sends 14.0.
    """
    kind = type(value)
    if kind is str:
        return uri_reference(value) if is_data_uri(value) else value
    if kind in _PLAIN:
        return value
    if kind is float:
        return int(value) if abs(value) < _WHOLE and value == int(value) else value
    if depth <= 0:
        return CUT
    if isinstance(value, dict):
        return {str(key): bounded(item, depth - 1) for key, item in without_data(value).items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [bounded(item, depth - 1) for item in value]
    return str(value)


def _from_repr(text: str) -> Any:
    """Return the value of a Python literal, as litellm writes attributes; other text as it is."""
    if len(text) > MAX_REPR or text[0] not in "[{":
        return text
    try:
        value = bounded(python_literal(text))
        _encode(value)  # Python writes half of a surrogate pair as an escape, and no text that is stored can hold it
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return text
    return value


def python_literal(text: str) -> Any:
    """Return the value of a Python literal.

    Raises:
        ValueError, SyntaxError, TypeError, RecursionError, MemoryError: it is none, or too large a one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # of escapes in a text that is data to us
        return ast.literal_eval(text)
