"""How many runs started when, and what they used."""

from __future__ import annotations

from bisect import bisect_left

from duckdb import DuckDBPyConnection

from milepost_collector.errors import InvalidParameterError
from milepost_collector.protocol.api import RunBucket, RunHistogram
from milepost_collector.protocol.timestamps import NANOS, iso_from_ns
from milepost_collector.traces.queries.filters import RunFilter, all_conditions, spelt_out

MAX_BUCKETS = 200

_DAY = 86_400
# Widths that people count in, seconds; beyond them, whole numbers of the last.
WIDTHS_S = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, _DAY, 2 * _DAY, 7 * _DAY,
    14 * _DAY, 28 * _DAY, 91 * _DAY, 364 * _DAY,
)  # fmt: skip

_EXTENT = "SELECT epoch_ns(min(start_time)), epoch_ns(max(start_time)) FROM runs WHERE {where}"
_COUNTS = (
    "SELECT make_timestamp_ns(epoch_ns(start_time) // {width} * {width}) AS bucket, status, count(*) AS runs, "
    "sum(cost_usd) AS cost_usd, sum(input_tokens)::BIGINT AS input_tokens, sum(output_tokens)::BIGINT AS output_tokens "
    "FROM runs WHERE {where} GROUP BY bucket, status ORDER BY bucket, status"
)


def run_histogram(
    connection: DuckDBPyConnection, request: RunFilter, *, now_ns: int, buckets: int = 60
) -> RunHistogram:
    """Return counts and sums of the runs of a request by when they started. Call within a transaction.

    Buckets are equally wide, begin at whole multiples of their width since 1970, in UTC, and are all there, empty ones
    too, from the first run, or the request's first instant, to its last one or the present. Runs that are parts of
    others count by themselves. buckets: at most so many.

    Raises:
        InvalidParameterError: more buckets are wanted than there may be, or none.
    """
    if not 1 <= buckets <= MAX_BUCKETS:
        raise InvalidParameterError("buckets", buckets, f"use a number from 1 to {MAX_BUCKETS}")
    where = spelt_out(all_conditions(request))
    low, high = _extent(connection, request, where, now_ns)
    width = width_ns(low, high, buckets)
    sql = _COUNTS.format(width=width, where=where)
    starts = range(low // width * width, high, width)
    found = {start: RunBucket(start=iso_from_ns(start)) for start in starts}
    for row in connection.execute(f"SELECT epoch_ns(bucket), * EXCLUDE (bucket) FROM ({sql})").fetchall():
        _add(found[row[0]], *row[1:])
    return RunHistogram(bucket_ms=width // 1_000_000, buckets=list(found.values()), sql=sql)


def width_ns(low: int, high: int, buckets: int) -> int:
    """Return how wide buckets must be so that at most so many hold all times from `low` to before `high`."""

    def count(width_s: int) -> int:
        return 0 if high <= low else (high - 1) // (width_s * NANOS) - low // (width_s * NANOS) + 1

    place = bisect_left(WIDTHS_S, -buckets, key=lambda width_s: -count(width_s))
    if place < len(WIDTHS_S):
        return WIDTHS_S[place] * NANOS
    width_s = WIDTHS_S[-1]
    while count(width_s) > buckets:
        width_s += WIDTHS_S[-1]
    return width_s * NANOS


def _extent(connection: DuckDBPyConnection, request: RunFilter, where: str, now_ns: int) -> tuple[int, int]:
    """Return the first instant, and the first one after the last."""
    low, high = request.since_ns, request.until_ns
    if low is None or high is None:
        first, last = connection.execute(_EXTENT.format(where=where)).fetchall()[0]
        if first is None:
            return (0, 0) if low is None else (low, high or now_ns)
        low = first if low is None else low
        high = max(last + 1, now_ns) if high is None else high
    return low, high


def _add(
    bucket: RunBucket, status: str, runs: int, cost: float | None, tokens_in: int | None, tokens_out: int | None
) -> None:
    bucket.runs += runs
    bucket.statuses[status] = runs
    bucket.cost_usd += cost or 0.0
    bucket.input_tokens += tokens_in or 0
    bucket.output_tokens += tokens_out or 0
