"""The user's price file: what it may say, which entry holds, and how it tells what is wrong."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.protocol.price_file import PriceFileError, entry_tariff, parse_prices

DAY = 20_700  # 2026-09-04


def entry(model: str, price: float, *more: str) -> str:
    """Return an entry whose input price tells which one it is."""
    return "\n".join(["[[prices]]", f'model = "{model}"', f"input = {price}", "output = 1", *more, ""])


def chosen(text: str, model: str, provider: str | None = None, day: int = DAY) -> float | None:
    """Return the input price of the entry that holds, USD per million."""
    tariff = entry_tariff(parse_prices(text), model, provider, day)
    return None if tariff is None else round(tariff.rates[0].input * 1e6, 6)


def test_empty_file_has_no_entries() -> None:
    assert parse_prices("# nothing yet\n") == []


@pytest.mark.parametrize("model", ["our-7b", "OUR-70B", "vllm/our-7b"])
def test_pattern_matches_names_with_prefix_and_capitals(model: str) -> None:
    assert chosen(entry("our-*", 3), model) == 3


def test_other_models_have_no_entry() -> None:
    assert chosen(entry("our-*", 3), "yours-7b") is None


def test_exact_name_wins_over_pattern_wherever_it_stands() -> None:
    assert chosen(entry("our-7b", 1) + entry("our-*", 2), "our-7b") == 1


def test_entry_of_the_provider_wins_over_one_for_any() -> None:
    text = entry("our-7b", 1, 'provider = "bedrock"') + entry("our-7b", 2)
    assert [chosen(text, "our-7b", "aws.bedrock"), chosen(text, "our-7b", "x"), chosen(text, "our-7b")] == [1, 2, 2]


def test_latest_entry_that_has_begun_holds() -> None:
    text = entry("m", 1) + entry("m", 3, "from = 2027-01-01") + entry("m", 2, "from = 2026-09-04")
    assert [chosen(text, "m", day=day) for day in (DAY - 1, DAY, DAY + 365)] == [1, 2, 3]


def test_last_of_equal_entries_holds() -> None:
    assert chosen(entry("m", 1) + entry("m", 2), "m") == 2


def test_left_out_prices_follow_input_and_output() -> None:
    (found,) = parse_prices(entry("m", 4))
    assert found.rates[0][1:] == pytest.approx((4e-6, 1e-6, 4e-6, 4e-6, 1e-6))


def test_tiers_hold_above_their_number_of_tokens() -> None:
    (found,) = parse_prices(entry("m", 4, "[[prices.tiers]]", "above = 200_000", "input = 8", "output = 2"))
    assert [(rates.above, rates.input) for rates in found.rates] == [(-1, 4e-6), (200_000, 8e-6)]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[[prices]]\nmodel = \n", 2, "not valid TOML"),
        ('[[price]]\nmodel = "m"\n', 1, "unknown table 'price'; prices are written as [[prices]]"),
        ("\n[prices]\ninput = 1\n", 2, "headed by [[prices]]"),
        ("\n[[prices]]\ninput = 1\noutput = 1\n", 2, "model is missing"),
        ('[[prices]]\nmodel = "m"\ninput = 1\n', 1, "output is missing; give USD per million tokens"),
        ('[[prices]]\nmodel = "m"\ninput = "1"\noutput = 1\n', 3, "input is '1' and must be a number"),
        ('[[prices]]\nmodel = "m"\ninput = 1\noutput = -2\n', 4, "output is -2 and must be between 0 and 1e+06"),
        ('[[prices]]\nmodel = "m"\ninput = nan\noutput = 1\n', 3, "input is nan"),
        ('[[prices]]\nmodel = "m"\nfrom = "2026-01-01"\ninput = 1\noutput = 1\n', 3, "a date without quotes"),
        ('[[prices]]\nmodel = " "\ninput = 1\noutput = 1\n', 2, "must be text that is not empty"),
        (entry("a", 1) + entry("b", 1, "inputs = 3"), 9, "unknown key 'inputs'; known are model, provider"),
        (entry("m", 1, "[[prices.tiers]]", "above = 0", "input = 1", "output = 1"), 6, "above is 0"),
        (
            entry("m", 1, *(["[[prices.tiers]]", "above = 5", "input = 1", "output = 1"] * 2)),
            10,
            "above is 5 after 5; order tiers from low to high",
        ),
    ],
)
def test_error_names_line_value_and_remedy(text: str, line: int, words: str) -> None:
    with pytest.raises(PriceFileError) as caught:
        parse_prices(text)
    assert (caught.value.line, str(caught.value).startswith(f"line {line}: ")) == (line, True)
    assert words in str(caught.value)


def test_error_in_an_inline_table_is_told_without_a_line() -> None:
    with pytest.raises(PriceFileError, match=r"^input is missing"):
        parse_prices('prices = [{ model = "m", output = 1 }]')


@given(text=st.text(max_size=60) | st.text(alphabet='[]prices.tiers="\n model input output 0123456789*-', max_size=90))
def test_any_text_is_entries_or_an_error_that_says_why(text: str) -> None:
    with suppress(PriceFileError):
        assert isinstance(parse_prices(text), list)
