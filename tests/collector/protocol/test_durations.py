"""Lengths of time as sentences say them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.protocol.durations import spoken

UNITS_MS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
LONGEST_MS = 400 * UNITS_MS["d"]


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [
        (-5, "0 s"), (0, "0 s"), (850, "850 ms"), (1_500, "1.5 s"), (8_000, "8 s"), (9_970, "10 s"),
        (59_600, "1 min"), (119_000, "1 min 59 s"), (264_000, "4 min 24 s"), (600_000, "10 min"),
        (3_599_700, "1 h"), (12_600_000, "3 h 30 min"), (86_399_000, "1 d"), (172_800_000, "2 d"),
        (185_000_000, "2 d 3 h"),
    ],
)  # fmt: skip
def test_length_of_time_is_spoken(duration_ms: int, text: str) -> None:
    assert spoken(duration_ms) == text


def told_ms(text: str) -> float:
    """Return how long a text says that something takes."""
    parts = re.findall(r"([\d.]+) (ms|s|min|h|d)", text)
    assert " ".join(f"{number} {unit}" for number, unit in parts) == text
    return sum(float(number) * UNITS_MS[unit] for number, unit in parts)


@given(st.integers(0, LONGEST_MS))
def test_text_is_off_by_less_than_a_twentieth(duration_ms: int) -> None:
    assert abs(told_ms(spoken(duration_ms)) - duration_ms) <= duration_ms / 20


@given(st.integers(0, LONGEST_MS), st.integers(0, LONGEST_MS))
def test_longer_is_never_told_as_shorter(one: int, other: int) -> None:
    assert told_ms(spoken(min(one, other))) <= told_ms(spoken(max(one, other)))


@given(st.integers(1_000, LONGEST_MS))
def test_text_has_at_most_two_units_and_none_of_them_zero(duration_ms: int) -> None:
    numbers = re.findall(r"[\d.]+", spoken(duration_ms))
    assert len(numbers) <= 2
    assert all(float(number) for number in numbers)
