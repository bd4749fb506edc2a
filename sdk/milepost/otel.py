"""Spans of the OpenTelemetry SDK, forwarded as they start and end, beside whatever else the application exports.

    from opentelemetry.sdk.trace import TracerProvider
    provider = TracerProvider()
    provider.add_span_processor(milepost.otel.SpanProcessor())

Runs and tasks are OpenTelemetry spans already, so that both kinds nest under each other without this module; it is what
lets the collector see the others. Their attributes are passed on as they are: the collector knows the conventions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.context import Context
from opentelemetry.trace import SpanContext, SpanKind, StatusCode

from milepost import wire
from milepost._client import Client, producer_here
from milepost._guard import never_raise
from milepost._ids import run_text, span_text

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Event, ReadableSpan, Span
    from opentelemetry.sdk.trace import SpanProcessor as _Base

    from milepost._codec import Codec
    from milepost._producer import Producer
else:
    try:
        from opentelemetry.sdk.trace import SpanProcessor as _Base
    except ImportError:  # the SDK is optional; its providers only ask for the methods
        _Base = object

__all__ = ["SpanProcessor"]

_SPAN_BYTES = 900
_ATTRIBUTE_BYTES = 64

_KIND_BY_OPERATION = {  # gen_ai.operation.name
    "chat": "llm",
    "create_agent": "agent",
    "embeddings": "embedding",
    "execute_tool": "tool",
    "generate_content": "llm",
    "invoke_agent": "agent",
    "retrieval": "retrieval",
    "text_completion": "llm",
}
_KIND_BY_NAME = {"retriever": "retrieval", "workflow": "chain", "unknown": "other"}


class SpanProcessor(_Base):
    """Forwards the spans of a tracer provider to Milepost, live.

    client: whose queue they go to; None: the client of the run they are in, or else the process-wide one.
    Safe under threads and forks; it adds no thread of its own and does not raise.
    """

    def __init__(self, client: Client | None = None) -> None:
        self._client = client
        self._producers: dict[int, Producer] = {}  # of the open spans, so that an end goes where its start went

    @never_raise
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Queue the start of a span."""
        producer = self._producer()
        span_id = _context_of(span).span_id
        if producer.recording:
            self._producers[span_id] = producer
            producer.open.add(span_id)
            producer.buffer.put_start(_Started(span), _size_of(span))

    def _on_ending(self, span: Span) -> None:
        """Nothing is left to add to a span that is about to end."""

    @never_raise
    def on_end(self, span: ReadableSpan) -> None:
        """Queue the whole span and its events."""
        span_id = _context_of(span).span_id
        producer = self._producers.pop(span_id, None) or self._producer()
        for event in span.events:
            producer.buffer.put_event(_Happened(span, event), _SPAN_BYTES)
        if not producer.buffer.put_end(_Ended(span, producer), _size_of(span)):
            producer.open.discard(span_id)

    def shutdown(self) -> None:
        """Send what is queued; the client stays usable, because others may use it as well."""
        self.force_flush(2_000)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what is queued; tell whether the collector had it within the timeout."""
        return self._producer().flush(timeout_millis / 1_000)

    def _producer(self) -> Producer:
        return producer_here() if self._client is None else self._client._resident.producer


class _Started:
    def __init__(self, span: ReadableSpan) -> None:
        self._span = span

    def export(self, codec: Codec) -> wire.SpanStarted | None:
        if self._span.end_time is not None:
            return None  # its end is queued behind it and says everything
        return wire.SpanStarted(**_common(self._span, codec))


class _Ended:
    def __init__(self, span: ReadableSpan, producer: Producer) -> None:
        self._span = span
        self._producer = producer

    def export(self, codec: Codec) -> wire.SpanEnded:
        span = self._span
        self._producer.open.discard(_context_of(span).span_id)
        failed = span.status.status_code is StatusCode.ERROR
        return wire.SpanEnded(
            **_common(span, codec),
            end_time=max(span.end_time or 0, span.start_time or 0),
            status="failed" if failed else "completed",
            **(_error(span, codec) if failed else {}),
        )


class _Happened:
    def __init__(self, span: ReadableSpan, event: Event) -> None:
        self._span = span
        self._event = event

    def export(self, codec: Codec) -> wire.Event:
        context, event = _context_of(self._span), self._event
        attributes = dict(event.attributes or {})
        is_exception = event.name == "exception"
        return wire.Event(
            run_id=run_text(context.trace_id),
            span_id=span_text(context.span_id),
            time=max(event.timestamp or 0, 0),
            kind="exception" if is_exception else "event",
            name=codec.name(attributes.get("exception.type", event.name) if is_exception else event.name),
            severity="error" if is_exception else None,
            message=codec.message(attributes.get("exception.message")) if is_exception else None,
            attributes=codec.attributes(attributes),
        )


def _common(span: ReadableSpan, codec: Codec) -> dict[str, Any]:
    context, parent = _context_of(span), span.parent
    attributes = dict(span.attributes or {})
    scope = span.instrumentation_scope
    return {
        "run_id": run_text(context.trace_id),
        "span_id": span_text(context.span_id),
        "parent_span_id": span_text(parent.span_id) if parent is not None and parent.is_valid else None,
        "name": codec.name(span.name),
        "kind": kind_of(attributes, span.kind),
        "start_time": max(span.start_time or 0, 0),
        "attributes": codec.attributes(attributes),
        "links": [_link(link.context, link.attributes, codec) for link in span.links] or None,
        "scope": codec.name(scope.name) if scope is not None and scope.name else None,
    }


def kind_of(attributes: Mapping[str, Any], span_kind: SpanKind) -> str:
    """Return Milepost's kind of a foreign span, by the conventions that say it; `other` if none does."""
    operation = attributes.get("gen_ai.operation.name")
    if operation in _KIND_BY_OPERATION:
        return _KIND_BY_OPERATION[operation]
    for key in ("openinference.span.kind", "traceloop.span.kind"):
        if isinstance(named := attributes.get(key), str) and named:
            return _KIND_BY_NAME.get(named.lower(), named.lower())
    is_http = "http.request.method" in attributes or "http.method" in attributes
    return "http" if is_http and span_kind is SpanKind.CLIENT else "other"


def _error(span: ReadableSpan, codec: Codec) -> dict[str, Any]:
    """Return the error fields: by the last exception that was recorded, and the status's own words."""
    exceptions = [event.attributes or {} for event in span.events if event.name == "exception"]
    last = exceptions[-1] if exceptions else {}
    return {
        "error_type": codec.optional_name(last.get("exception.type") or (span.attributes or {}).get("error.type")),
        "error_message": codec.message(last.get("exception.message") or span.status.description),
        "error_stack": codec.message(last.get("exception.stacktrace")),
    }


def _link(context: SpanContext, attributes: Mapping[str, Any] | None, codec: Codec) -> wire.Link:
    run_id, span_id = run_text(context.trace_id), span_text(context.span_id)
    return wire.Link(run_id=run_id, span_id=span_id, attributes=codec.attributes(attributes))


def _context_of(span: ReadableSpan) -> SpanContext:
    return cast("SpanContext", span.get_span_context())  # every span of the SDK has one


def _size_of(span: ReadableSpan) -> int:
    values = (span.attributes or {}).values()
    return _SPAN_BYTES + sum(_ATTRIBUTE_BYTES + (len(item) if isinstance(item, str) else 0) for item in values)
