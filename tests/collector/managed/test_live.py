"""Transitions of tasks on the live stream."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from milepost_collector.traces import feed
from tests.collector.managed.facts import House, transition
from tests.collector.server import Server
from tests.collector.web.test_live import messages

TOLD = {"sequence", "task_id", "time", "event", "from_status", "to_status", "attempt", "agent", "worker_id", "by"}


def create(server: Server) -> str:
    """Create a task and return its id."""
    answer = server.client.post("/api/tasks", json={"name": "Extract"})
    assert answer.status_code == 201, answer.text
    task_id: str = answer.json()["id"]
    return task_id


def transitions_of(message: dict[str, str]) -> list[dict[str, Any]]:
    """Return what a `tasks` message tells."""
    assert message["event"] == "tasks"
    told: list[dict[str, Any]] = json.loads(message["data"])["transitions"]
    return told


def test_transition_is_told_after_its_commit(server: Server) -> None:
    with server.client.stream("GET", "/api/live", params={"tasks": 1}) as answer:
        stream = messages(answer)
        assert next(stream)["event"] == "hello"
        task_id = create(server)
        (told,) = transitions_of(next(stream))
    assert (told["task_id"], told["event"], told["from_status"], told["to_status"]) == (
        task_id, "created", None, "pending",
    )  # fmt: skip
    assert told.keys() == TOLD | {"reason"}
    assert told["time"].endswith("Z")
    recorded = server.rows(f"SELECT sequence, event FROM task_transitions WHERE task_id = '{task_id}'")
    assert recorded == [[told["sequence"], "created"]]


def test_reader_that_comes_back_gets_the_transitions_it_missed(server: Server) -> None:
    with server.client.stream("GET", "/api/live", params={"tasks": 1}) as answer:
        stream = messages(answer)
        next(stream)
        create(server)
        last = next(stream)["id"]
    task_id = create(server)
    with server.client.stream("GET", "/api/live", params={"tasks": 1}, headers={"Last-Event-ID": last}) as answer:
        stream = messages(answer)
        assert next(stream)["event"] == "hello"
        assert [told["task_id"] for told in transitions_of(next(stream))] == [task_id]


def test_reader_that_followed_something_else_is_told_to_start_anew(server: Server) -> None:
    with server.client.stream("GET", "/api/live", params={"run_id": "ab" * 16}) as answer:
        last = next(messages(answer))["id"]
    server.app.state.services.ingest.feed._wanted.pop(feed.TASKS, None)  # as a minute after the last one left
    with server.client.stream("GET", "/api/live?tasks=1", headers={"Last-Event-ID": last}) as answer:
        stream = messages(answer)
        assert [next(stream)["event"], next(stream)["event"]] == ["hello", "reset"]


def test_reader_of_runs_is_not_told_of_tasks(server: Server) -> None:
    with (
        server.client.stream("GET", "/api/live", params={"runs": 1}) as of_runs,
        httpx.stream("GET", f"{server.url}/api/live", params={"tasks": 1, "runs": 1}) as of_both,
    ):
        runs, both = messages(of_runs), messages(of_both)
        assert [next(runs)["event"], next(both)["event"]] == ["hello", "hello"]
        create(server)
        assert next(both)["event"] == "tasks"
        body = {"producer_id": "p", "sequence": 0, "events": [
            {"type": "span_started", "run_id": "cd" * 16, "span_id": "1" * 16, "name": "x", "start_time": 1}
        ]}  # fmt: skip
        assert server.client.post("/v1/events", json=body).status_code == 200
        assert [next(runs)["event"], next(both)["event"]] == ["runs", "runs"]


async def test_more_than_a_list_would_be_is_told_as_a_reset(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MAX_FACTS_PER_TICK", 3)
    told = house.ingest.feed.subscribe(runs=False, run_id=None, last_event_id=None, tasks=True)
    assert (await anext(told)).event == "hello"
    await house.record(transitions=[transition(number) for number in range(4)])
    assert (await anext(told)).event == "reset"
    await house.record(transitions=[transition(5)])
    assert (await anext(told)).event == "tasks"
    await told.aclose()  # type: ignore[attr-defined]
