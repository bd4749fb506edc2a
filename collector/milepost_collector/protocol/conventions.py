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
    table = load_table()
    texts = {column: _first_text(attributes, names) for column, names in table.text.items()}
    counts = {column: _first_count(attributes, names) for column, names in table.count.items()}
    return Promoted(
        kind=_kind(attributes, table.kind),
        **texts,
        counts={column: count for column, count in counts.items() if count is not None},
    )


def _kind(attributes: Mapping[str, Any], rules: list[KindRule]) -> str | None:
    for rule in rules:
        value = attributes.get(rule.attribute)
        if value is not None and (kind := rule.values.get(str(value), rule.any)):
            return kind
    return None


def _first_text(attributes: Mapping[str, Any], names: list[str]) -> str | None:
    for name in names:
        value = attributes.get(name)
        if isinstance(value, str) and value:
            return value
    return None


def _first_count(attributes: Mapping[str, Any], names: list[str]) -> int | None:
    for name in names:
        value = attributes.get(name)
        # bool is an int to Python, and True is not one token
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53:
            return value
    return None
