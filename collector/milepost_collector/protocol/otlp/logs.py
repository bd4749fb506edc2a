"""One OTLP log record to a `ForeignLog`."""

from __future__ import annotations

from typing import Any

from milepost_collector.protocol.foreign import ForeignLog
from milepost_collector.protocol.otlp.export import RefusedError
from milepost_collector.protocol.otlp.form import Form
from milepost_collector.protocol.otlp.identity import RUN_ID_BYTES, SPAN_ID_BYTES
from milepost_collector.protocol.otlp.values import MAX_INT64

MAX_SEVERITY = 24  # FATAL4


def log_of(record: Any, scope: str, form: Form, received_at: int) -> ForeignLog:
    """Return the log record; ids that name nothing leave it without a span.

    Raises:
        RefusedError: it is a span or metric that was sent to the wrong address.
    """
    sent_times = (record.time_unix_nano, record.observed_time_unix_nano)
    time = next((time for time in sent_times if 0 < time <= MAX_INT64), 0)
    if not time and form.signal_of(record) in ("traces", "metrics"):
        raise RefusedError("it is not a log record")
    run_id = _identity(record.trace_id, RUN_ID_BYTES, form)
    attributes = form.attributes(record.attributes, [])
    if record.dropped_attributes_count:
        attributes["otel.dropped_attributes_count"] = record.dropped_attributes_count
    event_name = form.text(record.event_name) or attributes.get("event.name")
    return ForeignLog(
        run_id=run_id,
        span_id=_identity(record.span_id, SPAN_ID_BYTES, form) if run_id else None,
        time=time or received_at,
        severity_number=record.severity_number if 0 <= record.severity_number <= MAX_SEVERITY else 0,
        severity_text=form.text(record.severity_text),
        event_name=event_name if isinstance(event_name, str) else "",
        body=form.value(record.body),
        attributes=attributes,
        scope=scope,
    )


def _identity(raw: Any, size: int, form: Form) -> str | None:
    if not raw:
        return None
    try:
        return form.identity(raw, size, [])
    except RefusedError:
        return None
