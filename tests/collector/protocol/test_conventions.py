"""Vendors' attribute names to our columns."""

from __future__ import annotations

from typing import Any

import pytest

from milepost_collector.protocol.conventions import load_table, promote
from milepost_collector.protocol.rows import LIVE_COLUMNS, SPAN_COLUMNS


def test_every_column_of_the_table_exists() -> None:
    table = load_table()
    assert set(table.text) <= set(LIVE_COLUMNS) | {"model", "provider"}
    assert set(table.count) <= set(SPAN_COLUMNS)


def test_no_attribute_means_two_columns() -> None:
    table = load_table()
    names = [name for columns in (table.text, table.count) for listed in columns.values() for name in listed]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("attributes", "column", "value"),
    [
        ({"gen_ai.request.model": "asked", "gen_ai.response.model": "answered"}, "model", "answered"),
        ({"gen_ai.response.model": "answered", "gen_ai.request.model": "asked"}, "model", "answered"),
        ({"gen_ai.response.model": "", "gen_ai.request.model": "asked"}, "model", "asked"),
        ({"gen_ai.system": "openai"}, "provider", "openai"),
        ({"session.id": "s"}, "session_id", "s"),
        ({"user.id": 7}, "user_id", None),
        ({"openinference.span.kind": "LLM"}, "kind", "llm"),
        ({"gen_ai.operation.name": "execute_tool"}, "kind", "tool"),
        ({"gen_ai.operation.name": "unheard_of", "http.request.method": "GET"}, "kind", "http"),
        ({}, "kind", None),
    ],
)
def test_attributes_state_columns_by_preference(attributes: dict[str, Any], column: str, value: str | None) -> None:
    assert getattr(promote(attributes), column) == value


@pytest.mark.parametrize(
    ("value", "counted"),
    [(12, True), (0, True), (-1, False), (True, False), ("12", False), (1.5, False), (2**60, False)],
)
def test_only_counts_are_counted(value: Any, counted: bool) -> None:
    assert promote({"gen_ai.usage.input_tokens": value}).counts == ({"input_tokens": value} if counted else {})
