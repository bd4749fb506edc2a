"""A relay between a worker and its collector, which counts requests and loses answers when it is told to."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from urllib.parse import urlsplit


class CutWire:
    """Passes connections on. requests: paths of the requests so far. lose: the next answers to a path, how many.
    lose_share: the part of all answers to lose, by chance.
    """

    def __init__(self, target: str) -> None:
        where = urlsplit(target)
        self._target = (where.hostname, where.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.requests: list[str] = []
        self.lose: dict[str, int] = {}
        self.lose_share = 0.0
        self.lost = threading.Event()
        self._chance = random.Random(4)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def count(self, path: str) -> int:
        """Return how many requests there were to a path."""
        return self.requests.count(path)

    def close(self) -> None:
        self._listener.close()
        for item in self._sockets:
            item.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it is closed
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._sockets += [near, far]
                threading.Thread(target=self._relay, args=(near, far), daemon=True).start()

    def _relay(self, near: socket.socket, far: socket.socket) -> None:
        """Pass requests and answers on, one after the other, until one side closes."""
        with contextlib.suppress(OSError), near, far:
            while request := _message(near):
                path = request.split(b" ", 2)[1].decode()
                self.requests.append(path)
                far.sendall(request)
                answer = _message(far)
                if self._is_lost(path):
                    self.lost.set()
                    return
                near.sendall(answer)

    def _is_lost(self, path: str) -> bool:
        if self.lose.get(path, 0) > 0:
            self.lose[path] -= 1
            return True
        return self._chance.random() < self.lose_share


def _message(source: socket.socket) -> bytes:
    """Read one HTTP message with a Content-Length, or without content."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = source.recv(65_536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    missing = int(lengths[0]) - len(body) if lengths else 0
    while missing > 0:
        part = source.recv(65_536)
        if not part:
            return b""
        data += part
        missing -= len(part)
    return data
