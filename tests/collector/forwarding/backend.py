"""A destination on a real socket that answers as told, and a clock that the test moves."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from milepost_collector.forwarding import Timing

DEADLINE_S = 20.0


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came; content: inflated."""

    path: str
    headers: dict[str, str]
    content: bytes


@dataclass(slots=True)
class Backend:
    """A destination. answers: (status, headers) of the next requests; when there are none, 200."""

    port: int = 0
    answers: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)
    received: list[Received] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)  # contents answered with 200
    held: threading.Event | None = None  # answers wait for it
    _server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Listen on a free port, or again on the one it had."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), name="backend").start()

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://127.0.0.1:{self.port}"

    def take(self, path: str, headers: dict[str, str], content: bytes) -> tuple[int, dict[str, str]]:
        """Note a request and return its answer."""
        if headers.get("content-encoding") == "gzip":
            content = gzip.decompress(content)
        self.received.append(Received(path, headers, content))
        if self.held is not None:
            assert self.held.wait(DEADLINE_S)
        status, more = self.answers.popleft() if self.answers else (200, {})
        if status == 200:
            self.taken.append(content)
        return status, more

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        backend = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, more = backend.take(self.path, headers, content)
                self.send_response(status)
                for name, value in {**more, "content-length": "0"}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        return Handler


@dataclass(slots=True)
class ManualTime:
    """A clock that stands still until it is advanced. waits: the pauses asked for, seconds."""

    now_s: float = 1_800_000_000.0
    waits: list[float] = field(default_factory=list)
    _sleeping: list[tuple[float, asyncio.Future[None]]] = field(default_factory=list)

    @property
    def timing(self) -> Timing:
        """The time as forwarding takes it, without chance."""
        return Timing(self._sleep, lambda: int(self.now_s * 1e9), lambda: self.now_s, lambda: 0.0)

    def advance(self, seconds: float) -> None:
        """Let time pass and wake who has slept long enough."""
        self.now_s += seconds
        for until, future in self._sleeping:
            if until <= self.now_s and not future.done():
                future.set_result(None)

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleeping.append((self.now_s + seconds, future))
        await future


async def until(condition: Callable[[], bool]) -> None:
    """Return once a condition holds.

    Raises:
        AssertionError: it does not within the deadline.
    """
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition never held"
        await asyncio.sleep(0.002)
