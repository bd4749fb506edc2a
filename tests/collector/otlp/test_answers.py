"""Answers are what OTLP's own messages decode, in the request's encoding."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from milepost_collector.protocol.otlp import Signal, encode_answer, encode_status
from milepost_collector.protocol.otlp.framing import Field, fields
from tests.collector.otlp.messages import JSON, PROTOBUF

SHAPES: list[tuple[Signal, Any, str]] = [
    ("traces", ExportTraceServiceResponse, "rejected_spans"),
    ("logs", ExportLogsServiceResponse, "rejected_log_records"),
    ("metrics", ExportMetricsServiceResponse, "rejected_data_points"),
]


@pytest.mark.parametrize(("signal", "message", "field"), SHAPES)
@given(rejected=st.integers(1, 2**40), reason=st.text(st.characters(exclude_categories=["Cs"])))
def test_partial_success_is_read_back(signal: Signal, message: Any, field: str, rejected: int, reason: str) -> None:
    partial = message.FromString(encode_answer(signal, PROTOBUF, rejected, reason)).partial_success
    assert (getattr(partial, field), partial.error_message) == (rejected, reason)
    written = json.loads(encode_answer(signal, JSON, rejected, reason))["partialSuccess"]
    name = message.DESCRIPTOR.fields[0].message_type.fields_by_name[field].json_name
    assert written == {name: str(rejected), "errorMessage": reason}


@pytest.mark.parametrize(("signal", "message", "field"), SHAPES)
def test_full_success_has_no_partial_success(signal: Signal, message: Any, field: str) -> None:
    assert not message.FromString(encode_answer(signal, PROTOBUF, 0, "ignored")).HasField("partial_success")
    assert encode_answer(signal, JSON, 0, "ignored") == b"{}"


def by_number(data: bytes) -> dict[int, Any]:
    return {field.number: field.value for field in map(Field._make, fields(data))}


def test_status_is_a_google_rpc_status() -> None:
    assert by_number(encode_status(PROTOBUF, 3, "no é")) == {1: 3, 2: "no é".encode()}
    assert json.loads(encode_status(JSON, 3, "no é")) == {"code": 3, "message": "no é"}


def test_status_says_when_to_try_again() -> None:
    detail = AnyMessage.FromString(by_number(encode_status(PROTOBUF, 14, "full", 7))[3])
    assert detail.type_url == "type.googleapis.com/google.rpc.RetryInfo"
    assert Duration.FromString(by_number(detail.value)[1]).seconds == 7
