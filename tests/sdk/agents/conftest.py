"""A collector, agents that serve it from this process or from others, and a wire between that can be cut."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import milepost
from milepost import _client
from sdk.agents.wire import CutWire

PROGRAM = Path(__file__).with_name("program.py")


@pytest.fixture(scope="module")
def recorded(collector) -> Iterator[None]:
    """Have everything recorded by the module's collector."""
    before, _client._default = _client._default, None
    milepost.init(endpoint=collector.url, flush_interval_ms=20)
    yield
    milepost.shutdown()
    _client._default = before


@pytest.fixture(scope="module")
def client(collector, recorded) -> Iterator[milepost.Client]:
    with milepost.Client(endpoint=collector.url) as made:
        yield made


@pytest.fixture
def agent(request) -> milepost.Agent:
    """Return an agent that no other test has."""
    return milepost.Agent(request.node.name[:150])


@pytest.fixture
def serve(collector, recorded, agent) -> Iterator[Callable[..., milepost.Worker]]:
    """Return a function that serves the agent from this process, serve(concurrency=…, endpoint=…)."""
    workers: list[milepost.Worker] = []

    def start(**settings: Any) -> milepost.Worker:
        workers.append(agent.serve_in_background(**{"concurrency": 4, "endpoint": collector.url} | settings))
        return workers[-1]

    yield start
    for worker in workers:
        worker.stop(drain_timeout_s=0)


@pytest.fixture
def create(client, agent) -> Callable[..., str]:
    """Return a function that makes a task for the agent, create(name, **fields), and gives its id."""

    def make(name: str, **fields: Any) -> str:
        return client.tasks.create(**{"name": name, "agent": agent.name} | fields).id

    return make


@pytest.fixture
def wire(collector) -> Iterator[CutWire]:
    """Return a way to the collector that tests can watch and cut."""
    made = CutWire(collector.url)
    yield made
    made.close()


@pytest.fixture
def start_program(tmp_path, agent) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Return a function that serves the agent by `program.py` in a process, start_program(endpoint)."""
    started: list[subprocess.Popen[bytes]] = []

    def start(endpoint: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-W", "error", str(PROGRAM), agent.name, endpoint, str(tmp_path), *arguments]
        started.append(subprocess.Popen(command))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(10)
