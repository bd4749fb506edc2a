"""One OTLP span to a `ForeignSpan`: identity, times and everything odd about them, each with a defined outcome."""

from __future__ import annotations

from typing import Any

from milepost.wire import Link
from milepost_collector.protocol.foreign import SPAN_KINDS, STATUS_CODES, Attributes, ForeignSpan, SpanEvent
from milepost_collector.protocol.otlp.export import RefusedError
from milepost_collector.protocol.otlp.form import Form
from milepost_collector.protocol.otlp.identity import SPAN_ID_BYTES, ZERO_SPAN_ID
from milepost_collector.protocol.otlp.values import MAX_INT64

PENDING = "pending_span"  # Logfire's name for the record of a start
_LAST_KIND = len(SPAN_KINDS) - 1
_LAST_STATUS = len(STATUS_CODES) - 1


def span_of(record: Any, scope: str, scope_version: str, form: Form, received_at: int) -> ForeignSpan:
    """Return the span. received_at: Unix ns, for spans that do not know when they were.

    Raises:
        RefusedError: its ids name no span.
    """
    problems: list[str] = []
    run_id, span_id = form.ids(record, problems)
    kind = record.kind
    span = ForeignSpan(
        run_id=run_id,
        span_id=span_id,
        parent_span_id=None,
        name=form.text(record.name),
        start_time=record.start_time_unix_nano,
        end_time=record.end_time_unix_nano,
        kind=kind if 0 <= kind <= _LAST_KIND else 0,
        attributes=form.attributes(record.attributes, problems),
        scope=scope,
        scope_version=scope_version,
        problems=problems,
    )
    if record.parent_span_id:
        span.parent_span_id = _parent(record.parent_span_id, span.span_id, form, problems)
    if record.status:
        code, span.status_message = form.status(record.status)
        span.status_code = code if 0 <= code <= _LAST_STATUS else 0
    if record.events:
        span.events = [_event(event, span, form) for event in record.events]
    if record.links:
        span.links = _links(record.links, form, problems)
    _note_extras(record, span.attributes, form)
    if not 0 < span.start_time <= record.end_time_unix_nano <= MAX_INT64:
        _settle_times(span, received_at)
    if span.attributes.get("logfire.span_type") == PENDING:
        _settle_pending(span)
    return span


def _parent(raw: Any, span_id: str, form: Form, problems: list[str]) -> str | None:
    noted = len(problems)
    try:
        parent = form.identity(raw, SPAN_ID_BYTES, problems)
    except RefusedError as error:
        if "zeros" not in str(error):  # zeros are how some exporters say that there is none
            problems.append(f"its parent is not known: {error}")
        return None
    if len(problems) > noted:
        problems[noted:] = [f"parent: {problem}" for problem in problems[noted:]]
    if parent == span_id:
        problems.append("it was sent as its own parent and is shown without one")
        return None
    return parent


def _event(record: Any, span: ForeignSpan, form: Form) -> SpanEvent:
    attributes = form.attributes(record.attributes, span.problems)
    if record.dropped_attributes_count:
        attributes["otel.dropped_attributes_count"] = record.dropped_attributes_count
    time = record.time_unix_nano
    if not 0 < time <= MAX_INT64:
        time = span.start_time if 0 < span.start_time <= MAX_INT64 else 0
    return SpanEvent(name=form.text(record.name), time=time, attributes=attributes)


def _links(records: Any, form: Form, problems: list[str]) -> list[Link]:
    links = []
    for record in records:
        try:
            run_id, span_id = form.ids(record, problems)
        except RefusedError as error:
            problems.append(f"a link was left out: {error}")
            continue
        attributes = form.attributes(record.attributes, problems)
        if record.trace_state:
            attributes["otel.trace_state"] = form.text(record.trace_state)
        links.append(Link(run_id=run_id, span_id=span_id, attributes=attributes or None))
    return links


def _note_extras(record: Any, attributes: Attributes, form: Form) -> None:
    if record.trace_state:
        attributes["otel.trace_state"] = form.text(record.trace_state)
    if record.dropped_attributes_count:
        attributes["otel.dropped_attributes_count"] = record.dropped_attributes_count
    if record.dropped_events_count:
        attributes["otel.dropped_events_count"] = record.dropped_events_count
    if record.dropped_links_count:
        attributes["otel.dropped_links_count"] = record.dropped_links_count


def _settle_times(span: ForeignSpan, received_at: int) -> None:
    """Make start and end a duration; the texts keep what was sent."""
    start, end = span.start_time, span.end_time or 0
    known_end = end if 0 < end <= MAX_INT64 else None
    last_event = max((event.time for event in span.events), default=0)
    if not 0 < start <= MAX_INT64:
        span.start_time = known_end or last_event or received_at
        source = "its end" if known_end else "its last event" if last_event else "the time it arrived"
        span.problems.append(f"its start time was sent as {start}; {source} is used")
    if known_end is None:
        span.end_time = max(span.start_time, last_event)
        what = "it was sent without an end" if end == 0 else f"its end time was sent as {end}"
        used = "its last event" if span.end_time > span.start_time else "its start"
        span.problems.append(f"{what}; {used} is used")
    elif known_end < span.start_time:
        span.end_time = span.start_time
        span.problems.append(f"its end time was sent as {end}, before its start {span.start_time}; its start is used")
    for event in span.events:
        event.time = event.time or span.start_time


def _settle_pending(span: ForeignSpan) -> None:
    """Turn the record of a start, a span of its own below the real one, into the real one, still running."""
    if span.parent_span_id is None:
        span.problems.append("it is a pending span that does not say of which span")
        return
    parent = span.attributes.get("logfire.pending_parent_id")
    span.span_id = span.parent_span_id
    span.parent_span_id = parent if isinstance(parent, str) and _names_parent(parent, span.span_id) else None
    span.end_time = None


def _names_parent(digits: str, span_id: str) -> bool:
    plain = len(digits) == len(ZERO_SPAN_ID) and not set(digits) - set("0123456789abcdef")
    return plain and digits not in (ZERO_SPAN_ID, span_id)
