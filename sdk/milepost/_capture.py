"""Snapshots: any Python value becomes bounded JSON at the moment it is handed over, and never an exception.

The order of attempts is the order of cost. A value made only of JSON's own types and within the limit - nearly all -
is encoded as it is. Anything else is first rebuilt within a budget: known kinds of objects by their content, unknown
ones by a bounded repr. Whatever is left out is marked where it was.

NaN and the infinities become null. Whole numbers beyond 64 bits become text. Lone surrogates become U+FFFD. Bytes
become their length and the base64 of their beginning.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import decimal
import enum
import itertools
import os
import traceback
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

__all__ = [
    "Snapshot",
    "clean_text",
    "cut_text",
    "exception_stack",
    "message_of",
    "plain",
    "snapshot",
    "snapshot_json",
    "text_of",
    "weight_of",
]

Snapshot = bytes | str | int | float | bool
"""bytes: JSON text. Anything else: an immutable value kept by reference and encoded later."""

_MAX_DEPTH = 24
_MAX_REPR = 2_000
_MAX_STACK = 64_000
_BYTES_HEAD = 96
_INT64 = 2**63
_encode = msgspec.json.Encoder().encode


def snapshot(value: Any, limit: int) -> Snapshot:
    """Return the value as it is now, in at most `limit` bytes of JSON text once encoded. Never raises.

    limit: in bytes, at least 256.
    """
    kind = type(value)
    if kind is str:
        return value if len(value) <= limit >> 3 else _bounded(value, limit)
    if kind is bool or kind is float:
        return value  # type: ignore[no-any-return]
    try:
        if (kind is dict and _is_small(value, limit)) or _is_json(value, limit):
            text = _encode(value)
            if len(text) <= limit:
                return text
    except Exception:
        return _bounded(value, limit)  # e.g. lone surrogates, a dict that another thread is changing
    return _bounded(value, limit)


def snapshot_json(kept: Snapshot) -> bytes:
    """Return the JSON text of a snapshot."""
    if type(kept) is bytes:
        return kept
    try:
        return _encode(kept)
    except UnicodeEncodeError:
        return _encode(clean_text(str(kept)))


def plain(value: Any, limit: int) -> Any:
    """Return the value rebuilt from JSON's own types within about `limit` bytes. Never raises."""
    return _Builder(limit).build(value, 0)


