"""SIGKILL of a collector while contents are being attached: what was acknowledged is whole, the rest is garbage."""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.conftest import CollectorProcess, launch_collector

KILLS = 3
UPLOADERS = 3

pytestmark = pytest.mark.crash


class Uploader(threading.Thread):
    """Attaches contents of some hundred kilobytes, in chunks, until the collector goes away."""

    def __init__(self, url: str, task_id: str, number: int, acknowledged: dict[str, str]) -> None:
        super().__init__()
        self._url, self._task_id, self._number = url, task_id, number
        self._acknowledged = acknowledged
        self.begun = threading.Event()

    def run(self) -> None:
        """Upload."""
        with httpx.Client(base_url=self._url, timeout=10) as client, suppress(httpx.TransportError):
            for turn in range(1_000):
                content = os.urandom(random.randint(1, 300_000))
                name = f"{self._number}-{turn}-{os.getpid()}-{time.time_ns()}"
                chunks = (content[at : at + 30_000] for at in range(0, len(content), 30_000))
                answer = client.put(f"/api/tasks/{self._task_id}/deliverables/{name}", content=chunks)
                assert answer.status_code == 201, answer.text
                self._acknowledged[name] = hashlib.sha256(content).hexdigest()
                self.begun.set()


def work_and_kill(collector: CollectorProcess, task_id: str, acknowledged: dict[str, str], pause_s: float) -> None:
    """Kill a collector at some moment of busy uploads."""
    uploaders = [Uploader(collector.url, task_id, number, acknowledged) for number in range(UPLOADERS)]
    for uploader in uploaders:
        uploader.start()
    assert uploaders[0].begun.wait(30)
    threading.Event().wait(pause_s)  # at which instruction it is killed is left to chance
    collector.process.kill()
    collector.process.communicate()
    for uploader in uploaders:
        uploader.join(20)
        assert not uploader.is_alive()


@pytest.mark.timeout(120)
def test_nothing_acknowledged_is_lost_and_nothing_half_is_attached(tmp_path: Path) -> None:
    """After every kill, every deliverable that there is has all of its content."""
    acknowledged: dict[str, str] = {}
    chance = random.Random(7)
    task_id = ""
    for _ in range(KILLS):
        collector = launch_collector(tmp_path / "data")
        if not task_id:
            task_id = httpx.post(f"{collector.url}/api/tasks", json={"name": "Report"}).json()["id"]
        work_and_kill(collector, task_id, acknowledged, chance.random() / 2)
    collector = launch_collector(tmp_path / "data")
    try:
        client = httpx.Client(base_url=f"{collector.url}/api/tasks/{task_id}", timeout=30)
        found = {one["name"]: one for one in client.get("/deliverables").json()["deliverables"]}
        assert acknowledged.items() <= {name: one["sha256"] for name, one in found.items()}.items()
        for name, one in found.items():
            content = client.get(f"/deliverables/{name}/content").content
            assert hashlib.sha256(content).hexdigest() == one["sha256"]
        stored = list((tmp_path / "data" / "deliverables" / "contents").rglob("*-*"))
        assert len(stored) >= len(found)
        for stray in stored:  # what lies there without a row is whole too: it got its name when it was complete
            assert hashlib.sha256(stray.read_bytes()).hexdigest() == stray.name.partition("-")[0]
        client.close()
    finally:
        collector.stop()
