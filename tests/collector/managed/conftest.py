"""Fixtures of the record's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.collector.managed.controlled import Control
from tests.collector.managed.facts import House
from tests.controller.conftest import postgres_server, postgres_url, store_place

__all__ = ["postgres_server", "postgres_url", "store_place"]  # fixtures of the controller's tests that these use too


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Give an open database that keeps the record."""
    opened = House.open(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[Control]:
    """Give a controller that keeps its tasks beside the record."""
    opened = await Control.open(tmp_path)
    yield opened
    await opened.controller.stop()


@pytest.fixture
async def any_control(tmp_path: Path, store_place: str) -> AsyncIterator[Control]:
    """Give a controller on SQLite, then one on PostgreSQL."""
    opened = await Control.open(tmp_path, url=store_place if "://" in store_place else None)
    yield opened
    await opened.controller.stop()
