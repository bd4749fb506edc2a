"""OTLP over gRPC, end to end, with gRPC's own client."""

from __future__ import annotations

import asyncio
import builtins
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc.aio
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint

from milepost.errors import ConfigurationError
from milepost_collector.protocol.otlp.framing import fields
from milepost_collector.web.rpc import SERVICES, RpcServer
from tests.collector.otlp.conftest import on_loop
from tests.collector.otlp.messages import NOW, logs, make_span, metrics, traces
from tests.collector.server import Server, StartServer

METHODS = {signal: f"/{service}/Export" for service, signal in SERVICES.items()}
COMPRESSIONS = [grpc.Compression.NoCompression, grpc.Compression.Gzip, grpc.Compression.Deflate]


def started(server: Server) -> RpcServer:
    rpc = RpcServer(server.app.state.services, "127.0.0.1", 0)
    on_loop(server, rpc.start())
    return rpc


@pytest.fixture(scope="module")
def rpc(server: Server) -> Iterator[RpcServer]:
    """Return a gRPC server beside the module's collector."""
    running = started(server)
    yield running
    on_loop(server, running.stop())


@pytest.fixture
async def channel(rpc: RpcServer) -> AsyncIterator[grpc.aio.Channel]:
    """Return a channel to the server."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{rpc.port}") as opened:
        yield opened


def exporter(channel: grpc.aio.Channel, signal: str = "traces") -> Any:
    return channel.unary_unary(METHODS[signal])


async def refused(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


@pytest.mark.parametrize("compression", COMPRESSIONS, ids=lambda compression: compression.name)
async def test_span_can_be_queried_once_it_is_acknowledged(
    server: Server, channel: grpc.aio.Channel, compression: grpc.Compression
) -> None:
    run = 0x6000 + compression.value
    sent = traces(make_span({"text": "x" * 100_000}, trace_id=run.to_bytes(16, "big"), name="over grpc"))
    assert await exporter(channel)(sent.SerializeToString(), compression=compression) == b""
    rows = await asyncio.to_thread(server.rows, f"SELECT name FROM spans WHERE run_id = '{run:032x}'")
    assert rows == [["over grpc"]]


async def test_logs_and_metrics_are_taken(channel: grpc.aio.Channel) -> None:
    metric = Metric(name="m", gauge=Gauge(data_points=[NumberDataPoint(as_int=1)]))
    assert await exporter(channel, "logs")(logs(LogRecord(time_unix_nano=NOW)).SerializeToString()) == b""
    assert await exporter(channel, "metrics")(metrics(metric).SerializeToString()) == b""


async def test_bad_span_is_partial_success(channel: grpc.aio.Channel) -> None:
    answer = await exporter(channel)(traces(make_span(trace_id=b"")).SerializeToString())
    partial = ExportTraceServiceResponse.FromString(answer).partial_success
    assert (partial.rejected_spans, "the trace id" in partial.error_message) == (1, True)


@pytest.mark.parametrize("message", [b"nonsense", b"\x1f\x8bnot gzip", b"x\x9cnot deflate"])
async def test_nonsense_is_an_invalid_argument(channel: grpc.aio.Channel, message: bytes) -> None:
    error = await refused(exporter(channel)(message))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "the body is" in (error.details() or "")


async def test_unknown_method_is_unimplemented(channel: grpc.aio.Channel) -> None:
    error = await refused(channel.unary_unary("/opentelemetry.Other/Export")(b""))
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_messages_over_the_limits_are_refused(start_server: StartServer) -> None:
    server = start_server(max_body_bytes=1000, max_inflated_bytes=20_000)
    rpc = await asyncio.to_thread(started, server)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{rpc.port}") as channel:
        too_large = await refused(exporter(channel)(b"\0" * 1001))
        bomb = await refused(exporter(channel)(b"\0" * 20_001, compression=grpc.Compression.Gzip))
    await asyncio.to_thread(on_loop, server, rpc.stop())
    assert too_large.code() is bomb.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "the inflated body is larger than 20000 bytes" in (bomb.details() or "")


async def test_back_pressure_is_unavailable_and_says_when_to_try_again(full_server: Server) -> None:
    rpc = await asyncio.to_thread(started, full_server)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{rpc.port}") as channel:
        error = await refused(exporter(channel)(traces(make_span()).SerializeToString()))
    await asyncio.to_thread(on_loop, full_server, rpc.stop())
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    status: Any = dict(error.trailing_metadata())["grpc-status-details-bin"]
    found: dict[int, Any] = {number: value for number, _, value, _ in fields(status)}
    retry_info: Any = next(fields(AnyMessage.FromString(found[3]).value)).value
    assert (found[1], Duration.FromString(retry_info).seconds) == (14, 1)


def test_taken_port_is_a_configuration_error(server: Server) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        rpc = RpcServer(server.app.state.services, "127.0.0.1", taken.getsockname()[1])
        with pytest.raises(ConfigurationError, match="grpc_port: cannot listen on"):
            on_loop(server, rpc.start())


def test_missing_grpcio_is_told_with_the_remedy(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = builtins.__import__

    def without_grpc(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "grpc":
            raise ImportError(name)
        return plain(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_grpc)
    with pytest.raises(ConfigurationError, match=r"pip install 'milepost\[grpc\]'"):
        on_loop(server, RpcServer(server.app.state.services, "127.0.0.1", 0).start())


def test_stopping_twice_is_fine(server: Server) -> None:
    rpc = started(server)
    on_loop(server, rpc.stop())
    on_loop(server, rpc.stop())
