"""Fixtures of the SDK's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import milepost
from milepost.testing import Captured, SequentialIds, SteppingClock, capture
from sdk.sink import Sink


@pytest.fixture
def sink() -> Iterator[Sink]:
    server = Sink()
    yield server
    server.close()


@pytest.fixture
def make_client(sink: Sink) -> Iterator[Callable[..., milepost.Client]]:
    """Return a function that makes clients of the sink; they are shut down after the test."""
    made = []

    def make(**settings: Any) -> milepost.Client:
        made.append(milepost.Client(**{"endpoint": sink.endpoint, "agent": "test-agent"} | settings))
        return made[-1]

    yield make
    sink.script.clear()
    sink.released.set()
    for client in made:
        client.shutdown()


@pytest.fixture
def client(make_client: Callable[..., milepost.Client]) -> milepost.Client:
    return make_client()


@pytest.fixture
def captured() -> Iterator[Captured]:
    with capture(clock=SteppingClock(), ids=SequentialIds()) as everything:
        yield everything
