"""The delay of scheduled starts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.controller.calendar.jitter import jitter_ms


@given(st.text(), st.integers(0, 2**45), st.integers(0, 10**9))
def test_jitter_is_within_bounds_and_the_same_again(schedule_id: str, nominal_at: int, max_jitter_ms: int) -> None:
    delay_ms = jitter_ms(schedule_id, nominal_at, max_jitter_ms)
    assert 0 <= delay_ms <= max_jitter_ms
    assert jitter_ms(schedule_id, nominal_at, max_jitter_ms) == delay_ms


def test_jitter_is_the_same_in_every_version() -> None:
    assert [jitter_ms("s1", 1_800_000_000_000, 1000), jitter_ms("s2", 1_800_000_000_000, 1000)] == [384, 723]


def test_jitter_is_spread_over_the_whole_range() -> None:
    delays = [jitter_ms("nightly", minute * 60_000, 9) for minute in range(2000)]
    assert all(120 < delays.count(delay_ms) < 280 for delay_ms in range(10))


def test_jitter_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="max_jitter_ms must be at least 0, got -1; use 0"):
        jitter_ms("s1", 0, -1)
