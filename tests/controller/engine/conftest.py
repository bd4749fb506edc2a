"""The house that the engine's tests play in."""

from __future__ import annotations

import pytest

from tests.controller.conftest import ManualClock, OpenStore
from tests.controller.engine.house import House, Worker
from tests.controller.engine.purse import Purse


@pytest.fixture
def place(request: pytest.FixtureRequest) -> str:
    """Return what to open a store with: memory, or PostgreSQL where a module asks for both."""
    wanted = getattr(request, "param", "memory")
    return ":memory:" if wanted == "memory" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def house(place: str, clock: ManualClock, open_stores: OpenStore) -> House:
    """Return a controller without tasks."""
    return House(open_stores(place, clock=clock), clock)


@pytest.fixture
def worker(house: House) -> Worker:
    """Return a worker of agent `a` that handles everything, with eight slots."""
    return house.worker()


@pytest.fixture
def purse(house: House) -> Purse:
    """Return the budgets of the house."""
    return Purse(house)
