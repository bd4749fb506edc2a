"""What a worker reports is found under its task, with what the traces know of it."""

from __future__ import annotations

import time

from milepost.wire import SpanEnded, SpanStarted, Usage
from tests.collector.server import Server
from tests.collector.web.controller.api import Api


def test_attempts_checkpoints_and_transitions_are_told(api: Api, agent: str, worker: str) -> None:
    task_id = api.create(agent=agent, settings={"retry_delay_ms": 0})["id"]
    first = api.lease(worker, task_id)
    named = {"task_id": task_id, "attempt": 1}
    api.report(
        worker,
        {"type": "progress", **named, "progress": 0.5, "phase": "half"},
        {"type": "checkpoint", **named, "sequence": 1, "state": {"row": 7}, "name": "rows"},
        {"type": "step", **named, "name": "extract", "input_digest": "ab", "result": [1]},
        {"type": "failed", **named, "error_type": "ValueError", "error_message": "no", "error_stack": "line 1"},
    )
    second = api.lease(worker, task_id)
    assert (second["attempt"], second["checkpoint"], second["steps"][0]["result"]) == (2, {"row": 7}, [1])
    runs = api.get(f"/tasks/{task_id}/runs")["attempts"]
    assert [(run["attempt"], run["status"], run["run_id"]) for run in runs] == [
        (2, "running", second["run_id"]),
        (1, "failed", first["run_id"]),
    ]
    assert api.get(f"/tasks/{task_id}/runs/1")["error_stack"] == "line 1"
    saved = api.get(f"/tasks/{task_id}/checkpoints")
    assert (saved["checkpoints"][0]["state"], saved["steps"][0]["name"]) == ({"row": 7}, "extract")
    told = [change["to_status"] for change in api.get(f"/tasks/{task_id}/transitions")["transitions"]]
    assert told[:2] == ["pending", "assigned"]


def test_attempt_that_was_not_made_is_not_found(api: Api) -> None:
    task_id = api.create()["id"]
    assert "attempt" in api.get(f"/tasks/{task_id}/runs/1", refused=404)["detail"]
    for wrong in ("0", "one", "99999999999"):
        assert api.get(f"/tasks/{task_id}/runs/{wrong}", refused=400)["field"] == "attempt"


def test_tokens_and_cost_come_from_the_runs(server: Server, api: Api, agent: str, worker: str) -> None:
    task_id = api.create(agent=agent)["id"]
    run_id = api.lease(worker, task_id)["run_id"]
    now = time.time_ns()
    server.send(
        [
            SpanStarted(run_id=run_id, span_id="a" * 16, name="Load", start_time=now, task_id=task_id, attempt=1),
            SpanEnded(
                run_id=run_id, span_id="a" * 16, name="Load", start_time=now, end_time=now + 1, status="completed",
                task_id=task_id, attempt=1, usage=[Usage(model="m", input_tokens=12, output_tokens=3, cost_usd=0.5)],
            ),
        ],
        producer_id="costs",
    )  # fmt: skip
    api.report(worker, {"type": "completed", "task_id": task_id, "attempt": 1})
    expected = (12, 3, 0.5)
    listed = api.get("/tasks", agent=agent)["tasks"]
    for shown in (api.get(f"/tasks/{task_id}"), api.get(f"/tasks/{task_id}/runs/1"), *listed):
        assert (shown["input_tokens"], shown["output_tokens"], shown["cost_usd"]) == expected
