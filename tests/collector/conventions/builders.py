"""Spans in a few words, and what the shipped table says of them."""

from __future__ import annotations

from typing import Any

from milepost.wire import Resource
from milepost_collector.protocol.conventions import normalise
from milepost_collector.protocol.foreign import ForeignSpan, SpanEvent
from milepost_collector.protocol.normalised import Normalised

START = 1_795_230_000_000_000_000
RESOURCE = Resource()


def span(attributes: dict[str, Any] | None = None, **values: Any) -> ForeignSpan:
    """Return a span of 100 ms named "work" that differs from the plainest one in what is given."""
    times = {"start_time": START, "end_time": START + 100_000_000}
    fixed = {"run_id": "a" * 32, "span_id": "b" * 16, "parent_span_id": None, "name": "work", **times}
    return ForeignSpan(**{**fixed, "attributes": attributes or {}, **values})


def said(attributes: dict[str, Any] | None = None, **values: Any) -> Normalised:
    """Return what the shipped table says of a span."""
    return normalise(span(attributes, **values), RESOURCE)


def exception(**attributes: Any) -> SpanEvent:
    """Return an exception event. attributes: without their prefix."""
    named = {f"exception.{name}": value for name, value in attributes.items()}
    return SpanEvent(name="exception", time=START, attributes=named)


def counts(found: Normalised) -> tuple[int | None, ...]:
    """Return input, output, cache read, cache write and reasoning tokens."""
    usage = found.usage
    assert usage is not None
    return (
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    )
