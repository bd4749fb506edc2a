"""How figures, times and foreign text are written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.cli.render import clean, cost, duration, one_line, started, tokens

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [
        (None, ""),
        (0, "0 µs"),
        (0.85, "850 µs"),
        (12.34, "12.3 ms"),
        (999.9, "1 s"),
        (4560, "4.56 s"),
        (59_999, "60 s"),
        (125_000, "2 min 05 s"),
        (11_220_000, "3 h 07 min"),
    ],
)
def test_duration_is_written_in_the_unit_that_suits_it(milliseconds: float | None, written: str):
    assert duration(milliseconds) == written


@given(st.floats(0, 1e12))
def test_duration_never_falls_back_to_an_exponent(milliseconds: float):
    assert "e" not in duration(milliseconds)


@pytest.mark.parametrize(
    ("count", "written"), [(None, ""), (0, "0"), (9999, "9999"), (12_400, "12.4k"), (3_100_000, "3.1M")]
)
def test_tokens_are_shortened_from_ten_thousand(count: int | None, written: str):
    assert tokens(count) == written


@pytest.mark.parametrize(("usd", "written"), [(None, ""), (0.0, "$0.00"), (0.00123, "$0.0012"), (12.345, "$12.35")])
def test_cost_distinguishes_unknown_from_nothing(usd: float | None, written: str):
    assert cost(usd) == written


@pytest.mark.parametrize(
    ("iso", "written"),
    [
        ("2026-11-21T11:59:30.000000000Z", "30 s ago"),
        ("2026-11-21T11:15:00Z", "45 min ago"),
        ("2026-11-21T07:00:00.5Z", "5 h ago"),
        ("2026-11-19T12:00:00.123456789Z", "2026-11-19 12:00"),
        ("2026-11-21T12:00:10Z", "2026-11-21 12:00"),
    ],
)
def test_start_is_relative_within_a_day(iso: str, written: str):
    assert started(iso, NOW) == written


@given(st.text())
def test_foreign_text_cannot_steer_the_terminal(text: str):
    assert not any((ord(char) < 32 and char not in "\t\n") or 0x7F <= ord(char) <= 0x9F for char in clean(text))


def test_one_line_folds_lines_and_marks_what_it_cut():
    assert one_line("a\n b\tc") == "a b c"
    assert one_line("x" * 200, 10) == "x" * 9 + "…"
