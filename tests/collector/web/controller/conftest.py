"""A collector that the tests of a module share, and how it is asked."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.collector.server import Server
from tests.collector.web.controller.api import Api

_numbers = itertools.count(1)


@pytest.fixture
def api(server: Server) -> Api:
    """Return how the module's collector is asked."""
    return Api.of(server)


@pytest.fixture
def agent() -> str:
    """Return the name of an agent that no other test uses."""
    return f"agent {next(_numbers)}"


@pytest.fixture
def worker(api: Api, agent: str) -> Iterator[str]:
    """Return the id of a worker of the test's agent that handles any task."""
    worker_id = api.worker(agent)
    yield worker_id
    api.post("/worker/unregister", {"worker_id": worker_id}, status=204)
