"""Requests that wait for something, until it comes or their client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request


@asynccontextmanager
async def disconnected(request: Request) -> AsyncIterator[asyncio.Future[None]]:
    """Yield a future that is done once the client is gone. The request's body must have been read."""
    gone = asyncio.ensure_future(_until_gone(request))
    try:
        yield gone
    finally:
        gone.cancel()


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
