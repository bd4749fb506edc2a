"""Fixtures of the forwarding tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from milepost_collector.forwarding import Forwarding, parse_destinations
from tests.collector.forwarding.backend import Backend, ManualTime

MIB = 1024 * 1024
StartForwarding = Callable[..., Coroutine[Any, Any, Forwarding]]


@pytest.fixture
def make_backend() -> Iterator[Callable[[], Backend]]:
    """Give a function that starts destinations; all are stopped in the end."""
    made: list[Backend] = []

    def make() -> Backend:
        made.append(Backend())
        made[-1].start()
        return made[-1]

    yield make
    for backend in made:
        backend.stop()


@pytest.fixture
def backend(make_backend: Callable[[], Backend]) -> Backend:
    """Give a destination."""
    return make_backend()


@pytest.fixture
def time() -> ManualTime:
    """Give the clock of everything that is started."""
    return ManualTime()


@pytest.fixture
async def start_forwarding(tmp_path: Path, time: ManualTime) -> AsyncIterator[StartForwarding]:
    """Give a function that starts forwarding, start_forwarding(url, …, headers=[…]); all is stopped in the end."""
    started: list[Forwarding] = []

    async def start(*urls: str, headers: tuple[str, ...] = (), max_bytes: int = 64 * MIB) -> Forwarding:
        destinations = parse_destinations(urls, headers)
        started.append(Forwarding(tmp_path / "data", destinations, max_bytes=max_bytes, timing=time.timing))
        await started[-1].start()
        return started[-1]

    yield start
    for forwarding in started:
        await forwarding.stop(deadline_s=0)
