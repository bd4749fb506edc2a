"""Fixtures of the ingest tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from milepost_collector.storage import Database
from milepost_collector.traces.commit import Committer
from tests.collector.ingest.harness import MIB, SteppingClock, Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Give a store for the tests of a module; they keep apart by their ids."""
    time = SteppingClock()
    database = Database(tmp_path_factory.mktemp("store") / "milepost.duckdb", memory_limit_bytes=512 * MIB)
    made = Store(database, time, Committer(database, time.clock, 30))
    yield made
    made.database.close()


@pytest.fixture
def make_store(tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Give a function that makes a store of the test's own."""
    made: list[Store] = []

    def make() -> Store:
        time = SteppingClock()
        database = Database(tmp_path / f"{len(made)}.duckdb", memory_limit_bytes=512 * MIB)
        made.append(Store(database, time, Committer(database, time.clock, 30)))
        return made[-1]

    yield make
    for one in made:
        one.database.close()
