"""The same records in other requests: taken apart, mixed, repeated, and written in the other encoding."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.collector.corpus.scenarios import JSON, PROTOBUF, Request

MESSAGES = {"traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest}
_FIELDS = {"traces": ("resource_spans", "scope_spans", "spans"), "logs": ("resource_logs", "scope_logs", "log_records")}
_IDS = ("traceId", "spanId", "parentSpanId")


def decoded(request: Request) -> Any:
    """Return a request as a protobuf message."""
    message = MESSAGES[request.signal]()
    if request.content_type == PROTOBUF:
        message.ParseFromString(request.body)
    else:
        ParseDict(_with_ids(json.loads(request.body), _to_base64), message, ignore_unknown_fields=True)
    return message


def records(requests: Iterable[Request]) -> list[tuple[str, Any]]:
    """Return every record as a request of its own: its signal and the message."""
    return [(request.signal, alone) for request in requests for alone in _apart(request.signal, decoded(request))]


def joined(signal: str, messages: Sequence[Any]) -> Any:
    """Return one request with all the records."""
    whole = MESSAGES[signal]()
    for message in messages:
        whole.MergeFrom(message)
    return whole


def encoded(signal: str, message: Any, content_type: str) -> Request:
    """Return a request in an encoding."""
    if content_type == PROTOBUF:
        return Request(signal, message.SerializeToString(), PROTOBUF)
    return Request(signal, json.dumps(_with_ids(MessageToDict(message), _to_hex)).encode(), JSON)


def _apart(signal: str, message: Any) -> Iterable[Any]:
    outer, middle, inner = _FIELDS[signal]
    for of_resource in getattr(message, outer):
        for of_scope in getattr(of_resource, middle):
            for record in getattr(of_scope, inner):
                yield _alone(signal, of_resource, of_scope, record)


def _alone(signal: str, of_resource: Any, of_scope: Any, record: Any) -> Any:
    outer, middle, inner = _FIELDS[signal]
    message = MESSAGES[signal]()
    resource = getattr(message, outer).add()
    resource.resource.CopyFrom(of_resource.resource)
    resource.schema_url = of_resource.schema_url
    scope = getattr(resource, middle).add()
    scope.scope.CopyFrom(of_scope.scope)
    scope.schema_url = of_scope.schema_url
    getattr(scope, inner).add().CopyFrom(record)
    return message


def _with_ids(value: Any, convert: Any) -> Any:
    """Return OTLP/JSON with its ids in the other spelling: protobuf's own JSON has base64, OTLP has hexadecimal."""
    if isinstance(value, list):
        return [_with_ids(item, convert) for item in value]
    if isinstance(value, dict):
        return {
            key: convert(item) if key in _IDS and isinstance(item, str) else _with_ids(item, convert)
            for key, item in value.items()
        }
    return value


def _to_hex(text: str) -> str:
    return base64.b64decode(text).hex()


def _to_base64(text: str) -> str:
    return base64.b64encode(bytes.fromhex(text)).decode()
