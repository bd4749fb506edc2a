"""The pytest plugin: a fixture that records in memory, and one that serves models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from milepost.testing import Captured, ModelServer

__all__ = ["milepost_capture", "model_server"]


@pytest.fixture
def milepost_capture() -> Iterator[Captured]:
    """What the test records with Milepost, in memory; see `milepost.testing.Captured`."""
    from milepost.testing import capture  # not at the top: the plugin is loaded in every run of pytest

    with capture() as captured:
        yield captured


@pytest.fixture
def model_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """Models on this machine, to which OpenAI's and Anthropic's clients go during the test; see `ModelServer`."""
    from milepost.testing import ModelServer

    with ModelServer() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server
