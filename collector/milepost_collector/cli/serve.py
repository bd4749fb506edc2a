"""`milepost serve`: the collector's process, from listening to a graceful end."""

from __future__ import annotations

import dataclasses
import gc
import logging
import signal
import socket
from collections.abc import Callable, Mapping
from typing import Any

import click
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from milepost import _version
from milepost.errors import ConfigurationError, MilepostError
from milepost_collector import CollectorConfig, create_app
from milepost_collector.forwarding import parse_destinations

GRACE_S = 3  # for requests in flight when asked to stop
KEEP_ALIVE_S = 75  # longer than the pause between two batches of a quiet producer


def run_server(*, log_level: str, **settings: Any) -> None:
    """Serve until SIGINT or SIGTERM. settings: fields of `CollectorConfig`; None leaves one to its variable.

    Raises:
        click.ClickException: the address or the database cannot be used; the message says what to do.
    """
    # Also what uvicorn hands a signal back to once it has stopped gracefully: the process ends with code 0.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    config = _configuration(settings)
    _set_up_logging(log_level)
    listener = _listen(config.host, config.port)
    config = dataclasses.replace(config, port=listener.getsockname()[1])
    with listener:
        _check_forwarding(config)
        _serve(config, listener, log_level)


def address(config: CollectorConfig) -> str:
    """Return the collector's base URL."""
    host = f"[{config.host}]" if ":" in config.host else config.host
    return f"http://{host}:{config.port}"


def _stop(number: int, frame: object) -> None:
    raise SystemExit(0)


def _configuration(settings: Mapping[str, Any]) -> CollectorConfig:
    try:
        return CollectorConfig.from_env(**settings)
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from error


def _check_forwarding(config: CollectorConfig) -> None:
    """Refuse unusable destinations before the database is opened; that one is ourselves shows once the port is ours."""
    try:
        parse_destinations(config.forward_to, config.forward_headers, own_port=config.port)
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from error


def _set_up_logging(level: str) -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=level.upper())
    if level == "info":  # uvicorn's own words about starting and stopping say nothing new
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it has a line for every request that forwarding makes


def _listen(host: str, port: int) -> socket.socket:
    """Bind before the database is opened: a second collector, started by mistake, stops without touching it."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {host}:{port} ({error.strerror or error}); another collector may be running there: "
            "stop it, or choose --port (0 takes a free one)"
        ) from error
    return listener


def _serve(config: CollectorConfig, listener: socket.socket, log_level: str) -> None:
    app = create_app(config)
    guard = StartupGuard(app)
    # The failed start is told in one line below.
    logging.getLogger("uvicorn.error").addFilter(lambda record: guard.error is None)
    _settle_garbage_collection()
    settings = uvicorn.Config(
        guard,
        log_config=None,
        access_log=log_level == "debug",
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    try:
        _Server(settings, announce=lambda: _announce(config, app.state.rpc.port)).run(sockets=[listener])
    except SystemExit:
        if guard.error is not None:
            raise click.ClickException(str(guard.error)) from guard.error
        raise


def _settle_garbage_collection() -> None:
    """Look for cycles seldom: batches make hundreds of thousands of short-lived tuples a second, and no cycles."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _announce(config: CollectorConfig, grpc_port: int) -> None:
    grpc = f", OTLP over gRPC on port {grpc_port}" if grpc_port else ""
    where = f"{address(config)}{grpc}"
    click.echo(f"Milepost {_version.__version__} is ready at {where}  (data in {config.data_dir}, Ctrl-C stops)")


class StartupGuard:
    """Keeps an expected error of the application's start, which uvicorn would only log with its traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.error: MilepostError | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; of the lifespan, note how it failed."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        failures: list[Message] = []

        async def hold_failure(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                failures.append(message)
            else:
                await send(message)

        try:
            await self._app(scope, receive, hold_failure)
        except MilepostError as error:
            self.error = error
            await send({"type": "lifespan.startup.failed", "message": ""})
        except BaseException:
            for message in failures:
                await send(message)
            raise


class _Server(uvicorn.Server):
    """uvicorn, saying when it is ready."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()
