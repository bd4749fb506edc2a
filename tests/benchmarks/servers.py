"""The processes that are measured: a real collector, and the floor."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

READY = re.compile(r"is ready at (http://\S+)")
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 120
MIB = 1024 * 1024


@dataclass(slots=True)
class Server:
    """A running server process. started_in_s: until /readyz answered 200."""

    process: subprocess.Popen[str]
    url: str
    started_in_s: float

    def cpu_s(self) -> float:
        """Return the processor time it has used, seconds; 0 where the system does not say."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self) -> float:
        """Return the memory it occupies, MiB; 0 where the system does not say."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return 0.0
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0

    def metric(self, name: str) -> float:
        """Return a number of /metrics; 0 when it is not there."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as answer:
            found = re.search(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE)
        return float(found[1]) if found else 0.0

    def stop(self) -> None:
        """Stop it as Ctrl-C does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=STOP_TIMEOUT_S)


@contextmanager
def collector(data_dir: Path) -> Iterator[Server]:
    """Run `milepost serve` on a free port."""
    command = [
        "-m",
        "milepost_collector.cli",
        "serve",
        "--port",
        "0",
        "--data",
        str(data_dir),
        "--log-level",
        "warning",
    ]
    with _running(command) as server:
        yield server


@contextmanager
def floor(data_dir: Path) -> Iterator[Server]:
    """Run the floor on a free port."""
    with _running(["-m", "tests.benchmarks.floor_server", str(data_dir)]) as server:
        yield server


@contextmanager
def otlp_floor(data_dir: Path) -> Iterator[Server]:
    """Run the floor of OTLP on a free port."""
    with _running(["-m", "tests.benchmarks.otlp_floor", str(data_dir)]) as server:
        yield server


@contextmanager
def bare(data_dir: Path) -> Iterator[Server]:
    """Run the least that could be called a collector on a free port."""
    with _running(["-m", "tests.benchmarks.bare_server", str(data_dir)]) as server:
        yield server


@contextmanager
def _running(arguments: Sequence[str]) -> Iterator[Server]:
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    ready = READY.search(line)
    if ready is None:
        process.kill()
        process.communicate()
        raise RuntimeError(f"{' '.join(arguments)} did not start: {line!r}")
    _wait_until_ready(ready[1])
    server = Server(process, ready[1], time.perf_counter() - begin)
    try:
        yield server
    finally:
        server.stop()


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return
        except (URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)
