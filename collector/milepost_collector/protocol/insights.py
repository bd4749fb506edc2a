"""The shapes of `/api/insights`: figures of many runs, each with the search that leads to its runs.

`query` is in the search language and complete: its times are those the figures are of. `sql` is what the figures were
read with; it may be run as it is.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

By = Literal["agent", "name", "model", "task", "kind"]
Part = Literal["totals", "groups", "series", "group_series", "errors", "expensive", "slowest"]


class Figures(Struct, kw_only=True, omit_defaults=True):
    """Sums and percentiles over runs, calls or spans. Tokens are in buckets that do not overlap.

    ended: of `count`, those that do not run any more; succeeded: of those, completed or skipped ones.
    """

    count: int
    ended: int
    succeeded: int
    cost_usd: float | None = None
    uncached_input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    plain_output_tokens: int | None = None
    reasoning_tokens: int | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None

    @property
    def success_rate(self) -> float | None:
        """The share that succeeded of what ended, None when nothing did."""
        return self.succeeded / self.ended if self.ended else None


class InsightGroup(Figures, kw_only=True):
    """What has one agent, name, model, task or kind in common. key: None where there is none."""

    key: str | None
    query: str


class InsightBucket(Figures, kw_only=True):
    """What started within one bucket of time. time: its beginning. key: of the group; absent for all together."""

    time: str
    query: str
    key: str | None = None


class ErrorGroup(Struct, kw_only=True):
    """Errors whose messages differ only in numbers, ids, quoted texts, addresses and paths. example: the newest.

    over_time: how many there were in each of 24 equal stretches of the time.
    """

    error_type: str | None
    message: str | None
    count: int
    run_count: int
    names: list[str]
    first_time: str
    last_time: str
    over_time: list[int]
    example: str | None
    example_run_id: str
    example_span_id: str
    query: str


class StepGroup(Struct, kw_only=True):
    """Spans of one name and kind. example: the dearest or slowest of them."""

    name: str
    kind: str
    count: int
    cost_usd: float | None
    input_tokens: int | None
    output_tokens: int | None
    total_ms: float
    p50_ms: float
    p95_ms: float
    max_ms: float
    example_run_id: str
    example_span_id: str
    query: str


class InsightSql(Struct, kw_only=True, omit_defaults=True):
    """The statements behind the figures that were asked for."""

    totals: str | None = None
    groups: str | None = None
    series: str | None = None
    group_series: str | None = None
    errors: str | None = None
    expensive: str | None = None
    slowest: str | None = None


class Insights(Struct, kw_only=True):
    """Figures of a stretch of time. group_series: of the first groups only. groups: by cost, then by count.

    Parts that were not asked for are null or empty. query: leads to all that is counted.
    """

    since: str
    until: str
    by: By
    bucket_ms: int
    query: str
    totals: Figures | None = None
    groups: list[InsightGroup] = []
    series: list[InsightBucket] = []
    group_series: list[InsightBucket] = []
    errors: list[ErrorGroup] = []
    expensive: list[StepGroup] = []
    slowest: list[StepGroup] = []
    sql: InsightSql
