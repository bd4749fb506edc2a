"""The shapes of `/api/compare/history`: one run beside those that went before."""

from __future__ import annotations

from msgspec import Struct

from milepost_collector.protocol.api import RunSummary


class Spread(Struct, kw_only=True, omit_defaults=True):
    """Where this run lies among others. rank: the share of them that has less, from 0 to 1."""

    value: float
    median: float | None = None
    p90: float | None = None
    rank: float | None = None


class PathHistory(Struct, kw_only=True, omit_defaults=True):
    """The steps at one path of names, in this run and in those before it. run_count: of those that have it.

    count: steps of this run. Durations and costs are sums over a run's steps at the path; median and p90 are over the
    runs that have it.
    """

    path: list[str]
    count: int
    run_count: int
    is_new: bool = False
    is_missing: bool = False
    duration_ms: Spread | None = None
    cost_usd: Spread | None = None


class History(Struct, kw_only=True):
    """One run beside the last of its name that ended before it began. rows: in the order of first starts.

    truncated: the runs had more spans than are looked at, so fewer of them were.
    """

    run: RunSummary
    others: list[RunSummary]
    rows: list[PathHistory]
    truncated: bool = False
