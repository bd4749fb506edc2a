"""Collectors that the tests of triggers ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collector.server import Server
from tests.controller.triggers.senders import Api


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a collector that the tests of a module share."""
    running = Server.start(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@pytest.fixture
def api(server: Server) -> Api:
    """Return how the module's collector is asked."""
    return Api(server.client)


@pytest.fixture
def both_stores(store_place: str, tmp_path: Path) -> Iterator[Server]:
    """Return a collector on each of both databases."""
    url = store_place if store_place.startswith("postgres") else None
    running = Server.start(tmp_path / "data", controller_url=url)
    yield running
    running.stop()
