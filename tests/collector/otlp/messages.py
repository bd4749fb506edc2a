"""Small OTLP requests, and what is decoded from them."""

from __future__ import annotations

from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from milepost_collector.protocol.foreign import ForeignLog, ForeignPoint, ForeignSpan
from milepost_collector.protocol.otlp import Export, Signal, decode_export
from tests.collector.otlp.jsonstyles import Writer, python_json

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
NOW = 1_800_000_000_000_000_000
RUN_ID = bytes(range(16))
SPAN_ID = bytes(range(8, 16))


def any_value(value: Any) -> AnyValue:
    """Return a Python value as an AnyValue; bytes and None too."""
    if isinstance(value, dict):
        message = AnyValue()
        message.kvlist_value.SetInParent()
        message.kvlist_value.values.extend(attributes(value))
        return message
    if isinstance(value, list):
        message = AnyValue()
        message.array_value.SetInParent()
        message.array_value.values.extend(any_value(item) for item in value)
        return message
    kinds = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value", bytes: "bytes_value"}
    return AnyValue() if value is None else AnyValue(**{kinds[type(value)]: value})


def attributes(values: dict[str, Any]) -> list[KeyValue]:
    """Return attributes."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in values.items()]


def make_span(attribute_values: dict[str, Any] | None = None, **fields: Any) -> Span:
    """Return a span with good ids and times unless told otherwise."""
    given = {"trace_id": RUN_ID, "span_id": SPAN_ID, "name": "work", "kind": 1}
    given |= {"start_time_unix_nano": NOW, "end_time_unix_nano": NOW + 5, **fields}
    return Span(attributes=attributes(attribute_values or {}), **given)


def traces(*spans: Span, resource: dict[str, Any] | None = None) -> ExportTraceServiceRequest:
    """Return a request of one resource and one scope."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add(resource=Resource(attributes=attributes(resource or {"service.name": "test"})))
    scope = group.scope_spans.add()
    scope.scope.name, scope.scope.version = "scope", "1.0"
    scope.spans.extend(spans)
    return request


def logs(*records: LogRecord) -> ExportLogsServiceRequest:
    """Return a request of one resource and one scope."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.extend(records)
    return request


def metrics(*sent: Metric) -> ExportMetricsServiceRequest:
    """Return a request of one resource and one scope."""
    request = ExportMetricsServiceRequest()
    request.resource_metrics.add().scope_metrics.add().metrics.extend(sent)
    return request


def decode(signal: Signal, message: Any, writer: Writer | None = None) -> Export:
    """Encode a request, as protobuf or by a writer of JSON, and decode it."""
    if writer is None:
        return decode_export(signal, message.SerializeToString(), PROTOBUF, NOW)
    return decode_export(signal, writer(message), JSON, NOW)


def both(signal: Signal, message: Any) -> Export:
    """Decode a request as protobuf and as JSON, see that it is the same, and return it."""
    export, other = decode(signal, message), decode(signal, message, python_json)
    assert export.origins == other.origins
    assert [event.reason for event in export.rejected] == [event.reason for event in other.rejected]
    return export


def spans_of(export: Export) -> list[ForeignSpan]:
    """Return all spans."""
    return [span for origin in export.origins for span in origin.spans]


def logs_of(export: Export) -> list[ForeignLog]:
    """Return all log records."""
    return [log for origin in export.origins for log in origin.logs]


def points_of(export: Export) -> list[ForeignPoint]:
    """Return all data points."""
    return [point for origin in export.origins for point in origin.points]


def span_from(**fields: Any) -> ForeignSpan:
    """Return what a span with these fields becomes, in either encoding."""
    export = both("traces", traces(make_span(**fields)))
    assert export.rejected == []
    [span] = spans_of(export)
    return span


def refusal_of(**fields: Any) -> str:
    """Return why a span with these fields is refused, in either encoding."""
    export = both("traces", traces(make_span(**fields)))
    [event] = export.rejected
    return event.reason
