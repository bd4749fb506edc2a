"""Seeds, shared out over several tests so that several processes can take them."""

from __future__ import annotations

import itertools

import pytest

PARTS = 8


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test that asks for `seeds` an equal part of them."""
    if "seeds" not in metafunc.fixturenames:
        return
    first, count = metafunc.config.getoption("--first-seed"), metafunc.config.getoption("--seeds")
    bounds = [first + count * part // PARTS for part in range(PARTS + 1)]
    parts = [range(begin, end) for begin, end in itertools.pairwise(bounds) if begin < end]
    metafunc.parametrize("seeds", parts, ids=[f"{part.start}-{part.stop - 1}" for part in parts])
