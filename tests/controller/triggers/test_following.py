"""Events fire triggers: which, with what, and each once."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any

import pytest

from milepost.wire import SpanEnded, Usage
from tests.collector.server import Server
from tests.controller.triggers.senders import Api, until


def ended_run(status: Any = "failed", cost_usd: float = 2.0, **fields: Any) -> SpanEnded:
    now = time.time_ns()
    usage = [Usage(model="m", cost_usd=cost_usd)]
    times = {"start_time": now - 10**9, "end_time": now, **fields}
    ids = {"run_id": secrets.token_hex(16), "span_id": secrets.token_hex(8)}
    return SpanEnded(**{"name": "report", "kind": "agent", "status": status, "usage": usage, **ids, **times})


def inputs(api: Api, trigger: dict[str, Any]) -> list[Any]:
    return [task["input"] for task in api.made_by(trigger)]


def settle(server: Server, api: Api) -> None:
    """Wait until everything that has happened so far has been looked at."""
    marker, _ = api.trigger(event="task.created", where="name:marker", mapping=[])
    run_marker, _ = api.trigger(event="run.completed", where="name:marker", mapping=[])
    api.post("/tasks", {"name": "marker"}, status=201)
    server.send([ended_run("completed", name="marker")])
    until(lambda: api.made_by(marker) and api.made_by(run_marker))


def test_run_that_failed_and_was_expensive_makes_a_task(server: Server, api: Api) -> None:
    mapping = [{"name": "run_id", "pointer": "/run/run_id"}, {"name": "cost", "pointer": "/run/cost_usd"}]
    trigger, secret = api.trigger(event="run.failed", where="cost>1", mapping=mapping)
    assert secret is None
    runs = [ended_run(), ended_run(cost_usd=0.5), ended_run("completed"), ended_run(cost_usd=3.0)]
    server.send(runs)
    settle(server, api)
    wanted = [{"run_id": runs[0].run_id, "cost": 2.0}, {"run_id": runs[3].run_id, "cost": 3.0}]
    assert sorted(inputs(api, trigger), key=lambda one: one["cost"]) == wanted


def test_search_may_ask_for_spans_of_a_run(server: Server, api: Api) -> None:
    trigger, _ = api.trigger(event="run.*", where='span(kind:tool name:search) -"timeout"', mapping=[])
    run, other = ended_run(), ended_run()
    tool = {"span_id": secrets.token_hex(8), "parent_span_id": run.span_id, "name": "search", "kind": "tool"}
    server.send([ended_run("completed", run_id=run.run_id, **tool), run, other])
    settle(server, api)
    assert [event["delivery_id"] for event in api.events(trigger)] == [f"{run.run_id}.failed"]


def test_run_from_before_the_trigger_does_not_count(server: Server, api: Api) -> None:
    server.send([ended_run(name="early")])
    trigger, _ = api.trigger(event="run.failed", where="name:early", mapping=[])
    long_ago = time.time_ns() - 3_600 * 10**9
    server.send([ended_run(name="early", start_time=long_ago, end_time=long_ago + 1)])  # recorded late
    settle(server, api)
    assert api.events(trigger) == []


def test_run_that_was_given_up_and_goes_on_is_two_events(server: Server, api: Api) -> None:
    trigger, _ = api.trigger(event="run.*", where="name:revenant", mapping=[])
    lost = ended_run("lost", name="revenant")
    server.send([lost])
    until(lambda: len(api.events(trigger)) == 1)
    server.send([ended_run("completed", name="revenant", run_id=lost.run_id, span_id=lost.span_id, output={"a": 1})])
    until(lambda: len(api.events(trigger)) == 2)
    assert [event["delivery_id"].partition(".")[2] for event in api.events(trigger)] == ["lost", "completed"]


def test_task_that_failed_makes_another(both_stores: Server) -> None:
    api = Api(both_stores.client)
    mapping = [{"name": "id", "pointer": "/task/id"}, {"name": "error", "pointer": "/task/error_message"}]
    trigger, _ = api.trigger(event="task.failed", where="name:load error:*refused*", mapping=mapping)
    task = api.post("/tasks", {"name": "load", "settings": {"max_retries": 0}}, status=201)
    other = api.post("/tasks", {"name": "other", "settings": {"max_retries": 0}}, status=201)
    worker = api.post("/worker/register", {"agent": "etl", "concurrency": 8, "any": True})["worker_id"]
    leases = api.post("/worker/poll", {"worker_id": worker})["leases"]
    error = {"type": "failed", "error_type": "OSError", "error_message": "connection refused"}
    reports = [{**error, "task_id": lease["task_id"], "attempt": lease["attempt"]} for lease in leases]
    api.post("/worker/reports", {"worker_id": worker, "reports": reports})
    until(lambda: api.made_by(trigger))
    assert {lease["task_id"] for lease in leases} == {task["id"], other["id"]}
    assert inputs(api, trigger) == [{"id": task["id"], "error": "connection refused"}]
    settle(both_stores, api)
    assert len(api.events(trigger)) == 1


def test_schedule_that_fired_makes_a_task(server: Server, api: Api) -> None:
    trigger, _ = api.trigger(event="schedule.*", where="name:once", mapping=[{"name": "what", "pointer": ""}])
    cadence = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))}
    api.post("/schedules", {"name": "once", "cadence": cadence, "task": {"name": "tick"}}, status=201)
    until(lambda: api.made_by(trigger))
    (what,) = [one["what"] for one in inputs(api, trigger)]
    assert (what["event"], what["schedule"]["name"], what["instant"]["status"]) == ("schedule.fired", "once", "fired")


def test_budget_that_is_raised_makes_a_task(both_stores: Server) -> None:
    api = Api(both_stores.client)
    mapping = [{"name": "what", "pointer": "/budget"}, {"name": "event", "pointer": "/event"}]
    trigger, _ = api.trigger(event="budget.raised", where="agent:bob user:ann text:enough", mapping=mapping)
    for agent in ("amy", "bob"):
        given = {"scope": "agent", "value": agent, "usd": 4}
        budget = both_stores.client.put("/api/budgets", json=given).json()
        raised = {"usd": 1, "by": "ann", "reason": "not enough"}
        assert both_stores.client.post(f"/api/budgets/{budget['id']}/raise", json=raised).status_code == 200
    until(lambda: api.made_by(trigger))
    (made,) = inputs(api, trigger)
    assert made["event"] == "budget.raised"
    assert (made["what"]["name"], made["what"]["budget_id"], made["what"]["by"]) == ("agent bob", budget["id"], "ann")
    settle(both_stores, api)
    assert len(api.events(trigger)) == 1


def test_conditions_look_at_the_event_too(server: Server, api: Api) -> None:
    conditions = [{"pointer": "/task/priority", "equals": "urgent"}]
    trigger, _ = api.trigger(event="task.created", where="name:hurry", conditions=conditions, mapping=[])
    for priority in ("low", "urgent"):
        api.post("/tasks", {"name": "hurry", "priority": priority}, status=201)
    until(lambda: api.made_by(trigger))
    settle(server, api)
    assert [event["outcome"] for event in api.events(trigger)] == ["filtered", "accepted"]


def test_trigger_that_fires_itself_stops(server: Server, api: Api) -> None:
    trigger, _ = api.trigger(name="loop", event="task.created", where="name:again", task={"name": "again"}, max_depth=2)
    api.post("/tasks", {"name": "again"}, status=201)
    until(lambda: [event for event in api.events(trigger) if event["outcome"] == "limited"])
    settle(server, api)
    events = api.events(trigger)
    assert [(event["outcome"], event.get("depth", 0)) for event in events] == [
        ("accepted", 0), ("accepted", 1), ("limited", 2)
    ]  # fmt: skip
    assert "max_depth is 2" in events[-1]["reason"]


def test_loop_through_a_task_that_a_run_asked_for_stops(server: Server, api: Api) -> None:
    trigger, _ = api.trigger(event="task.created", where="name:child", task={"name": "parent"}, mapping=[], max_depth=1)
    api.post("/tasks", {"name": "child"}, status=201)
    (parent,) = until(lambda: api.made_by(trigger))
    run = ended_run("completed", task_id=parent["id"], attempt=1)
    server.send([run])
    traceparent = f"00-{run.run_id}-{run.span_id}-01"
    api.post("/tasks", {"name": "child", "traceparent": traceparent}, status=201)
    until(lambda: len(api.events(trigger)) == 2)
    assert api.events(trigger)[-1]["outcome"] == "limited"


def test_disabled_trigger_misses_what_happens(server: Server, api: Api) -> None:
    trigger, _ = api.trigger(event="task.created", where="name:missed", mapping=[])
    api.post(f"/triggers/{trigger['id']}/disable")
    api.post("/tasks", {"name": "missed"}, status=201)
    settle(server, api)
    api.post(f"/triggers/{trigger['id']}/enable")
    settle(server, api)
    assert api.events(trigger) == []


def test_many_events_make_as_many_tasks(both_stores: Server) -> None:
    api = Api(both_stores.client)
    trigger, _ = api.trigger(event="task.created", where="name:load", mapping=[{"name": "n", "pointer": "/task/input"}])
    tasks = [{"name": "load", "input": number} for number in range(300)]
    api.post("/tasks/batch", {"tasks": tasks}, status=201)
    until(lambda: api.get(f"/triggers/{trigger['id']}")["counts"]["accepted"] == 300, within_s=30)
    assert sorted(one["n"] for one in inputs(api, trigger)) == list(range(300))


def test_two_collectors_on_one_store_fire_once(tmp_path: Path, postgres_url: str) -> None:
    servers = [Server.start(tmp_path / name, controller_url=postgres_url) for name in ("a", "b")]
    try:
        first, second = (Api(server.client) for server in servers)
        trigger, _ = first.trigger(event="task.created", where="name:load", mapping=[])
        for number in range(20):
            (first, second)[number % 2].post("/tasks", {"name": "load"}, status=201)
        until(lambda: second.get(f"/triggers/{trigger['id']}")["counts"]["accepted"] >= 20)
        for server, api in zip(servers, (first, second), strict=True):
            settle(server, api)
        counts = second.get(f"/triggers/{trigger['id']}")["counts"]
        assert (counts["accepted"], sum(counts.values())) == (20, 20)
    finally:
        for server in servers:
            server.stop()


@pytest.mark.parametrize("where", ["status:completed", "-status:failed", "name:re*", "agent:nobody OR name:report"])
def test_events_of_runs_are_narrowed_like_lists(server: Server, api: Api, where: str) -> None:
    trigger, _ = api.trigger(event="run.*", where=where, mapping=[])
    run = ended_run("completed")
    server.send([run])
    until(lambda: api.made_by(trigger))
    assert api.events(trigger)[0]["delivery_id"] == f"{run.run_id}.completed"
