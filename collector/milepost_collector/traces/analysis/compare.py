"""Two runs side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from duckdb import DuckDBPyConnection

from milepost_collector.errors import NotFoundError
from milepost_collector.protocol.api import RunSummary
from milepost_collector.protocol.compare import (
    Aspect,
    ComparedRow,
    Comparison,
    Counts,
    Delta,
    Divergence,
    Match,
    Side,
    SpanBodies,
    SpanComparison,
)
from milepost_collector.traces.analysis.alignment import Node, Pair, align
from milepost_collector.traces.queries.run_index import RunIndex
from milepost_collector.traces.queries.runs import run_summaries
from milepost_collector.traces.queries.source import SPAN_BOUNDS
from milepost_collector.traces.queries.spans import run_bounds, span_detail

MAX_SPANS = 50_000  # of each run

# Chat messages are no inputs of their own: what a span said is told by their ids.
_SPANS = f"""
SELECT span_id, parent_span_id, name, kind, status, epoch_ns(start_time), epoch_ns(end_time), cost_usd, input_tokens,
    output_tokens, model, error_type, hash(input::VARCHAR, said.input_ids), hash(output::VARCHAR, said.output_ids)
FROM (
    SELECT * FROM spans WHERE run_id = $run_id AND {SPAN_BOUNDS}
    UNION ALL BY NAME SELECT *, 'running' AS status FROM live_spans WHERE run_id = $run_id
)
LEFT JOIN (SELECT span_id, input_ids, output_ids FROM conversations WHERE run_id = $run_id) AS said USING (span_id)
ORDER BY start_time, span_id
"""


class Step(NamedTuple):
    """A span and the digests of what it was given and returned. Times are Unix ns."""

    span_id: str
    parent_span_id: str | None
    name: str
    kind: str
    status: str
    start: int
    end: int | None
    cost_usd: float | None
    input_tokens: int | None
    output_tokens: int | None
    model: str | None
    error_type: str | None
    given: int
    made: int


def compare(connection: DuckDBPyConnection, index: RunIndex, a: str, b: str) -> Comparison:
    """Return two runs aligned. Call within a transaction.

    Raises:
        NotFoundError: one of the runs is not known.
    """
    summaries = {run.run_id: run for run in run_summaries(connection, [a, b], index)}
    for run_id in (a, b):
        if run_id not in summaries:
            raise NotFoundError("run", run_id)
    steps_a, steps_b = steps_of(connection, index, a), steps_of(connection, index, b)
    found = compared(steps_a[:MAX_SPANS], steps_b[:MAX_SPANS], summaries[a], summaries[b])
    found.omitted_a, found.omitted_b = max(len(steps_a) - MAX_SPANS, 0), max(len(steps_b) - MAX_SPANS, 0)
    return found


def steps_of(connection: DuckDBPyConnection, index: RunIndex, run_id: str) -> list[Step]:
    """Return the spans of a run by start."""
    values = {"run_id": run_id, **run_bounds(connection, index, run_id)._asdict()}
    return [Step._make(row) for row in connection.execute(_SPANS, values).fetchall()]


def compared(a: Sequence[Step], b: Sequence[Step], run_a: RunSummary, run_b: RunSummary) -> Comparison:
    """Return the comparison of two runs' spans. Pure."""
    aligned = align(_nodes(a), _nodes(b))
    origins = (a[0].start if a else 0, b[0].start if b else 0)
    rows = [_row(pair, a, b, origins) for pair in aligned.rows]
    return Comparison(
        a=run_a,
        b=run_b,
        delta=_delta(run_a, run_b),
        counts=Counts(
            same=sum(row.match == "both" and not row.differs for row in rows),
            different=sum(row.match == "both" and bool(row.differs) for row in rows),
            only_a=sum(row.match == "a" for row in rows),
            only_b=sum(row.match == "b" for row in rows),
        ),
        divergence=_divergence(rows),
        rows=rows,
        approximate=aligned.approximate,
    )


