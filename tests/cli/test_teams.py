"""Teams, what agents are able to, and batches, at the terminal, against a real collector."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from milepost_collector.cli.datafiles import MAX_BYTES

if TYPE_CHECKING:
    from tests.cli.conftest import Invoke

_numbers = itertools.count(1)


@pytest.fixture
def team(invoke: Invoke) -> str:
    """Make a team of two and return its name."""
    name = f"analysts-{next(_numbers)}"
    invoke("team", "create", name, "amy", "bob", "--fallback-person", "ann", "--after", "10m")
    return name


def test_team_is_listed_with_members_and_fallback(invoke: Invoke, team: str):
    (found,) = (one for one in json.loads(invoke("team", "list", "--json").stdout) if one["name"] == team)
    assert found["members"] == ["amy", "bob"]
    assert found["fallback"] == {"person": "ann", "after_ms": 600_000}
    assert "person ann after all retries or 10 min" in invoke("team", "show", team).stdout
    assert invoke("team", "get", team).stdout == invoke("team", "show", team).stdout


def test_members_come_and_go(invoke: Invoke, team: str):
    assert "amy, bob, cleo" in invoke("team", "add", team, "cleo").stdout
    assert "amy, cleo" in invoke("team", "remove", team, "bob").stdout
    assert "is deleted" in invoke("team", "delete", team, "--yes").stdout
    assert "there is no team" in invoke("team", "show", team, code=1).stderr


def test_fallback_is_one_of_three(invoke: Invoke, team: str):
    both = ("--fallback-person", "ann", "--fallback-agent", "amy")
    assert "give one of --fallback-agent" in invoke("team", "update", team, *both, code=2).stderr
    assert "who takes over?" in invoke("team", "update", team, "--after", "5m", code=2).stderr
    assert "fallback" not in invoke("team", "update", team, "--no-fallback").stdout


def test_agent_is_said_to_be_able_until_that_is_taken_back(invoke: Invoke):
    shown = invoke("agent", "update", "dan", "--capability", "sql", "--label", "region=eu").stdout
    assert "sql (set here)" in shown
    assert "region=eu (set here)" in shown
    assert "set here" not in invoke("agent", "update", "dan", "--as-declared").stdout
    assert "is not NAME=VALUE" in invoke("agent", "update", "dan", "--label", "eu", code=2).stderr


def test_file_becomes_the_input_with_needs_and_fallback(invoke: Invoke, tmp_path: Path):
    data = tmp_path / "revenue_q4_2024.csv"
    data.write_text("quarter,revenue\nQ4,12.5\n")
    options = ("--agent", "amy", "--data", str(data), "--priority", "high", "--need", "sql", "--prefer", "region=eu:2")
    made = json.loads(invoke("task", "create", "Analyze Q4 revenue", *options, "--fallback-team", "x", "--json").stdout)
    assert made["name"] == "Analyze Q4 revenue"
    assert made["needs"] == [{"what": "sql"}, {"what": "region=eu", "weight": 2.0}]
    found = json.loads(invoke("task", "get", made["id"], "--json").stdout)
    assert found["input"] == {"file": data.name, "data": [{"quarter": "Q4", "revenue": "12.5"}]}
    assert found["fallback"] == {"team": "x"}
    assert "for agent amy" in invoke("task", "match", made["id"]).stdout or "amy" in found["agent"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", b"{", "is not what its name says"),
        ("a.csv", b"a,b\n1\n", "line 2 has not as many cells"),
        ("a.bin", b"\xff\xfe\x00", "is no text in UTF-8"),
        ("a.txt", b"x" * (MAX_BYTES + 1), f"an input {MAX_BYTES} at most"),
    ],
)
def test_file_that_is_no_input_is_refused(invoke: Invoke, tmp_path: Path, name: str, content: bytes, said: str):
    (tmp_path / name).write_bytes(content)
    assert said in invoke("task", "create", "x", "--data", str(tmp_path / name), code=1).stderr


def test_imported_tasks_are_a_batch(invoke: Invoke, tmp_path: Path):
    file, batch = tmp_path / "tasks.jsonl", f"batch-{next(_numbers)}"
    file.write_text("".join(f'{{"name": "n{number}"}}\n' for number in range(3)))
    first = invoke("task", "import", str(file), "--batch", batch).stdout
    assert invoke("task", "import", str(file), "--batch", batch).stdout == first
    assert json.loads(invoke("task", "batch", batch, "--json").stdout)["counts"] == {"pending": 3}
    assert len(json.loads(invoke("task", "list", "--batch", batch, "--json").stdout)) == 3
    invoke("task", "bulk", "cancel", "--batch", batch, "--yes")
    assert "3 of 3" in invoke("task", "batch", batch, "--watch", code=1).stdout
    assert batch in invoke("task", "batch").stdout


def test_schedule_is_changed_in_part(invoke: Invoke):
    name = f"sync-{next(_numbers)}"
    rule = ("--cron", "0 2 * * *", "--zone", "Europe/Berlin")
    invoke("schedule", "create", name, *rule, "--task", "sync", "--agent", "a", "--max-retries", "5")
    options = ("--cron", "30 3 * * *", "--team", "ops", "--set", "backoff=fixed", "--end", "none", "--json")
    changed = json.loads(invoke("schedule", "update", name, *options).stdout)
    assert changed["cadence"] == {"cron": "30 3 * * *", "zone": "Europe/Berlin"}
    assert (changed["task"]["team"], "agent" in changed["task"]) == ("ops", False)
    assert changed["task"]["settings"] == {"max_retries": 5, "backoff": "fixed"}
    assert "nothing is to be changed" in invoke("schedule", "update", name, code=2).stderr
