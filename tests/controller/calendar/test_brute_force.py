"""Every change of a clock from 2000 to 2040 in 55 zones, and whole other days, against a scan of all their minutes."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from milepost_collector.controller.calendar.cadence import Cron
from milepost_collector.controller.calendar.instants import count, falling, rising
from tests.controller.calendar.oracle import EPOCH, MINUTES_OF_DAY, Clock, Job, hours_before_changes

FIRST, END = datetime(2000, 1, 1, tzinfo=UTC), datetime(2041, 1, 1, tzinfo=UTC)
STEP_H = 6

# fmt: off
ZONES = [
    "Africa/Cairo", "Africa/Casablanca", "Africa/El_Aaiun", "Africa/Juba", "Africa/Lagos", "Africa/Windhoek",
    "America/Argentina/San_Luis", "America/Asuncion", "America/Bogota", "America/Caracas", "America/Chicago",
    "America/Godthab", "America/Havana", "America/Los_Angeles", "America/Mexico_City", "America/Miquelon",
    "America/New_York", "America/Phoenix", "America/Port-au-Prince", "America/Santiago", "America/Sao_Paulo",
    "America/Scoresbysund", "America/St_Johns", "Antarctica/Casey", "Antarctica/Troll", "Asia/Amman", "Asia/Beirut",
    "Asia/Choibalsan", "Asia/Colombo", "Asia/Dhaka", "Asia/Gaza", "Asia/Jerusalem", "Asia/Kathmandu", "Asia/Kolkata",
    "Asia/Novosibirsk", "Asia/Pyongyang", "Asia/Tehran", "Asia/Tokyo", "Atlantic/Azores", "Australia/Adelaide",
    "Australia/Lord_Howe", "Australia/Sydney", "Europe/Berlin", "Europe/Dublin", "Europe/Istanbul", "Europe/London",
    "Europe/Moscow", "Europe/Volgograd", "Pacific/Apia", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Easter",
    "Pacific/Fiji", "Pacific/Norfolk", "Pacific/Tongatapu",
]
# fmt: on

JOBS = [
    Job(expression)
    for expression in (
        "30 2 * * *",
        "0 0 * * *",
        "30 0-23 * * *",
        "0,1,15,45,59 0,1,2,3,4,23 * * *",
        "0-59 2 * * *",
        "15 1-5 1-7 * sun",
        "10 0,3 31 * *",
        "45 23,0-4 */2 * 6,0",
        "* * * * *",
        "7 * * * *",
        "*/15 2 * * *",
        "30 */2 * * *",
        "*/20 0,1,2,3 * * 0",
        "*/7 */5 1,15 3-11/2 fri-sat",
    )
]
OPTIONS = [(gap, fold) for gap in ("run_after", "skip") for fold in ("first", "both", "second")]


def check(clock: Clock, job: Job, gap: str, fold: str) -> None:
    default = Cron(expression=job.expression, zone=clock.zone)
    assert list(rising(default, *clock.window)) == clock.daemon(job), (clock.zone, clock.first, job.expression)
    cron = Cron(expression=job.expression, zone=clock.zone, dst_gap=gap, dst_fold=fold)
    expected = clock.scan(job, gap, fold)
    assert list(rising(cron, *clock.window)) == expected, (clock.zone, clock.first, job.expression, gap, fold)
    assert list(falling(cron, *clock.window)) == expected[::-1]
    assert count(cron, *clock.window) == len(expected)


def check_some(clock: Clock, chance: random.Random, jobs: int) -> None:
    for job in chance.sample(JOBS, jobs):
        check(clock, job, *chance.choice(OPTIONS))


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_every_change_from_2000_to_2040_has_the_instants_of_a_minute_scan(zone: str) -> None:
    chance = random.Random(zone)
    for before in hours_before_changes(zone, FIRST, END, STEP_H):
        # What a change of up to three hours skips or repeats lies within: no edge of the scan cuts it.
        check_some(Clock(zone, before - 4 * 60, before + (STEP_H + 4) * 60), chance, 3)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_whole_days_have_the_instants_of_a_minute_scan(zone: str) -> None:
    chance = random.Random(zone)
    changes = hours_before_changes(zone, FIRST, END, STEP_H)
    first, last = (int((moment - EPOCH).total_seconds()) // 60 for moment in (FIRST, END))
    starts = [chance.randrange(first, last) for _ in range(2)] + [
        before - MINUTES_OF_DAY for before in chance.sample(changes, min(2, len(changes)))
    ]
    for start in starts:
        check_some(Clock(zone, start, start + 2 * MINUTES_OF_DAY), chance, 5)


def test_at_least_forty_zones_are_scanned() -> None:
    assert len(set(ZONES)) >= 40


def test_window_with_three_changes_has_the_instants_of_a_minute_scan() -> None:
    first = (datetime(2026, 7, 1, tzinfo=UTC) - EPOCH).days * MINUTES_OF_DAY
    clock = Clock("Europe/London", first, first + 500 * MINUTES_OF_DAY)  # back, forward and back
    for fold in ("first", "both", "second"):
        check(clock, Job("20,40 1 * * *"), "run_after", fold)
