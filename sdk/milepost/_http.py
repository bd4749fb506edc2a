"""How operations travel: two thin shells over httpx, one that blocks and one that is awaited.

All that is decided, such as whether a request is tried again, is decided by the flow they carry out. Imported by the
first question only: an application that is merely recorded does without httpx.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from milepost._api import traceparent
from milepost._retry import parse_retry_after
from milepost.resources._content import Content
from milepost.resources._exchange import Answer, Flow, HttpRequest, NoAnswer, Outcome, Patience, Sleep, exchange
from milepost.resources._operation import Operation
from milepost.resources._tasks import prepared

__all__ = ["AwaitedSender", "BlockingSender"]

T = TypeVar("T")

CONNECT_TIMEOUT_S = 5.0
CONNECTIONS = 16  # at once; more requests wait their turn, for httpx's time per request grows with its connections
STORING_TIMEOUT_S = 300.0  # until a large content that was sent is stored: an object store copies it
KEEP_ALIVE_S = 4.0  # shorter than what servers keep idle connections for, so that none is just being closed
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class _Settings:
    """What both shells know: where the collector is, and how patient they are."""

    def __init__(self, endpoint: str, timeout_s: float, patience: Patience) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.timeout_s = timeout_s
        self._patience = patience

    def ask(self, operation: Operation[T]) -> Flow[T]:
        """Return the flow that sends an operation, with a key and the current span where it has a use for them."""
        ready = prepared(operation, new_key=_new_key, traceparent=traceparent())
        return exchange(ready, endpoint=self.endpoint, patience=self._patience, random=random.random)

    def _options(self) -> dict[str, Any]:
        connect_s = min(self.timeout_s, CONNECT_TIMEOUT_S)
        return {
            # Requests beyond the pool's connections wait their turn without a limit of their own.
            "timeout": httpx.Timeout(self.timeout_s, connect=connect_s, pool=None),
            "limits": httpx.Limits(
                max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=KEEP_ALIVE_S
            ),
            # A proxy configured for the internet cannot reach this machine's loopback.
            "trust_env": urlsplit(self.endpoint).hostname not in _LOOPBACK,
        }

    def _arguments(self, request: HttpRequest, blocks: Callable[[Content], Any]) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "method": request.method,
            "url": self.endpoint + request.target,
            "params": request.query or None,
            "headers": request.headers,
            "content": request.content,
        }
        if isinstance(request.content, Content):
            arguments["content"] = blocks(request.content)
            connect_s = min(self.timeout_s, CONNECT_TIMEOUT_S)
            arguments["timeout"] = httpx.Timeout(max(self.timeout_s, STORING_TIMEOUT_S), connect=connect_s, pool=None)
        return arguments


class BlockingSender(_Settings):
    """Sends operations and waits for the answers. May be used from any thread; not across a fork."""

    def __init__(self, endpoint: str, timeout_s: float, patience: Patience | None = None) -> None:
        super().__init__(endpoint, timeout_s, patience or Patience())
        self._lock = threading.Lock()
        self._open: httpx.Client | None = None

    def send(self, operation: Operation[T]) -> T:
        """Return the answer to an operation.

        Raises:
            ApiError: it was refused or not answered; see the classes below it.
        """
        return self.run(self.ask(operation))

    def run(self, flow: Flow[T]) -> T:
        """Do what a flow asks for and return its result."""
        outcome: Outcome | None = None
        while True:
            try:
                step = flow.send(outcome)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            outcome = self._perform(step)

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        with self._lock:
            before, self._open = self._open, None
        if before is not None:
            before.close()

    def _perform(self, step: HttpRequest | Sleep) -> Outcome | None:
        if isinstance(step, Sleep):
            time.sleep(step.seconds)
            return None
        try:
            return _answer(self._client().request(**self._arguments(step, lambda content: content.blocks())))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _no_answer(error)

    def _client(self) -> httpx.Client:
        with self._lock:
            if self._open is None:
                self._open = httpx.Client(**self._options())
            return self._open


class AwaitedSender(_Settings):
    """Sends operations and awaits the answers. For one event loop, and any of its tasks."""

    def __init__(self, endpoint: str, timeout_s: float, patience: Patience | None = None) -> None:
        super().__init__(endpoint, timeout_s, patience or Patience())
        self._open: httpx.AsyncClient | None = None
        self._turn = asyncio.Semaphore(CONNECTIONS)

    async def send(self, operation: Operation[T]) -> T:
        """Return the answer to an operation.

        Raises:
            ApiError: it was refused or not answered; see the classes below it.
        """
        return await self.run(self.ask(operation))

    async def run(self, flow: Flow[T]) -> T:
        """Do what a flow asks for and return its result."""
        outcome: Outcome | None = None
        while True:
            try:
                step = flow.send(outcome)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            outcome = await self._perform(step)

    async def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        before, self._open = self._open, None
        if before is not None:
            await before.aclose()

    async def _perform(self, step: HttpRequest | Sleep) -> Outcome | None:
        if isinstance(step, Sleep):
            await asyncio.sleep(step.seconds)
            return None
        try:
            async with self._turn:
                return _answer(await self._client().request(**self._arguments(step, _blocks)))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _no_answer(error)

    def _client(self) -> httpx.AsyncClient:
        if self._open is None:
            self._open = httpx.AsyncClient(**self._options())
        return self._open


async def _blocks(content: Content) -> AsyncIterator[bytes]:
    """Yield a content in blocks, read in a thread: disks make an event loop wait."""
    blocks = content.blocks()
    while block := await asyncio.to_thread(next, blocks, b""):
        yield block


def _new_key() -> str:
    return secrets.token_hex(16)


def _answer(response: httpx.Response) -> Answer:
    retry_after_s = parse_retry_after(response.headers.get("retry-after"), time.time())
    return Answer(status=response.status_code, content=response.content, retry_after_s=retry_after_s)


def _no_answer(error: Exception) -> NoAnswer:
    before_sending = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
    unsendable = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)
    return NoAnswer(reached=not isinstance(error, before_sending + unsendable), cause=error)
