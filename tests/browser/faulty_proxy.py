"""A proxy between browser and collector that mistreats live messages, and only those."""

from __future__ import annotations

import http.client
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length"}
FATES = ("pass", "pass", "pass", "drop", "twice", "late", "cut")


class FaultyProxy:
    """Passes requests on to a collector. While `faulty`, live messages are lost, doubled, swapped and cut off.

    seed: decides the faults, so that a failure can be repeated. faults: how often each was done.
    """

    def __init__(self, target: str, seed: int) -> None:
        self.faulty = False
        self.faults: dict[str, int] = dict.fromkeys(FATES, 0)
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        at = urlsplit(target)
        self._target = (at.hostname or "", at.port or 80)
        proxy = self

        class Handler(_Handler):
            faulty_proxy = proxy

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def fate(self) -> str:
        """Decide what becomes of the next message."""
        with self._lock:
            fate = self._random.choice(FATES) if self.faulty else "pass"
            self.faults[fate] += 1
        return fate

    @property
    def told(self) -> int:
        """Return how many live messages the collector has sent so far."""
        return sum(self.faults.values())

    def connect(self) -> http.client.HTTPConnection:
        """Open a connection to the collector."""
        return http.client.HTTPConnection(*self._target, timeout=60)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faulty_proxy: FaultyProxy

    def do_GET(self) -> None:
        self._pass_on(None)

    def do_POST(self) -> None:
        self._pass_on(self.rfile.read(int(self.headers.get("content-length", 0))))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a cut connection is what this is for."""

    def _pass_on(self, body: bytes | None) -> None:
        self.close_connection = True  # one request a connection keeps cuts simple
        upstream = self.faulty_proxy.connect()
        try:
            upstream.request(self.command, self.path, body, dict(self.headers.items()))
            answer = upstream.getresponse()
            self._begin(answer)
            if answer.headers.get("content-type", "").startswith("text/event-stream"):
                self._mistreat(_messages(answer))
            else:
                self.wfile.write(answer.read())
        except OSError:
            return  # one side has gone, which the other sees
        finally:
            upstream.close()

    def _begin(self, answer: http.client.HTTPResponse) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_HEADERS:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def _mistreat(self, messages: Iterator[bytes]) -> None:
        late: list[bytes] = []
        for message in messages:
            fate = self.faulty_proxy.fate()
            if fate == "late":
                late.append(message)
                continue
            if fate == "cut":
                self.wfile.write(message[: len(message) // 2])
                return
            self.wfile.write({"drop": b"", "twice": message * 2}.get(fate, message) + b"".join(late))
            self.wfile.flush()
            late.clear()


def _messages(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield whole server-sent events with the empty line that ends each."""
    lines: list[bytes] = []
    while line := answer.readline():
        lines.append(line)
        if line == b"\n":
            yield b"".join(lines)
            lines = []
