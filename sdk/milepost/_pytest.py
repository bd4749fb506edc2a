"""The pytest plugin: a fixture that records in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from milepost.testing import Captured

__all__ = ["milepost_capture"]


@pytest.fixture
def milepost_capture() -> Iterator[Captured]:
    """What the test records with Milepost, in memory; see `milepost.testing.Captured`."""
    from milepost.testing import capture  # not at the top: the plugin is loaded in every run of pytest

    with capture() as captured:
        yield captured
