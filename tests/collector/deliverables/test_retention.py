"""What was handed over and ran out while no collector ran is told at the next start, and only then removed."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.collector.webhooks.sink import Sink, running_sink
from tests.conftest import CollectorProcess, StartCollector
from tests.crash.processes import until

DAY_MS = 86_400_000
VERSIONS = 1_100  # more than are read at once

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """Return a receiver that collectors may deliver to."""
    with running_sink() as found:
        monkeypatch.setenv("MILEPOST_WEBHOOK_ALLOW_HOSTS", found.host)
        yield found


def recorded(collector: CollectorProcess) -> list[str]:
    """Return the deliverables in SQL."""
    return [name for (name,) in collector.sql("SELECT name FROM deliverables ORDER BY created_at")]


def told(sink: Sink) -> list[str]:
    """Return the deliverables that a webhook was told of."""
    return [request.event["data"]["deliverable"] for request in list(sink.received)]


def handed_over(collector: CollectorProcess, sink: Sink) -> str:
    """Return a task that has handed something over, of which everybody knows."""
    with httpx.Client(base_url=collector.url) as client:
        client.post("/api/webhooks", json={"name": "ops", "url": sink.url, "events": ["deliverable.attached"]})
        trigger = {"name": "again", "kind": "event", "event": "task.completed", "task": {"name": "Review"}}
        assert client.post("/api/triggers", json=trigger).status_code == 201
        task_id: str = client.post("/api/tasks", json={"name": "Report"}).json()["id"]
        client.put(f"/api/tasks/{task_id}/deliverables/early.txt", content=b"early").raise_for_status()
    until(lambda: recorded(collector) == told(sink) == ["early.txt"], "early.txt")
    return task_id


def finish(collector: CollectorProcess, task_id: str) -> None:
    """Let a task hand over more and end."""
    with httpx.Client(base_url=f"{collector.url}/api/tasks/{task_id}") as client:
        client.put("/deliverables/late.txt", content=b"late").raise_for_status()
        client.post("/complete", json={}).raise_for_status()


def positions(data_dir: Path) -> list[tuple[str, str, str]]:
    """Return how far everybody has followed what happens."""
    with closing(sqlite3.connect(data_dir / "controller.sqlite")) as database:
        return database.execute("SELECT follower, source, position FROM positions").fetchall()


def grow_old(data_dir: Path, told_to: list[tuple[str, str, str]]) -> None:
    """Make of a store one whose collector died before anybody was told of the last commits, forty days ago."""
    with closing(sqlite3.connect(data_dir / "controller.sqlite")) as database, database:
        database.execute("DELETE FROM deliveries")
        database.execute("DELETE FROM positions")
        database.executemany("INSERT INTO positions VALUES (?, ?, ?)", told_to)
        database.execute(
            "INSERT INTO deliverables "
            "(owner, name, version, type, content_type, size_bytes, sha256, created_at, task_id) "
            "WITH RECURSIVE n(version) AS (SELECT 2 UNION ALL SELECT version + 1 FROM n WHERE version < ?) "
            "SELECT owner, name, n.version, type, content_type, size_bytes, sha256, created_at, task_id "
            "FROM deliverables, n WHERE name = 'late.txt'",
            (VERSIONS,),
        )
        database.execute("UPDATE task_history SET finished_at = finished_at - ?", (40 * DAY_MS,))


def test_what_ran_out_while_no_collector_ran_is_told_before_it_is_removed(
    start_collector: StartCollector, sink: Sink, tmp_path: Path
) -> None:
    data_dir, kept = tmp_path / "data", tmp_path / "kept"
    first = start_collector()
    task_id = handed_over(first, sink)
    first.stop()
    kept.mkdir()
    for file in data_dir.glob("*.duckdb*"):
        shutil.copy(file, kept)
    before = positions(data_dir)

    second = start_collector()
    finish(second, task_id)
    second.process.kill()
    second.process.communicate()
    for file in data_dir.glob("*.duckdb*"):
        file.unlink()
    shutil.copytree(kept, data_dir, dirs_exist_ok=True)  # the recorded runs stand as before the last commit
    grow_old(data_dir, before)
    sink.received.clear()

    third = start_collector()
    until(lambda: httpx.get(f"{third.url}/api/tasks/{task_id}").status_code == 404, "the end of the retention")
    assert recorded(third) == ["early.txt", *["late.txt"] * VERSIONS]
    until(lambda: len(told(sink)) == VERSIONS, "the webhook")
    assert {request.event["data"]["version"] for request in sink.received} == set(range(1, VERSIONS + 1))
    assert third.sql(f"SELECT status FROM managed_tasks WHERE task_id = '{task_id}'") == [["completed"]]
    assert [task["name"] for task in httpx.get(f"{third.url}/api/tasks").json()["tasks"]] == ["Review"]
