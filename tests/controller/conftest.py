"""Stores for the controller's tests: SQLite in a file or in memory, and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from milepost_collector.controller.store import open_store
from milepost_collector.controller.store.interface import Store
from tests.controller.postgres import PostgresServer

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z

OpenStore = Callable[..., Store]


class ManualClock:
    """A clock that stands still until it is moved. `now` is in milliseconds since the Unix epoch."""

    def __init__(self, now: int = START_MS) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def advance(self, milliseconds: int) -> int:
        """Move on and return the new time."""
        self.now += milliseconds
        return self.now


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that the test moves."""
    return ManualClock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Return a PostgreSQL server that all tests of this process share; no test may stop it."""
    server = PostgresServer()
    yield server
    server.remove()


def empty_database(url: str) -> None:
    """Remove all rows. Not TRUNCATE, which makes dozens of files anew."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        connection.execute("".join(f"DELETE FROM {name};" for (name,) in found if name != "schema_version").encode())


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """Return the URL of a database whose tables, if there are any, are empty."""
    empty_database(postgres_server.url)
    return postgres_server.url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return what to open a store with, on each of both databases."""
    if request.param == "sqlite":
        return str(tmp_path / "controller.sqlite")
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def open_stores() -> Iterator[OpenStore]:
    """Return `open_store`; all stores it has opened are closed in the end."""
    opened: list[Store] = []

    def open_one(place: str, *, clock: Callable[[], int] | None = None) -> Store:
        opened.append(open_store(place, clock=clock))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(store_place: str, clock: ManualClock, open_stores: OpenStore) -> Store:
    """Return an empty store whose time is `clock`, on each of both databases."""
    return open_stores(store_place, clock=clock)
