"""What counting takes and answers, and what a span's usage is worth."""

from __future__ import annotations

from typing import NamedTuple


class UsageSpan(NamedTuple):
    """A span that carries usage. Times are Unix ns; counts are inclusive as in the GenAI conventions.

    scope: the instrumentation that recorded it, None for Milepost's own API.
    """

    span_id: str
    parent_span_id: str | None
    kind: str
    name: str
    scope: str | None
    start_time: int
    end_time: int
    model: str | None
    provider: str | None
    response_id: str | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: float | None


class Uncounted(NamedTuple):
    """A span whose usage is left out, and why. of_span_id: the span that is counted instead, if it is one."""

    span_id: str
    reason: str
    of_span_id: str | None


# What a span's usage can be: of a call that generates, of a call that does not, or a total of what happened within.
GENERATING, LOOKUP, TOTAL = range(3)
_CALLS = {"llm": GENERATING, "embedding": LOOKUP, "reranker": LOOKUP, "retrieval": LOOKUP}
_CONTAINERS = frozenset(
    {"agent", "task", "tool", "chain", "workflow", "run", "session", "graph", "step", "turn", "guardrail", "evaluator",
     "prompt", "http", "rpc", "db"}
)  # fmt: skip

# How much is stated: nothing above zero, a cost alone, or tokens.
NOTHING, COST_ONLY, COUNTS = range(3)


def role_of(span: UsageSpan) -> int:
    """Tell what a span's usage is; a kind that nobody knows, with a model, is a call of it."""
    role = _CALLS.get(span.kind)
    if role is not None:
        return role
    return GENERATING if span.model is not None and span.kind not in _CONTAINERS else TOTAL


def level_of(span: UsageSpan) -> int:
    """Tell how much a span states."""
    if span[10] or span[11] or span[12] or span[13] or span[14]:
        return COUNTS
    return COST_ONLY if span.cost_usd else NOTHING


def known_counts(span: UsageSpan) -> int:
    """Return how many of the five counts are stated, 0 being a statement."""
    return 5 - span[10:15].count(None)


def fullness(span: UsageSpan) -> int:
    """Return how many of input and output are above zero."""
    return bool(span.input_tokens) + bool(span.output_tokens)


def same_counts(one: UsageSpan, other: UsageSpan) -> bool:
    """Tell whether input and output are equal, a missing count being 0."""
    return (one.input_tokens or 0, one.output_tokens or 0) == (other.input_tokens or 0, other.output_tokens or 0)


def near_counts(one: UsageSpan, other: UsageSpan) -> bool:
    """Tell whether the counts may be those of one call: some instrumentations count a stream's output one too high."""
    return (one.input_tokens or 0) == (other.input_tokens or 0) and (
        -1 <= (one.output_tokens or 0) - (other.output_tokens or 0) <= 1
    )
