"""A collector stand-in that answers by a script, and both clients behind one function, on real sockets."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

import milepost
from milepost.resources import AsyncPager, Pager

Ask = Callable[[Callable[[Any], Any]], Any]


@dataclass
class Seen:
    """A request as it arrived. path: with its query, as it was sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Stage:
    """Answers requests by `script`: (status, JSON body), (status, body, headers), or "close" (no answer)."""

    script: list[Any] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    endpoint: str = ""


class _Handler(BaseHTTPRequestHandler):
    stage: ClassVar[Stage]
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.stage.seen.append(Seen(self.command, self.path, headers, json.loads(content) if content else None))
        answer = self.stage.script.pop(0)
        if answer == "close":
            self.close_connection = True
            return
        status, body, *more = answer
        written = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in ({"content-length": str(len(written))} | (more[0] if more else {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(written)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Return what answers the clients of a test."""
    stage = Stage()
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"stage": stage})) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        stage.endpoint = f"http://127.0.0.1:{server.server_port}"
        yield stage
        server.shutdown()
        thread.join()


@pytest.fixture(params=["blocking", "awaited"])
def ask_at(request: pytest.FixtureRequest) -> Callable[[str], Ask]:
    """Return a function that gives, for an address, what lets a client of either kind do something.

    `ask(lambda client: client.tasks.get("x"))` returns the answer; a list is read to its end.
    """
    return _blocking if request.param == "blocking" else _awaited


@pytest.fixture
def ask(ask_at: Callable[[str], Ask], stage: Stage) -> Ask:
    """Let a client of either kind ask the stage something."""
    return ask_at(stage.endpoint)


def _blocking(endpoint: str) -> Ask:
    def ask(use: Callable[[Any], Any]) -> Any:
        with milepost.Client(endpoint=endpoint) as client:
            answer = use(client)
            return list(answer) if isinstance(answer, Pager) else answer

    return ask


def _awaited(endpoint: str) -> Ask:
    async def go(use: Callable[[Any], Any]) -> Any:
        async with milepost.AsyncClient(endpoint=endpoint) as client:
            answer = use(client)
            if isinstance(answer, AsyncPager):
                return [item async for item in answer]
            return await answer if inspect.isawaitable(answer) else answer

    return lambda use: asyncio.run(go(use))
