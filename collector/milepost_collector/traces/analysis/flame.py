"""Flame pictures of many runs: where time, money and tokens went, by path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from duckdb import DuckDBPyConnection

from milepost_collector.errors import InvalidParameterError
from milepost_collector.protocol.flame import Flame, FlameAround, FlameBy, FlameEntry, FlameNode, Metric
from milepost_collector.traces.analysis.around import callees, callers
from milepost_collector.traces.analysis.folding import (
    TOP,
    Folded,
    Spans,
    fold,
    self_times,
    wall_times,
    without_circles,
)
from milepost_collector.traces.queries.filters import RunFilter, all_conditions, spelt_out
from milepost_collector.traces.queries.run_index import RunIndex
from milepost_collector.traces.queries.source import Snapshot

MAX_RUNS = 5_000
MAX_SPANS = 1_000_000
MAX_NODES = 20_000
MS = 1e-6  # of a nanosecond
MAX_ENTRIES = 500
BATCH = 100_000
NONE = "(none)"  # the key of spans that have none

_AMOUNTS: dict[Metric, str] = {
    "time": "0",
    "self": "0",
    "cost": "CASE WHEN u.span_id IS NULL THEN coalesce(s.cost_usd, 0) ELSE 0 END",
    "tokens": "CASE WHEN u.span_id IS NULL THEN coalesce(s.input_tokens, 0) + coalesce(s.output_tokens, 0) ELSE 0 END",
    "errors": "(s.status IN ('failed', 'lost'))::INTEGER",
}
_COLUMNS = f"""
WITH members AS (
    SELECT row_number() OVER (ORDER BY s.run_id, s.start_time, s.span_id) - 1 AS place, s.run_id, s.span_id,
        s.parent_span_id, coalesce(s.{{by}}, '{NONE}') AS key, s.kind, epoch_ns(s.start_time) AS starts,
        epoch_ns(s.end_time) AS ends, ({{amount}})::DOUBLE AS amount
    FROM spans AS s LEFT JOIN uncounted AS u ON u.run_id = s.run_id AND u.span_id = s.span_id
    WHERE s.run_id IN (SELECT unnest(string_split($run_ids, ',')))
        AND s.start_time BETWEEN make_timestamp_ns($low) AND make_timestamp_ns($high)
)
SELECT coalesce(p.place, {TOP})::BIGINT AS parents, m.key, m.kind, m.starts, m.ends, m.amount
FROM members AS m LEFT JOIN members AS p ON p.run_id = m.run_id AND p.span_id = m.parent_span_id AND p.place <> m.place
ORDER BY m.place
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class FlameRequest:
    """What is asked. runs: which; its order and page do not matter. run_limit: the newest so many."""

    runs: RunFilter
    metric: Metric = "time"
    by: FlameBy = "name"
    run_limit: int = 1_000


class _Words(NamedTuple):
    """What keys are called, and the kinds of all spans, as Arrow has them: few of them are asked for."""

    keys: list[str]
    kinds: Any

    def kind(self, place: int) -> str:
        """Return the kind of a span."""
        return str(self.kinds[place])


def flame(connection: DuckDBPyConnection, index: RunIndex, request: FlameRequest) -> Flame:
    """Fold the runs that are asked for. Call within a transaction. Running spans are not in it.

    Raises:
        InvalidParameterError: more runs are asked for than are folded.
    """
    run_ids, is_cut = _chosen(connection, request)
    words, spans = _columns(connection, index, request, run_ids)
    folded = fold(spans, own_amounts(spans, request.metric))
    values = folded.values()
    nodes = _nodes(folded, values, words)
    return Flame(
        metric=request.metric,
        by=request.by,
        total=sum(value for value, above in zip(values, folded.parents, strict=True) if above == TOP),
        run_count=len(run_ids),
        span_count=len(spans.keys),
        is_cut=is_cut,
        hidden=len(values) - len(nodes),
        nodes=nodes,
        table=_table(folded, values, words),
        run_sql=runs_sql(request),
    )


def flame_around(connection: DuckDBPyConnection, index: RunIndex, request: FlameRequest, key: str) -> FlameAround:
    """Return what leads to the spans of a key, and what is below them. Call within a transaction.

    Raises:
        InvalidParameterError: no span has the key, or more runs are asked for than are folded.
    """
    run_ids, _ = _chosen(connection, request)
    words, spans = _columns(connection, index, request, run_ids)
    if key not in words.keys:
        raise InvalidParameterError("key", key, "no span of these runs has it; use a name of the table of /api/flame")
    folded, number = fold(spans, own_amounts(spans, request.metric)), words.keys.index(key)
    outermost = _outermost(folded)
    below = callees(folded, outermost, number)
    above = callers(folded, outermost, number, folded.values())
    return FlameAround(
        key=key,
        metric=request.metric,
        by=request.by,
        callers=_nodes(above, above.own, words),
        callees=_nodes(below, below.values(), words),
    )


