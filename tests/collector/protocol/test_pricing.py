"""Costs: as the price table says, for any counts, with their source; unknown is unpriced and never 0."""

from __future__ import annotations

import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.wire import Usage
from milepost_collector.protocol.pricing import find_tariff, price_items, total

NOW = 1_790_000_000_000_000_000
DAY = NOW // 86_400_000_000_000
MODELS = ["gpt-4o-mini", "gpt-5", "o3", "claude-sonnet-4-0", "claude-sonnet-4-5", "gemini-2.5-pro", "gemini-1.5-pro"]


@given(
    model=st.sampled_from(MODELS),
    fresh=st.integers(0, 300_000) | st.sampled_from([128_000, 199_999, 200_000, 200_001]),
    read=st.integers(0, 100_000),
    written=st.integers(0, 1000),
    output=st.integers(0, 100_000),
)
def test_computed_cost_is_what_the_price_table_says(
    model: str, fresh: int, read: int, written: int, output: int
) -> None:
    counts = {
        "input_tokens": fresh + read + written,
        "output_tokens": output,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
    }
    (item,) = price_items([Usage(model=model, **counts)], NOW)
    said = genai_prices.calc_price(genai_prices.Usage(**counts), model)
    assert item.cost_source == "computed"
    assert item.cost_usd == pytest.approx(float(said.total_price), rel=1e-9, abs=1e-12)


def test_reported_cost_stands() -> None:
    (item,) = price_items([Usage(model="gpt-4o-mini", input_tokens=10, cost_usd=0.5)], NOW)
    assert (item.cost_source, item.cost_usd) == ("reported", 0.5)


@pytest.mark.parametrize("usage", [Usage(model="nobody-knows-it", input_tokens=10), Usage(input_tokens=10)])
def test_unknown_model_is_unpriced_and_not_free(usage: Usage) -> None:
    (item,) = price_items([usage], NOW)
    assert (item.cost_source, item.cost_usd) == ("unpriced", None)


def test_provider_unknown_to_the_table_does_not_hide_the_model() -> None:
    (item,) = price_items([Usage(model="gpt-4o-mini", provider="my-gateway", input_tokens=10)], NOW)
    assert item.cost_source == "computed"


def test_price_names_the_table_its_version_and_the_day() -> None:
    tariff = find_tariff("gpt-4o-mini", "openai", DAY)
    assert tariff is not None
    assert tariff.id == f"genai-prices {genai_prices.__version__} openai/gpt-4o-mini"
    assert tariff.date == "2026-09-21"


def test_cached_tokens_beyond_the_input_are_counted_apart() -> None:
    (apart,) = price_items([Usage(model="gpt-4o-mini", input_tokens=10, cache_read_tokens=100)], NOW)
    (inside,) = price_items([Usage(model="gpt-4o-mini", input_tokens=110, cache_read_tokens=100)], NOW)
    assert apart.cost_usd == inside.cost_usd


def test_total_adds_up_models_and_tells_the_weakest_source() -> None:
    items = price_items(
        [
            Usage(model="gpt-4o-mini", provider="openai", input_tokens=10, output_tokens=1, cost_usd=0.25),
            Usage(model="nobody-knows-it", input_tokens=1000, reasoning_tokens=3),
        ],
        NOW,
    )
    totals = total(items)
    assert (totals.model, totals.input_tokens, totals.output_tokens) == ("nobody-knows-it", 1010, 1)
    assert (totals.reasoning_tokens, totals.cost_usd, totals.cost_source) == (3, 0.25, "unpriced")
