"""OTLP's protobuf messages as this collector reads them, derived from opentelemetry-proto when first needed.

Field numbers and framing are OTLP's. What differs is how much protobuf does: text, attributes, values and status stay
bytes, so that text that is not UTF-8 or a damaged attribute cannot cost a request, and values as deep as the sender
likes do not meet protobuf's limit of 100 messages inside one another. Importing this module imports protobuf (~15 MB).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from milepost_collector.protocol.otlp.export import Signal

_FILES = (
    common_pb2, resource_pb2, trace_pb2, logs_pb2, metrics_pb2, trace_service_pb2, logs_service_pb2, metrics_service_pb2
)  # fmt: skip
_KEPT_AS_BYTES = (".KeyValue", ".AnyValue", ".Status", ".Resource", ".InstrumentationScope")
_LEFT_OUT = ("exemplars",)


def _as_bytes(field: FieldDescriptorProto) -> bool:
    return field.type == FieldDescriptorProto.TYPE_STRING or field.type_name.endswith(_KEPT_AS_BYTES)


def _reshape(message: DescriptorProto) -> None:
    kept = [field for field in message.field if field.name not in _LEFT_OUT]
    del message.field[:]
    for field in kept:
        if _as_bytes(field):
            field.type = FieldDescriptorProto.TYPE_BYTES
            field.ClearField("type_name")
    message.field.extend(kept)
    for nested in message.nested_type:
        _reshape(nested)


def _pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for module in _FILES:
        file = FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
        for message in file.message_type:
            _reshape(message)
        pool.AddSerializedFile(file.SerializeToString())
    return pool


_messages = _pool()


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_messages.FindMessageTypeByName(f"opentelemetry.proto.{name}"))


@dataclass(frozen=True, slots=True)
class Shape:
    """The messages of one signal. groups, scopes, records: names of the repeated fields, from the outside in.

    records_number: the number of `records` in its message.
    """

    request: Any
    record: Any
    groups: str
    scopes: str
    records: str


SHAPES: dict[Signal, Shape] = {
    "traces": Shape(
        _message("collector.trace.v1.ExportTraceServiceRequest"),
        _message("trace.v1.Span"),
        "resource_spans",
        "scope_spans",
        "spans",
    ),
    "logs": Shape(
        _message("collector.logs.v1.ExportLogsServiceRequest"),
        _message("logs.v1.LogRecord"),
        "resource_logs",
        "scope_logs",
        "log_records",
    ),
    "metrics": Shape(
        _message("collector.metrics.v1.ExportMetricsServiceRequest"),
        _message("metrics.v1.Metric"),
        "resource_metrics",
        "scope_metrics",
        "metrics",
    ),
}
Resource = _message("resource.v1.Resource")
Scope = _message("common.v1.InstrumentationScope")
Status = _message("trace.v1.Status")
