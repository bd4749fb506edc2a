"""The process that sends a load: bodies are made before the clock starts, and clients are threads on raw sockets.

    python -m tests.benchmarks.sender

reads one JSON line {"url", "load"}, prepares, says "ready", waits for a line, sends, and reports in one JSON line.
`otlp_sender` does the same with OTLP.

An HTTP client library would cost as much as the collector itself; here a request costs the load generator about 60 µs.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from milepost.wire import BatchAnswer
from tests.benchmarks.loads import Load, Template, bodies

_decode_answer = msgspec.msgpack.Decoder(BatchAnswer).decode


class Sent(msgspec.Struct):
    """What a sender did. latencies_ms: of every request, until its answer. cpu_s: the sender's own processor time."""

    seconds: float
    cpu_s: float
    accepted: int
    spans: int
    events: int
    latencies_ms: list[float]
    sent_bytes: int


class Sender:
    """A sender's process, from preparing to its report. load: what the module's loads are."""

    def __init__(self, url: str, load: Any, module: str = "tests.benchmarks.sender") -> None:
        command = [sys.executable, "-m", module]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._say(msgspec.json.encode({"url": url, "load": load}))
        self._hear()

    def send(self) -> Sent:
        """Send everything and return what came of it."""
        self._say(b"go")
        sent = msgspec.json.decode(self._hear(), type=Sent)
        self._process.communicate()
        return sent

    def _say(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def _hear(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the load generator ended with code {self._process.wait()}")
        return line


class Client(threading.Thread):
    """One connection that sends a body as soon as the one before is acknowledged."""

    def __init__(
        self, url: str, path: str, content_type: str, contents: Iterable[tuple[bytes, Template]], *, is_gzip: bool
    ) -> None:
        super().__init__()
        self._at = urlsplit(url)
        headers = f"POST {path} HTTP/1.1\r\nhost: {self._at.netloc}\r\ncontent-type: {content_type}\r\n"
        headers += "content-encoding: gzip\r\n" if is_gzip else ""
        self._requests: list[tuple[bytes, Template]] = [
            (f"{headers}content-length: {len(body)}\r\n\r\n".encode() + body, part) for body, part in contents
        ]
        self.sent_bytes = sum(len(request) for request, _ in self._requests)
        self.latencies_ms: list[float] = []
        self.accepted = self.spans = self.events = 0
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Send everything; a failure is kept."""
        try:
            self._send_all()
        except BaseException as error:
            self.failure = error

    def _send_all(self) -> None:
        with socket.create_connection((self._at.hostname, self._at.port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for request, part in self._requests:
                begin = time.perf_counter()
                connection.sendall(request)
                status, body = _answer(connection)
                self.latencies_ms.append((time.perf_counter() - begin) * 1000)
                self.count(status, body, part)

    def count(self, status: bytes, body: bytes, part: Template) -> None:
        """Count a request by its answer.

        Raises:
            RuntimeError: not everything was accepted.
        """
        raise NotImplementedError


class EventsClient(Client):
    """A client of /v1/events."""

    def __init__(self, url: str, load: Load, number: int) -> None:
        super().__init__(url, "/v1/events", "application/msgpack", bodies(load, number), is_gzip=load.gzip)

    def count(self, status: bytes, body: bytes, part: Template) -> None:
        """Count a batch by its answer."""
        if status != b"200":
            raise RuntimeError(f"answer {status!r}: {body[:200]!r}")
        answer = _decode_answer(body)
        if answer.accepted != part.size:
            raise RuntimeError(f"{answer.accepted} of {part.size} events were accepted: {answer.rejected[:1]}")
        self.accepted += answer.accepted
        self.spans += part.spans
        self.events += part.events


def _answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """Return the status and the body of one answer."""
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _more(connection)
    head = data[:end].lower()
    length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
    while len(data) < end + 4 + length:
        data += _more(connection)
    return head[9:12], data[end + 4 :]


def _more(connection: socket.socket) -> bytes:
    piece = connection.recv(65_536)
    if not piece:
        raise RuntimeError("the server closed the connection")
    return piece


def serve(make_client: Callable[[str, dict[str, Any], int], Client]) -> None:
    """Prepare, wait, send, report. make_client: of (url, load, number from 0)."""
    given: dict[str, Any] = msgspec.json.decode(sys.stdin.buffer.readline())
    clients = [make_client(given["url"], given["load"], number) for number in range(given["load"]["clients"])]
    print("ready", flush=True)
    sys.stdin.readline()
    begin, cpu = time.perf_counter(), time.process_time()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    seconds, cpu_s = time.perf_counter() - begin, time.process_time() - cpu
    for client in clients:
        if client.failure is not None:
            raise client.failure
    sent = Sent(
        seconds=seconds,
        cpu_s=cpu_s,
        accepted=sum(client.accepted for client in clients),
        spans=sum(client.spans for client in clients),
        events=sum(client.events for client in clients),
        latencies_ms=[value for client in clients for value in client.latencies_ms],
        sent_bytes=sum(client.sent_bytes for client in clients),
    )
    print(msgspec.json.encode(sent).decode(), flush=True)


if __name__ == "__main__":
    serve(lambda url, load, number: EventsClient(url, msgspec.convert(load, Load), number))
