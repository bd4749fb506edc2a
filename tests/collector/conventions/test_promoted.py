"""Columns that attributes state on spans of Milepost's own API."""

from __future__ import annotations

from typing import Any

import pytest

from milepost_collector.protocol.conventions import promote


@pytest.mark.parametrize(
    ("attributes", "column", "value"),
    [
        ({"gen_ai.request.model": "asked", "gen_ai.response.model": "answered"}, "model", "answered"),
        ({"gen_ai.response.model": "answered", "gen_ai.request.model": "asked"}, "model", "answered"),
        ({"gen_ai.response.model": "", "gen_ai.request.model": "asked"}, "model", "asked"),
        ({"gen_ai.system": "openai"}, "provider", "openai"),
        ({"session.id": "s"}, "session_id", "s"),
        ({"user.id": 7}, "user_id", "7"),
        ({"openinference.span.kind": "LLM"}, "kind", "llm"),
        ({"gen_ai.operation.name": "execute_tool"}, "kind", "tool"),
        ({"gen_ai.operation.name": "unheard_of", "http.request.method": "GET"}, "kind", "http"),
        ({}, "kind", None),
    ],
)
def test_attributes_state_columns_by_preference(attributes: dict[str, Any], column: str, value: str | None) -> None:
    assert getattr(promote(attributes), column) == value


@pytest.mark.parametrize(
    ("value", "counts"),
    [(12, 12), (0, 0), ("12", 12), (12.0, 12), (-1, None), (True, None), (1.5, None), (2**60, None), ("many", None)],
)
def test_only_counts_are_counted(value: Any, counts: int | None) -> None:
    said = promote({"gen_ai.usage.input_tokens": value})
    assert said.counts == ({} if counts is None else {"input_tokens": counts})
