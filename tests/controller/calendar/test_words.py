"""A cadence in English."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings

from milepost_collector.controller.calendar.cadence import Cadence, Cron, Interval, Once
from milepost_collector.controller.calendar.errors import CadenceError
from milepost_collector.controller.calendar.words import describe
from tests.controller.calendar.oracle import at
from tests.controller.calendar.test_random_expressions import EXPRESSIONS


@pytest.mark.parametrize(
    ("cadence", "words"),
    [
        (
            Cron(expression="30 2 * * *", zone="Europe/Berlin"),
            "At 02:30 every day, Europe/Berlin time. A time that the clock skips is made up for right after, one that "
            "it repeats counts the first time.",
        ),
        (
            Cron(expression="@daily", zone="Europe/Berlin", dst_gap="skip", dst_fold="both"),
            "At 00:00 every day, Europe/Berlin time. A time that the clock skips is left out, one that it repeats "
            "counts both times.",
        ),
        (
            Cron(expression="*/10 * * * *", zone="Europe/Berlin"),
            "Every 10th minute of every hour, Europe/Berlin time. It follows the clock: nothing runs for a time that "
            "is skipped, and twice what is repeated.",
        ),
        (
            Cron(expression="0 0 13 * fri"),
            "At 00:00 on the 13th day of month and on Friday, UTC time. Either day is enough, the day of month or the "
            "day of week.",
        ),
        (
            Cron(expression="0 0 */2 * fri"),
            "At 00:00 on every second day of month if it's on Friday, UTC time. Both days must match, the day of month "
            "and the day of week, since one of the fields starts with *.",
        ),
        (Cron(expression="0 0 21 * *"), "At 00:00 on the 21st day of every month, UTC time."),
        (
            Cron(expression="0 0 11,22,31 1 *"),
            "At 00:00 on the 11th, the 22nd, and the 31st day of month in January, UTC time.",
        ),
        (
            Interval(every_ms=5_400_000, anchor_at=at("2026-01-01")),
            "Every 1 hour 30 minutes from 2026-01-01 00:00:00 UTC.",
        ),
        (Interval(every_ms=86_400_000, anchor_at=500), "Every day from 1970-01-01 00:00:00.500 UTC."),
        (Once(at=at("2026-01-01T12:30")), "Once, at 2026-01-01 12:30:00 UTC."),
    ],
)
def test_cadence_is_described_with_its_rules(cadence: Cadence, words: str) -> None:
    assert describe(cadence) == words


@given(EXPRESSIONS)
@settings(deadline=None)
def test_every_expression_can_be_described(expression: str) -> None:
    try:
        cron = Cron(expression=expression)
    except CadenceError as error:
        assume("never fires" not in str(error))
        raise
    assert "UTC time." in describe(cron)
