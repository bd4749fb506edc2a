"""`milepost approvals …` against a real collector."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Invoke

    from conftest import CollectorProcess

MakeAsk = Callable[..., str]


@pytest.fixture
def agent() -> str:
    return f"agent-{secrets.token_hex(4)}"


@pytest.fixture
def ask(collector: CollectorProcess, agent: str) -> MakeAsk:
    """Return a function that asks on behalf of a run and returns the ask's id."""

    def make(title: str = "Pay?", **fields: Any) -> str:
        body = {"run_id": secrets.token_hex(16), "agent": agent, "key": title, "title": title, **fields}
        answer = httpx.post(f"{collector.url}/api/asks", json=body)
        assert answer.is_success, answer.text
        made: str = answer.json()["id"]
        return made

    return make


@pytest.fixture
def read(invoke: Invoke) -> Callable[..., Any]:
    """Return a function that runs a command with --json and returns what it printed."""
    return lambda *arguments: json.loads(invoke("approvals", *arguments, "--json").stdout)


def test_open_asks_are_listed_with_what_expires_first(
    ask: MakeAsk, invoke: Invoke, agent: str, read: Callable[..., Any]
):
    later, sooner = ask("Later?"), ask("Sooner?", timeout_ms=3_600_000, approvers=["ann"])
    lines = invoke("approvals", "list", "--agent", agent).stdout.splitlines()
    assert [title in line for line in lines for title in ("Sooner?", "Later?") if title in line] == [True, True]
    assert "in 60 min" in " ".join(lines) or "in 1 h" in " ".join(lines)
    assert [one["id"] for one in read("list", "--agent", agent)] == [sooner, later]
    assert read("list", "--agent", agent, "--status", "approved") == []
    assert "nothing matches" in invoke("approvals", "list", "--agent", "nobody").stdout


def test_ask_is_shown_whole_and_received_by_that(ask: MakeAsk, invoke: Invoke, read: Callable[..., Any]):
    made = ask(
        action={"usd": 5},
        details="ACME \x1b[31mdelivered",
        options=[{"name": "no", "approves": False}, {"name": "yes"}],
    )
    shown = invoke("approvals", "show", made[-10:]).stdout
    for part in ("Pay?", '{"usd":5}', "delivered", "no (rejects)", "anybody"):
        assert part in shown
    assert "\x1b[31m" not in shown
    assert read("show", made)["received_at"] is not None


def test_asks_are_approved_rejected_edited_answered_and_delegated(
    ask: MakeAsk, invoke: Invoke, read: Callable[..., Any]
):
    approved, rejected, edited = ask("A?", approvers=["ann"]), ask("B?"), ask("C?", action={"usd": 5})
    answered, delegated = ask("D?", kind="question"), ask("E?")
    assert (
        "is approved by ann: fine" in invoke("approvals", "approve", approved, "--by", "ann", "--reason", "fine").stdout
    )
    assert "is rejected" in invoke("approvals", "reject", rejected, "--reason", "too dear").stdout
    assert read("edit", edited, "--action", '{"usd": 3}')["answer"]["action"] == {"usd": 3}
    assert read("answer", answered, "--text", "forty two")["answer"]["value"] == "forty two"
    assert read("delegate", delegated, "--to", "bo", "--to", "team:night")["approvers"] == ["bo", "team:night"]
    said = read("show", rejected)["decisions"][0]
    assert (said["via"], bool(said["by"])) == ("cli", True)


def test_refusals_are_one_line(ask: MakeAsk, invoke: Invoke):
    made = ask(action={"usd": 5}, approvers=["ann"])
    assert "is not bo's to decide" in invoke("approvals", "approve", made, "--by", "bo", code=1).stderr
    wrong = invoke("approvals", "approve", made, "--by", "ann", "--digest", "0" * 64, code=1)
    assert "another by now" in wrong.stderr
    invoke("approvals", "approve", made, "--by", "ann")
    second = invoke("approvals", "reject", made, "--by", "ann", code=1)
    assert "is approved by ann since" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    assert "no ask has" in invoke("approvals", "show", "nowhere", code=1).stderr
    assert "by one of --value, --text and --option" in invoke("approvals", "answer", made, code=2).stderr


def test_link_is_printed_alone(ask: MakeAsk, invoke: Invoke, collector: CollectorProcess):
    made = ask(approvers=["ann"])
    done = invoke("approvals", "link", made, "--to", "ann", "--expires-in", "2h")
    assert done.stdout.startswith(f"{collector.url}/approve/")
    assert done.stderr.startswith("for ann alone, once, until ")
    assert httpx.get(done.stdout.strip()).status_code == 200


def test_watch_tells_of_asks_and_their_ends(ask: MakeAsk, collector: CollectorProcess, agent: str):
    made = ask("Watched?")
    command = [sys.executable, "-u", "-m", "milepost_collector.cli", "approvals", "watch", "--agent", agent]
    with subprocess.Popen(
        [*command, "--endpoint", collector.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert f"{made} Watched?: open" in process.stdout.readline()
        httpx.post(f"{collector.url}/api/asks/{made}/decide", json={"decision": "approve", "by": "bo"})
        assert "is approved by bo" in process.stdout.readline()
        process.terminate()


def test_watch_once_ends_with_the_first(ask: MakeAsk, agent: str, read: Callable[..., Any]):
    made = ask("First?")
    assert read("watch", "--agent", agent, "--once")["id"] == made
