"""`milepost schedule …` against a real collector."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Invoke

_numbers = itertools.count(1)


@pytest.fixture
def nightly(invoke: Invoke) -> str:
    """Make a schedule and return its name."""
    name = f"nightly-{next(_numbers)}"
    cadence = ("--cron", "0 2 * * *", "--zone", "Europe/Berlin")
    invoke("schedule", "create", name, *cadence, "--task", "Extract", "--agent", "etl", "--input", '{"a": 1}')
    return name


def test_schedule_has_what_was_given(invoke: Invoke):
    options = ("--task", "sync", "--overlap", "queue", "--catch-up", "all", "--jitter", "10s", "--max-retries", "7")
    shown = invoke("schedule", "create", "sync", "--every", "5m", *options, "--catch-up-window", "2h", "--json")
    made = json.loads(shown.stdout)
    assert made["cadence"]["every_ms"] == 300_000
    assert (made["overlap"], made["catch_up"], made["catch_up_window_ms"]) == ("queue", "all", 7_200_000)
    assert (made["jitter_ms"], made["task"]["settings"]) == (10_000, {"max_retries": 7})


def test_schedule_is_shown_in_words(invoke: Invoke, nightly: str):
    shown = invoke("schedule", "get", nightly).stdout
    assert "Europe/Berlin" in shown
    assert 'Extract {"a":1}' in shown
    assert nightly in invoke("schedule", "list").stdout


def test_next_instants_are_in_local_time(invoke: Invoke, nightly: str):
    printed = json.loads(invoke("schedule", "next", nightly, "--count", "3", "--json").stdout)
    assert [instant["local"][11:16] for instant in printed] == ["02:00"] * 3
    assert "T02:00:00" in invoke("schedule", "next", nightly).stdout


def test_preview_tells_of_clock_changes(invoke: Invoke):
    rule = ("--cron", "30 2 * * *", "--zone", "America/New_York", "--after", "2026-03-07", "--count", "3")
    assert "02:30 does not exist on this day" in invoke("schedule", "preview", *rule).stdout


def test_paused_schedule_says_so(invoke: Invoke, nightly: str):
    assert "‖ paused" in invoke("schedule", "pause", nightly, "--reason", "holidays").stdout
    assert "none of these will fire" in invoke("schedule", "next", nightly).stderr
    assert "● on" in invoke("schedule", "resume", nightly).stdout


def test_run_makes_a_task_now(invoke: Invoke, nightly: str):
    task_id = invoke("schedule", "run", nightly, "--input", '{"a": 2}').stdout.strip()
    assert json.loads(invoke("task", "get", task_id, "--json").stdout)["input"] == {"a": 2}


def test_backfill_lists_asks_and_fires(invoke: Invoke, nightly: str):
    stretch = ("--from", "now-3d")
    assert "3 instants not fired yet" in invoke("schedule", "backfill", nightly, *stretch, "--dry-run").stdout
    assert "make 3 tasks? [y/N]" in invoke("schedule", "backfill", nightly, *stretch, stdin="n\n", code=1).stderr
    assert len(invoke("schedule", "backfill", nightly, *stretch, "--yes").stdout.split()) == 3
    assert "nothing to backfill" in invoke("schedule", "backfill", nightly, *stretch, "--yes", code=1).stderr
    assert invoke("schedule", "ledger", nightly).stdout.count("backfilled") == 3
    assert "no instant is recorded as missed" in invoke("schedule", "ledger", nightly, "--status", "missed").stdout


def test_taken_name_is_refused(invoke: Invoke, nightly: str):
    done = invoke("schedule", "create", nightly, "--every", "5m", "--task", "x", code=1)
    assert f"there is a schedule '{nightly}'" in done.stderr


@pytest.mark.parametrize("rule", [[], ["--every", "5m", "--cron", "* * * * *"]])
def test_rule_is_exactly_one(invoke: Invoke, rule: list[str]):
    assert "exactly one of cron" in invoke("schedule", "create", "x", "--task", "x", *rule, code=2).stderr


def test_delete_asks_first(invoke: Invoke, nightly: str):
    invoke("schedule", "delete", nightly, stdin="n\n", code=1)
    assert f"{nightly} is deleted" in invoke("schedule", "delete", nightly, "--yes").stdout
    invoke("schedule", "get", nightly, code=1)
