"""`/api/tasks…`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.collector.web.controller.api import Api

COMMANDS = ("run", "cancel", "pause", "resume", "retry", "redirect", "complete")


def test_task_is_created_and_read_back(api: Api, agent: str) -> None:
    made = api.create("Load", agent=agent, input={"rows": [1, 2]}, tags=["nightly"], priority="urgent")
    assert (made["status"], made["input"], made["priority"]) == ("pending", {"rows": [1, 2]}, "urgent")
    assert made["why_not_running"]["code"] == "no_worker"
    assert api.get(f"/tasks/{made['id']}") == made


def test_key_in_the_header_makes_one_task(api: Api) -> None:
    headers = {"Idempotency-Key": "once"}
    first = api.post("/tasks", {"name": "Load"}, status=201, headers=headers)
    assert api.post("/tasks", {"name": "Load"}, status=200, headers=headers)["id"] == first["id"]
    problem = api.post("/tasks", {"name": "Other"}, status=409, headers=headers)
    assert "idempotency key 'once' has made task" in problem["detail"]


def test_key_in_header_and_body_must_agree(api: Api) -> None:
    body = {"name": "Load", "idempotency_key": "a"}
    problem = api.post("/tasks", body, status=400, headers={"Idempotency-Key": "b"})
    assert problem["field"] == "Idempotency-Key"


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ({"name": ""}, "name", ""),
        ({"name": "x", "priority": "huge"}, "priority", "huge"),
        ({"name": "x", "settings": {"max_retries": -1}}, "settings.max_retries", -1),
        ({"name": "x", "deadline": "tomorrow"}, "deadline", "tomorrow"),
        ({"name": "x", "dependencies": ["nobody"]}, "dependencies", "nobody"),
        ({"name": "x", "agent": "a", "team": "b"}, "team", "b"),
    ],
)
def test_wrong_field_is_named_with_its_value(api: Api, body: Any, field: str, value: Any) -> None:
    problem = api.post("/tasks", body, status=400)
    assert (problem["field"], problem["value"]) == (field, value)
    assert problem["remedy"]


@pytest.mark.parametrize(
    ("content", "media_type", "status", "said"),
    [
        (b"{", "application/json", 400, "the body is not valid JSON"),
        (b'{"name": "\xff"}', "application/json", 400, "the body is not valid JSON: 'utf-8' codec"),
        (b'{"name": "a", "input": ' + b"[" * 5_000, "application/json", 400, "maximum recursion depth"),
        (b'{"name": "a", "input": 1e999}', "application/json", 400, "number out of range"),
        (b"[]", "application/json", 400, "the body does not fit: expected `object`"),
        (b"", "application/json", 400, "missing required field `name`"),
        (b"{}", "text/plain", 415, "Content-Type 'text/plain' is not supported"),
    ],
)
def test_bodies_that_are_none_are_refused(api: Api, content: bytes, media_type: str, status: int, said: str) -> None:
    answer = api.client.post("/api/tasks", content=content, headers={"Content-Type": media_type})
    assert answer.status_code == status
    assert said in answer.json()["detail"]


@pytest.mark.timeout(10)
def test_name_that_looks_like_a_place_holds_nobody_up(api: Api) -> None:
    problem = api.post("/tasks", {"name": "x", "settings": {" - at `$." * 10_000: 1}}, status=400)
    assert problem["field"] == "settings"


def test_value_that_is_too_large_is_refused_with_its_limit(api: Api) -> None:
    problem = api.post("/tasks", {"name": "Load", "input": "x" * 1_100_000}, status=413)
    assert (problem["field"], problem["limit"]) == ("input", 1_048_576)


def test_batch_is_made_whole_or_not_at_all(api: Api) -> None:
    ids = api.post("/tasks/batch", {"tasks": [{"name": "whole"}, {"name": "whole"}]}, status=201)["ids"]
    assert len(set(ids)) == 2
    wrong = {"tasks": [{"name": "none"}, {"name": "none", "dependencies": ["nobody"]}]}
    assert api.post("/tasks/batch", wrong, status=400)["value"] == "nobody"
    assert api.get("/tasks", name="none")["tasks"] == []


def test_wrong_task_of_a_batch_is_named(api: Api) -> None:
    problem = api.post("/tasks/batch", {"tasks": [{"name": "a"}, {"name": 5}]}, status=400)
    assert "name" in problem["field"]


def test_list_is_narrowed_sorted_and_paged(api: Api, agent: str) -> None:
    ids = [api.create("Paged", agent=agent, tags=[f"t{number}"])["id"] for number in range(5)]
    first = api.get("/tasks", agent=agent, sort="created_at", limit=3)
    rest = api.get("/tasks", agent=agent, sort="created_at", limit=3, cursor=first["next_cursor"])
    assert [task["id"] for task in first["tasks"] + rest["tasks"]] == ids
    assert rest["next_cursor"] is None
    found = api.get("/tasks", tag=["t1", "t3"], agent=agent, status="pending")["tasks"]
    assert {task["id"] for task in found} == {ids[1], ids[3]}
    assert api.get("/tasks", agent=agent, to="now-1h")["tasks"] == []


def test_numbers_are_counted_by_field(api: Api, agent: str) -> None:
    for name in ("One", "One", "Two"):
        api.create(name, agent=agent)
    counted = api.get("/tasks/counts", group_by="name", agent=agent)
    assert counted["groups"] == [{"value": "One", "count": 2}, {"value": "Two", "count": 1}]
    assert counted["total"] == 3


@pytest.mark.parametrize(
    ("path", "parameters", "field"),
    [
        ("/tasks", {"sort": "colour"}, "sort"),
        ("/tasks", {"status": "lazy"}, "status"),
        ("/tasks", {"from": "soon"}, "from"),
        ("/tasks", {"cursor": "nonsense"}, "cursor"),
        ("/tasks", {"limit": 0}, "limit"),
        ("/tasks", {"colour": "red"}, "colour"),
        ("/tasks/counts", {"group_by": "colour"}, "group_by"),
    ],
)
def test_wrong_parameter_is_named(api: Api, path: str, parameters: dict[str, Any], field: str) -> None:
    assert api.get(path, refused=400, **parameters)["field"] == field


def test_task_is_changed(api: Api) -> None:
    task_id = api.create("Load", settings={"max_retries": 1})["id"]
    changed = api.ask("PATCH", f"/tasks/{task_id}", {"priority": "low", "settings": {"timeout_ms": 5}})
    assert (changed["priority"], changed["settings"]) == ("low", {"max_retries": 1, "timeout_ms": 5})
    assert api.ask("PATCH", f"/tasks/{task_id}", {"id": "x"}, status=400)


def test_deleted_task_is_gone(api: Api) -> None:
    task_id = api.create()["id"]
    api.ask("DELETE", f"/tasks/{task_id}", status=204)
    assert api.get(f"/tasks/{task_id}", refused=404)["detail"] == f"there is no task '{task_id}'"


def test_commands_lead_from_status_to_status(api: Api, agent: str) -> None:
    task_id = api.create(agent=agent)["id"]
    path = f"/tasks/{task_id}"
    assert api.post(f"{path}/pause", {"reason": "wait"})["status"] == "paused"
    assert api.post(f"{path}/resume")["status"] == "pending"
    assert api.post(f"{path}/cancel", {"reason": "enough", "by": "me"})["reason"] == "enough"
    assert api.post(f"{path}/retry", {"context": 5})["context"] == 5
    api.finish(task_id, agent, result=7)
    assert api.get(path)["result"] == 7
    assert api.post(f"{path}/run", {"input": [1]})["input"] == [1]


def test_task_is_redirected_edited_and_completed_by_hand(api: Api, agent: str) -> None:
    task_id = api.create(agent=agent)["id"]
    path = f"/tasks/{task_id}"
    assert api.post(f"{path}/redirect", {"team": "night", "by": "me", "reason": "late"})["team"] == "night"
    assert api.ask("PATCH", path, {"input": {"a": 1}, "interrupt": True, "by": "me"})["input"] == {"a": 1}
    done = api.post(f"{path}/complete", {"result": {"pages": 3}, "by": "me", "reason": "by phone"})
    assert (done["status"], done["result"], done["reason"]) == (
        "completed", {"pages": 3}, "completed by hand by me: by phone",
    )  # fmt: skip
    told = [(row["event"], row.get("by")) for row in api.get(f"{path}/transitions")["transitions"]]
    assert told == [("created", None), ("edited", "me"), ("edited", "me"), ("completed", "me")]


def test_illegal_command_says_what_is_legal(api: Api) -> None:
    task_id = api.create()["id"]
    problem = api.post(f"/tasks/{task_id}/resume", status=409)
    assert "pause" in problem["legal"]
    assert "pending" in problem["detail"]


@pytest.mark.parametrize("command", COMMANDS)
def test_command_on_nothing_names_the_id(api: Api, command: str) -> None:
    assert "'nobody'" in api.post(f"/tasks/nobody/{command}", status=404)["detail"]


@pytest.mark.parametrize("part", ["", "/runs", "/runs/1", "/checkpoints", "/transitions"])
def test_reading_about_nothing_names_the_id(api: Api, part: str) -> None:
    assert "'nobody'" in api.get(f"/tasks/nobody{part}", refused=404)["detail"]


def test_bulk_action_counts_first_and_then_acts(api: Api) -> None:
    ids = [api.create("Bulk")["id"] for _ in range(3)]
    api.post(f"/tasks/{ids[0]}/cancel")
    request = {"action": "cancel", "filter": {"name": ["Bulk"]}, "arguments": {"reason": "all"}}
    dry = api.post("/tasks/bulk", {**request, "dry_run": True})
    assert (dry["matched"], dry["changed"], dry["refused"], dry["dry_run"]) == (3, 2, 1, True)
    done = api.post("/tasks/bulk", request)
    assert done["refusals"][0]["task_id"] == ids[0]
    assert {api.get(f"/tasks/{task_id}")["reason"] for task_id in ids[1:]} == {"all"}


def test_bulk_action_with_wrong_arguments_is_refused(api: Api) -> None:
    api.create("Other bulk")
    request = {"action": "cancel", "filter": {"name": ["Other bulk"]}, "arguments": {"colour": "red"}}
    assert api.post("/tasks/bulk", request, status=400)["field"] == "arguments"


def test_method_that_is_not_allowed_names_those_that_are(api: Api) -> None:
    answer = api.client.put("/api/tasks")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
