"""The socket of the model server: HTTP/1.1 with a thread per connection, from the standard library."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from milepost.testing._text import as_json

__all__ = ["Answer", "Hangup", "HttpServer"]


class Hangup(Exception):
    """Raised while an answer is made or streamed: close the connection without another byte."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer: a body, or a stream of its pieces."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    pieces: Iterator[str] | None = None


# (method, path, headers with names in lower case, body) -> answer; may raise Hangup
Respond = Callable[[str, str, Mapping[str, str], bytes], Answer]


class HttpServer(ThreadingHTTPServer):
    """Listens from its construction on; `stop` ends every connection and waits for their threads."""

    daemon_threads = False  # so that server_close waits for them: a test leaves nothing behind
    request_queue_size = 128

    def __init__(self, host: str, port: int, respond: Respond) -> None:
        super().__init__((host, port), _Handler)
        self.respond = respond
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        # The interval only bounds how long stopping takes.
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), name="model-server", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the listener and all connections."""
        self.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):  # the client was first
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection and remember it."""
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and forget it."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away, the standard library's traceback of anything else."""
        if not isinstance(sys.exception(), (ConnectionError, Hangup)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HttpServer
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self._read_body())

    def log_message(self, format: str, *args: object) -> None:
        """Keep the request log off the terminal."""

    def _answer(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            self._send(self.server.respond(self.command, self.path, headers, body))
        except Hangup:
            self.close_connection = True

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(self._read_chunks())
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _read_chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.pieces is None:
            self._send_body(as_json(answer.body).encode())
        else:
            self._send_stream(answer.pieces)

    def _send_body(self, body: bytes) -> None:
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_stream(self, pieces: Iterator[str]) -> None:
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            data = piece.encode()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")
