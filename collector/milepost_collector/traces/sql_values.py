"""Results of user SQL as JSON values, whatever their type.

Times are cast to text by DuckDB, not read as Python objects: those have no nanoseconds, no infinity, no year 10000, and
intervals no months. So every type has a type it is cast to, and a function from that type's Python value to JSON's.

What a client gets: timestamps as "2026-11-21T07:30:00.123456789Z" (UTC; dates and times of day in ISO 8601 too), NaN
and infinities as null, integers and decimals of any size as numbers, blobs as base64, intervals and all else as text,
structs as objects, lists as arrays, maps as objects with text keys, JSON columns as the text they hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from duckdb.sqltypes import DuckDBPyType

Convert = Callable[[Any], Any]

_AS_THEY_ARE = frozenset({
    "boolean", "tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger", "ubigint", "float",
    "double", "varchar", "decimal", "blob", "enum",
})  # fmt: skip
_TIMESTAMPS = frozenset({
    "timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone", "timestamp_tz",
})  # fmt: skip
_STAMP = re.compile(
    r"(?P<date>\d{4,}-\d\d-\d\d) (?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?(?P<zone>[+-]\d\d(?::\d\d)?)?"
)
_LARGEST = 2**64 - 1
_SMALLEST = -(2**63)


def cast_expression(column: str, kind: DuckDBPyType) -> str:
    """Return the SQL that makes a column readable; the column itself when it is."""
    if kind.id == "timestamp with time zone":
        return f"({column} AT TIME ZONE 'UTC')::VARCHAR"  # nested ones keep the session's zone in their text
    wanted = cast_type(kind)
    return column if wanted == str(kind) else f"CAST({column} AS {wanted})"


def cast_type(kind: DuckDBPyType) -> str:
    """Return the type whose Python values `converter` can turn into JSON's."""
    wanted = _cast_type(kind)
    # A type with unnamed fields, row(1, 2), cannot be written down, so nothing can be cast to it.
    return "VARCHAR" if wanted != str(kind) and _has_unnamed(kind) else wanted


def converter(kind: DuckDBPyType) -> Convert | None:
    """Return the function from a value of the cast type to a JSON value; None when there is nothing to do."""
    if cast_type(kind) == "VARCHAR" and kind.id not in _TIMESTAMPS:
        return None
    return _converter(kind)


def _inner(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    """Return the named types within a nested type."""
    if kind.id not in ("list", "array", "struct", "map"):
        return []
    return [(name, inner) for name, inner in kind.children if isinstance(inner, DuckDBPyType)]


def _has_unnamed(kind: DuckDBPyType) -> bool:
    return any(not name or _has_unnamed(inner) for name, inner in _inner(kind))


def _cast_type(kind: DuckDBPyType) -> str:
    inner = _inner(kind)
    match kind.id:
        case "list":
            return f"{_cast_type(inner[0][1])}[]"
        case "array":
            return f"{_cast_type(inner[0][1])}[{kind.children[1][1]}]"
        case "struct":
            return f"STRUCT({', '.join(f'{_field_name(name)}{_cast_type(of)}' for name, of in inner)})"
        case "map":
            key, value = str(inner[0][1]), _cast_type(inner[1][1])
            return str(kind) if value == str(inner[1][1]) and key == "VARCHAR" else f"MAP(VARCHAR, {value})"
        case "hugeint" | "uhugeint":
            return str(kind)
        case plain if plain in _AS_THEY_ARE:
            return str(kind)
    return "VARCHAR"


def _field_name(name: str) -> str:
    plain = name.isidentifier() and name.isascii() and name.islower()
    return "" if not name else f"{name} " if plain else f"{quoted(name)} "


def _converter(kind: DuckDBPyType) -> Convert | None:
    inner = _inner(kind)
    match kind.id:
        case "list" | "array":
            return _each(_converter(inner[0][1]))
        case "struct" if not inner[0][0]:
            return _items([_converter(of) for _, of in inner])
        case "struct":
            return _fields({name: _converter(of) for name, of in inner})
        case "map":
            return _values(_converter(inner[1][1]))
        case "hugeint" | "uhugeint":
            return _integer
        case plain if plain in _TIMESTAMPS:
            return iso_timestamp
    return None


def quoted(name: str) -> str:
    """Return a name as SQL wants it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def iso_timestamp(text: str | None) -> str | None:
    """Rewrite DuckDB's text of a timestamp; what is none (infinity, years before Christ) stays as it is."""
    if text is None or not (match := _STAMP.fullmatch(text)):
        return text
    zone = match["zone"] or "+00"
    return f"{match['date']}T{match['time']}.{match['fraction'] or '':0<9}{'Z' if zone.startswith('+00') else zone}"


def _integer(value: int | None) -> int | Decimal | None:
    if value is None or _SMALLEST <= value <= _LARGEST:
        return value
    return Decimal(value)  # the encoder writes decimals as numbers of any length


def _each(convert: Convert | None) -> Convert | None:
    if convert is None:
        return None
    return lambda items: None if items is None else [convert(item) for item in items]


def _values(convert: Convert | None) -> Convert:
    def change(items: dict[str, Any] | None) -> dict[str, Any] | None:
        if items is None:
            return None
        return {str(key): convert(value) if convert else value for key, value in items.items()}

    return change


def _items(converters: list[Convert | None]) -> Convert | None:
    if not any(converters):
        return None

    def change(items: tuple[Any, ...] | None) -> list[Any] | None:
        if items is None:
            return None
        return [convert(item) if convert else item for convert, item in zip(converters, items, strict=True)]

    return change


def _fields(converters: dict[str, Convert | None]) -> Convert | None:
    active = {name: convert for name, convert in converters.items() if convert}
    if not active:
        return None
    return lambda item: None if item is None else {**item, **{name: run(item[name]) for name, run in active.items()}}