def compare_spans(
    connection: DuckDBPyConnection,
    index: RunIndex,
    a: tuple[str, str] | None,
    b: tuple[str, str] | None,
    *,
    limit: int,
) -> SpanComparison:
    """Return what two spans, (run id, span id), were given and returned. limit: bytes up to which a value is whole.

    Raises:
        NotFoundError: one of them is not known.
    """
    sides = [one and _bodies(connection, index, *one, limit=limit) for one in (a, b)]
    return SpanComparison(a=sides[0], b=sides[1])


def _bodies(connection: DuckDBPyConnection, index: RunIndex, run_id: str, span_id: str, *, limit: int) -> SpanBodies:
    detail = span_detail(connection, index, span_id, run_id=run_id, payload_limit=limit)
    return SpanBodies(**{name: getattr(detail, name) for name in SpanBodies.__struct_fields__})


def _nodes(steps: Sequence[Step]) -> list[Node]:
    return [Node(number, step.span_id, step.parent_span_id, step.name) for number, step in enumerate(steps)]


def _row(pair: Pair, a: Sequence[Step], b: Sequence[Step], origins: tuple[int, int]) -> ComparedRow:
    one = None if pair.a is None else a[pair.a]
    other = None if pair.b is None else b[pair.b]
    known = one or other
    assert known is not None  # a row has a span
    match: Match = "both" if one and other else "a" if one else "b"
    row = ComparedRow(depth=pair.depth, name=known.name, kind=known.kind, match=match)
    row.a, row.b = one and _side(one, origins[0]), other and _side(other, origins[1])
    row.differs = _differences(one, other) if one and other else ["structure"]
    row.delta = _delta(row.a, row.b) if row.a and row.b else None
    return row


def _side(step: Step, origin: int) -> Side:
    return Side(
        span_id=step.span_id,
        status=step.status,
        start_ns=step.start - origin,
        duration_ms=None if step.end is None else (step.end - step.start) / 1e6,
        cost_usd=step.cost_usd,
        input_tokens=step.input_tokens,
        output_tokens=step.output_tokens,
        model=step.model,
        error_type=step.error_type,
    )


def _differences(one: Step, other: Step) -> list[Aspect]:
    differs: list[Aspect] = []
    if one.given != other.given:
        differs.append("input")
    if one.made != other.made:
        differs.append("output")
    if (one.status, one.error_type) != (other.status, other.error_type):
        differs.append("status")
    if one.model != other.model:
        differs.append("model")
    if (one.name, one.kind) != (other.name, other.kind):
        differs.append("structure")
    return differs


def _delta(a: RunSummary | Side, b: RunSummary | Side) -> Delta:
    return Delta(**{name: _difference(getattr(a, name), getattr(b, name)) for name in Delta.__struct_fields__})


def _difference(a: Any, b: Any) -> Any:
    return None if a is None or b is None else b - a


def _divergence(rows: Sequence[ComparedRow]) -> Divergence | None:
    """Return the first difference in reading order: a span's output is read after what happened within it."""
    return next(_readings(rows), None)


def _readings(rows: Sequence[ComparedRow]) -> Iterator[Divergence]:
    open_rows: list[int] = []
    for number, row in enumerate(rows):
        while open_rows and rows[open_rows[-1]].depth >= row.depth:
            yield from _at_end(open_rows[-1], rows[open_rows.pop()])
        for aspect in ("structure", "model", "input"):
            if aspect in row.differs:
                yield Divergence(row=number, aspect=aspect)
        open_rows.append(number)
    while open_rows:
        yield from _at_end(open_rows[-1], rows[open_rows.pop()])


def _at_end(number: int, row: ComparedRow) -> Iterator[Divergence]:
    for aspect in ("output", "status"):
        if aspect in row.differs:
            yield Divergence(row=number, aspect=aspect)
