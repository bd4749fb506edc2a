"""The shapes of `/api/compare/history`: one run beside those that went before."""

from __future__ import annotations

from msgspec import Struct

from milepost_collector.protocol.api import RunSummary


class Spread(Struct, kw_only=True, omit_defaults=True):
    """Where this run lies among others. rank: the share of them that has less, from 0 to 1.

    value: this run's; absent when it has none. low, high: of the others.
    """

    value: float | None = None
    low: float | None = None
    median: float | None = None
    p90: float | None = None
    p99: float | None = None
    high: float | None = None
    rank: float | None = None


class PathHistory(Struct, kw_only=True, omit_defaults=True):
    """The steps at one path of names, in this run and in those before it. run_count: of those that have it.

    count: steps of this run. Durations and costs are sums over a run's steps at the path; percentiles are over the
    runs that have it. kind, run_id, span_id: of the first such step of this run, or else of the newest run that has it.
    """

    path: list[str]
    kind: str
    run_id: str
    span_id: str
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
