"""`/api/asks…`."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.collector.web.controller.api import Api


@pytest.fixture
def run_id() -> str:
    """Return the id of a run that no other test has."""
    return secrets.token_hex(16)


def ask(api: Api, run_id: str, *, status: int = 201, **given: Any) -> Any:
    """Ask on behalf of a run."""
    return api.post("/asks", {"run_id": run_id, "key": "pay", "title": "Pay?"} | given, status=status)


def test_ask_is_made_once_and_read_back(api: Api, run_id: str) -> None:
    made = ask(api, run_id, action={"amount": 1}, approvers=["ann"], timeout_ms=60_000)
    assert (made["status"], made["action"], made["approvers"], made["answer"]) == ("open", {"amount": 1}, ["ann"], None)
    assert ask(api, run_id, status=200, action={"amount": 1})["id"] == made["id"]
    assert api.get(f"/asks/{made['id']}") == made
    assert [one["id"] for one in api.get("/asks", run_id=run_id, status="open", approver="ann")["asks"]] == [made["id"]]


def test_second_decision_conflicts_and_names_the_first(api: Api, run_id: str) -> None:
    made = ask(api, run_id)
    decided = api.post(f"/asks/{made['id']}/decide", {"decision": "approve", "by": "ann", "via": "viewer"})
    assert (decided["status"], decided["decisions"][0]["by"], decided["answer"]["by"]) == ("approved", "ann", "ann")
    problem = api.post(f"/asks/{made['id']}/decide", {"decision": "reject", "by": "bob"}, status=409)
    assert "is approved by ann since" in problem["detail"]
    assert "via viewer" in problem["detail"]


def test_someone_else_is_forbidden(api: Api, run_id: str) -> None:
    made = ask(api, run_id, approvers=["ann"])
    problem = api.post(f"/asks/{made['id']}/decide", {"decision": "approve", "by": "bob"}, status=403)
    assert "not bob's to decide" in problem["detail"]
    api.post(f"/asks/{made['id']}/delegate", {"to": ["bob"], "by": "ann"})
    assert api.post(f"/asks/{made['id']}/decide", {"decision": "approve", "by": "bob"})["status"] == "approved"


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/asks", {"title": "Pay?", "key": "k", "run_id": "short"}, 400, "run_id"),
        ("/asks", {"title": "", "key": "k", "run_id": "0" * 32}, 400, "title"),
        ("/asks", {"title": "x", "key": "k", "run_id": "0" * 32, "action": "x" * 300_000}, 413, "action"),
        ("/asks/nothing/decide", {"decision": "approve"}, 404, None),
        ("/asks/nothing/decide", {"decision": "perhaps"}, 400, "decision"),
        ("/asks/nothing/cancel", {}, 404, None),
    ],
)
def test_wrong_requests_name_what_is_wrong(api: Api, path: str, body: Any, status: int, field: str | None) -> None:
    assert api.post(path, body, status=status).get("field") == field


@pytest.mark.parametrize("query", ["status=perhaps", "kind=wish", "cursor=x", "limit=0", "wait=1"])
def test_wrong_filters_are_refused(api: Api, query: str) -> None:
    name, _, value = query.partition("=")
    assert api.get("/asks", refused=400, **{name: value})["field"] == name


def test_waiting_ends_with_the_decision_and_with_its_time(api: Api, run_id: str) -> None:
    made = ask(api, run_id)
    assert api.get(f"/asks/{made['id']}", wait_ms=20)["status"] == "open"
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(api.get, f"/asks/{made['id']}", wait_ms=30_000) for _ in range(8)]
        api.post(f"/asks/{made['id']}/received", {"by": "ann"})
        api.post(f"/asks/{made['id']}/decide", {"decision": "reject", "reason": "no"})
        assert {done.result(10)["status"] for done in waiting} == {"rejected"}
    assert api.get(f"/asks/{made['id']}", refused=400, wait_ms=60_001)["field"] == "wait_ms"


def test_client_that_stops_waiting_is_let_go(api: Api, run_id: str) -> None:
    made = ask(api, run_id)
    with pytest.raises(httpx.ReadTimeout):
        api.client.get(f"/api/asks/{made['id']}", params={"wait_ms": 60_000}, timeout=0.2)
    assert api.get(f"/asks/{made['id']}")["status"] == "open"


def test_only_one_of_many_decisions_at_once_is_taken(api: Api, run_id: str) -> None:
    made = ask(api, run_id)
    path, body = f"/api/asks/{made['id']}/decide", {"decision": "approve"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda place: api.client.post(path, json=body | {"by": f"p{place}"}), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7


def test_pages_follow_one_another(api: Api, run_id: str) -> None:
    for number in range(5):
        ask(api, run_id, key=str(number))
    first = api.get("/asks", run_id=run_id, limit=3)
    second = api.get("/asks", run_id=run_id, limit=3, cursor=first["next_cursor"])
    assert (len(first["asks"]), len(second["asks"]), second["next_cursor"]) == (3, 2, None)
    assert first["open_count"] == second["open_count"] == 5
