"""SIGKILL of a collector that is busy with tasks: afterwards the record has every transition of the store, once."""

from __future__ import annotations

import random
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from tests.conftest import CollectorProcess, launch_collector

KILLS = 5
TASKS_AT_ONCE = 20

pytestmark = pytest.mark.crash


class Creator:
    """Creates tasks and cancels them, until the collector goes away. enough: set after so many tasks."""

    def __init__(self, url: str, tasks: int) -> None:
        self.enough = threading.Event()
        self._url = url
        self._tasks = tasks
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Creator:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _run(self) -> None:
        created = 0
        with httpx.Client(base_url=self._url, timeout=10) as client, suppress(httpx.TransportError):
            while True:  # ended by the collector's death
                answer = client.post("/api/tasks/batch", json={"tasks": [{"name": "Extract"}] * TASKS_AT_ONCE})
                assert answer.status_code == 201, answer.text
                for task_id in answer.json()["ids"][::2]:
                    assert client.post(f"/api/tasks/{task_id}/cancel").status_code == 200
                created += TASKS_AT_ONCE
                if created >= self._tasks:
                    self.enough.set()


def kill_at_work(collector: CollectorProcess, tasks: int) -> None:
    with Creator(collector.url, tasks) as creator:
        assert creator.enough.wait(60)
        collector.process.kill()
        collector.process.communicate()


def in_store(data_dir: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(data_dir / "controller.sqlite")) as store:
        return store.execute("SELECT sequence, task_id, event, to_status FROM transitions ORDER BY 1").fetchall()


def in_record(data_dir: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(data_dir / "milepost.duckdb"), read_only=True) as record:
        return record.execute(sql).fetchall()


def test_killed_collector_records_every_transition_once(tmp_path: Path) -> None:
    chance = random.Random(20261121)
    for _ in range(KILLS):
        kill_at_work(launch_collector(tmp_path), chance.randrange(20, 120))
    collector = launch_collector(tmp_path)
    assert collector.stop() == 0
    told = in_record(tmp_path, "SELECT sequence, task_id, event, to_status FROM task_transitions ORDER BY 1")
    assert len(told) > KILLS * TASKS_AT_ONCE
    assert told == in_store(tmp_path)
    newest = "SELECT task_id, max_by(to_status, sequence) FROM task_transitions GROUP BY 1 ORDER BY 1"
    assert in_record(tmp_path, "SELECT task_id, status FROM managed_tasks ORDER BY 1") == in_record(tmp_path, newest)
