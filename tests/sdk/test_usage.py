"""Tokens and cost are added up per model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost._usage import UsageTotals

calls = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 10_000), st.none() | st.integers(0, 10_000))
)


@given(calls)
def test_sums_per_model_are_exact_and_unknown_stays_unknown(given_calls):
    totals = UsageTotals()
    for model, tokens_in, tokens_out in given_calls:
        totals.add(model, "p", {"input_tokens": tokens_in, "output_tokens": tokens_out}, None)
    for usage in totals.items():
        own = [call for call in given_calls if call[0] == usage.model]
        known = [call[2] for call in own if call[2] is not None]
        assert usage.input_tokens == sum(call[1] for call in own)
        assert usage.output_tokens == (sum(known) if known else None)
        assert usage.cost_usd is None
    assert len(totals.items()) == len({call[0] for call in given_calls})


@pytest.mark.parametrize("tokens", [-1, 1.5, "many", float("nan")])
def test_impossible_number_of_tokens_is_refused_whole(tokens):
    totals = UsageTotals()
    with pytest.raises(ValueError):
        totals.add("m", None, {"input_tokens": 3, "output_tokens": tokens}, None)
    assert totals.items() == []


@pytest.mark.parametrize("cost", [-0.1, float("inf"), float("nan")])
def test_impossible_cost_is_refused(cost):
    with pytest.raises(ValueError, match="cost_usd must be a finite number"):
        UsageTotals().add("m", None, {}, cost)
