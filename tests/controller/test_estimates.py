"""What is expected of tasks, as properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.controller.estimates import (
    MIN_GAPS,
    MIN_SAMPLES,
    SHORTEST_STALL_MS,
    Ended,
    expected_of_queued,
    expected_of_running,
    like,
    quantile,
    stall_after_ms,
)

TIMES = st.integers(0, 10**10)
ENDED = st.builds(Ended, TIMES, TIMES, st.sampled_from(["a", "b", None]))
ENOUGH = st.lists(ENDED, min_size=MIN_SAMPLES, max_size=60)


@given(st.lists(TIMES, min_size=1), st.floats(0, 1))
def test_quantile_occurred_and_enough_values_do_not_exceed_it(values: list[int], share: float):
    values.sort()
    found = quantile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


@given(st.lists(TIMES, min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_quantiles_rise_with_the_share(values: list[int], one: float, other: float):
    values.sort()
    assert quantile(values, min(one, other)) <= quantile(values, max(one, other))


def test_quantile_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        quantile([], 0.5)


@given(st.lists(ENDED, max_size=MIN_SAMPLES - 1))
def test_nothing_is_expected_of_too_few(ended: list[Ended]):
    assert like(ended, "a") is None


@given(ENOUGH, st.sampled_from(["a", "b", "c", None]))
def test_the_same_agents_tasks_are_taken_when_there_are_enough(ended: list[Ended], agent: str | None):
    known = like(ended, agent)
    own = [one for one in ended if agent is not None and one.agent == agent]
    assert known is not None
    assert known.of == ("agent" if len(own) >= MIN_SAMPLES else "name")
    assert len(known.runs_ms) == (len(own) if known.of == "agent" else len(ended))


@given(ENOUGH, TIMES, TIMES)
def test_completion_lies_ahead_and_the_p90_after_the_median(ended: list[Ended], started: int, passed: int):
    known = like(ended, None)
    assert known is not None
    now = started + passed
    running, queued = expected_of_running(known, started, now), expected_of_queued(known, started, now)
    assert (running is None) == (passed > max(known.runs_ms))
    for expected in filter(None, (running, queued)):
        assert now <= expected.median_at <= expected.p90_at


@given(st.lists(TIMES, max_size=200))
def test_a_stall_is_longer_than_nearly_all_gaps(gaps: list[int]):
    found = stall_after_ms(gaps)
    assert (found is None) == (len(gaps) < MIN_GAPS)
    if found is not None:
        assert found >= SHORTEST_STALL_MS
        assert sum(gap > found for gap in gaps) <= len(gaps) / 100
