"""What holds of the instants of every cadence, and how much work long windows may be."""

from __future__ import annotations

from itertools import islice, pairwise
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost_collector.controller.calendar.cadence import LATEST_AT, Cadence, Cron, Interval, Once
from milepost_collector.controller.calendar.instants import (
    count,
    falling,
    instants,
    latest_at_or_before,
    next_instants,
    previous,
    rising,
)
from tests.controller.calendar.oracle import at

DAY_MS = 86_400_000
FIRST, END = at("2000-01-01"), at("2040-01-01")
CRONS = st.builds(
    Cron,
    expression=st.sampled_from(
        [
            "*/5 * * * *",
            "30 1,2 * * *",
            "0 0 * * *",
            "15,45 0-6/2 1,15 * sun",
            "0 0 29 2 *",
            "59 23 L * *",
            "*/7 2 * 3-4 *",
        ]
    ),
    zone=st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Antarctica/Casey"]),
    dst_gap=st.sampled_from(["run_after", "skip"]),
    dst_fold=st.sampled_from(["first", "both", "second"]),
)
CADENCES = (
    CRONS
    | st.builds(Interval, every_ms=st.integers(60_000, 40 * DAY_MS), anchor_at=st.integers(FIRST, END))
    | st.builds(Once, at=st.integers(FIRST, END))
)
# Near the changes of New York in 2026, or anywhere.
MOMENTS = st.integers(FIRST, END) | st.sampled_from(["2026-03-08T07:00", "2026-11-01T06:00"]).flatmap(
    lambda change: st.integers(at(change) - DAY_MS // 4, at(change) + DAY_MS // 4)
)
LENGTHS = st.integers(0, 10 * DAY_MS)


@given(CADENCES, MOMENTS, LENGTHS)
@settings(deadline=None)
def test_instants_are_in_the_window_and_strictly_rising(cadence: Cadence, after_at: int, length_ms: int) -> None:
    found = list(rising(cadence, after_at, after_at + length_ms))
    assert all(after_at < instant <= after_at + length_ms for instant in found)
    assert all(earlier < later for earlier, later in pairwise(found))


@given(CADENCES, MOMENTS, LENGTHS, st.floats(0, 1))
@settings(deadline=None)
def test_splitting_a_window_anywhere_gives_the_same_instants(
    cadence: Cadence, after_at: int, length_ms: int, share: float
) -> None:
    until_at, split_at = after_at + length_ms, after_at + int(length_ms * share)
    whole = list(rising(cadence, after_at, until_at))
    assert list(rising(cadence, after_at, split_at)) + list(rising(cadence, split_at, until_at)) == whole


@given(CADENCES, MOMENTS, LENGTHS)
@settings(deadline=None)
def test_window_reads_the_same_forwards_backwards_and_counted(cadence: Cadence, after_at: int, length_ms: int) -> None:
    until_at = after_at + length_ms
    whole = list(rising(cadence, after_at, until_at))
    assert list(falling(cadence, after_at, until_at)) == whole[::-1]
    assert count(cadence, after_at, until_at) == len(whole)
    assert latest_at_or_before(cadence, until_at, after_at=after_at) == (whole[-1] if whole else None)


@given(CRONS, MOMENTS)
@settings(deadline=None)
def test_stepping_forwards_and_back_leads_to_the_same_instant(cron: Cron, moment: int) -> None:
    first, second = next_instants(cron, moment, 2)
    assert previous(cron, second) == latest_at_or_before(cron, second - 1) == first
    assert latest_at_or_before(cron, second) == second
    assert instants(cron, moment, second, 5) == [first, second]


@pytest.mark.parametrize("after_at", [at("2026-01-01"), at("2026-01-01") - 1, at("2025-12-31T23:59:59.999")])
def test_window_leaves_out_its_start_and_has_its_end(after_at: int) -> None:
    cron = Cron(expression="0 0 * * *")
    expected = [] if after_at == at("2026-01-01") else [at("2026-01-01")]
    assert instants(cron, after_at, at("2026-01-01"), 10) == expected
    assert instants(cron, after_at, at("2026-01-01") - 1, 10) == []


def test_instants_stop_at_the_limit() -> None:
    cron = Cron(expression="* * * * *")
    assert instants(cron, FIRST, END, 3) == [FIRST + 60_000, FIRST + 120_000, FIRST + 180_000]


def test_window_that_ends_before_it_starts_is_empty() -> None:
    for cadence in (Cron(expression="* * * * *"), Interval(every_ms=1000, anchor_at=0), Once(at=FIRST)):
        assert list(rising(cadence, END, FIRST)) == list(falling(cadence, END, FIRST)) == []
        assert count(cadence, END, FIRST) == 0


def test_29_february_comes_after_eight_years_around_2100() -> None:
    cron = Cron(expression="0 12 29 2 *", zone="Europe/Berlin")
    assert next_instants(cron, at("2096-03-01"), 2) == [at("2104-02-29T11:00"), at("2108-02-29T11:00")]
    assert latest_at_or_before(cron, at("2104-02-28")) == at("2096-02-29T11:00")


def test_fifth_monday_of_february_comes_after_forty_years() -> None:
    cron = Cron(expression="0 0 * 2 MON#5")
    assert next_instants(cron, at("2072-03-01"), 1) == [at("2112-02-29")]


def test_instants_end_with_the_year_2499() -> None:
    yearly = Cron(expression="0 0 1 1 *", zone="America/New_York")
    assert next_instants(yearly, at("2498-06-01"), 10) == [at("2499-01-01T05:00")]
    assert next_instants(Interval(every_ms=DAY_MS, anchor_at=0), LATEST_AT - DAY_MS - 1, 10) == [LATEST_AT - DAY_MS]


def test_instants_begin_with_the_year_1970() -> None:
    cron = Cron(expression="0 0 * * *", zone="Asia/Tokyo")
    assert latest_at_or_before(cron, at("1970-01-01T15:00")) == at("1970-01-01T15:00")
    assert latest_at_or_before(cron, at("1970-01-01T14:59")) is None
    assert next_instants(cron, -10 * DAY_MS, 1) == [at("1970-01-01T15:00")]


def test_clock_that_skips_part_of_a_minute_makes_up_at_the_next_whole_one() -> None:
    # Monrovia, 7 January 1972: at 00:44:30 UTC its clock went from 00:00:00 to 00:44:30.
    cron = Cron(expression="10 0 * * *", zone="Africa/Monrovia")
    assert instants(cron, at("1972-01-07T00:00"), at("1972-01-08T00:00"), 5) == [at("1972-01-07T00:45")]


def test_interval_counts_from_its_anchor_whatever_clocks_show() -> None:
    every = Interval(every_ms=90_000, anchor_at=1_000_500)
    assert next_instants(every, 0, 2) == [1_000_500, 1_090_500]
    assert next_instants(every, 1_000_500, 1) == [1_090_500]
    assert latest_at_or_before(every, 1_090_499) == 1_000_500
    assert latest_at_or_before(every, 1_000_499) is None


def test_once_has_one_instant() -> None:
    once = Once(at=FIRST)
    assert next_instants(once, FIRST - 1, 5) == [FIRST]
    assert next_instants(once, FIRST, 5) == []
    assert previous(once, FIRST) is None
    assert latest_at_or_before(once, END) == FIRST


def test_years_of_minutes_are_counted_and_passed_without_making_them() -> None:
    cron = Cron(expression="* * * * *", zone="Europe/London")
    started = perf_counter()
    assert count(cron, 0, LATEST_AT - 60_000) == LATEST_AT // 60_000 - 1  # 279 million
    assert list(islice(falling(cron, 0, LATEST_AT), 2)) == [LATEST_AT - 60_000, LATEST_AT - 120_000]
    assert latest_at_or_before(Cron(expression="* * 1 1 *"), at("2026-12-31")) == at("2026-01-01T23:59")
    assert perf_counter() - started < 10  # seconds; making that many instants takes half a minute on a fast machine
