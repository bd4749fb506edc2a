"""The shapes of `/api/flame`: the spans of many runs folded by their paths."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Metric = Literal["time", "self", "cost", "tokens", "errors"]
FlameBy = Literal["name", "agent", "model"]


class FlameNode(Struct, kw_only=True, omit_defaults=True, gc=False):
    """All spans at one path. parent: its place in the list, absent at the top. value: with everything below it.

    kind: of one of them. own: of the spans themselves. Both are in the metric's unit: ms, USD, tokens or failed spans.
    """

    name: str
    kind: str
    value: float
    count: int
    own: float = 0
    parent: int | None = None


class FlameEntry(Struct, kw_only=True, gc=False):
    """All spans of one name. total: with what is below them, what lies within a span of the same name counted once.

    kind: of one of them.
    """

    name: str
    kind: str
    own: float
    total: float
    count: int


class Flame(Struct, kw_only=True):
    """Many runs as one picture. nodes: parents before children, siblings by value. table: by own value.

    time: each instant of a run counts once, for the span that is deepest in what began first, so that the top is as
    wide as the runs took; self: the time in which nothing ran below a span, parallel work adds up. run_count:
    runs that are in it; is_cut: there were more. hidden: nodes left out, all of them narrower than those given.
    run_sql: finds the runs.
    """

    metric: Metric
    by: FlameBy
    total: float
    run_count: int
    span_count: int
    is_cut: bool
    hidden: int
    nodes: list[FlameNode]
    table: list[FlameEntry]
    run_sql: str


class FlameAround(Struct, kw_only=True):
    """What leads to the spans of one key, and what is below them; the key itself is the first node of both.

    callers: paths upwards, each node with what the spans of the key have that it leads to; its `own` is the same.
    """

    key: str
    metric: Metric
    by: FlameBy
    callers: list[FlameNode]
    callees: list[FlameNode]
