"""Costs: as the price table says, for any counts, with their source; unknown is unpriced and never 0."""

from __future__ import annotations

from operator import mul

import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.wire import Usage
from milepost_collector.protocol.price_file import parse_prices
from milepost_collector.protocol.pricing import (
    BUNDLED,
    PriceBook,
    buckets_of,
    cost_of,
    find_tariff,
    price_items,
    reprice,
    total,
)

NOW = 1_790_000_000_000_000_000
MODELS = ["gpt-4o-mini", "gpt-5", "o3", "claude-sonnet-4-0", "claude-sonnet-4-5", "gemini-2.5-pro", "gemini-1.5-pro"]
HOUR = 3_600_000_000_000


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


def test_reported_cost_stands_with_the_computed_one_beside_it() -> None:
    (item,) = price_items([Usage(model="gpt-4o-mini", input_tokens=1_000_000, cost_usd=0.5)], NOW)
    assert (item.cost_source, item.cost_usd, item.computed_cost_usd) == ("reported", 0.5, pytest.approx(0.15))


def test_reported_cost_without_tokens_has_no_computed_one() -> None:
    (item,) = price_items([Usage(model="gpt-4o-mini", cost_usd=0.5)], NOW)
    assert (item.cost_usd, item.computed_cost_usd, item.price_id) == (0.5, None, None)


@pytest.mark.parametrize("usage", [Usage(model="nobody-knows-it", input_tokens=10), Usage(input_tokens=10)])
def test_unknown_model_is_unpriced_and_not_free(usage: Usage) -> None:
    (item,) = price_items([usage], NOW)
    assert (item.cost_source, item.cost_usd) == ("unpriced", None)


def test_provider_unknown_to_the_table_does_not_hide_the_model() -> None:
    (item,) = price_items([Usage(model="gpt-4o-mini", provider="my-gateway", input_tokens=10)], NOW)
    assert item.cost_source == "computed"


def test_price_names_the_table_its_version_and_the_day() -> None:
    tariff = find_tariff("gpt-4o-mini", "openai", NOW)
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


@given(
    inputs=st.integers(0, 1000), read=st.integers(0, 1000), output=st.integers(0, 1000), thought=st.integers(0, 1000)
)
def test_buckets_hold_every_token_once_and_are_what_is_charged(
    inputs: int, read: int, output: int, thought: int
) -> None:
    usage = Usage(input_tokens=inputs, cache_read_tokens=read, output_tokens=output, reasoning_tokens=thought)
    found = buckets_of(usage)
    tariff = find_tariff("gpt-4o-mini", "openai", NOW)
    assert tariff is not None
    rates = tariff.rates[0]
    charged = (rates.input, rates.cache_read, rates.cache_write, rates.output, rates.reasoning)
    assert cost_of(usage, tariff) == pytest.approx(sum(map(mul, found, charged)), rel=1e-12)
    assert min(found) >= 0
    assert found.input + found.cache_read in (inputs, inputs + read)
    assert found.output + found.reasoning in (output, output + thought)


def test_reasoning_with_a_price_of_its_own_is_charged_by_it() -> None:
    (item,) = price_items(
        [Usage(model="sonar-deep-research", provider="perplexity", output_tokens=100, reasoning_tokens=40)], NOW
    )
    assert item.cost_usd == pytest.approx((60 * 8 + 40 * 3) / 1e6)


