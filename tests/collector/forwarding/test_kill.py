"""SIGKILL in the middle of appending: everything acknowledged is sent by the next process, whole and in order."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.collector.forwarding.appender import body_of
from tests.collector.forwarding.backend import Backend, until
from tests.collector.forwarding.conftest import StartForwarding

KILLS = 4


def queue_until_killed(folder: Path, url: str, life: int) -> list[str]:
    """Start the appending process, kill it after some acknowledgements and return all that it gave."""
    command = [sys.executable, "-m", "tests.collector.forwarding.appender", str(folder), url, str(life)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(50 + 37 * life)]
        process.kill()
        return acknowledged + process.stdout.read().split("\n")[:-1]


def numbers_by_sender(names: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for name in names:
        sender, _, number = name.rpartition("/")
        found[sender].append(int(number))
    return found


@pytest.mark.crash
async def test_killed_process_loses_nothing_it_acknowledged(
    backend: Backend, start_forwarding: StartForwarding, tmp_path: Path
):
    backend.stop()
    acknowledged = [name for life in range(KILLS) for name in queue_until_killed(tmp_path / "data", backend.url, life)]
    backend.start()
    forwarding = await start_forwarding(backend.url)
    await until(lambda: forwarding.stats()[0].queued_bodies == 0)
    names = [body.split()[0].decode().rstrip(".") for body in backend.taken]
    assert set(acknowledged) <= set(names)
    assert backend.taken == [body_of(name) for name in names]
    for numbers in numbers_by_sender(names).values():
        assert numbers == list(range(len(numbers)))
