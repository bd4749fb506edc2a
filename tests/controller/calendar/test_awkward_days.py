"""Days on which clocks did odd things, worked out by hand. Local times are those of the zone, with their offsets."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from milepost_collector.controller.calendar.cadence import Cron
from milepost_collector.controller.calendar.instants import falling, rising
from tests.controller.calendar.oracle import at


def local_times(expression: str, zone: str, after: str, until: str, **options: str) -> list[str]:
    """The instants of (after, until], both UTC, as `DD HH:MM+offset`."""
    cron = Cron(expression=expression, zone=zone, **options)
    found = list(rising(cron, at(after), at(until)))
    assert list(falling(cron, at(after), at(until))) == found[::-1]
    moments = [datetime.fromtimestamp(instant / 1000, UTC).astimezone(ZoneInfo(zone)) for instant in found]
    return [f"{moment:%d %H:%M%z}" for moment in moments]


SPRING = ("America/New_York", "2026-03-08T05:00", "2026-03-08T08:30")  # 02:00 to 02:59 on the 8th do not exist
AUTUMN = ("America/New_York", "2026-11-01T04:00", "2026-11-01T08:00")  # 01:00 to 01:59 on the 1st come twice


@pytest.mark.parametrize(
    ("expression", "options", "expected"),
    [
        ("30 2 * * *", {}, ["08 03:00-0400"]),
        ("30 2 * * *", {"dst_gap": "skip"}, []),
        ("0,30 2,3 * * *", {}, ["08 03:00-0400", "08 03:30-0400"]),
        ("0,30 2,3 * * *", {"dst_gap": "skip"}, ["08 03:00-0400", "08 03:30-0400"]),
        ("10 0-23 * * *", {}, ["08 00:10-0500", "08 01:10-0500", "08 03:00-0400", "08 03:10-0400", "08 04:10-0400"]),
        ("10 * * * *", {}, ["08 00:10-0500", "08 01:10-0500", "08 03:10-0400", "08 04:10-0400"]),
        ("30 */2 * * *", {}, ["08 00:30-0500", "08 04:30-0400"]),
        ("*/20 2 * * *", {}, []),
    ],
)
def test_new_york_in_spring_runs_fixed_jobs_after_the_skip(
    expression: str, options: dict[str, str], expected: list[str]
) -> None:
    assert local_times(expression, *SPRING, **options) == expected


@pytest.mark.parametrize(
    ("expression", "options", "expected"),
    [
        ("30 1 * * *", {}, ["01 01:30-0400"]),
        ("30 1 * * *", {"dst_fold": "both"}, ["01 01:30-0400", "01 01:30-0500"]),
        ("30 1 * * *", {"dst_fold": "second"}, ["01 01:30-0500"]),
        ("0,30 1,2 * * *", {}, ["01 01:00-0400", "01 01:30-0400", "01 02:00-0500", "01 02:30-0500"]),
        ("30 * * * *", {}, ["01 00:30-0400", "01 01:30-0400", "01 01:30-0500", "01 02:30-0500"]),
        ("30 * * * *", {"dst_fold": "second"}, ["01 00:30-0400", "01 01:30-0400", "01 01:30-0500", "01 02:30-0500"]),
        ("*/30 1 * * *", {}, ["01 01:00-0400", "01 01:30-0400", "01 01:00-0500", "01 01:30-0500"]),
    ],
)
def test_new_york_in_autumn_runs_fixed_jobs_once(expression: str, options: dict[str, str], expected: list[str]) -> None:
    assert local_times(expression, *AUTUMN, **options) == expected


@pytest.mark.parametrize(
    ("what", "expression", "zone", "after", "until", "expected"),
    [
        ("01:00 is skipped", "30 1 * * *", "Europe/London", "2026-03-29T00:00", "2026-03-29T03:00", ["29 02:00+0100"]),
        ("01:00 is repeated", "30 1 * * *", "Europe/London", "2026-10-24T23:00", "2026-10-25T03:00", ["25 01:30+0100"]),
        (
            "02:00 is skipped",
            "15 2 * * *",
            "Australia/Sydney",
            "2026-10-03T13:00",
            "2026-10-03T18:00",
            ["04 03:00+1100"],
        ),
        (
            "02:00 is repeated",
            "0 2 * * *",
            "Australia/Sydney",
            "2026-04-04T13:00",
            "2026-04-04T18:00",
            ["05 02:00+1100"],
        ),
        ("02:45 is skipped", "0 3 * * *", "Pacific/Chatham", "2026-09-26T13:00", "2026-09-26T16:00", ["27 03:45+1345"]),
        (
            "02:45 is repeated",
            "0 3 * * *",
            "Pacific/Chatham",
            "2026-04-04T12:00",
            "2026-04-04T16:00",
            ["05 03:00+1345"],
        ),
        ("24:00 is repeated", "30 23 * * *", "Asia/Tehran", "2021-09-21T18:00", "2021-09-21T22:00", ["21 23:30+0430"]),
        ("00:00 is skipped", "0 0 * * *", "Asia/Tehran", "2022-03-21T18:00", "2022-03-21T22:00", ["22 01:00+0430"]),
        ("00:00 is skipped", "30 0 * * *", "Africa/Cairo", "2026-04-23T20:00", "2026-04-24T00:00", ["24 01:00+0300"]),
        ("24:00 is repeated", "30 23 * * *", "Africa/Cairo", "2026-10-29T18:00", "2026-10-30T00:00", ["29 23:30+0300"]),
        (
            "00:00 is skipped",
            "0 0 * * *",
            "America/Santiago",
            "2026-09-06T02:00",
            "2026-09-06T06:00",
            ["06 01:00-0300"],
        ),
        (
            "24:00 is repeated",
            "59 23 * * *",
            "America/Santiago",
            "2026-04-05T00:00",
            "2026-04-05T06:00",
            ["04 23:59-0300"],
        ),
        (
            "two hours skipped",
            "30 1 * * *",
            "Antarctica/Troll",
            "2026-03-29T00:00",
            "2026-03-29T04:00",
            ["29 03:00+0200"],
        ),
        (
            "two hours repeated",
            "30 1,2 * * *",
            "Antarctica/Troll",
            "2026-10-24T23:00",
            "2026-10-25T05:00",
            ["25 01:30+0200", "25 02:30+0200"],
        ),
    ],
)
def test_daily_job_runs_once_on_the_day(
    what: str, expression: str, zone: str, after: str, until: str, expected: list[str]
) -> None:
    assert local_times(expression, zone, after, until) == expected, what


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("15 2 * * *", ["04 02:30+1100"]),  # 02:00 to 02:29 do not exist
        ("45 2 * * *", ["04 02:45+1100"]),
        ("0,30 2 * * *", ["04 02:30+1100"]),
        ("*/15 2 * * *", ["04 02:30+1100", "04 02:45+1100"]),
    ],
)
def test_lord_howe_skips_half_an_hour(expression: str, expected: list[str]) -> None:
    assert local_times(expression, "Australia/Lord_Howe", "2026-10-03T14:30", "2026-10-03T17:00") == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("15,45 1 * * *", ["05 01:15+1100", "05 01:45+1100"]),  # 01:30 to 01:59 come twice
        (
            "*/15 1 * * *",
            ["05 01:00+1100", "05 01:15+1100", "05 01:30+1100", "05 01:45+1100", "05 01:30+1030", "05 01:45+1030"],
        ),
        ("*/20 2 * * *", ["05 02:00+1030", "05 02:20+1030", "05 02:40+1030"]),
        ("15 */3 * * *", ["05 00:15+1100", "05 03:15+1030"]),
    ],
)
def test_lord_howe_repeats_half_an_hour(expression: str, expected: list[str]) -> None:
    assert local_times(expression, "Australia/Lord_Howe", "2026-04-04T13:00", "2026-04-04T17:00") == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 0 * * *", ["04 01:00-0200"]),
        ("0 0 4 11 *", ["04 01:00-0200"]),
        ("59 0 * * *", ["04 01:00-0200"]),
        ("*/30 0 4 11 *", []),
        ("0 */4 4 11 *", ["04 04:00-0200"]),
    ],
)
def test_sao_paulo_has_no_midnight_on_4_november_2018(expression: str, expected: list[str]) -> None:
    assert local_times(expression, "America/Sao_Paulo", "2018-11-04T02:30", "2018-11-04T07:00") == expected


def test_sao_paulo_has_23_00_twice_on_17_february_2018() -> None:
    window = ("America/Sao_Paulo", "2018-02-18T00:30", "2018-02-18T03:30")
    assert local_times("30 23 * * *", *window) == ["17 23:30-0200"]
    assert local_times("30 23 * * *", *window, dst_fold="second") == ["17 23:30-0300"]
    assert local_times("0 0 * * *", *window, dst_fold="second") == ["18 00:00-0300"]
    assert local_times("0 23 * * *", *window, dst_fold="both") == ["17 23:00-0200", "17 23:00-0300"]


def test_casablanca_goes_back_for_ramadan_and_forward_after_it() -> None:
    back = ("Africa/Casablanca", "2026-02-15T00:30", "2026-02-15T04:00")  # 02:00 to 02:59 come twice
    forward = ("Africa/Casablanca", "2026-03-22T00:30", "2026-03-22T04:00")  # 02:00 to 02:59 do not exist
    assert local_times("30 2 * * *", *back) == ["15 02:30+0100"]
    assert local_times("30 2 * * *", *back, dst_fold="both") == ["15 02:30+0100", "15 02:30+0000"]
    assert local_times("30 2 * * *", *forward) == ["22 03:00+0100"]
    assert local_times("30 * * * *", *forward) == ["22 01:30+0000", "22 03:30+0100", "22 04:30+0100"]


@pytest.mark.parametrize("gap", ["run_after", "skip"])
def test_samoa_runs_nothing_for_the_day_it_did_not_have(gap: str) -> None:
    window = ("Pacific/Apia", "2011-12-29T00:00", "2011-12-31T12:00")  # no 30 December 2011
    assert local_times("30 12 * * *", *window, dst_gap=gap) == ["29 12:30-1000", "31 12:30+1400"]
    assert local_times("0 12 30 12 *", *window, dst_gap=gap) == []


def test_changes_of_three_hours_forward_are_corrections_of_the_clock() -> None:
    window = ("Antarctica/Casey", "2009-10-17T16:00", "2009-10-17T22:00")  # 02:00 becomes 05:00
    assert local_times("30 3,6 * * *", *window) == ["18 06:30+1100"]


def test_changes_of_three_hours_back_do_not_run_fixed_jobs_again() -> None:
    window = ("Antarctica/Casey", "2010-03-04T10:00", "2010-03-04T20:00")  # 02:00 becomes 23:00 of the day before
    assert local_times("30 0 * * *", *window) == ["05 00:30+1100"]
    assert local_times("30 0 * * *", *window, dst_fold="second") == ["05 00:30+0800"]


def test_moscow_left_daylight_saving_without_touching_the_clock() -> None:
    window = ("Europe/Moscow", "2011-03-26T21:00", "2011-03-28T21:00")  # 02:00 skipped, then kept for years
    assert local_times("30 2 * * *", *window) == ["27 03:00+0400", "28 02:30+0400"]
    assert local_times("30 2 * * *", "Europe/Moscow", "2011-10-29T21:00", "2011-10-30T21:00") == ["30 02:30+0400"]


@pytest.mark.parametrize("fold", ["first", "both", "second"])
@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("America/New_York", "2026-03-08T07:00"),
        ("America/New_York", "2026-11-01T06:00"),
        ("Antarctica/Troll", "2026-03-29T01:00"),
        ("Antarctica/Troll", "2026-10-25T01:00"),
        ("Antarctica/Casey", "2010-03-04T15:00"),
        ("Australia/Lord_Howe", "2026-10-03T15:30"),
        ("Pacific/Apia", "2011-12-30T10:00"),
    ],
)
def test_windows_that_begin_or_end_near_a_change_share_and_miss_nothing(zone: str, change: str, fold: str) -> None:
    cron = Cron(expression="0,20,40 0-23 * * *", zone=zone, dst_fold=fold)
    first, end = at(change) - 4 * 3_600_000, at(change) + 4 * 3_600_000
    whole = list(rising(cron, first, end))
    for split in [*range(first, end, 600_000), at(change) - 1, at(change) - 1000]:
        assert list(rising(cron, first, split)) + list(rising(cron, split, end)) == whole
        assert list(falling(cron, split, end)) + list(falling(cron, first, split)) == whole[::-1]
