"""What every test may use: a clean environment, the root, real collectors, Chromium, the --kills option."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parent.parent
READY_LINE = re.compile(r"is ready at (http://\S+)")
STOP_TIMEOUT_S = 15


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --kills, by which `make crash` makes the crash test a longer loop, and the seeds of the simulation."""
    parser.addoption("--kills", type=int, default=30, help="SIGKILLs of the crash test (default: 30)")
    parser.addoption("--seeds", type=int, default=2_000, help="seeds of the simulation (default: 2000)")
    parser.addoption("--first-seed", type=int, default=0, help="the first of them (default: 0)")


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the repository's root."""
    return ROOT


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the settings of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith(("MILEPOST_", "OTEL_")) and name != "MILEPOST_TEST_CHROMIUM":
            monkeypatch.delenv(name)


@dataclass(slots=True)
class CollectorProcess:
    """A collector started as a user starts it, with `milepost serve`."""

    process: subprocess.Popen[str]
    url: str
    data_dir: Path

    def sql(self, query: str) -> list[list[Any]]:
        """Return the rows of a SELECT."""
        answer = httpx.post(f"{self.url}/api/sql", json={"sql": query}, timeout=30)
        assert answer.status_code == 200, answer.text
        rows: list[list[Any]] = answer.json()["rows"]
        return rows

    def stop(self) -> int:
        """Stop it as Ctrl-C does and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.communicate(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return self.process.returncode


StartCollector = Callable[..., CollectorProcess]


def launch_collector(data_dir: Path, *arguments: str) -> CollectorProcess:
    """Start a collector on a free port and return once it says that it is ready."""
    command = [sys.executable, "-m", "milepost_collector.cli", "serve", "--port", "0", "--data", str(data_dir)]
    # Standard error stays the test's own, so that a collector that fails to start says why in the report.
    process = subprocess.Popen([*command, "--log-level", "warning", *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    ready = READY_LINE.search(process.stdout.readline())
    if ready is None:
        process.kill()
        process.communicate()
        pytest.fail(f"the collector did not start, exit code {process.returncode}")
    return CollectorProcess(process, ready[1], data_dir)


@pytest.fixture
def start_collector(tmp_path: Path) -> Iterator[StartCollector]:
    """Return a function that starts collectors, start_collector(*arguments, data_dir=…); all are stopped in the end."""
    started: list[CollectorProcess] = []

    def start(*arguments: str, data_dir: Path = tmp_path / "data") -> CollectorProcess:
        started.append(launch_collector(data_dir, *arguments))
        return started[-1]

    yield start
    for collector in started:
        collector.stop()


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """Return a collector that the tests of a module share."""
    process = launch_collector(tmp_path_factory.mktemp("collector"))
    yield process
    process.stop()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of an installed Chromium."""
    named = os.environ.get("MILEPOST_TEST_CHROMIUM")
    for name in filter(None, (named, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")):
        if path := shutil.which(name):
            return path
    pytest.fail("no Chromium found; run: sudo apt-get install chromium, or set MILEPOST_TEST_CHROMIUM to its path")
