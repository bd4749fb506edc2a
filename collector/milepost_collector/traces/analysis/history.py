"""One run beside the last ones of its name: what took longer or cost more than usual, what is new, what is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

from duckdb import DuckDBPyConnection

from milepost_collector.errors import NotFoundError
from milepost_collector.protocol.history import History, PathHistory, Spread
from milepost_collector.traces.analysis.compare import Step, steps_of
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
Path = tuple[str, ...]


@dataclass(slots=True)
class Sums:
    """The steps of one run at one path. None when nothing is known."""

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
    own = sums_by_path(steps_of(connection, index, run_id))
    before = [sums_by_path(steps_of(connection, index, other)) for other in chosen]
    return History(
        run=found[0],
        others=[others[other] for other in chosen if other in others],
        rows=beside(own, before),
        truncated=len(chosen) < len(rows),
    )


def sums_by_path(steps: Sequence[Step]) -> dict[Path, Sums]:
    """Return the sums of a run's steps by the path of their names, in the order of first starts. Pure."""
    by_id = {step.span_id: step for step in steps}
    paths: dict[str, Path] = {}
    found: defaultdict[Path, Sums] = defaultdict(Sums)
    for step in steps:
        found[_path(step, by_id, paths)].add(step)
    return dict(found)


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
    rows += [PathHistory(path=list(path), count=0, run_count=len(having[path]), is_missing=True) for path in missing]
    return rows


def _row(path: Path, sums: Sums, others: Sequence[Sums]) -> PathHistory:
    return PathHistory(
        path=list(path),
        count=sums.count,
        run_count=len(others),
        is_new=not others,
        duration_ms=_spread(sums.duration_ms, [other.duration_ms for other in others]),
        cost_usd=_spread(sums.cost_usd, [other.cost_usd for other in others]),
    )


def _spread(value: float | None, others: Sequence[float | None]) -> Spread | None:
    if value is None:
        return None
    known = sorted(other for other in others if other is not None)
    if not known:
        return Spread(value=value)
    tenths = quantiles(known, n=10, method="inclusive") if len(known) > 1 else known * 9
    return Spread(value=value, median=tenths[4], p90=tenths[8], rank=sum(other < value for other in known) / len(known))
