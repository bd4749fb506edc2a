"""Random expressions in any zone at random times, against a scan of all their minutes, and against CronSim."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from milepost_collector.controller.calendar.cadence import Cron
from milepost_collector.controller.calendar.errors import CadenceError
from milepost_collector.controller.calendar.fields import written_out
from milepost_collector.controller.calendar.instants import next_instants
from tests.controller.calendar.oracle import EPOCH, MONTHS, WEEKDAYS, Clock, Job, at, hours_before_changes
from tests.controller.calendar.test_brute_force import check

STEP_H = 12


def field(low: int, high: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    """One field of a cron expression, in every form that the manual page has."""
    number = st.integers(low, high).map(str)
    single = number | st.sampled_from(names) if names else number
    bounds = st.tuples(st.integers(low, high), st.integers(low, high)).map(sorted)
    span = bounds.map(lambda pair: f"{pair[0]}-{pair[1]}")
    step = st.integers(1, high).map(lambda number: f"/{number}")
    term = st.one_of(single, span, st.builds(str.__add__, span, step), st.builds(str.__add__, st.just("*"), step))
    return st.just("*") | term | st.lists(term, min_size=2, max_size=3).map(",".join)


EXPRESSIONS = st.tuples(field(0, 59), field(0, 23), field(1, 31), field(1, 12, MONTHS), field(0, 7, WEEKDAYS)).map(
    " ".join
)
OFTEN = st.tuples(field(0, 59), field(0, 23), st.just("*"), st.just("*"), st.sampled_from(["*", "*/2", "0-5"])).map(
    " ".join
)
# What the other two mean is up to the machine.
ZONES = st.sampled_from(sorted(zoneinfo.available_timezones() - {"Factory", "localtime"}))


@st.composite
def clocks(draw: st.DrawFn) -> Clock:
    """A zone's clock for a day and a half, around one of its changes in a year if it has any."""
    zone, year = draw(ZONES), draw(st.integers(2000, 2040))
    first, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    anywhere = draw(st.integers(0, 364)) * 1440 + int((first - EPOCH).total_seconds()) // 60
    middle = draw(st.sampled_from(hours_before_changes(zone, first, end, STEP_H) or [anywhere]))
    return Clock(zone, middle - 12 * 60, middle + 24 * 60)


@given(
    clocks(), EXPRESSIONS | OFTEN, st.sampled_from(["run_after", "skip"]), st.sampled_from(["first", "both", "second"])
)
@settings(max_examples=300, deadline=None)
def test_random_expressions_have_the_instants_of_a_minute_scan(
    clock: Clock, expression: str, gap: str, fold: str
) -> None:
    try:
        Cron(expression=expression)
    except CadenceError as error:
        assume("never fires" not in str(error))
        raise
    check(clock, Job(expression), gap, fold)


@given(
    st.tuples(st.integers(0, 59).map(str), st.integers(0, 23).map(str), field(1, 31), field(1, 12), field(0, 7)).map(
        " ".join
    ),
    st.sampled_from(["America/New_York", "Europe/Berlin", "Europe/London", "Asia/Tokyo", "UTC"]),
    st.integers(at("2000-01-01"), at("2040-01-01")),
)
@settings(max_examples=100, deadline=None)
def test_daily_jobs_in_plain_zones_have_the_instants_of_cronsim(expression: str, zone: str, after_at: int) -> None:
    try:
        cron = Cron(expression=expression, zone=zone)
    except CadenceError as error:
        assume("never fires" not in str(error))
        raise
    start = datetime.fromtimestamp(after_at // 1000, UTC).astimezone(ZoneInfo(zone))
    expected = [int(moment.timestamp()) * 1000 for moment in islice(CronSim(written_out(expression), start), 20)]
    assert next_instants(cron, after_at, 20) == expected
