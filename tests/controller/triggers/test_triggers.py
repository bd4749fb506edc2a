"""`/api/triggers…`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.controller.triggers.senders import Api

OPENED = {"action": "opened", "issue": {"number": 7, "title": "It fails"}}


def test_trigger_is_found_by_id_and_by_name(api: Api) -> None:
    trigger, _ = api.trigger(name="repo/issues", signature={"scheme": "github"}, description="what fails")
    assert api.get(f"/triggers/{trigger['id']}") == api.get("/triggers/repo%2Fissues") == trigger
    assert [one["name"] for one in api.get("/triggers", text="WHAT FAILS")["triggers"]] == ["repo/issues"]


def test_triggers_are_listed_by_name_in_pages(api: Api) -> None:
    names = sorted(api.trigger(signature={"scheme": "bearer"}, description="paged")[0]["name"] for _ in range(3))
    first = api.get("/triggers", text="paged", limit=2)
    rest = api.get("/triggers", text="paged", limit=2, cursor=first["next_cursor"])
    assert [one["name"] for one in (*first["triggers"], *rest["triggers"])] == names
    assert rest["next_cursor"] is None
    assert api.get("/triggers", text="paged", kind="event")["triggers"] == []


def test_change_leaves_the_rest_as_it_was(api: Api) -> None:
    trigger, _ = api.trigger(signature={"scheme": "github"}, rate_limit=5)
    changed = api.ask("PATCH", f"/triggers/{trigger['id']}", {"task": {"name": "other"}, "mapping": []})
    assert (changed["task"], changed["mapping"], changed["rate_limit"]) == ({"name": "other"}, [], 5)
    assert api.ask("PATCH", f"/triggers/{trigger['id']}", {"mapping": None})["mapping"] is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"signature": {"scheme": "sha"}}, "signature.scheme"),
        ({"signature": {"scheme": "github"}, "mapping": [{"name": "a", "pointer": "a"}]}, "mapping[0].pointer"),
        ({"signature": {"scheme": "github"}, "mapping": [{"name": "a", "pointer": "/~2"}]}, "mapping[0].pointer"),
        ({"signature": {"scheme": "github"}, "rate_limit": 0}, "rate_limit"),
        ({"signature": {"scheme": "github"}, "max_body_bytes": 2**40}, "max_body_bytes"),
        ({"signature": {"scheme": "github"}, "secret": "short"}, "secret"),
        ({"signature": {"scheme": "standard-webhooks"}, "secret": "whsec_dG9vIHNob3J0"}, "secret"),
        ({"event": "run.failed", "secret": "0123456789abcdef"}, "secret"),
        ({"event": "run.failed", "where": "colour:red"}, "q"),
        ({"event": "failed"}, "event"),
    ],
)
def test_wrong_definition_names_its_field(api: Api, fields: dict[str, Any], field: str) -> None:
    kind = "event" if "event" in fields else "webhook"
    body = {"name": "wrong", "kind": kind, "task": {"name": "triage"}, **fields}
    assert api.post("/triggers", body, status=400)["field"] == field


def test_name_that_is_taken_is_a_conflict(api: Api) -> None:
    trigger, _ = api.trigger(signature={"scheme": "github"})
    body = {"name": trigger["name"], "kind": "event", "event": "task.*", "task": {"name": "t"}}
    assert trigger["name"] in api.post("/triggers", body, status=409)["detail"]


@pytest.mark.parametrize("command", ["enable", "disable", "rotate", "try", "events/e1/replay"])
def test_command_on_nothing_names_it(api: Api, command: str) -> None:
    body = {"payload": 1} if command == "try" else {}
    assert "'nobody'" in api.post(f"/triggers/nobody/{command}", body, status=404)["detail"]


def test_what_came_is_shown_without_what_proved_it(api: Api) -> None:
    github = api.github()
    answer = github.send(OPENED, "d1", Authorization="Basic secret", Cookie="session=secret")
    event = api.get(f"/triggers/{github.trigger['id']}/events/{answer['event_id']}")
    assert (event["delivery_id"], event["size_bytes"] > 0) == ("d1", True)
    assert event["headers"]["x-github-event"] == "issues"
    assert not {"x-hub-signature-256", "authorization", "cookie"} & event["headers"].keys()
    assert event["payload"].replace(" ", "") == str(OPENED).replace("'", '"').replace(" ", "").replace(
        "Itfails", "Itfails"
    )
    other, _ = api.trigger(signature={"scheme": "github"})
    api.get(f"/triggers/{other['id']}/events/{answer['event_id']}", status=404)


def test_replay_makes_the_task_again_by_the_trigger_as_it_is(api: Api) -> None:
    github = api.github()
    first = github.send(OPENED, "d1")
    mapping = [{"name": "title", "pointer": "/issue/title"}]
    api.ask("PATCH", f"/triggers/{github.trigger['id']}", {"mapping": mapping})
    where = f"/triggers/{github.trigger['id']}/events/{first['event_id']}/replay"
    done = api.post(where, {"by": "ann"}, status=201)
    assert (done["outcome"], done["replay_of"], done["by"]) == ("accepted", first["event_id"], "ann")
    assert done["task_id"] != first["task_id"]
    assert api.get(f"/tasks/{done['task_id']}")["input"] == {"title": "It fails"}


def test_failed_delivery_can_be_replayed_once_the_trigger_fits(api: Api) -> None:
    github = api.github(mapping=[{"name": "title", "pointer": "/title", "required": True}])
    github.send(OPENED, "d1", status=422)
    (event,) = api.events(github.trigger, outcome="failed")
    api.ask("PATCH", f"/triggers/{github.trigger['id']}", {"mapping": None})
    done = api.post(f"/triggers/{github.trigger['id']}/events/{event['id']}/replay", status=201)
    assert api.get(f"/tasks/{done['task_id']}")["input"] == OPENED


def test_delivery_whose_payload_is_not_kept_cannot_be_replayed(api: Api) -> None:
    github = api.github(keep_payload_days=0)
    answer = github.send(OPENED, "d1")
    where = f"/triggers/{github.trigger['id']}/events/{answer['event_id']}/replay"
    assert "not kept" in api.post(where, status=409)["detail"]


def test_trying_shows_the_task_and_makes_none(api: Api) -> None:
    conditions = [{"pointer": "/action", "equals": "opened"}]
    trigger, _ = api.trigger(signature={"scheme": "github"}, conditions=conditions)
    where = f"/triggers/{trigger['id']}/try"
    would = api.post(where, {"payload": OPENED, "headers": {"X-GitHub-Event": "issues"}})
    assert (would["outcome"], would["task"]["input"], would["task"]["type"]) == ("accepted", OPENED, "triggered")
    assert api.post(where, {"payload": {}})["outcome"] == "filtered"
    definition = {"task": {"name": "other"}, "signature": {"scheme": "github"}, "mapping": []}
    assert api.post(where, {"payload": {}, "definition": definition})["task"]["name"] == "other"
    assert api.events(trigger) == []


def test_dry_run_shows_what_a_trigger_would_make_before_it_is_made(api: Api) -> None:
    definition = {
        "task": {"name": "triage", "input": {"from": "github"}},
        "signature": {"scheme": "github"},
        "conditions": [{"pointer": "/action", "equals": "opened"}],
        "mapping": [{"name": "title", "pointer": "/issue/title", "required": True}],
    }
    sample = {"kind": "webhook", "definition": definition}
    would = api.post("/triggers/dry-run", {**sample, "payload": {"action": "opened", "issue": {"title": "It breaks"}}})
    assert (would["outcome"], would["task"]["input"]) == ("accepted", {"from": "github", "title": "It breaks"})
    assert "/action is" in api.post("/triggers/dry-run", {**sample, "payload": {"action": "closed"}})["reason"]
    assert "'title' is required" in api.post("/triggers/dry-run", {**sample, "payload": {"action": "opened"}})["reason"]
    ping = {**sample, "payload": {}, "headers": {"X-GitHub-Event": "ping"}}
    assert api.post("/triggers/dry-run", ping)["outcome"] == "filtered"
    assert api.post("/triggers/dry-run", {**sample, "kind": "event", "payload": {}}, status=400)
    assert "dry run" not in [one["name"] for one in api.get("/triggers")["triggers"]]


def test_deleted_trigger_leaves_its_tasks(api: Api) -> None:
    github = api.github()
    answer = github.send(OPENED, "d1")
    api.ask("DELETE", f"/triggers/{github.trigger['id']}", status=204)
    github.send(OPENED, "d2", status=404)
    api.get(f"/triggers/{github.trigger['id']}", status=404)
    assert api.get(f"/tasks/{answer['task_id']}")["name"] == "triage"


def test_log_is_paged_and_narrowed(api: Api) -> None:
    github = api.github()
    for number in range(5):
        github.send(OPENED, f"d{number}")
    github.send(OPENED, "d0")
    where = f"/triggers/{github.trigger['id']}/events"
    first = api.get(where, limit=4)
    rest = api.get(where, limit=4, cursor=first["next_cursor"])
    found = [event["delivery_id"] for event in (*first["events"], *rest["events"])]
    assert found == ["d0", "d4", "d3", "d2", "d1", "d0"]
    assert [event["delivery_id"] for event in api.get(where, outcome="duplicate")["events"]] == ["d0"]
    assert api.get(where, outcome="odd", status=400)["field"] == "outcome"
