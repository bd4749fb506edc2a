"""What the tests are given that kill as often as they are told: time, and a PostgreSQL server of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controller.postgres import PostgresServer

STEADY_S = 120
PER_KILL_S = 20  # on a busy machine: a kill is followed by a start


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give the tests of this folder time by the number of kills."""
    limit_s = STEADY_S + PER_KILL_S * config.getoption("kills")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(limit_s))


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """Return a PostgreSQL server that the test may stop. What it has said is committed, it keeps when it crashes."""
    server = PostgresServer(fsync="on", full_page_writes="on")
    yield server
    server.remove()
