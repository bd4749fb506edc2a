"""What a cadence may be, and how a wrong one is refused."""

from __future__ import annotations

import re

import msgspec
import pytest

from milepost.errors import MilepostError
from milepost_collector.controller.calendar.cadence import LATEST_AT, MAX_EVERY_MS, Cadence, Cron, Interval, Once
from milepost_collector.controller.calendar.errors import CadenceError
from milepost_collector.controller.calendar.instants import next_instants
from tests.controller.calendar.oracle import at


@pytest.mark.parametrize(
    ("expression", "field", "value", "remedy"),
    [
        ("61 * * * *", "minute", "61", "it takes 0-59"),
        ("0,, * * * *", "minute", "", "it takes 0-59"),
        ("5-1 * * * *", "minute", "5-1", "rising ranges"),
        ("*/0 * * * *", "minute", "*/0", "steps"),
        ("-1 * * * *", "minute", "-1", "it takes 0-59"),
        ("1/2/3 * * * *", "minute", "1/2/3", "steps"),
        ("*/90 * * * *", "minute", "*/90", "use an interval"),
        ("0 24 * * *", "hour", "24", "it takes 0-23"),
        ("0 8-18/24 * * *", "hour", "8-18/24", "the largest is 23"),
        ("0 0 32 * *", "day of month", "32", "it takes 1-31, L"),
        ("0 0 ? * *", "day of month", "?", "* for all"),
        ("0 0 * foo *", "month", "FOO", "jan-dec"),
        ("0 0 * 1,13 *", "month", "13", "1-12"),
        ("0 0 * * 8", "day of week", "8", "0-7 (0 and 7 are Sunday)"),
        ("0 0 * * fri-sun", "day of week", "FRI-SUN", "rising ranges"),
        ("0 0 * * 5#6", "day of week", "5#6", "5#2 (second Friday)"),
        ("0 0 30 2 *", "day of month", "30", "never fires"),
        ("0 0 31 4,6,9,11 *", "day of month", "31", "never fires"),
        ("0 0 */20 * 1L", "day of month", "*/20", "never fires"),
        ("* * * *", "expression", "* * * *", "has 4 fields instead of 5"),
        ("0 * * * * *", "expression", "0 * * * * *", "seconds and years are not fields"),
        ("", "expression", "", "has 0 fields"),
        ("@reboot", "expression", "@reboot", "use one of @annually, @daily"),
        ("0," * 200 + "0 * * * *", "expression", "0," * 200 + "0 * * * *", "at most 256"),
    ],
)
def test_wrong_expression_is_refused_with_field_value_and_remedy(
    expression: str, field: str, value: str, remedy: str
) -> None:
    with pytest.raises(CadenceError, match=re.escape(remedy)) as caught:
        Cron(expression=expression)
    assert (caught.value.field, caught.value.value) == (field, value)
    assert value in str(caught.value) or field == "expression"
    assert isinstance(caught.value, MilepostError | ValueError)


@pytest.mark.parametrize(
    "zone", ["Europe/Berln", "", "CEST", "../etc/passwd", "localtime", "right/Europe/Berlin", "Europe"]
)
def test_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(CadenceError, match=f"time zone '{zone}' is unknown; use an IANA name") as caught:
        Cron(expression="@daily", zone=zone)
    assert caught.value.field == "zone"


def test_misspelt_zone_is_refused_with_the_nearest_ones() -> None:
    with pytest.raises(CadenceError, match="did you mean Europe/Berlin"):
        Cron(expression="@daily", zone="Europe/Berln")


@pytest.mark.parametrize(("option", "allowed"), [("dst_gap", "run_after, skip"), ("dst_fold", "first, both, second")])
def test_unknown_option_is_refused(option: str, allowed: str) -> None:
    with pytest.raises(CadenceError, match=f"{option} must be one of {allowed}, got 'later'"):
        Cron(expression="@daily", **{option: "later"})


@pytest.mark.parametrize("every_ms", [-1, 0, 999, MAX_EVERY_MS + 1])
def test_interval_outside_a_second_to_400_years_is_refused(every_ms: int) -> None:
    with pytest.raises(CadenceError, match=rf"every_ms must be 1000 \(a second\) to .*, got {every_ms};"):
        Interval(every_ms=every_ms, anchor_at=0)


@pytest.mark.parametrize("wrong_at", [-1, LATEST_AT])
def test_instant_outside_1970_to_2499_is_refused(wrong_at: int) -> None:
    with pytest.raises(CadenceError, match="anchor_at must be an instant of the years 1970 to 2499"):
        Interval(every_ms=1000, anchor_at=wrong_at)
    with pytest.raises(CadenceError, match=f"^at must be an instant .*, got {wrong_at}"):
        Once(at=wrong_at)


@pytest.mark.parametrize(
    ("nickname", "expression"),
    [
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        (" @Hourly ", "0 * * * *"),
    ],
)
def test_nickname_stands_for_its_fields(nickname: str, expression: str) -> None:
    after_at = at("2026-05-05")
    assert next_instants(Cron(expression=nickname), after_at, 5) == next_instants(
        Cron(expression=expression), after_at, 5
    )


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("0 0 13 * fri", ["2026-02-06", "2026-02-13", "2026-02-20", "2026-02-27", "2026-03-06"]),  # either
        ("0 0 13,14 * fri", ["2026-02-06", "2026-02-13", "2026-02-14", "2026-02-20", "2026-02-27"]),
        ("0 0 13 * *", ["2026-02-13", "2026-03-13"]),
        ("0 0 * * fri", ["2026-02-06", "2026-02-13"]),
        ("0 0 */2 * fri", ["2026-02-13", "2026-02-27", "2026-03-13"]),  # both, as a field starts with a star
        ("0 0 5-20 * */5", ["2026-02-06", "2026-02-08", "2026-02-13", "2026-02-15"]),  # both; 0 and 5
        ("0 0 L * *", ["2026-02-28", "2026-03-31"]),
        ("0 0 LW * *", ["2026-02-27", "2026-03-31"]),
        ("0 0 * * 5L", ["2026-02-27", "2026-03-27"]),
        ("0 0 * * mon#2", ["2026-02-09", "2026-03-09"]),
        ("0 0 9-9/2 * *", ["2026-02-09", "2026-03-09"]),
        ("0 0 9 feb-feb/3 *", ["2026-02-09", "2027-02-09"]),
        ("0 0 29 * 7", ["2026-02-08", "2026-02-15", "2026-02-22", "2026-03-01"]),
        ("0 0 28/2 2 *", ["2026-02-28", "2027-02-28", "2028-02-28"]),
    ],
)
def test_days_match_as_in_debians_cron(expression: str, days: list[str]) -> None:
    assert next_instants(Cron(expression=expression), at("2026-02-05"), len(days)) == [at(day) for day in days]


@pytest.mark.parametrize(
    "cadence",
    [
        Cron(expression="30 2 * * mon-fri", zone="Europe/Berlin", dst_gap="skip", dst_fold="both"),
        Interval(every_ms=5000, anchor_at=7),
        Once(at=1_800_000_000_000),
    ],
)
def test_cadence_survives_json(cadence: Cadence) -> None:
    assert msgspec.json.decode(msgspec.json.encode(cadence), type=Cadence) == cadence


def test_json_of_a_wrong_cadence_is_refused_with_the_reason() -> None:
    with pytest.raises(msgspec.ValidationError, match="minute '75' of '75 \\* \\* \\* \\*' is not valid"):
        msgspec.json.decode(b'{"kind": "cron", "expression": "75 * * * *"}', type=Cadence)
