"""A receiver of webhooks over real sockets: it keeps what it gets, and answers as it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WAIT_S = 20.0


@dataclass(frozen=True)
class Received:
    """One request. headers: in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """What the body says."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def id(self) -> str:
        """The `webhook-id`."""
        return self.headers["webhook-id"]


@dataclass
class Reply:
    """An answer. stall: hold it until the sink is released; close: hang up instead, after so much of it."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stall: bool = False
    close: bool = False


class Sink:
    """Belongs to any thread. reply: is asked what to answer to each request."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.reply: Callable[[Received], Reply] = lambda request: Reply()
        self.released = threading.Event()
        self.connections = 0
        self._changed = threading.Condition()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                sink.connections += 1

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = self.rfile.read(length)
                if len(body) < length:  # the sender was killed meanwhile
                    self.close_connection = True
                    return
                request = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                sink.keep(request)
                self._answer(sink.reply(request))

            def _answer(self, reply: Reply) -> None:
                if reply.stall:
                    sink.released.wait(WAIT_S)
                if reply.close:
                    self.wfile.write(reply.body)
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Say nothing: senders may hang up, and processes are killed."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.host}/hook"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, name="sink")
        self._thread.start()

    def keep(self, request: Received) -> None:
        """Keep a request."""
        with self._changed:
            self.received.append(request)
            self._changed.notify_all()

    def wait(self, count: int, within_s: float = WAIT_S) -> list[Received]:
        """Return what was received once it is so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.received) >= count, within_s), self.types
            return list(self.received)

    @property
    def types(self) -> list[str]:
        """The types of the events received."""
        return [request.event["type"] for request in self.received]

    def stop(self) -> None:
        """Stop, and let go of whom it holds."""
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@contextmanager
def running_sink() -> Iterator[Sink]:
    """Return a sink that is stopped in the end."""
    sink = Sink()
    try:
        yield sink
    finally:
        sink.stop()
