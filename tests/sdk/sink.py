"""A collector stand-in that listens on a real socket and misbehaves on request, and a wait with a deadline."""

from __future__ import annotations

import gzip
import ssl
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import msgspec

from milepost import wire

DEADLINE_S = 15.0


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Return the condition's first true answer; fail after a deadline."""
    deadline = time.monotonic() + DEADLINE_S
    pause = threading.Event()
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        pause.wait(0.005)
    raise AssertionError(f"{what} did not happen within {DEADLINE_S} s")


class Sink:
    """Receives batches like a collector. `script` holds the answers to the next requests; without one it takes all.

    An answer is a status, a (status, headers) pair, "hang" (never answers) or "close" (closes the connection).
    """

    def __init__(self, port: int = 0, *, tls: ssl.SSLContext | None = None) -> None:
        self.targets: list[str] = []
        self.script: list[Any] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.taken: dict[tuple[str, int], wire.Batch] = {}
        self.released = threading.Event()
        handler = type("Handler", (_Handler,), {"sink": self})
        self._server = _Server(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def batches(self) -> list[wire.Batch]:
        return list(self.taken.values())

    @property
    def events(self) -> list[wire.WireEvent]:
        return [event for batch in self.batches for event in batch.events]

    @property
    def ended(self) -> list[wire.SpanEnded]:
        return [event for event in self.events if isinstance(event, wire.SpanEnded)]

    @property
    def started(self) -> list[wire.SpanStarted]:
        return [event for event in self.events if isinstance(event, wire.SpanStarted)]

    @property
    def heartbeats(self) -> list[wire.Heartbeat]:
        return [event for event in self.events if isinstance(event, wire.Heartbeat)]

    def ended_names(self) -> list[str]:
        return sorted(span.name for span in self.ended)

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(DEADLINE_S)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Show what is wrong with a batch, but not that a producer has gone away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    sink: ClassVar[Sink]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.sink.targets.append(self.path)
        self.sink.requests.append(({key.lower(): value for key, value in self.headers.items()}, body))
        answer = self.sink.script.pop(0) if self.sink.script else 200
        if answer == "hang":
            self.sink.released.wait(60)
        if answer in ("hang", "close"):
            self.close_connection = True
            return
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        self._answer(status, headers, self._take(body) if status == 200 else b"{}")

    def _take(self, body: bytes) -> bytes:
        packed = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
        batch = msgspec.msgpack.decode(packed, type=wire.Batch)
        known = (batch.producer_id, batch.sequence) in self.sink.taken
        self.sink.taken.setdefault((batch.producer_id, batch.sequence), batch)
        return msgspec.json.encode(wire.BatchAnswer(accepted=len(batch.events), rejected=[], duplicate=known))

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for key, value in ({"content-type": "application/json", "content-length": str(len(content))} | headers).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output clean."""
