"""`milepost mcp`: the Model Context Protocol server."""

from __future__ import annotations

import asyncio
import os
import socket
from importlib.util import find_spec

import click

from milepost_collector.cli.client import check_address

LOOPBACK = "127.0.0.1"


def serve_mcp(endpoint: str, *, control: bool, approve: bool, port: int | None) -> None:
    """Serve until the client closes the connection or, over HTTP, until Ctrl-C. port: None for standard streams.

    Raises:
        click.ClickException: the protocol's library is not installed, or the port is taken.
        click.UsageError: the endpoint is not an address.
    """
    check_address(endpoint)
    if approve and not control:
        raise click.UsageError("--approve lets assistants decide for people, and needs --control with it")
    if find_spec("mcp") is None:
        raise click.ClickException("the mcp package is not installed; run: pip install 'milepost[mcp]'")
    asyncio.run(_serve(endpoint, control, approve, port))


async def _serve(endpoint: str, control: bool, approve: bool, port: int | None) -> None:
    from milepost_collector.mcp.collector import Collector
    from milepost_collector.mcp.server import build_server

    server = build_server(Collector(endpoint), control=control, approve=approve)
    if port is None:
        await server.run_stdio_async()
        return
    import uvicorn

    app = server.streamable_http_app(host=LOOPBACK, stateless_http=True, json_response=True)
    try:
        listening = socket.create_server((LOOPBACK, port))
    except OSError as error:
        reason, remedy = os.strerror(error.errno or 0), "choose another with --port, or 0 for a free one"
        raise click.ClickException(f"port {port} cannot be used ({reason}); {remedy}") from error
    config = uvicorn.Config(app, log_level="warning", lifespan="on")
    click.echo(f"serving http://{LOOPBACK}:{listening.getsockname()[1]}/mcp for {endpoint}", err=True)
    await uvicorn.Server(config).serve(sockets=[listening])
