"""OpenTelemetry spans and logs as requests, for the commit core."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from milepost.wire import Link, Resource
from milepost_collector.protocol.batch import DecodedBatch
from milepost_collector.protocol.export_rows import export_batch
from milepost_collector.protocol.foreign import ForeignLog, ForeignSpan, SpanEvent
from milepost_collector.protocol.otlp.export import Export, Origin

START = 1_790_000_000_000_000_000
SECOND = 1_000_000_000

_digests = itertools.count(1)


def request_of(
    *spans: ForeignSpan, logs: Sequence[ForeignLog] = (), digest: str | None = None, producer_id: str = "otlp-1"
) -> DecodedBatch:
    """Return a request with these records. digest: None makes it a request never seen before."""
    origin = Origin(producer_id, Resource(service_name="svc"), spans=list(spans), logs=list(logs))
    return export_batch(Export("traces", digest or f"{next(_digests):032x}", 100, [origin]))


def call(run_id: str, span_id: str, parent: str | None = None, **more: Any) -> ForeignSpan:
    """Return a model call of 100 tokens in and 10 out."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.response.model": "gpt-4o-mini",
        "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 10,
        **more.pop("attributes", {}),
    }
    return span(run_id, span_id, parent, name="chat gpt-4o-mini", attributes=attributes, **more)


def agent(run_id: str, span_id: str, parent: str | None = None, **more: Any) -> ForeignSpan:
    """Return an agent that carries the totals of two calls."""
    attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "writer",
        "gen_ai.usage.input_tokens": 200,
        "gen_ai.usage.output_tokens": 20,
    }
    return span(run_id, span_id, parent, name="invoke_agent writer", attributes=attributes, **more)


def span(run_id: str, span_id: str, parent: str | None = None, **more: Any) -> ForeignSpan:
    """Return an ended span."""
    fields = {"name": "step", "start_time": START, "end_time": START + SECOND, "scope": "lib", **more}
    return ForeignSpan(run_id=run_id, span_id=span_id, parent_span_id=parent, **fields)


def linked(run_id: str, span_id: str, to_run: str, **more: Any) -> ForeignSpan:
    """Return a root that links to another run."""
    return span(run_id, span_id, links=[Link(run_id=to_run, span_id="f" * 16)], **more)


def said(*texts: str) -> list[SpanEvent]:
    """Return the events of a conversation, by user and model in turn."""
    names = itertools.cycle(["gen_ai.user.message", "gen_ai.choice"])
    return [
        SpanEvent(name=name, time=START + place, attributes={"content": text})
        for place, (name, text) in enumerate(zip(names, texts, strict=False))
    ]