def runs_sql(request: FlameRequest) -> str:
    """Return the statement that finds the runs, the newest first, and one more than may be folded."""
    return (
        f"SELECT run_id, span_count FROM runs WHERE {spelt_out(all_conditions(request.runs))} "
        f"ORDER BY start_time DESC, run_id LIMIT {request.run_limit + 1:d}"
    )


def own_amounts(spans: Spans, metric: Metric) -> list[float]:
    """Return what each span itself has of a metric, times in ms."""
    if metric == "time":
        return [own * MS for own in wall_times(spans)]
    if metric == "self":
        return [own * MS for own in self_times(spans)]
    return list(spans.amounts)


def _chosen(connection: DuckDBPyConnection, request: FlameRequest) -> tuple[list[str], bool]:
    """Return as many runs as may be folded, and whether there are more."""
    if not 1 <= request.run_limit <= MAX_RUNS:
        raise InvalidParameterError("runs", request.run_limit, f"use a number from 1 to {MAX_RUNS}")
    rows = connection.execute(runs_sql(request)).fetchall()
    chosen: list[str] = []
    left = MAX_SPANS
    for run_id, span_count in rows[: request.run_limit]:
        left -= span_count
        if left < 0 and chosen:
            break
        chosen.append(run_id)
    return chosen, len(chosen) < len(rows)


def _columns(
    connection: DuckDBPyConnection, index: RunIndex, request: FlameRequest, run_ids: list[str]
) -> tuple[_Words, Spans]:
    Snapshot(connection, index)  # brings the index up to date
    sql = _COLUMNS.format(by=request.by, amount=_AMOUNTS[request.metric])
    # One text: DuckDB takes a list as a parameter at 80 µs a member.
    values = {"run_ids": ",".join(run_ids), **index.bounds(run_ids)._asdict()}
    table = connection.execute(sql, values).to_arrow_reader(BATCH).read_all()
    keys = table.column("key").combine_chunks().dictionary_encode()
    parents, starts, ends, amounts = (
        table.column(name).to_pylist() for name in ("parents", "starts", "ends", "amount")
    )
    words = _Words(keys.dictionary.to_pylist(), table.column("kind").combine_chunks())
    return words, Spans(without_circles(parents), keys.indices.to_pylist(), starts, ends, amounts)


def _nodes(folded: Folded, values: Sequence[float], words: _Words) -> list[FlameNode]:
    """Return the widest nodes, siblings by value. No node is wider than its parent, so the parents are among them."""
    order = sorted(range(len(values)), key=lambda node: (-values[node], node))[:MAX_NODES]
    depths = _depths(folded)
    order.sort(key=lambda node: (depths[node], -values[node], node))
    place_of = {node: place for place, node in enumerate(order)}
    return [
        FlameNode(
            name=words.keys[folded.keys[node]],
            kind=words.kind(folded.firsts[node]),
            value=values[node],
            own=folded.own[node],
            count=folded.counts[node],
            parent=place_of.get(folded.parents[node]),
        )
        for node in order
    ]


def _depths(folded: Folded) -> list[int]:
    depths: list[int] = []
    for above in folded.parents:
        depths.append(0 if above == TOP else depths[above] + 1)
    return depths


def _table(folded: Folded, values: Sequence[float], words: _Words) -> list[FlameEntry]:
    entries: dict[int, FlameEntry] = {}
    outermost = _outermost(folded)
    for node, key in enumerate(folded.keys):
        if key not in entries:
            kind = words.kind(folded.firsts[node])
            entries[key] = FlameEntry(name=words.keys[key], kind=kind, own=0.0, total=0.0, count=0)
        entry = entries[key]
        entry.own += folded.own[node]
        entry.count += folded.counts[node]
        entry.total += values[node] if outermost[node] else 0.0
    return sorted(entries.values(), key=lambda entry: (-entry.own, entry.name))[:MAX_ENTRIES]


def _outermost(folded: Folded) -> list[bool]:
    """Tell for each node whether no node above it has its key."""
    below: list[list[int]] = [[] for _ in folded.keys]
    waiting: list[int] = []
    for node, above in enumerate(folded.parents):
        (waiting if above == TOP else below[above]).append(node)
    outermost = [False] * len(folded.keys)
    open_keys: Counter[int] = Counter()
    while waiting:
        node = waiting.pop()
        if node < 0:  # the way back up
            open_keys[folded.keys[~node]] -= 1
            continue
        outermost[node] = not open_keys[folded.keys[node]]
        open_keys[folded.keys[node]] += 1
        waiting += [~node, *below[node]]
    return outermost
