"""Fixtures of the record's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.collector.managed.facts import House


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Give an open database that keeps the record."""
    opened = House.open(tmp_path)
    yield opened
    await opened.close()
