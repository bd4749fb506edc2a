"""Amounts of budgets, in words."""

from __future__ import annotations

import pytest

from milepost_collector.controller.engine.budgets.amounts import of_limit, spoken


@pytest.mark.parametrize(
    ("measure", "amount", "text"),
    [("usd", 1_250_000_000, "$1.25"), ("tokens", 8_000, "8,000 tokens"), ("wall_ms", 600_000, "10 min of running"),
     ("tool_calls", 3, "3 tool calls")],
)  # fmt: skip
def test_amount_is_told_with_what_it_is_of(measure: str, amount: int, text: str) -> None:
    assert spoken(measure, amount) == text


@pytest.mark.parametrize(
    ("measure", "amount", "limit", "text"),
    [("usd", 0, 4_000_000_000, "$0.00 of $4.00"), ("tokens", 800, 8_000, "800 of 8,000 tokens"),
     ("wall_ms", 0, 264_000, "0 s of 4 min 24 s of running"), ("tool_calls", 3, 50, "3 of 50 tool calls")],
)  # fmt: skip
def test_what_an_amount_is_of_is_told_once(measure: str, amount: int, limit: int, text: str) -> None:
    assert of_limit(measure, amount, limit) == text
