"""What people see of the instants to come."""

from __future__ import annotations

import pytest

from milepost_collector.controller.calendar.cadence import Cron, Interval, Once
from milepost_collector.controller.calendar.preview import PreviewedInstant, preview
from tests.controller.calendar.oracle import at


def lines(expression: str, zone: str, after: str, n: int, **options: str) -> list[tuple[str, str | None]]:
    cron = Cron(expression=expression, zone=zone, **options)
    return [(instant.local, instant.note) for instant in preview(cron, at(after), n)]


def test_preview_has_the_instant_in_utc_and_by_the_clock_of_the_zone() -> None:
    cron = Cron(expression="0 9 * * *", zone="Asia/Kathmandu")
    assert preview(cron, at("2026-05-05T12:00"), 1) == [
        PreviewedInstant(at=at("2026-05-06T03:15"), utc="2026-05-06T03:15:00Z", local="2026-05-06T09:00:00+05:45")
    ]


@pytest.mark.parametrize(
    ("expression", "options", "first", "note"),
    [
        ("30 2 * * *", {}, "2026-03-08T03:00:00-04:00", "02:30 does not exist on this day, runs at 03:00"),
        (
            "0,30 2,3 * * *",
            {},
            "2026-03-08T03:00:00-04:00",
            "02:00 and 02:30 do not exist on this day, one run at 03:00",
        ),
        (
            "30 2 * * *",
            {"dst_gap": "skip"},
            "2026-03-09T02:30:00-04:00",
            "02:30 does not exist on 2026-03-08, nothing runs for it",
        ),
        ("30 */2 * * *", {}, "2026-03-08T04:30:00-04:00", "02:30 does not exist on this day, nothing runs for it"),
        (
            "*/15 * * * *",
            {},
            "2026-03-08T03:00:00-04:00",
            "02:00 to 02:45 (4 times) do not exist on this day, nothing runs for them",
        ),
        ("30 3 * * *", {}, "2026-03-08T03:30:00-04:00", None),
    ],
)
def test_note_tells_what_a_skip_of_the_clock_does(
    expression: str, options: dict[str, str], first: str, note: str | None
) -> None:
    assert lines(expression, "America/New_York", "2026-03-08T06:59", 1, **options) == [(first, note)]


@pytest.mark.parametrize(
    ("expression", "fold", "expected"),
    [
        ("30 1 * * *", "first", [("-04:00", "01:30 comes twice on this day, runs the first time only")]),
        ("30 1 * * *", "second", [("-05:00", "01:30 comes twice on this day, runs the second time only")]),
        (
            "30 1 * * *",
            "both",
            [
                ("-04:00", "01:30 comes twice on this day, this is the first"),
                ("-05:00", "01:30 comes twice on this day, this is the second"),
            ],
        ),
        (
            "30 */1 * * *",
            "first",
            [
                ("-04:00", "01:30 comes twice on this day, this is the first"),
                ("-05:00", "01:30 comes twice on this day, this is the second"),
            ],
        ),
    ],
)
def test_note_tells_what_a_repetition_of_the_clock_does(
    expression: str, fold: str, expected: list[tuple[str, str]]
) -> None:
    found = lines(expression, "America/New_York", "2026-11-01T04:59", 3, dst_fold=fold)
    assert found[: len(expected)] == [(f"2026-11-01T01:30:00{offset}", note) for offset, note in expected]
    assert found[len(expected)][1] is None


def test_note_tells_of_a_day_that_was_left_out() -> None:
    assert lines("30 12 * * *", "Pacific/Apia", "2011-12-29T22:30", 2) == [
        ("2011-12-31T12:30:00+14:00", "12:30 does not exist on 2011-12-30, nothing runs for it"),
        ("2012-01-01T12:30:00+14:00", None),
    ]


def test_skip_before_the_preview_starts_is_not_told() -> None:
    assert lines("30 2 * * *", "America/New_York", "2026-03-08T07:00", 1) == [("2026-03-09T02:30:00-04:00", None)]


def test_other_cadences_are_shown_in_utc() -> None:
    every = Interval(every_ms=1500, anchor_at=at("2026-01-01"))
    assert [instant.local for instant in preview(every, at("2026-01-01"), 2)] == [
        "2026-01-01T00:00:01.500Z",
        "2026-01-01T00:00:03Z",
    ]
    assert [instant.utc for instant in preview(Once(at=at("2026-01-01")), 0, 5)] == ["2026-01-01T00:00:00Z"]
