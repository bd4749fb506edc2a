"""OTLP/JSON's messages. Unknown fields are ignored, null means "not sent", integers may be text, enums may be names.

The Python names are OTLP's own, as in protobuf, so that `spans`, `logs` and `metrics` read both.
Source: opentelemetry-proto and the OTLP specification, "JSON Protobuf Encoding".
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from milepost_collector.protocol.foreign import SPAN_KINDS, STATUS_CODES
from milepost_collector.protocol.otlp.export import Signal
from milepost_collector.protocol.otlp.values import integer

Integer = int | float | str | None
Double = float | str | None
Enum = int | str | None

_SEVERITIES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
ENUMS: dict[str, int] = {
    **{f"SPAN_KIND_{name}": number for number, name in enumerate(SPAN_KINDS)},
    **{f"STATUS_CODE_{name}": number for number, name in enumerate(STATUS_CODES)},
    **{f"AGGREGATION_TEMPORALITY_{name}": number for number, name in enumerate(("UNSPECIFIED", "DELTA", "CUMULATIVE"))},
    "SEVERITY_NUMBER_UNSPECIFIED": 0,
    **{
        f"SEVERITY_NUMBER_{name}{step or ''}": 4 * level + (step or 1)
        for level, name in enumerate(_SEVERITIES)
        for step in (None, 2, 3, 4)
    },
}


def enum(value: Enum) -> int:
    """Return an enum's number.

    Raises:
        ValueError: it is an unknown name.
    """
    if isinstance(value, int):
        return value
    if not value:
        return 0
    if value in ENUMS:
        return ENUMS[value]
    return integer(value)


def double(value: Double) -> float:
    """Return a double; the texts "NaN", "Infinity" and "-Infinity" are numbers too.

    Raises:
        ValueError: it is none.
    """
    return float(value or 0)


class Message(Struct, rename="camel", kw_only=True, gc=False):
    """What every message is."""


class AnyValue(Message):
    """One of: text, boolean, integer, double, list, map, bytes; or nothing, or a null."""

    string_value: str | None = None
    bool_value: bool | None = None
    int_value: Integer = None
    double_value: Double = None
    array_value: ListValue | None = None
    kvlist_value: MapValue | None = None
    bytes_value: str | None = None


class ListValue(Message):
    """A list."""

    values: list[AnyValue | None] | None = None


class KeyValue(Message):
    """An attribute."""

    key: str | None = None
    value: AnyValue | None = None


class MapValue(Message):
    """A map."""

    values: list[KeyValue] | None = None


class Resource(Message):
    """Who sent it."""

    attributes: list[KeyValue] | None = None


class Scope(Message):
    """Which instrumentation made it."""

    name: str | None = None
    version: str | None = None


class Status(Message):
    """How a span ended."""

    code: Enum = 0
    message: str | None = None

    def __post_init__(self) -> None:
        self.code = enum(self.code)


class _Dropping(Message):
    attributes: list[KeyValue] | None = None
    dropped_attributes_count: Integer = 0

    def __post_init__(self) -> None:
        self.dropped_attributes_count = integer(self.dropped_attributes_count)


class SpanEvent(_Dropping):
    """Something that happened during a span."""

    time_unix_nano: Integer = 0
    name: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.time_unix_nano = integer(self.time_unix_nano)


class SpanLink(_Dropping):
    """A reference to another span."""

    trace_id: str | None = None
    span_id: str | None = None
    trace_state: str | None = None


class Span(_Dropping):
    """A span."""

    trace_id: str | None = None
    span_id: str | None = None
    trace_state: str | None = None
    parent_span_id: str | None = None
    name: str | None = None
    kind: Enum = 0
    start_time_unix_nano: Integer = 0
    end_time_unix_nano: Integer = 0
    events: list[SpanEvent] | None = None
    dropped_events_count: Integer = 0
    links: list[SpanLink] | None = None
    dropped_links_count: Integer = 0
    status: Status | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.kind = enum(self.kind)
        self.start_time_unix_nano = integer(self.start_time_unix_nano)
        self.end_time_unix_nano = integer(self.end_time_unix_nano)
        self.dropped_events_count = integer(self.dropped_events_count)
        self.dropped_links_count = integer(self.dropped_links_count)


class LogRecord(_Dropping):
    """A log record."""

    time_unix_nano: Integer = 0
    observed_time_unix_nano: Integer = 0
    severity_number: Enum = 0
    severity_text: str | None = None
    body: AnyValue | None = None
    trace_id: str | None = None
    span_id: str | None = None
    event_name: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.severity_number = enum(self.severity_number)
        self.time_unix_nano = integer(self.time_unix_nano)
        self.observed_time_unix_nano = integer(self.observed_time_unix_nano)


class _Point(Message):
    attributes: list[KeyValue] | None = None
    start_time_unix_nano: Integer = 0
    time_unix_nano: Integer = 0

    def __post_init__(self) -> None:
        self.start_time_unix_nano = integer(self.start_time_unix_nano)
        self.time_unix_nano = integer(self.time_unix_nano)


class NumberPoint(_Point):
    """A point of a gauge or sum."""

    as_double: Double = None
    as_int: Integer = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.as_double = None if self.as_double is None else double(self.as_double)
        self.as_int = None if self.as_int is None else integer(self.as_int)


class _Distribution(_Point):
    count: Integer = 0
    sum: Double = None
    min: Double = None
    max: Double = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.count = integer(self.count)
        self.sum = None if self.sum is None else double(self.sum)
        self.min = None if self.min is None else double(self.min)
        self.max = None if self.max is None else double(self.max)


class HistogramPoint(_Distribution):
    """A point of a histogram."""

    bucket_counts: list[Integer] | None = None
    explicit_bounds: list[Double] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.bucket_counts = [integer(count) for count in self.bucket_counts or ()]
        self.explicit_bounds = [double(bound) for bound in self.explicit_bounds or ()]


class Buckets(Message):
    """One side of an exponential histogram."""

    offset: Integer = 0
    bucket_counts: list[Integer] | None = None

    def __post_init__(self) -> None:
        self.offset = integer(self.offset)
        self.bucket_counts = [integer(count) for count in self.bucket_counts or ()]


class ExponentialPoint(_Distribution):
    """A point of an exponential histogram."""

    scale: Integer = 0
    zero_count: Integer = 0
    positive: Buckets | None = None
    negative: Buckets | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.scale = integer(self.scale)
        self.zero_count = integer(self.zero_count)


class Quantile(Message):
    """One quantile of a summary."""

    quantile: Double = 0
    value: Double = 0

    def __post_init__(self) -> None:
        self.quantile = double(self.quantile)
        self.value = double(self.value)


class SummaryPoint(_Point):
    """A point of a summary."""

    count: Integer = 0
    sum: Double = 0
    quantile_values: list[Quantile] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.count = integer(self.count)
        self.sum = double(self.sum)


class _Data(Message):
    aggregation_temporality: Enum = 0

    def __post_init__(self) -> None:
        self.aggregation_temporality = enum(self.aggregation_temporality)


class Gauge(_Data):
    """Points of a gauge."""

    data_points: list[NumberPoint] | None = None


class Sum(_Data):
    """Points of a sum."""

    data_points: list[NumberPoint] | None = None
    is_monotonic: bool | None = False


class Histogram(_Data):
    """Points of a histogram."""

    data_points: list[HistogramPoint] | None = None


class ExponentialHistogram(_Data):
    """Points of an exponential histogram."""

    data_points: list[ExponentialPoint] | None = None


class Summary(_Data):
    """Points of a summary."""

    data_points: list[SummaryPoint] | None = None


class Metric(Message):
    """A metric: one of the five kinds."""

    name: str | None = None
    description: str | None = None
    unit: str | None = None
    gauge: Gauge | None = None
    sum: Sum | None = None
    histogram: Histogram | None = None
    exponential_histogram: ExponentialHistogram | None = None
    summary: Summary | None = None


class Names(NamedTuple):
    """What the three levels of a request are called. groups, scopes, records: the repeated fields, outside in."""

    groups: str
    scopes: str
    records: str
    record: type[Message]


NAMES: dict[Signal, Names] = {
    "traces": Names("resource_spans", "scope_spans", "spans", Span),
    "logs": Names("resource_logs", "scope_logs", "log_records", LogRecord),
    "metrics": Names("resource_metrics", "scope_metrics", "metrics", Metric),
}
