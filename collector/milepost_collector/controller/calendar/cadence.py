"""What a schedule may be: a cron expression in a time zone, a fixed interval, or one instant.

The three are msgspec structs, tagged by `kind`, that check themselves; so reading JSON into `Cadence` checks it too.
"""

from __future__ import annotations

import difflib
import zoneinfo
from datetime import UTC, datetime
from functools import lru_cache
from typing import get_args

import msgspec

from milepost_collector.controller.calendar.clock_changes import DstFold, DstGap
from milepost_collector.controller.calendar.errors import CadenceError
from milepost_collector.controller.calendar.pattern import DAYS_OF_400_YEARS, pattern

LATEST_AT = int(datetime(2500, 1, 1, tzinfo=UTC).timestamp()) * 1000  # nothing is scheduled from here on
MIN_EVERY_MS = 1000
MAX_EVERY_MS = DAYS_OF_400_YEARS * 86_400_000


class Cron(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="cron"):
    """The minutes that a cron expression names on the clock of a time zone.

    expression: minute, hour, day of month, month, day of week, or a nickname such as `@daily`; days as in Debian's
    cron, which asks for both day fields when one of them starts with `*` and for either of them otherwise; also `L`,
    `LW` (day of month), `5L` and `5#2` (day of week). zone: IANA name. dst_gap, dst_fold: see `clock_changes`.

    Raises:
        CadenceError: the expression cannot be read or never fires, the zone is unknown, or an option has no such value.
    """

    expression: str
    zone: str = "UTC"
    dst_gap: DstGap = "run_after"
    dst_fold: DstFold = "first"

    def __post_init__(self) -> None:
        pattern(self.expression)
        _check_zone(self.zone)
        _check_option("dst_gap", self.dst_gap, get_args(DstGap))
        _check_option("dst_fold", self.dst_fold, get_args(DstFold))


class Interval(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="interval"):
    """anchor_at, and every so many milliseconds after it, whatever clocks show.

    every_ms: 1,000 (a second) to 400 years. anchor_at: 1970 to 2499.

    Raises:
        CadenceError: a value is out of range.
    """

    every_ms: int
    anchor_at: int

    def __post_init__(self) -> None:
        if not MIN_EVERY_MS <= self.every_ms <= MAX_EVERY_MS:
            raise CadenceError(
                "every_ms",
                self.every_ms,
                f"every_ms must be {MIN_EVERY_MS} (a second) to {MAX_EVERY_MS} (400 years), got {self.every_ms}; batch "
                "what is more frequent into one task",
            )
        _check_instant("anchor_at", self.anchor_at)


class Once(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="once"):
    """One instant. at: 1970 to 2499.

    Raises:
        CadenceError: the instant is out of range.
    """

    at: int

    def __post_init__(self) -> None:
        _check_instant("at", self.at)


Cadence = Cron | Interval | Once


def _check_instant(field: str, at: int) -> None:
    if not 0 <= at < LATEST_AT:
        raise CadenceError(
            field,
            at,
            f"{field} must be an instant of the years 1970 to 2499 in milliseconds since 1970 (0 to {LATEST_AT - 1}), "
            f"got {at}",
        )


def _check_option(field: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise CadenceError(field, value, f"{field} must be one of {', '.join(allowed)}, got {value!r}")


def _check_zone(zone: str) -> None:
    known = _zones()
    if zone not in known:
        near = difflib.get_close_matches(zone, known, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise CadenceError(
            "zone", zone, f"time zone {zone!r} is unknown; use an IANA name such as Europe/Berlin or UTC{hint}"
        )


@lru_cache(maxsize=1)  # reads the names of some six hundred files
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - {"Factory", "localtime"}  # what they mean is up to the machine
