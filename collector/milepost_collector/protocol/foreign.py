"""What OpenTelemetry exporters send, as plain values: spans, log records and metric points before any convention.

Attribute values are what JSON can hold: text without lone surrogates, booleans, integers of 64 bits, finite numbers,
lists and objects. NaN and infinities are the texts "NaN", "Infinity" and "-Infinity"; bytes are {"base64": text}.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from milepost.wire import Link

Attributes = dict[str, Any]

# OpenTelemetry's SpanKind, by its number in OTLP.
SPAN_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUS_CODES = ("UNSET", "OK", "ERROR")


class SpanEvent(Struct, kw_only=True, gc=False):
    """Something that happened during a span. time: Unix ns."""

    name: str
    time: int
    attributes: Attributes = {}


class ForeignSpan(Struct, kw_only=True, gc=False):
    """A span as its exporter sent it. Ids are lower-case hexadecimal, times Unix ns.

    end_time: None for a span that has only started (Logfire's pending spans). problems: what was wrong with it and what
    was done about it, for people to read.
    """

    run_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    start_time: int
    end_time: int | None
    kind: int = 0  # a place in SPAN_KINDS
    status_code: int = 0  # a place in STATUS_CODES
    status_message: str = ""
    attributes: Attributes = {}
    events: list[SpanEvent] = []
    links: list[Link] = []
    scope: str = ""
    scope_version: str = ""
    problems: list[str] = []


class ForeignLog(Struct, kw_only=True, gc=False):
    """A log record. run_id, span_id: None if it belongs to none. time: Unix ns, the observed one if it has no other."""

    run_id: str | None
    span_id: str | None
    time: int
    severity_number: int = 0
    severity_text: str = ""
    event_name: str = ""
    body: Any = None
    attributes: Attributes = {}
    scope: str = ""


class ForeignPoint(Struct, kw_only=True, gc=False):
    """One data point of a metric. kind: gauge, sum, histogram, exponential_histogram or summary.

    value: of a gauge or sum. count, sum, min, max: of the others. buckets: {"bounds", "counts"} of a histogram,
    {"scale", "zero_count", "positive", "negative"} of an exponential one, {"quantiles"} of a summary.
    temporality: delta, cumulative or empty.
    """

    name: str
    kind: str
    time: int
    start_time: int | None = None
    unit: str = ""
    description: str = ""
    temporality: str = ""
    monotonic: bool | None = None
    value: float | None = None
    count: int | None = None
    sum: float | None = None
    min: float | None = None
    max: float | None = None
    buckets: Any = None
    attributes: Attributes = {}
    scope: str = ""
