"""Runs in a few words: spans with usage, the tree around them, and what counting makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from milepost_collector.protocol.usage import Uncounted, UsageSpan, count_once

MS = 1_000_000


def span(
    span_id: str,
    parent: str | None = None,
    counts: tuple[int | None, ...] = (131, 43),
    *,
    at: tuple[float, float] = (0, 100),
    kind: str = "llm",
    **values: Any,
) -> UsageSpan:
    """Return a span with usage. counts: input, output, cache read, cache write, reasoning. at: start and end, ms."""
    padded = (*counts, None, None, None, None, None)[:5]
    given = {"name": kind, "scope": "lib", "model": None, "provider": None, "response_id": None, "cost_usd": None}
    times = {"start_time": int(at[0] * MS), "end_time": int(at[1] * MS)}
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
    fixed = {"span_id": span_id, "parent_span_id": parent, "kind": kind, **times}
    return UsageSpan(**{**given, **fixed, **dict(zip(names, padded, strict=True)), **values})


def total(
    span_id: str, parent: str | None = None, counts: tuple[int | None, ...] = (331, 70), **values: Any
) -> UsageSpan:
    """Return a span that carries a total: an agent's, unless `kind` says otherwise."""
    return span(span_id, parent, counts, **{"kind": "agent", "model": None, **values})


def judge(spans: Sequence[UsageSpan], **bare: str | None) -> dict[str, Uncounted]:
    """Return the uncounted spans by id. bare: the parents of spans without usage."""
    parents = {one.span_id: one.parent_span_id for one in spans} | bare
    return {found.span_id: found for found in count_once(spans, parents)}


def left_out(spans: Sequence[UsageSpan], **bare: str | None) -> set[str]:
    """Return the ids of uncounted spans."""
    return set(judge(spans, **bare))


def sums(spans: Sequence[UsageSpan], **bare: str | None) -> tuple[int, int]:
    """Return the input and output tokens that count."""
    out = left_out(spans, **bare)
    counted = [one for one in spans if one.span_id not in out]
    return sum(one.input_tokens or 0 for one in counted), sum(one.output_tokens or 0 for one in counted)
