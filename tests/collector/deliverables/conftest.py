"""Places for contents, and collectors that keep theirs there."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost_collector.deliverables import Place
from tests.collector.deliverables.s3 import S3Server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """Return an S3-compatible server that the tests of this process share."""
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture
def s3_url(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of an empty part of its bucket; the environment says how it is reached."""
    for name, value in s3_server.variables.items():
        monkeypatch.setenv(name, value)
    return f"s3://bucket/{secrets.token_hex(4)}"


class Clock:
    """A clock that can be set ahead; seconds since the Unix epoch."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        import time

        return time.time() + self.ahead_s


@pytest.fixture
def ahead() -> Clock:
    """Return a clock that can be set ahead."""
    return Clock()


@pytest.fixture(params=["folder", "file", "memory", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path, ahead: Clock) -> Place:
    """Return a place of every kind that can be had here."""
    urls = {"folder": None, "file": f"file://{tmp_path}/elsewhere", "memory": "memory://"}
    url = request.getfixturevalue("s3_url") if request.param == "s3" else urls[request.param]
    return Place(url, tmp_path / "deliverables", clock=ahead)
