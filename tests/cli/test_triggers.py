"""`milepost trigger …` against a real collector."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Invoke, Milepost

    from conftest import CollectorProcess

_numbers = itertools.count(1)
ISSUE = {"action": "opened", "issue": {"number": 7, "title": "It fails"}}


@pytest.fixture
def name() -> str:
    """Return the name of a trigger that no other test has."""
    return f"triage-{next(_numbers)}"


def create(invoke: Invoke, name: str, *options: str) -> Any:
    given = options or ("--scheme", "github")
    return json.loads(invoke("trigger", "create", name, "--task", "triage", *given, "--json").stdout)


def deliver(collector: CollectorProcess, made: Any, payload: Any, delivery: str) -> Any:
    body = json.dumps(payload).encode()
    headers = {
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": "sha256=" + hmac.new(made["secret"].encode(), body, hashlib.sha256).hexdigest(),
    }
    return httpx.post(collector.url + made["trigger"]["path"], content=body, headers=headers, timeout=30).json()


def test_trigger_has_what_was_given(invoke: Invoke, name: str):
    options = ("--scheme", "github", "--when", "X-GitHub-Event=issues", "--when", "/action=opened,reopened")
    options += ("--when", "/issue", "--map", "title=/issue/title", "--require", "title", "--map-header", "id=X-Id")
    options += (
        "--const",
        "source=github",
        "--const",
        "n=1",
        "--agent",
        "ann",
        "--max-retries",
        "7",
        "--rate-limit",
        "5",
    )
    made = create(invoke, name, *options)["trigger"]
    assert made["conditions"] == [
        {"header": "X-GitHub-Event", "equals": "issues"},
        {"pointer": "/action", "one_of": ["opened", "reopened"]},
        {"pointer": "/issue", "exists": True},
    ]
    assert made["mapping"] == [
        {"name": "title", "pointer": "/issue/title", "required": True},
        {"name": "id", "header": "X-Id"},
        {"name": "source", "value": "github"},
        {"name": "n", "value": 1},
    ]
    assert (made["task"]["agent"], made["task"]["settings"], made["rate_limit"]) == ("ann", {"max_retries": 7}, 5)


def test_secret_is_printed_once(invoke: Invoke, collector: CollectorProcess, name: str):
    shown = invoke("trigger", "create", name, "--task", "triage", "--scheme", "bearer").stdout
    assert "secret, shown this once: " in shown
    secret = shown.rpartition(": ")[2].strip()
    assert f"{collector.url}/api/hooks/" in shown.replace("\n", "")
    for command in ("show", "events"):
        assert secret not in invoke("trigger", command, name).stdout
    assert name in invoke("trigger", "list", "--kind", "webhook").stdout


def test_given_secret_is_read_and_not_shown(command: Milepost, collector: CollectorProcess, name: str):
    options = ("--task", "send", "--scheme", "stripe", "--secret", "-", "--endpoint", collector.url)
    shown = command("trigger", "create", name, *options, input="whsec_of_the_sender\n")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "whsec_of_the_sender" not in shown.stdout


def test_event_trigger_is_made_and_changed(invoke: Invoke, name: str):
    made = create(
        invoke, name, "--on", "run.failed", "--where", "cost>1", "--map", "run=/run/run_id", "--max-depth", "2"
    )
    assert (made["secret"], made["trigger"]["event"], made["trigger"]["max_depth"]) == (None, "run.failed", 2)
    changed = json.loads(
        invoke("trigger", "update", name, "--where", "cost>5", "--whole-payload", "--task", "other", "--json").stdout
    )
    assert (changed["where"], changed["mapping"], changed["task"]["name"]) == ("cost>5", None, "other")
    assert "run.failed where cost>5" in invoke("trigger", "show", name).stdout


def test_what_came_is_listed_shown_and_replayed(invoke: Invoke, collector: CollectorProcess, name: str):
    made = create(invoke, name)
    first = deliver(collector, made, ISSUE, "d1")
    deliver(collector, made, ISSUE, "d1")
    assert "duplicate" in invoke("trigger", "events", name).stdout
    (accepted,) = json.loads(invoke("trigger", "events", name, "--outcome", "accepted", "--json").stdout)
    whole = invoke("trigger", "events", name, "--event", accepted["id"]).stdout
    assert "x-github-event: issues" in whole
    assert "It fails" in whole
    task_id = invoke("trigger", "replay", name, accepted["id"]).stdout.strip()
    assert json.loads(invoke("task", "get", task_id, "--json").stdout)["input"] == ISSUE
    assert task_id != first["task_id"]


def test_payload_is_tried(invoke: Invoke, name: str):
    create(invoke, name, "--scheme", "github", "--when", "X-GitHub-Event=issues", "--map", "title=/issue/title")
    shown = invoke("trigger", "try", name, json.dumps(ISSUE), "--header", "X-GitHub-Event=issues").stdout
    assert shown.startswith("accepted\n")
    assert json.loads(shown.partition("\n")[2])["input"] == {"title": "It fails"}
    assert invoke("trigger", "try", name, "{}").stdout.startswith("filtered: header X-GitHub-Event is missing")


def test_payload_is_tried_before_a_trigger_is_made(invoke: Invoke, name: str):
    options = ("--scheme", "github", "--task", "triage", "--when", "X-GitHub-Event=issues", "--map", "n=/issue/number")
    options = ("trigger", "create", name, *options, "--try", json.dumps(ISSUE))
    shown = invoke(*options, "--header", "X-GitHub-Event=issues").stdout
    assert shown.startswith("accepted\n")
    assert json.loads(shown.partition("\n")[2])["input"] == {"n": 7}
    assert json.loads(invoke(*options, "--json").stdout)["outcome"] == "filtered"
    assert json.loads(invoke("trigger", "list", "--text", name, "--json").stdout) == []
    assert "goes with --try" in invoke(*options[:-2], "--header", "A=b", code=2).stderr


def test_rotated_trigger_takes_both_secrets(invoke: Invoke, collector: CollectorProcess, name: str):
    made = create(invoke, name)
    renewed = json.loads(invoke("trigger", "rotate", name, "--address", "--overlap", "1h", "--json").stdout)
    assert deliver(collector, made, ISSUE, "d1")["outcome"] == "accepted"
    assert deliver(collector, renewed, ISSUE, "d2")["outcome"] == "accepted"


def test_trigger_is_disabled_enabled_and_deleted(invoke: Invoke, name: str):
    create(invoke, name)
    assert "off" in invoke("trigger", "disable", name).stdout
    assert "on" in invoke("trigger", "enable", name).stdout
    assert invoke("trigger", "delete", name, "--yes").stdout == f"{name} is deleted\n"
    assert "there is no trigger" in invoke("trigger", "show", name, code=1).stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give either --scheme, for a webhook, or --on, for an event"),
        (("--scheme", "github", "--on", "run.failed"), "give either"),
        (("--prefix", "x", "--on", "run.failed"), "goes with --scheme"),
        (("--scheme", "github", "--map", "title"), "is not FIELD=PLACE"),
        (("--scheme", "github", "--require", "title"), "there is no --map of it"),
    ],
)
def test_wrong_usage_is_said_at_once(invoke: Invoke, name: str, options: tuple[str, ...], said: str):
    assert said in invoke("trigger", "create", name, "--task", "t", *options, code=2).stderr


def test_refusal_is_one_line(invoke: Invoke, name: str):
    refused = invoke("trigger", "create", name, "--task", "t", "--on", "run.flies", code=1)
    assert "use run.* or one of run.completed" in refused.stderr
