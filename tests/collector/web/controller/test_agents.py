"""`/api/agents…` and `/api/limits…`."""

from __future__ import annotations

from tests.collector.web.controller.api import Api


def test_agent_shows_workers_leases_and_what_waits(api: Api, agent: str, worker: str) -> None:
    task_id = api.create(agent=agent)["id"]
    api.lease(worker, task_id)
    api.create(agent=agent)
    shown = api.get(f"/agents/{agent}")
    assert (shown["slots"], shown["busy"], shown["ready"]) == (8, 1, 1)
    assert shown["workers"][0]["leases"][0]["task_id"] == task_id
    assert agent in {one["name"] for one in api.get("/agents")["agents"]}


def test_paused_agent_gets_no_work(api: Api, agent: str, worker: str) -> None:
    assert api.post(f"/agents/{agent}/pause", {"by": "me"})["paused_by"] == "me"
    api.create(agent=agent)
    assert "leases" not in api.poll(worker)
    assert "paused" not in api.post(f"/agents/{agent}/resume")
    assert len(api.poll(worker)["leases"]) == 1


def test_agent_whose_name_has_a_slash_is_found(api: Api) -> None:
    api.worker("team/loader")
    assert api.get("/agents/team%2Floader")["name"] == "team/loader"
    assert api.post("/agents/team%2Floader/pause")["paused"] is True


def test_unknown_agent_is_named(api: Api) -> None:
    assert "'nobody'" in api.get("/agents/nobody", refused=404)["detail"]


def test_limit_is_set_kept_to_and_removed(api: Api, agent: str, worker: str) -> None:
    limit = {"scope": "agent", "value": agent, "concurrency": 1}
    assert api.ask("PUT", "/limits", limit) == limit
    for _ in range(3):
        api.create(agent=agent)
    assert len(api.poll(worker)["leases"]) == 1
    assert limit in api.get("/limits")["limits"]
    api.ask("DELETE", f"/limits/agent/{agent}", status=204)
    assert api.ask("DELETE", f"/limits/agent/{agent}", status=404)["detail"]


def test_limit_that_limits_nothing_is_refused(api: Api) -> None:
    assert api.ask("PUT", "/limits", {"scope": "key", "value": "k"}, status=400)["field"] == "concurrency"
    assert api.ask("DELETE", "/limits/colour/red", status=400)["field"] == "scope"