def clean_text(text: str) -> str:
    """Return the text with lone surrogates, which UTF-8 cannot express, replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return str(text)


def cut_text(text: str, limit: int) -> str:
    """Return clean text of at most `limit` characters, ending in a visible marker if it was cut."""
    if len(text) <= limit:
        return clean_text(text)
    marker = f"… [cut: {len(text)} characters in all]"
    return clean_text(text[: max(limit - len(marker), 0)]) + marker


def text_of(value: object, limit: int) -> str:
    """Return a message as it is now, in at most `limit` characters. Never raises."""
    if type(value) is str:
        return value if len(value) <= limit else cut_text(value, limit)
    built = plain(value, limit * 2)
    return cut_text(built if isinstance(built, str) else _encode(built).decode(), limit)


def weight_of(value: Any) -> int:
    """Return about how many bytes a value made of JSON's own types takes beside the slot it stands in."""
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, dict):
        return sum(64 + len(key) + weight_of(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return sum(16 + weight_of(item) for item in value)
    return 0


def exception_stack(error: BaseException) -> str:
    """Return the traceback as Python prints it, cut in the middle if it is very long. Never raises."""
    try:
        text = "".join(traceback.format_exception(error))
    except Exception as problem:  # a hostile __str__ of the exception or its cause
        return f"<traceback of {type(error).__name__} cannot be shown: {type(problem).__name__}>"
    if len(text) > _MAX_STACK:
        text = f"{text[: _MAX_STACK // 2]}\n… [cut: {len(text)} characters in all]\n{text[-_MAX_STACK // 2 :]}"
    return clean_text(text)


def _is_small(value: dict[Any, Any], limit: int) -> bool:
    """Tell whether it is one of the flat dicts that most inputs and outputs are, at a quarter of `_is_json`'s cost."""
    if len(value) > 16:
        return False
    longest = limit >> 8
    for item in value.values():
        kind = type(item)
        if kind is str:
            if len(item) > longest:
                return False
        elif kind is int:
            if not -_INT64 <= item < _INT64:
                return False
        elif kind is not bool and kind is not float and item is not None:
            return False
    return True


def _is_json(value: Any, budget: int) -> bool:
    """Tell whether it is made of JSON's own types alone and may well fit the budget, looking at no more than that."""
    pending = [value]
    while pending:
        item = pending.pop()
        kind = type(item)
        if kind is str:
            budget -= len(item)
        elif kind is dict:
            budget -= 4 * len(item)
            if budget < 0 or not all(type(key) is str for key in item):
                return False
            pending.extend(item.values())
        elif kind is list or kind is tuple:
            budget -= len(item)
            if budget >= 0:
                pending.extend(item)
        elif kind is int:
            if not -_INT64 <= item < _INT64:
                return False
        elif item is not None and kind is not bool and kind is not float:
            return False
        budget -= 2
        if budget < 0:
            return False
    return True


def _bounded(value: Any, limit: int) -> bytes:
    """Return JSON text within the limit; the budget shrinks until escapes and multi-byte characters fit as well."""
    for share in (1, 2, 6, 24):
        try:
            text = _encode(plain(value, limit // share - 64))
        except Exception as problem:
            return _encode(f"<not recorded: {type(problem).__name__} while reading the value>")
        if len(text) <= limit:
            return text
    return _encode(f"<not recorded: longer than {limit} bytes>")


class _Builder:
    """One walk over a value: a budget of bytes and the containers it is inside of."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._inside: set[int] = set()

    def build(self, value: Any, depth: int) -> Any:
        self._budget -= 4
        try:
            scalar = _scalar(value)
        except Exception as problem:  # a subclass of int, an enum or a path may compute its value
            return self._spend(f"<{_type_name(value)}: {type(problem).__name__} while reading it>")
        if scalar is not NotImplemented:
            return self._spend(scalar)
        if id(value) in self._inside:
            return "<cycle>"
        if depth >= _MAX_DEPTH:
            return self._spend(f"<{_type_name(value)}: deeper than {_MAX_DEPTH} levels>")
        self._inside.add(id(value))
        try:
            return self._container(value, depth)
        except Exception as problem:
            return self._spend(f"<{_type_name(value)}: {type(problem).__name__} while reading it>")
        finally:
            self._inside.discard(id(value))

    def _container(self, value: Any, depth: int) -> Any:
        if isinstance(value, Mapping):
            return self._mapping(value.items(), len(value), depth)
        if isinstance(value, (list, tuple)):
            fields = getattr(value, "_fields", None)
            if fields and isinstance(value, tuple):  # a named tuple
                return self._mapping(zip(fields, value, strict=False), len(value), depth)
            return self._sequence(value, len(value), depth)
        if isinstance(value, (set, frozenset)):
            return self._sequence(value, len(value), depth)
        for reader in _READERS:
            content = reader(value)
            if content is not None:
                return self._mapping(content.items(), len(content), depth)
        return self._spend(_safe_repr(value))

    def _mapping(self, items: Iterable[tuple[Any, Any]], size: int, depth: int) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for count, (key, item) in enumerate(items):
            if self._budget <= 0:
                built["…"] = f"{size - count} of {size} items left out"
                break
            built[self._spend(_key_text(key))] = self.build(item, depth + 1)
        return built

    def _sequence(self, items: Iterable[Any], size: int, depth: int) -> list[Any]:
        built: list[Any] = []
        for count, item in enumerate(items):
            if self._budget <= 0:
                built.append(f"… {size - count} of {size} items left out")
                break
            built.append(self.build(item, depth + 1))
        return built

    def _spend(self, scalar: Any) -> Any:
        if isinstance(scalar, str):
            scalar = cut_text(scalar, max(self._budget, 48))
            self._budget -= len(scalar)
        return scalar


def _scalar(value: Any) -> Any:
    """Return the JSON scalar that stands for the value, or NotImplemented if it has parts."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, enum.Enum):
        return _scalar(value.value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value) if -_INT64 <= value < _INT64 else _huge_text(value)
    if isinstance(value, float):
        return float(value) if value - value == 0 else None
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _bytes_text(value)
    return _text_of_known(value)


def _text_of_known(value: Any) -> Any:
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (decimal.Decimal, uuid.UUID, datetime.timedelta, complex)):
        return str(value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if getattr(type(value), "dtype", None) is not None and getattr(value, "shape", None) == ():
        return _scalar(value.item())  # a scalar of numpy or of a tensor library
    if isinstance(value, type):
        return f"<class {value.__module__}.{value.__qualname__}>"
    return NotImplemented


def _huge_text(value: int) -> str:
    bits = value.bit_length()
    return str(value) if bits <= 1024 else f"<whole number of {bits} bits>"


def _bytes_text(value: bytes | bytearray | memoryview) -> str:
    size = value.nbytes if isinstance(value, memoryview) else len(value)
    head = base64.b64encode(bytes(value[:_BYTES_HEAD])).decode()
    return f"<{size} bytes: base64 {head}{'…' if size > _BYTES_HEAD else ''}>"


def _key_text(key: Any) -> str:
    if type(key) is str:
        return key
    scalar = _scalar(key)
    return _safe_repr(key) if scalar is NotImplemented else str(scalar)


def _type_name(value: Any) -> str:
    return str(type(value).__name__)


def _safe_repr(value: Any) -> str:
    try:
        return cut_text(repr(value), _MAX_REPR)
    except KeyboardInterrupt:
        raise
    except BaseException as problem:  # a __repr__ may raise anything, SystemExit included
        return f"<{_type_name(value)}: its repr raises {type(problem).__name__}>"


def _read_dataclass(value: Any) -> dict[str, Any] | None:
    if not dataclasses.is_dataclass(value):
        return None
    return {item.name: getattr(value, item.name, None) for item in dataclasses.fields(value)}


def _read_struct(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, msgspec.Struct):
        return None
    return {name: getattr(value, name, None) for name in value.__struct_fields__}


def _read_attrs(value: Any) -> dict[str, Any] | None:
    fields = getattr(type(value), "__attrs_attrs__", None)
    return None if fields is None else {item.name: getattr(value, item.name, None) for item in fields}


def _read_pydantic(value: Any) -> dict[str, Any] | None:
    """Read a pydantic model, version 2 or 1, by the attributes each keeps its fields in."""
    kind = type(value)
    names = kind.__dict__.get("__pydantic_fields__")
    if names is None and hasattr(kind, "__validators__"):
        names = getattr(kind, "__fields__", None)
    if not isinstance(names, dict):
        return None
    extra: dict[str, Any] = getattr(value, "model_extra", None) or {}
    return {name: getattr(value, name, None) for name in itertools.chain(names, extra)}


def _read_array(value: Any) -> dict[str, Any] | None:
    """Read numpy arrays and scalars, and what looks like them (torch, jax, pandas Series): shape, dtype and head."""
    kind = type(value)
    if not (hasattr(kind, "dtype") and hasattr(kind, "shape")):
        return None
    head = value.flat[:8].tolist() if hasattr(kind, "flat") else _safe_repr(value)
    return {"type": kind.__name__, "dtype": str(value.dtype), "shape": list(value.shape), "head": head}


def _read_exception(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, BaseException):
        return None
    return {"type": _type_name(value), "message": message_of(value)}


def message_of(error: BaseException) -> str:
    """Return the exception's text. Never raises."""
    try:
        return cut_text(str(error), _MAX_REPR * 4)
    except KeyboardInterrupt:
        raise
    except BaseException as problem:  # a __str__ may raise anything
        return f"<{type(error).__name__}: its text raises {type(problem).__name__}>"


_READERS: tuple[Callable[[Any], dict[str, Any] | None], ...] = (
    _read_exception,
    _read_struct,
    _read_dataclass,
    _read_attrs,
    _read_pydantic,
    _read_array,
)