@pytest.mark.parametrize(
    ("model", "provider", "known_as"),
    [
        ("gpt-4o-mini-2024-07-18", None, "openai/gpt-4o-mini"),
        ("ft:gpt-4o-mini-2024-07-18:org::id", "openai", "openai/ft:gpt-4o-mini"),
        ("openai/gpt-4o-mini", None, "openai/gpt-4o-mini"),
        ("openai/gpt-4o-mini", "openai", "openai/gpt-4o-mini"),
        ("gpt-5-mini", "openai.responses", "openai/gpt-5-mini"),
        ("models/gemini-2.0-flash", "gcp.gemini", "google/gemini-2.0-flash"),
        ("gemini-2.0-flash", "gcp.vertex_ai", "google/gemini-2.0-flash"),
        ("gemini-2.0-flash", "google.generative-ai", "google/gemini-2.0-flash"),
        ("vertex_ai/gemini-2.0-flash", None, "google/gemini-2.0-flash"),
        ("anthropic/claude-sonnet-4-5", None, "anthropic/claude-sonnet-4-5"),
        ("claude-sonnet-4-5", "anthropic.messages", "anthropic/claude-sonnet-4-5"),
        ("claude-sonnet-4-5@20250929", "gcp.vertex_ai", "google/claude-sonnet-4-5"),
        ("gpt-4o", "azure.ai.openai", "azure/gpt-4o"),
        ("azure/gpt-4o", None, "azure/gpt-4o"),
        ("mistral-large-latest", "mistral_ai", "mistral/mistral-large"),
        ("grok-3", "x_ai", "x-ai/grok-3"),
        ("grok-3", "xai.chat", "x-ai/grok-3"),
        ("groq/llama-3.3-70b-versatile", None, "groq/llama-3.3-70b-versatile"),
        ("llama-3.3-70b-versatile", "groq.chat", "groq/llama-3.3-70b-versatile"),
        ("accounts/fireworks/models/deepseek-v3p2", None, "fireworks/deepseek-v3p2"),
        ("accounts/fireworks/models/deepseek-v3p2", "fireworks_ai", "fireworks/deepseek-v3p2"),
        ("gpt-4o-mini", "strands-agents", "openai/gpt-4o-mini"),
        ("text-embedding-3-small", "openai", "openai/text-embedding-3-small"),
    ],
)
def test_model_is_found_under_the_names_instrumentations_use(model: str, provider: str | None, known_as: str) -> None:
    tariff = find_tariff(model, provider, NOW)
    assert tariff is not None
    assert tariff.id.rpartition(" ")[2] == known_as


@pytest.mark.parametrize("provider", ["aws.bedrock", "bedrock", "amazon-bedrock", None, "strands-agents"])
def test_bedrock_model_is_found_with_its_region(provider: str | None) -> None:
    tariff = find_tariff("us.anthropic.claude-3-5-sonnet-20241022-v2:0", provider, NOW)
    assert tariff is not None
    assert tariff.id.rpartition(" ")[2].startswith("aws/")


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("mistral-large-latest", "ollama"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "vllm"),
        ("gpt-err429", "openai"),
        ("", None),
        ("/", "openai"),
    ],
)
def test_model_without_a_list_price_is_unpriced(model: str, provider: str | None) -> None:
    assert find_tariff(model, provider, NOW) is None


def test_price_that_depends_on_the_hour_is_that_of_the_hour() -> None:
    midnight = 1_755_561_600_000_000_000  # 2025-08-19; the off-peak discount ended in September 2025
    dear, cheap = (find_tariff("deepseek-chat", "deepseek", midnight + hour * HOUR) for hour in (12, 20))
    assert dear is not None
    assert cheap is not None
    assert dear.rates[0].input > cheap.rates[0].input


OWN = PriceBook(
    parse_prices(
        """
[[prices]]
model = "our-llama-*"
input = 0.2
output = 0.6
cache_read = 0.02

[[prices]]
model = "gpt-4o-mini"
provider = "azure"
from = 2026-09-01
input = 1
output = 2
"""
    )
)


def test_own_price_prices_an_unknown_model_and_names_its_entry() -> None:
    (item,) = price_items([Usage(model="Our-Llama-70B", input_tokens=1000, cache_read_tokens=900)], NOW, OWN)
    assert item.cost_usd == pytest.approx((100 * 0.2 + 900 * 0.02) / 1e6)
    assert (item.price_id, item.price_date) == ("milepost.toml our-llama-*", "2026-09-21")


def test_own_price_wins_over_the_table_from_its_day_and_at_its_provider() -> None:
    day = 24 * HOUR
    assert [
        price_items([Usage(model="gpt-4o-mini", provider=provider, input_tokens=1_000_000)], when, OWN)[0].cost_usd
        for provider, when in [("azure.ai.openai", NOW), ("openai", NOW), ("azure", NOW - 30 * day)]
    ] == pytest.approx([1.0, 0.15, 0.15], rel=0.2)


def test_reprice_computes_anew_and_leaves_what_was_reported() -> None:
    usage = [Usage(model="our-llama-7b", input_tokens=1_000_000), Usage(model="o3", input_tokens=5, cost_usd=0.5)]
    before = price_items(usage, NOW)
    after = reprice(before, NOW, OWN)
    assert [item.cost_source for item in before] == ["unpriced", "reported"]
    assert [(item.cost_source, item.cost_usd) for item in after] == [("computed", 0.2), ("reported", 0.5)]
    assert reprice(after, NOW, BUNDLED) == before
