"""The shapes of `/api/compare`: two runs side by side."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from milepost_collector.protocol.api import Conversation, Payload, RunSummary

Aspect = Literal["input", "output", "status", "model", "structure"]
Match = Literal["both", "a", "b"]


class Side(Struct, kw_only=True, omit_defaults=True, gc=False):
    """A span of one run. start_ns: nanoseconds after the run's earliest start. duration_ms: absent while it runs."""

    span_id: str
    status: str
    start_ns: int
    duration_ms: float | None = None
    cost_usd: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    model: str | None = None
    error_type: str | None = None


class Delta(Struct, kw_only=True, omit_defaults=True, gc=False):
    """What b has more than a; absent where one of them is not known."""

    duration_ms: float | None = None
    cost_usd: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


class ComparedRow(Struct, kw_only=True, omit_defaults=True, gc=False):
    """A span of both runs, or of one of them. differs: in what; the whole of an unmatched row is a difference."""

    depth: int
    name: str
    kind: str
    match: Match
    a: Side | None = None
    b: Side | None = None
    delta: Delta | None = None
    differs: list[Aspect] = []


class Divergence(Struct, kw_only=True):
    """The first difference: inputs and models are read where a span begins, outputs and statuses where it ends."""

    row: int
    aspect: Aspect


class Counts(Struct, kw_only=True):
    """Rows: of both runs and equal, of both and different, of one alone."""

    same: int
    different: int
    only_a: int
    only_b: int


class Comparison(Struct, kw_only=True):
    """Two runs, their spans aligned by path and order. omitted: spans of the runs beyond those compared.

    approximate: sibling lists were so long that they were aligned in parts.
    """

    a: RunSummary
    b: RunSummary
    delta: Delta
    counts: Counts
    divergence: Divergence | None
    rows: list[ComparedRow]
    omitted_a: int = 0
    omitted_b: int = 0
    approximate: bool = False


class SpanBodies(Struct, kw_only=True):
    """What a span was given and returned. Values over the limit are cut."""

    run_id: str
    span_id: str
    name: str
    status: str
    input: Payload | None
    output: Payload | None
    messages: Conversation | None
    error_type: str | None
    error_message: str | None


class SpanComparison(Struct, kw_only=True):
    """Both sides of a row; None where there is none."""

    a: SpanBodies | None
    b: SpanBodies | None
