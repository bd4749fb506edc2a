"""Vendors' attribute names to our columns, by one versioned table: `conventions.json`.

Sources of the names: OpenTelemetry semantic conventions for GenAI v1.41.1 and earlier, OpenInference.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import msgspec


class KindRule(msgspec.Struct, frozen=True):
    """An attribute that tells a span's kind, by its value (`values`) or by being there at all (`any`)."""

    attribute: str
    values: dict[str, str] = {}
    any: str | None = None


class Table(msgspec.Struct, frozen=True):
    """The conventions table. Lists are in order of preference."""

    version: int
    kind: list[KindRule]
    text: dict[str, list[str]]
    count: dict[str, list[str]]


class Promoted(NamedTuple):
    """What a span's attributes say about its columns; None where they say nothing."""

    kind: str | None = None
    agent: str | None = None
    model: str | None = None
    provider: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    counts: Mapping[str, int] = {}


@cache
def load_table() -> Table:
    """Return the table that ships with this program."""
    raw = (resources.files("milepost_collector.protocol") / "conventions.json").read_bytes()
    return msgspec.json.decode(raw, type=Table)


def promote(attributes: Mapping[str, Any]) -> Promoted:
    """Return the columns that the attributes state under any known name."""
    places = _places()
    found: dict[str, Any] = {}
    ranks: dict[str, int] = {}
    for name, value in attributes.items():
        place = places.get(name)
        if place and place.rank < ranks.get(place.column, len(places)) and _fits(value, place.is_count):
            found[place.column], ranks[place.column] = value, place.rank
    counts = {column: found.pop(column) for column in load_table().count if column in found}
    return Promoted(kind=_kind(attributes), **found, counts=counts)


class Place(NamedTuple):
    """Where an attribute's value belongs. rank: its place in the order of preference."""

    column: str
    rank: int
    is_count: bool


@cache
def _places() -> dict[str, Place]:
    """Return the table turned round: spans have some fifteen attributes, and the table has more names than that."""
    table = load_table()
    return {
        name: Place(column, rank, columns is table.count)
        for columns in (table.text, table.count)
        for column, names in columns.items()
        for rank, name in enumerate(names)
    }


def _fits(value: Any, is_count: bool) -> bool:
    if is_count:  # bool is an int to Python, and True is not one token
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return isinstance(value, str) and value != ""


def _kind(attributes: Mapping[str, Any]) -> str | None:
    for rule in load_table().kind:
        value = attributes.get(rule.attribute)
        if value is not None and (kind := rule.values.get(str(value), rule.any)):
            return kind
    return None
