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


def test_tasks_and_leases_that_were_answered_survive_a_kill(start_collector: StartCollector, tmp_path: Path) -> None:
    first = start_collector(data_dir=tmp_path)
    with ask(first).client as client:
        api = Api(client)
        worker = api.worker("etl", concurrency=1)
        ids = [api.create(f"task {number}", agent="etl")["id"] for number in range(5)]
        lease = api.lease(worker, ids[0])
        kill(first)
    with ask(start_collector(data_dir=tmp_path)).client as client:
        api = Api(client)
        assert [api.get(f"/tasks/{task_id}")["name"] for task_id in ids] == [f"task {number}" for number in range(5)]
        answer = api.poll(worker, held=[[ids[0], lease["attempt"]]])
        assert answer.keys() == {"poll_within_ms"}
        api.report(worker, {"type": "completed", "task_id": ids[0], "attempt": lease["attempt"], "result": 1})
        found = api.get(f"/tasks/{ids[0]}")
        assert (found["status"], found["attempt"], found["result"]) == ("completed", 1, 1)
