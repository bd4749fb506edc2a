"""The processes that are killed: collectors on a port that stays the same, and workers of one agent."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from tests.conftest import CollectorProcess, launch_collector

T = TypeVar("T")

STOP_TIMEOUT_S = 60


def free_port() -> int:
    """Return a port that nobody listens on, and that no outgoing connection takes while the collector is away."""
    while True:
        port = random.randrange(10_000, 32_000)  # below the ephemeral ports of Linux
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def until(condition: Callable[[], T], what: str, within_s: float = 30.0) -> T:
    """Return the condition's first true answer; fail after a deadline."""
    deadline = time.monotonic() + within_s
    pause = threading.Event()
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        pause.wait(0.01)
    raise AssertionError(f"{what} did not happen within {within_s:g} s")


def rest(seconds: float) -> None:
    """Let those under load go on for a while."""
    threading.Event().wait(seconds)


class KillableCollector:
    """A collector at an address of its own, however often it is killed and started again on the same files."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._port = free_port()
        self.endpoint = f"http://127.0.0.1:{self._port}"
        self._running = self._launch()

    def kill(self) -> None:
        """End it by SIGKILL, and start it again."""
        self._running.process.kill()
        self._running.process.communicate()
        self._running = self._launch()

    def stop(self) -> None:
        """Stop it as a user does."""
        assert self._running.stop() == 0

    def end(self) -> None:
        """End it if it still runs, after a test that failed too."""
        self._running.process.kill()
        self._running.process.communicate()

    def _launch(self) -> CollectorProcess:
        return launch_collector(self.data_dir, "--port", str(self._port))


class WorkerProcess:
    """A process that serves an agent by `worker.py`; what its handlers note is in `folder`."""

    def __init__(self, agent: str, endpoint: str, folder: Path, slots: int) -> None:
        command = [sys.executable, "-m", "tests.crash.worker", agent, endpoint, str(folder), str(slots)]
        self._process = subprocess.Popen(command)

    def kill(self) -> None:
        """End it by SIGKILL."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """Stop it where it stands: neither its handlers nor its polls go on."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Have it drain and leave, as SIGTERM does."""
        self._process.terminate()
        assert self._process.wait(STOP_TIMEOUT_S) == 0


class Crew:
    """Workers, each of which is replaced when it is killed."""

    def __init__(self, agent: str, endpoint: str, folder: Path, *, workers: int, slots: int) -> None:
        self._new = partial(WorkerProcess, agent, endpoint, folder, slots)
        self._workers = [self._new() for _ in range(workers)]

    def kill_one(self, chance: random.Random) -> None:
        """Kill any of them, and start another in its place."""
        place = chance.randrange(len(self._workers))
        self._workers[place].kill()
        self._workers[place] = self._new()

    def stop(self) -> None:
        """Have all drain and leave."""
        for worker in self._workers:
            worker.stop()

    def end(self) -> None:
        """End those that still run, after a test that failed too."""
        for worker in self._workers:
            worker.kill()


@contextmanager
def running(collector: KillableCollector, crew: Crew) -> Iterator[None]:
    """Have all of them gone after the block."""
    try:
        yield
        crew.stop()
        collector.stop()
    finally:
        crew.end()
        collector.end()
