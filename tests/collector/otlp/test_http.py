"""OTLP over HTTP, end to end: what is answered 200 can be queried, everything else is a Status in the same encoding."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import zstandard
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint

from milepost_collector.errors import QueueFullError
from milepost_collector.protocol.otlp.framing import fields
from tests.collector.otlp.jsonstyles import Writer, javascript_json, python_json
from tests.collector.otlp.messages import JSON, NOW, PROTOBUF, any_value, logs, make_span, metrics, traces
from tests.collector.server import Server, StartServer

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
ALIAS = "/api/public/otel"


def post(
    server: Server, path: str, body: bytes | Iterator[bytes], content_type: str = PROTOBUF, **headers: str
) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.client.post(path, content=body, headers={"Content-Type": content_type, **named})


def one_span(run: int, **given: Any) -> Any:
    """Return a request of one span of a run of its own."""
    return traces(make_span(**{"trace_id": run.to_bytes(16, "big"), **given}))


def names_of(server: Server, run: int) -> list[Any]:
    return [name for [name] in server.rows(f"SELECT name FROM spans WHERE run_id = '{run:032x}' ORDER BY name")]


@pytest.mark.parametrize("path", ["/v1/traces", f"{ALIAS}/v1/traces"])
@pytest.mark.parametrize("writer", [None, python_json, javascript_json], ids=["protobuf", "python", "javascript"])
@pytest.mark.parametrize("encoding", sorted(COMPRESS))
def test_span_can_be_queried_once_it_is_acknowledged(
    server: Server, path: str, writer: Writer | None, encoding: str
) -> None:
    run = hash((path, writer and writer.__name__, encoding)) & (2**100 - 1) | 1
    request = one_span(run, name="over http")
    body = COMPRESS[encoding](writer(request) if writer else request.SerializeToString())
    chunks = (body[at : at + 50] for at in range(0, len(body), 50))
    content_type = JSON if writer else PROTOBUF
    answer = post(server, path, chunks, content_type, Content_Encoding=encoding, Authorization="Basic cGs6c2s=")
    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
    assert answer.content == (b"{}" if writer else b"")
    assert names_of(server, run) == ["over http"]


def test_sending_again_changes_nothing(server: Server) -> None:
    body = one_span(0xA9A1).SerializeToString()
    for _ in range(3):
        assert post(server, "/v1/traces", body).content == b""
    assert names_of(server, 0xA9A1) == ["work"]


def test_bad_span_is_partial_success_with_the_reason(server: Server) -> None:
    request = one_span(0xBAD, name="good")
    request.MergeFrom(traces(make_span(span_id=b"\1" * 3)))
    answer = post(server, "/v1/traces", request.SerializeToString())
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_spans) == (200, 1)
    assert partial.error_message == "the span id '010101' is not 16 hexadecimal digits"
    in_json = post(server, "/v1/traces", python_json(request), JSON).json()["partialSuccess"]
    assert in_json == {"rejectedSpans": "1", "errorMessage": partial.error_message}
    assert names_of(server, 0xBAD) == ["good"]


def test_logs_and_metrics_are_taken(server: Server) -> None:
    record = LogRecord(trace_id=(7).to_bytes(16, "big"), span_id=b"\1" * 8, time_unix_nano=NOW, body=any_value("hi"))
    metric = Metric(name="tokens", gauge=Gauge(data_points=[NumberDataPoint(as_int=1, time_unix_nano=NOW)]))
    for prefix in ("", ALIAS):
        told = post(server, f"{prefix}/v1/logs", logs(record).SerializeToString())
        assert not ExportLogsServiceResponse.FromString(told.content).HasField("partial_success")
        told = post(server, f"{prefix}/v1/metrics", python_json(metrics(metric)), JSON)
        assert (told.status_code, told.json()) == (200, {})
    assert server.rows(f"SELECT count(*) FROM events WHERE run_id = '{7:032x}'") == [[1]]
    assert server.rows("SELECT DISTINCT value FROM metrics WHERE name = 'tokens'") == [[1.0]]


def test_metrics_at_the_wrong_address_are_told_the_right_one(server: Server) -> None:
    answer = post(server, "/v1/metrics", one_span(1).SerializeToString())
    partial = ExportMetricsServiceResponse.FromString(answer.content).partial_success
    assert (partial.rejected_data_points, partial.error_message) == (
        1,
        "it is a span, not a metric; send it to /v1/traces",
    )


def status_of(answer: httpx.Response) -> tuple[int, str]:
    """Return code and message of a refusal."""
    if answer.headers["content-type"] == JSON:
        return answer.json()["code"], answer.json()["message"]
    found: dict[int, Any] = {number: value for number, _, value, _ in fields(answer.content)}
    return found[1], found[2].decode()


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_nonsense_is_refused_as_a_status(server: Server, content_type: str) -> None:
    answer = post(server, "/v1/traces", b"\xffnonsense", content_type)
    assert (answer.status_code, answer.headers["content-type"]) == (400, content_type)
    code, message = status_of(answer)
    assert code == 3
    assert "the body is no OTLP" in message


def test_other_content_types_are_refused(server: Server) -> None:
    for content_type in ("text/plain", "application/grpc", ""):
        answer = post(server, "/v1/traces", b"x", content_type)
        assert answer.status_code == 415
        assert "send one of application/x-protobuf, application/json" in status_of(answer)[1]


def test_unknown_compression_is_refused(server: Server) -> None:
    answer = post(server, "/v1/logs", b"x", JSON, Content_Encoding="br")
    assert (answer.status_code, answer.headers["content-type"]) == (415, JSON)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_body_over_a_limit_is_refused(start_server: StartServer, encoding: str) -> None:
    small = start_server(max_body_bytes=1000, max_inflated_bytes=5000)
    answer = post(small, "/v1/traces", COMPRESS[encoding](b"\0" * 6000), Content_Encoding=encoding)
    assert answer.status_code == 413
    assert status_of(answer)[0] == 8


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_back_pressure_is_retryable(full_server: Server, content_type: str) -> None:
    body = one_span(1).SerializeToString() if content_type == PROTOBUF else python_json(one_span(1))
    answer = post(full_server, "/v1/traces", body, content_type)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == str(QueueFullError(1, 1).retry_after_s)
    assert status_of(answer)[0] == 14
