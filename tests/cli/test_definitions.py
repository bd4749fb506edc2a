"""`milepost definitions …`: what people have set up is the same after an export and an import; secrets stay behind."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import milepost
from milepost_collector.cli.definition_kinds import KINDS

if TYPE_CHECKING:
    from tests.cli.conftest import Invoke

    from conftest import CollectorProcess

_numbers = itertools.count(1)
SLACK = "https://hooks.slack.com/services/T0/B0/verysecret"


@pytest.fixture
def client(collector: CollectorProcess) -> Iterator[milepost.Client]:
    """Return a client of the collector."""
    with milepost.Client(endpoint=collector.url) as connected:
        yield connected


@pytest.fixture
def name() -> str:
    """Return a name that no other test has."""
    return f"set-up-{next(_numbers)}"


def exported(invoke: Invoke, name: str) -> dict[str, Any]:
    """Return the definitions of a name as they are exported, by kind."""
    lines = [json.loads(line) for line in invoke("definitions", "export").stdout.splitlines()]
    return {line["kind"]: line for line in lines if name in (line.get("name"), line.get("value"))}


def imported(invoke: Invoke, *lines: Any, dry_run: bool = False) -> dict[str, Any]:
    """Import definitions and return what became of each, by kind."""
    options = ["--json", *(["--dry-run"] if dry_run else [])]
    done = invoke("definitions", "import", "-", *options, stdin="\n".join(map(json.dumps, lines)))
    return {one["kind"]: one for one in json.loads(done.stdout)}


def set_everything_up(client: milepost.Client, name: str) -> None:
    task = {"name": "triage", "agent": "amy", "input": {"a": 1}}
    mapping = {"title": "/issue/title"}
    client.triggers.create(name, task=task, signature="github", mapping=mapping, rate_limit=5, enabled=False)
    client.webhooks.create(name, url="https://hooks.example.com/a", events=["task.*"], tags=["x"], paused=True)
    budget = client.budgets.set("agent", name, usd=4.1, tokens=9_000, per="day", zone="Europe/Berlin", soft=0.5)
    client.budgets.raise_by(budget, usd=1.5)


def remove_everything(client: milepost.Client, name: str) -> None:
    client.triggers.delete(name)
    client.webhooks.delete(name)
    client.budgets.delete(next(one for one in client.budgets.list(scope="agent") if one.value == name))


def test_definitions_are_the_same_after_an_import_and_have_new_secrets(
    invoke: Invoke, client: milepost.Client, name: str
):
    set_everything_up(client, name)
    before = exported(invoke, name)
    assert set(before) == {"trigger", "webhook", "budget"}
    assert (before["budget"]["usd"], before["budget"]["soft"], before["budget"]["per"]) == (4.1, 0.5, "day")
    assert {one["outcome"] for one in imported(invoke, *before.values()).values()} == {"same"}
    old_path = client.triggers.get(name).path
    remove_everything(client, name)

    assert {one["outcome"] for one in imported(invoke, *before.values(), dry_run=True).values()} == {"made"}
    assert exported(invoke, name) == {}
    made = imported(invoke, *before.values())
    assert exported(invoke, name) == before
    assert made["webhook"]["secret"].startswith("whsec_")
    assert len(made["trigger"]["secret"]) >= 16
    assert made["trigger"]["address"].endswith(client.triggers.get(name).path or "nothing")
    assert client.triggers.get(name).path != old_path
    again = imported(invoke, *before.values())
    assert {one["outcome"] for one in again.values()} == {"same"}
    assert not any("secret" in one for one in again.values())
    whole = invoke("definitions", "export").stdout
    assert made["webhook"]["secret"] not in whole
    assert made["trigger"]["secret"] not in whole


def test_import_changes_what_differs(invoke: Invoke, client: milepost.Client, name: str):
    set_everything_up(client, name)
    wanted = exported(invoke, name)
    wanted["trigger"] |= {"enabled": True, "rate_limit": 7}
    wanted["webhook"] |= {"paused": False, "url": "https://hooks.example.com/b"}
    wanted["budget"] |= {"usd": 6.5, "soft_limits": {"usd": 2.0}}
    changed = imported(invoke, *wanted.values())
    assert {one["outcome"] for one in changed.values()} == {"changed"}
    assert not any("secret" in one for one in changed.values())
    found = exported(invoke, name)
    assert "enabled" not in found["trigger"]  # as is the default
    assert "paused" not in found["webhook"]
    assert (found["webhook"]["url"], found["budget"]["soft_limits"]) == ("https://hooks.example.com/b", {"usd": 2.0})
    assert {one["outcome"] for one in imported(invoke, *wanted.values()).values()} == {"same"}


def test_lines_that_leave_out_what_is_usual_change_nothing_the_second_time(invoke: Invoke, name: str):
    task = {"name": "look"}
    lines = [
        {"kind": "trigger", "name": name, "task": task, "event": "budget.hard"},
        {"kind": "schedule", "name": name, "task": task, "cadence": {"cron": "0 2 * * *"}},
        {"kind": "webhook", "name": name, "url": "https://hooks.example.com/d", "events": ["*"], "paused": True},
        {"kind": "budget", "scope": "name", "value": name, "tokens": 5_000},
        {"kind": "team", "name": name},
    ]
    assert [one["outcome"] for one in imported(invoke, *lines).values()] == ["made"] * 5
    assert [one["outcome"] for one in imported(invoke, *lines).values()] == ["same"] * 5


def test_secret_is_printed_with_what_is_made(invoke: Invoke, name: str):
    line = {"kind": "webhook", "name": name, "url": "https://hooks.example.com/c", "events": ["*"], "paused": True}
    said = invoke("definitions", "import", "-", stdin=json.dumps(line)).stdout
    assert f"webhook {name} is made\n  secret: whsec_" in said
    assert "(it is not shown again)" in said


def test_webhook_whose_address_is_secret_keeps_it_and_is_left_out_where_there_is_none(
    invoke: Invoke, client: milepost.Client, name: str
):
    client.webhooks.create(name, url=SLACK, format="slack", events=["task.failed"])
    line = exported(invoke, name)["webhook"]
    assert line["url"] == "https://hooks.slack.com/services/T0/…"
    assert imported(invoke, line)["webhook"]["outcome"] == "same"
    assert imported(invoke, {**line, "url": SLACK})["webhook"]["outcome"] == "same"
    assert imported(invoke, {**line, "events": ["task.*"]})["webhook"]["outcome"] == "changed"
    assert client.webhooks.get(name).url == line["url"]
    client.webhooks.delete(name)
    left_out = imported(invoke, line)["webhook"]
    assert left_out["outcome"] == "left out"
    assert "complete its url" in left_out["reason"]
    assert imported(invoke, {**line, "url": SLACK})["webhook"]["outcome"] == "made"
    assert exported(invoke, name)["webhook"] == line


def test_trigger_does_not_become_one_of_the_other_kind(invoke: Invoke, name: str):
    event = {"kind": "trigger", "name": name, "task": {"name": "look"}, "event": "run.failed", "where": "cost>1"}
    assert imported(invoke, event)["trigger"].keys() == {"kind", "name", "outcome"}
    there = exported(invoke, name)
    assert event.items() <= there["trigger"].items()
    hook = {"kind": "trigger", "name": name, "task": {"name": "look"}, "signature": {"scheme": "github"}}
    assert imported(invoke, hook)["trigger"]["outcome"] == "left out"
    assert exported(invoke, name) == there


def test_secrets_of_what_was_made_are_told_though_the_import_fails(invoke: Invoke, name: str):
    hook = {"kind": "trigger", "name": name, "task": {"name": "look"}, "signature": {"scheme": "github"}}
    refused = {"kind": "webhook", "name": name, "url": "ftp://hooks.example.com", "events": ["*"]}
    done = invoke("definitions", "import", "-", "--json", code=1, stdin=f"{json.dumps(hook)}\n{json.dumps(refused)}")
    (made,) = json.loads(done.stdout)
    assert len(made["secret"]) >= 16


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"kind": "x"}, f"kind is none of {', '.join(KINDS)}"),
        ({"kind": "limit"}, "missing required field"),
        ({"kind": "trigger", "name": "n", "task": {"name": "t"}}, "a trigger has either signature or event"),
        ({"kind": "budget", "scope": "task", "value": "t1", "usd": 1}, "Invalid enum value 'task'"),
        ({"kind": "webhook", "name": "n", "url": "u", "events": ["*"], "secret": "s"}, "unknown field `secret`"),
    ],
)
def test_definitions_that_cannot_be_read_do_nothing(invoke: Invoke, line: Any, reason: str):
    good = {"kind": "trigger", "name": "never", "task": {"name": "t"}, "event": "run.failed"}
    lines = "\n".join(map(json.dumps, (good, line)))
    refused = invoke("definitions", "import", "-", code=1, stdin=lines).stderr
    assert "nothing was done, 1 line cannot be read" in refused
    assert reason in refused
    assert exported(invoke, "never") == {}


def test_team_is_imported_once(invoke: Invoke, name: str, tmp_path: Path):
    file = tmp_path / "setup.jsonl"
    invoke("team", "create", name, "amy", "bob")
    invoke("definitions", "export", "-o", str(file))
    assert f'"name":"{name}"' in file.read_text()
    again = json.loads(invoke("definitions", "import", str(file), "--json").stdout)
    assert {one["outcome"] for one in again} == {"same"}
    invoke("team", "remove", name, "bob")
    assert f"team {name} would be changed" in invoke("definitions", "import", str(file), "--dry-run").stdout
    invoke("definitions", "import", str(file))
    assert "amy, bob" in invoke("team", "show", name).stdout
