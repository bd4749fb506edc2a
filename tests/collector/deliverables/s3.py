"""An S3-compatible server in a process of its own: moto's, over real HTTP."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time

START_TIMEOUT_S = 40
VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ALLOW_HTTP", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")


class S3Server:
    """A server with one empty bucket, `bucket`. variables: what an AWS client needs in its environment."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        values = (f"http://127.0.0.1:{self.port}", "true", "key", "secret", "us-east-1")
        self.variables = dict(zip(VARIABLES, values, strict=True))
        self._await_start()
        assert self.ask("PUT", "/bucket") == 200

    def ask(self, method: str, path: str) -> int:
        """Return the status of an answer."""
        return self.read(method, path)[0]

    def read(self, method: str, path: str) -> tuple[int, str]:
        """Return the status and body of an answer."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request(method, path, headers={"Host": "s3.us-east-1.amazonaws.com"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def stop(self) -> None:
        """End the process."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(10)

    def _await_start(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "moto.server ended; is moto installed with flask and flask-cors?"
            with contextlib.suppress(OSError):
                self.ask("GET", "/")
                return
            time.sleep(0.05)  # a process that starts tells nobody
        raise AssertionError(f"moto.server does not listen within {START_TIMEOUT_S} s")
