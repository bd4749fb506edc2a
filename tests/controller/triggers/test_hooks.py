"""`POST /api/hooks/…`: what senders are answered."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.collector.server import Server
from tests.controller.triggers.senders import Api, GitHub

OPENED = {"action": "opened", "issue": {"number": 7, "title": "It fails"}}


def test_delivery_makes_a_task_with_its_payload(api: Api) -> None:
    github = api.github()
    answer = github.send(OPENED, "d1")
    task = api.get(f"/tasks/{answer['task_id']}")
    assert (answer["outcome"], task["type"], task["input"]) == ("accepted", "triggered", OPENED)
    assert task["created_by"] == f"trigger {github.trigger['name']}"


def test_delivery_that_comes_again_has_the_same_task(api: Api) -> None:
    github = api.github()
    first = github.send(OPENED, "d1")
    again = github.send(OPENED, "d1")
    assert (again["outcome"], again["task_id"]) == ("duplicate", first["task_id"])
    assert len(api.made_by(github.trigger)) == 1


def test_deliveries_at_once_make_one_task(both_stores: Server) -> None:
    api = Api(both_stores.client)
    github = api.github()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: github.send(OPENED, f"d{number % 5}"), range(40)))
    assert len({answer["task_id"] for answer in answers}) == len(api.made_by(github.trigger)) == 5
    assert sum(answer["outcome"] == "accepted" for answer in answers) == 5
    assert api.get(f"/triggers/{github.trigger['id']}")["counts"]["duplicate"] == 35


def test_only_what_fulfils_the_conditions_makes_a_task(api: Api) -> None:
    conditions = [{"header": "X-GitHub-Event", "equals": "issues"}, {"pointer": "/action", "equals": "opened"}]
    github = api.github(conditions=conditions)
    assert github.send({"action": "closed"}, "d1")["outcome"] == "filtered"
    assert github.send(OPENED, "d2", **{"X-GitHub-Event": "push"})["outcome"] == "filtered"
    assert github.send({"zen": "…"}, "d3", **{"X-GitHub-Event": "ping"})["outcome"] == "filtered"
    assert github.send(OPENED, "d4")["outcome"] == "accepted"
    reasons = [event["reason"] for event in api.events(github.trigger, outcome="filtered")]
    assert reasons[0] == '/action is "closed", wanted is "opened"'


@pytest.mark.parametrize("change", ["body", "signature", "secret", "missing"])
def test_unsigned_delivery_is_refused_and_noted(api: Api, change: str) -> None:
    github = api.github()
    body = json.dumps(OPENED).encode()
    headers = github.headers(body, "d1")
    if change == "secret":
        headers = GitHub(github.client, github.trigger, "another secret").headers(body, "d1")
    elif change == "signature":
        headers["X-Hub-Signature-256"] = "sha256=" + "0" * 64
    elif change == "missing":
        del headers["X-Hub-Signature-256"]
    sent = body + b" " if change == "body" else body
    answer = api.client.post(github.trigger["path"], content=sent, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert "WWW-Authenticate" in answer.headers
    (event,) = api.events(github.trigger)
    assert (event["outcome"], event.get("task_id"), event.get("has_payload")) == ("refused", None, None)
    assert github.secret not in answer.text + json.dumps(event)


def test_body_is_not_read_before_it_is_verified(api: Api) -> None:
    github = api.github()
    headers = {**github.headers(b"{", "d1"), "X-Hub-Signature-256": "sha256=0"}
    assert api.client.post(github.trigger["path"], content=b"{", headers=headers).status_code == 401
    answer = api.client.post(github.trigger["path"], content=b"{", headers=github.headers(b"{", "d1"))
    assert (answer.status_code, "not valid JSON" in answer.json()["detail"]) == (400, True)


def test_refused_deliveries_fill_no_log(api: Api) -> None:
    github = api.github()
    for _ in range(30):
        assert api.client.post(github.trigger["path"], content=b"{}").status_code == 401
    assert len(api.events(github.trigger)) == 10


def test_address_that_nobody_has_says_nothing(api: Api) -> None:
    unknown = api.client.post("/api/hooks/" + "0" * 40, content=b"{}")
    nonsense = api.client.post("/api/nonsense", content=b"{}")
    assert unknown.status_code == nonsense.status_code == 404
    assert unknown.json()["detail"].replace("hooks/" + "0" * 40, "nonsense") == nonsense.json()["detail"]


def test_disabled_trigger_answers_like_none(api: Api) -> None:
    github = api.github()
    api.post(f"/triggers/{github.trigger['id']}/disable")
    github.send(OPENED, "d1", status=404)
    api.post(f"/triggers/{github.trigger['id']}/enable")
    assert github.send(OPENED, "d1")["outcome"] == "accepted"


def test_large_body_is_turned_away_before_it_is_read(api: Api) -> None:
    github = api.github(max_body_bytes=100)
    large = b'"' + b"x" * 200 + b'"'
    answer = api.client.post(github.trigger["path"], content=large, headers=github.headers(large, "d1"))
    assert (answer.status_code, answer.json()["limit"]) == (413, 100)
    pieces = api.client.post(
        github.trigger["path"], content=iter([large] * 1_000), headers=github.headers(large, "d2")
    )  # chunked, without a length
    assert pieces.status_code == 413
    assert [event["outcome"] for event in api.events(github.trigger)] == ["refused", "refused"]


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "text/html"}, {"Content-Encoding": "gzip"}, {"Content-Type": "multipart/form-data"}]
)
def test_body_of_another_kind_is_turned_away(api: Api, headers: dict[str, str]) -> None:
    github = api.github()
    answer = api.client.post(github.trigger["path"], content=b"{}", headers={**github.headers(b"{}", "d1"), **headers})
    assert answer.status_code == 415


def test_form_is_taken_as_github_sends_it(api: Api) -> None:
    github = api.github()
    body = httpx.Request("POST", "http://x", data={"payload": json.dumps(OPENED)}).read()
    headers = {**github.headers(body, "d1"), "Content-Type": "application/x-www-form-urlencoded"}
    answer = api.client.post(github.trigger["path"], content=body, headers=headers)
    assert api.get(f"/tasks/{answer.json()['task_id']}")["input"] == OPENED


def test_too_many_deliveries_are_told_when_to_come_again(api: Api) -> None:
    github = api.github(rate_limit=1)
    github.send(OPENED, "d1")
    body = json.dumps(OPENED).encode()
    answer = api.client.post(github.trigger["path"], content=body, headers=github.headers(body, "d2"))
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert api.events(github.trigger)[-1]["outcome"] == "limited"


def test_delivery_without_a_required_field_is_told_so(api: Api) -> None:
    github = api.github(mapping=[{"name": "title", "pointer": "/issue/title", "required": True}])
    assert "nothing at /issue/title" in github.send({}, "d1", status=422)["detail"]
    assert github.send(OPENED, "d1")["outcome"] == "accepted"


def test_foreign_names_and_origins_are_let_through_here_and_nowhere_else(api: Api) -> None:
    github = api.github()
    foreign = {"Host": "hooks.example.com", "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert github.send(OPENED, "d1", **foreign)["outcome"] == "accepted"
    assert api.client.post("/api/triggers", json={}, headers={"Host": "hooks.example.com"}).status_code == 421
    assert api.client.post("/api/triggers", json={}, headers={"Origin": "https://evil.example"}).status_code == 403
    assert api.client.get(github.trigger["path"], headers=foreign).status_code == 421


def test_rotated_secret_and_address_are_both_taken_for_a_while(api: Api) -> None:
    github = api.github()
    body = {"renew_address": True, "overlap_ms": 60_000}
    rotated = api.post(f"/triggers/{github.trigger['id']}/rotate", body)
    assert rotated["trigger"]["previous_path"] == github.trigger["path"] != rotated["trigger"]["path"]
    new = GitHub(api.client, rotated["trigger"], rotated["secret"])
    assert github.send(OPENED, "d1")["outcome"] == new.send(OPENED, "d2")["outcome"] == "accepted"
    again = api.post(f"/triggers/{github.trigger['id']}/rotate", {**body, "overlap_ms": 0})
    newest = GitHub(api.client, again["trigger"], again["secret"])
    github.send(OPENED, "d3", status=404)
    new.send(OPENED, "d3", status=404)
    assert newest.send(OPENED, "d3")["outcome"] == "accepted"


def test_slack_is_answered_whether_the_address_is_ours(api: Api) -> None:
    secret = "8f742231b10e8888abcd99yyyzzz85a5"
    trigger, shown = api.trigger(signature={"scheme": "slack"}, secret=secret)
    assert shown is None

    def send(payload: Any, sent_at: int) -> httpx.Response:
        body = json.dumps(payload).encode()
        signature = hmac.new(secret.encode(), f"v0:{sent_at}:".encode() + body, hashlib.sha256).hexdigest()
        headers = {"X-Slack-Request-Timestamp": str(sent_at), "X-Slack-Signature": f"v0={signature}"}
        return api.client.post(trigger["path"], content=body, headers={**headers, "Content-Type": "application/json"})

    now_s = int(time.time())
    challenge = send({"type": "url_verification", "challenge": "3eZbrw1a"}, now_s)
    assert (challenge.status_code, challenge.json()) == (200, {"challenge": "3eZbrw1a"})
    event = {"type": "event_callback", "event_id": "Ev1"}
    first, again = send(event, now_s), send(event, now_s + 1)
    assert first.json()["task_id"] == again.json()["task_id"]
    assert send(event, now_s - 1_000).status_code == 401


def test_standard_webhooks_are_taken(api: Api) -> None:
    trigger, secret = api.trigger(signature={"scheme": "standard-webhooks"})
    assert secret is not None
    key = base64.b64decode(secret.removeprefix("whsec_"))
    now_s = int(time.time())
    signature = base64.b64encode(hmac.digest(key, f"msg_1.{now_s}.{{}}".encode(), "sha256")).decode()
    headers = {
        "webhook-id": "msg_1", "webhook-timestamp": str(now_s), "webhook-signature": f"v1,{signature}"
    }  # fmt: skip
    answer = api.client.post(trigger["path"], content=b"{}", headers=headers)
    assert answer.json()["outcome"] == "accepted"


def test_secret_is_nowhere_but_in_its_sealed_form(tmp_path: Path) -> None:
    server = Server.start(tmp_path)
    try:
        api = Api(server.client)
        github = api.github()
        github.send(OPENED, "d1")
        assert github.secret not in json.dumps([api.get("/triggers"), api.events(github.trigger)])
    finally:
        server.stop()
    for path in tmp_path.iterdir():
        assert github.secret.encode() not in path.read_bytes()
        if path.suffix != ".duckdb" and "sqlite" in path.name:
            assert b"X-Hub-Signature" not in path.read_bytes()
