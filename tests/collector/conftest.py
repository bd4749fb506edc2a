"""Fixtures of the collector's tests: a server in this process, reached over a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collector.server import Server, StartServer


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Return a function that starts servers, start_server(**settings); all are stopped in the end."""
    started: list[Server] = []

    def start(**settings: object) -> Server:
        started.append(Server.start(settings.pop("data_dir", tmp_path / "data"), **settings))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that the tests of a module share."""
    running = Server.start(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()
