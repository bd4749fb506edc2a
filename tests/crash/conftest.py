"""How long the tests may take that kill as often as they are told."""

from __future__ import annotations

from pathlib import Path

import pytest

STEADY_S = 120
PER_KILL_S = 20  # on a busy machine: a kill is followed by a start


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give the tests of this folder time by the number of kills."""
    limit_s = STEADY_S + PER_KILL_S * config.getoption("kills")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(limit_s))
