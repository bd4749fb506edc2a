"""What was answered outlives the process, and workers that keep polling go on after a restart."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx

from tests.collector.web.controller.api import Api
from tests.conftest import CollectorProcess, StartCollector


def ask(collector: CollectorProcess) -> Api:
    return Api(httpx.Client(base_url=collector.url, timeout=30))


def kill(collector: CollectorProcess) -> None:
    collector.process.send_signal(signal.SIGKILL)
    collector.process.communicate()


def test_task_that_was_answered_survives_a_kill(start_collector: StartCollector, tmp_path: Path) -> None:
    first = start_collector(data_dir=tmp_path)
    api = ask(first)
    with api.client:
        ids = [api.create(f"task {number}")["id"] for number in range(5)]
    kill(first)
    again = ask(start_collector(data_dir=tmp_path))
    with again.client:
        assert [again.get(f"/tasks/{task_id}")["name"] for task_id in ids] == [f"task {number}" for number in range(5)]


def test_worker_goes_on_after_the_collector_was_killed(start_collector: StartCollector, tmp_path: Path) -> None:
    first = start_collector(data_dir=tmp_path)
    api = ask(first)
    worker = api.worker("etl")
    task_id = api.create(agent="etl")["id"]
    lease = api.lease(worker, task_id)
    api.client.close()
    kill(first)
    again = ask(start_collector(data_dir=tmp_path))
    with again.client:
        answer = again.poll(worker, held=[[task_id, lease["attempt"]]])
        assert "leases" not in answer
        assert "commands" not in answer
        again.report(worker, {"type": "completed", "task_id": task_id, "attempt": lease["attempt"], "result": 1})
        found = again.get(f"/tasks/{task_id}")
        assert (found["status"], found["attempt"], found["result"]) == ("completed", 1, 1)
