"""How long tasks take and how long they keep still, judged by their like. Pure: past figures in, expectations out.

Nothing is expected of too few: below the minimum the answer is None. Quantiles are values that occurred (nearest rank).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from msgspec import Struct

MIN_SAMPLES = 5  # completed tasks, for an estimate
MIN_GAPS = 20  # completed attempts, for a stall: p99 of fewer is the longest that there was
SHORTEST_STALL_MS = 10_000  # keeping still for less is nothing to tell


class Ended(NamedTuple):
    """A task that was completed: how long it ran and waited before, in milliseconds, and who ran it last."""

    run_ms: int
    wait_ms: int
    agent: str | None


class Like(Struct, kw_only=True, frozen=True):
    """What tasks like one took, each list sorted. of: whether they were the same agent's."""

    of: Literal["agent", "name"]
    runs_ms: tuple[int, ...]
    waits_ms: tuple[int, ...]


class Expected(Struct, kw_only=True, frozen=True):
    """When a task will probably be finished: half of its like were by `median_at`, nine of ten by `p90_at`;
    milliseconds since the Unix epoch."""

    median_at: int
    p90_at: int


def quantile(values: Sequence[int], share: float) -> int:
    """Return the smallest of sorted values that at least this share of them does not exceed.

    Raises:
        ValueError: there are none.
    """
    if not values:
        raise ValueError("a quantile of no values; give at least one")
    return values[max(math.ceil(share * len(values)) - 1, 0)]


def like(ended: Sequence[Ended], agent: str | None) -> Like | None:
    """Return what the tasks of a name took: those of the agent if there are enough of them, else all; None: too few."""
    own = [one for one in ended if agent is not None and one.agent == agent]
    chosen = own if len(own) >= MIN_SAMPLES else list(ended)
    if len(chosen) < MIN_SAMPLES:
        return None
    return Like(
        of="agent" if chosen is own else "name",
        runs_ms=tuple(sorted(one.run_ms for one in chosen)),
        waits_ms=tuple(sorted(max(one.wait_ms, 0) for one in chosen)),
    )


def expected_of_running(known: Like, started_at: int, now: int) -> Expected | None:
    """Return when a running task will be finished, judged by those that ran at least as long; None: none did."""
    longer = [took for took in known.runs_ms if took >= now - started_at]
    if not longer:
        return None
    return Expected(median_at=started_at + quantile(longer, 0.5), p90_at=started_at + quantile(longer, 0.9))


def expected_of_queued(known: Like, ready_at: int, now: int) -> Expected:
    """Return when a task that waits to run will be finished: once it has waited and run as long as its like."""
    return Expected(
        median_at=max(ready_at + quantile(known.waits_ms, 0.5), now) + quantile(known.runs_ms, 0.5),
        p90_at=max(ready_at + quantile(known.waits_ms, 0.9), now) + quantile(known.runs_ms, 0.9),
    )


def stall_after_ms(gaps_ms: Sequence[int]) -> int | None:
    """Return after how long without a sign of progress an attempt counts as stalled; None: too little is known.

    gaps_ms: the longest that completed attempts of its kind went without one. Of a hundred sound attempts about one is
    wrongly called stalled.
    """
    if len(gaps_ms) < MIN_GAPS:
        return None
    return max(quantile(sorted(gaps_ms), 0.99), SHORTEST_STALL_MS)
