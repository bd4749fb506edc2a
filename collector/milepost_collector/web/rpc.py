"""OTLP over gRPC: the three Export calls on a port of their own, with the limits and answers of OTLP over HTTP."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import anyio.to_thread

from milepost.errors import ConfigurationError
from milepost_collector.errors import BodyTooLargeError
from milepost_collector.protocol.otlp import Signal, encode_answer, encode_status
from milepost_collector.web.body import INFLATE_IN_THREAD_BYTES, inflate
from milepost_collector.web.otlp import PROTOBUF, refusal_of, store_export
from milepost_collector.web.state import Services

if TYPE_CHECKING:
    import grpc.aio


logger = logging.getLogger("milepost.web")

SERVICES: dict[str, Signal] = {
    "opentelemetry.proto.collector.trace.v1.TraceService": "traces",
    "opentelemetry.proto.collector.logs.v1.LogsService": "logs",
    "opentelemetry.proto.collector.metrics.v1.MetricsService": "metrics",
}
STOP_S = 5.0  # calls that have begun may take so long to end

# What compressed messages begin with and no OTLP message does: that begins with 0x0a, or is empty.
_CODINGS = {b"\x1f": "gzip", b"\x78": "deflate"}


class RpcServer:
    """Takes OTLP over gRPC in. Belongs to the event loop it is started on. port: 0 takes a free one."""

    def __init__(self, shared: Services, host: str, port: int) -> None:
        self._shared = shared
        self._host = host
        self._wanted_port = port
        self._server: grpc.aio.Server | None = None
        self.port = 0  # the one that was taken, once started

    async def start(self) -> None:
        """Listen.

        Raises:
            ConfigurationError: grpcio is not installed, or the port cannot be had.
        """
        grpc = _grpc()
        server = grpc.aio.server(options=self._options())
        for service, signal in SERVICES.items():
            # without serializers: messages stay bytes
            method = grpc.unary_unary_rpc_method_handler(partial(self._export, signal))
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": method}),))
        host = f"[{self._host}]" if ":" in self._host and not self._host.startswith("[") else self._host
        try:
            self.port = server.add_insecure_port(f"{host}:{self._wanted_port}")
        except RuntimeError as error:
            raise ConfigurationError(
                "grpc_port", f"cannot listen on {host}:{self._wanted_port} ({error}); choose a free port"
            ) from error
        await server.start()
        self._server = server
        logger.info("taking OTLP over gRPC on %s:%d", host, self.port)

    async def stop(self) -> None:
        """Stop listening and let the calls that have begun end. Safe to call twice."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop(STOP_S)

    def _options(self) -> list[tuple[str, int]]:
        return [
            ("grpc.so_reuseport", 0),  # else a second collector would get every other call
            ("grpc.max_receive_message_length", self._shared.config.max_body_bytes),
            # Off, messages arrive as they were sent: gRPC itself would inflate them whole before it looks at the size.
            ("grpc.per_message_decompression", 0),
        ]

    async def _export(self, signal: Signal, message: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        try:
            body = await self._inflated(message)
            outcome = await store_export(self._shared, signal, body, PROTOBUF, _header(context, "milepost-forwarded"))
        except Exception as error:
            await _abort(context, error)
        return encode_answer(signal, PROTOBUF, outcome.rejected, outcome.reason)

    async def _inflated(self, message: bytes) -> bytes:
        limit = self._shared.config.max_inflated_bytes
        coding = _CODINGS.get(message[:1])
        if coding is None:
            if len(message) > limit:
                raise BodyTooLargeError("inflated", limit)
            return message
        if len(message) < INFLATE_IN_THREAD_BYTES:
            return inflate(coding, message, limit)
        return await anyio.to_thread.run_sync(inflate, coding, message, limit)


def _grpc() -> Any:
    """Import gRPC, which costs 0.1 s and 15 MB: only those who want it pay."""
    try:
        import grpc.aio
    except ImportError as error:
        raise ConfigurationError(
            "grpc_port", "OTLP over gRPC needs grpcio, which is not installed; pip install 'milepost[grpc]'"
        ) from error
    return grpc


async def _abort(context: grpc.aio.ServicerContext[bytes, bytes], error: Exception) -> NoReturn:
    """End the call with the refusal in trailing metadata too, where OTLP's senders look for when to try again."""
    refusal = refusal_of(error)
    code = next(code for code in _grpc().StatusCode if code.value[0] == refusal.code)
    status = encode_status(PROTOBUF, refusal.code, refusal.message, refusal.retry_after_s)
    await context.abort(code, refusal.message, (("grpc-status-details-bin", status),))


def _header(context: grpc.aio.ServicerContext[bytes, bytes], name: str) -> str:
    found = dict(context.invocation_metadata() or ()).get(name, "")
    return found if isinstance(found, str) else found.decode("latin-1")
