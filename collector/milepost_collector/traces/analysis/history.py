"""One run beside the last ones of its name: what took longer or cost more than usual, what is new, what is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from statistics import quantiles
from typing import NamedTuple

from duckdb import DuckDBPyConnection

from milepost_collector.errors import NotFoundError
from milepost_collector.protocol.history import History, PathHistory, Spread
from milepost_collector.traces.queries.run_index import RunIndex
from milepost_collector.traces.queries.runs import run_summaries

MAX_OTHERS = 100
MAX_SPANS = 200_000  # of all runs together

_BEFORE = """
SELECT run_id, span_count FROM runs
WHERE name = (SELECT name FROM runs WHERE run_id = $run_id) AND status <> 'running' AND run_id <> $run_id
    AND start_time <= (SELECT start_time FROM runs WHERE run_id = $run_id)
ORDER BY start_time DESC, run_id LIMIT $last
"""
_STEPS = """
SELECT run_id, span_id, parent_span_id, name, kind, epoch_ns(start_time), epoch_ns(end_time), cost_usd FROM (
    SELECT * FROM spans WHERE run_id IN (SELECT unnest(string_split($run_ids, ',')))
        AND start_time BETWEEN make_timestamp_ns($low) AND make_timestamp_ns($high)
    UNION ALL BY NAME SELECT * FROM live_spans WHERE run_id IN (SELECT unnest(string_split($run_ids, ',')))
)
ORDER BY run_id, start_time, span_id
"""
Path = tuple[str, ...]


class Step(NamedTuple):
    """A span. Times are Unix ns."""

    run_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    kind: str
    start: int
    end: int | None
    cost_usd: float | None


@dataclass(slots=True)
class Sums:
    """The steps of one run at one path. first: of them, or of another run's. None when nothing is known."""

    first: Step
    count: int = 0
    duration_ms: float | None = None
    cost_usd: float | None = None

    def add(self, step: Step) -> None:
        """Add a step."""
        self.count += 1
        if step.end is not None:
            self.duration_ms = (self.duration_ms or 0.0) + (step.end - step.start) / 1e6
        if step.cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0.0) + step.cost_usd


def history(connection: DuckDBPyConnection, index: RunIndex, run_id: str, *, last: int) -> History:
    """Return a run beside the last so many of its name that are over. Call within a transaction.

    Raises:
        NotFoundError: the run is not known.
    """
    found = run_summaries(connection, [run_id], index)
    if not found:
        raise NotFoundError("run", run_id)
    rows = connection.execute(_BEFORE, {"run_id": run_id, "last": last}).fetchall()
    chosen: list[str] = []
    left = MAX_SPANS
    for other, span_count in rows:
        left -= span_count
        if left >= 0:
            chosen.append(other)
    others = {run.run_id: run for run in run_summaries(connection, chosen, index)}
    steps = steps_by_run(connection, index, [run_id, *chosen])
    own = sums_by_path(steps.get(run_id, ()))
    before = [sums_by_path(steps.get(other, ())) for other in chosen]
    return History(
        run=found[0],
        others=[others[other] for other in chosen if other in others],
        rows=beside(own, before),
        truncated=len(chosen) < len(rows),
    )


def steps_by_run(connection: DuckDBPyConnection, index: RunIndex, run_ids: Sequence[str]) -> dict[str, list[Step]]:
    """Return the spans of runs by start."""
    # One text: DuckDB takes a list as a parameter at 80 µs a member.
    values = {"run_ids": ",".join(run_ids), **index.bounds(run_ids)._asdict()}
    rows = [Step._make(row) for row in connection.execute(_STEPS, values).fetchall()]
    return {run_id: list(steps) for run_id, steps in groupby(rows, attrgetter("run_id"))}


def sums_by_path(steps: Sequence[Step]) -> dict[Path, Sums]:
    """Return the sums of a run's steps by the path of their names, in the order of first starts. Pure."""
    by_id = {step.span_id: step for step in steps}
    paths: dict[str, Path] = {}
    found: dict[Path, Sums] = {}
    for step in steps:
        found.setdefault(_path(step, by_id, paths), Sums(step)).add(step)
    return found


def _path(step: Step, by_id: Mapping[str, Step], paths: dict[str, Path]) -> Path:
    """Return the names from the top; what hangs on nothing known, or in a circle, begins at itself."""
    above: list[Step] = []
    seen: set[str] = set()
    one: Step | None = step
    while one is not None and one.span_id not in paths and one.span_id not in seen:
        above.append(one)
        seen.add(one.span_id)
        one = by_id.get(one.parent_span_id or "")
    path = () if one is None else paths.get(one.span_id, ())
    for each in reversed(above):
        path = paths[each.span_id] = (*path, each.name)
    return paths[step.span_id]


def beside(own: Mapping[Path, Sums], before: Sequence[Mapping[Path, Sums]]) -> list[PathHistory]:
    """Return a run's paths with where they lie among others', then those of more than half of them that it lacks."""
    having: defaultdict[Path, list[Sums]] = defaultdict(list)
    for other in before:
        for path, sums in other.items():
            having[path].append(sums)
    rows = [_row(path, sums, having.get(path, ())) for path, sums in own.items()]
    missing = [path for path, found in having.items() if path not in own and 2 * len(found) > len(before)]
    return rows + [_row(path, Sums(having[path][0].first), having[path]) for path in missing]


def _row(path: Path, sums: Sums, others: Sequence[Sums]) -> PathHistory:
    return PathHistory(
        path=list(path),
        kind=sums.first.kind,
        run_id=sums.first.run_id,
        span_id=sums.first.span_id,
        count=sums.count,
        run_count=len(others),
        is_new=not others,
        is_missing=sums.count == 0,
        duration_ms=_spread(sums.duration_ms, [other.duration_ms for other in others]),
        cost_usd=_spread(sums.cost_usd, [other.cost_usd for other in others]),
    )


def _spread(value: float | None, others: Sequence[float | None]) -> Spread | None:
    known = sorted(other for other in others if other is not None)
    if not known:
        return None if value is None else Spread(value=value)
    hundredths = quantiles(known, n=100, method="inclusive") if len(known) > 1 else known * 99
    return Spread(
        value=value,
        low=known[0],
        median=hundredths[49],
        p90=hundredths[89],
        p99=hundredths[98],
        high=known[-1],
        rank=None if value is None else sum(other < value for other in known) / len(known),
    )
