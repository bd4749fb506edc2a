"""`milepost budget …`: set, listed, shown, raised and removed as a person does it."""

from __future__ import annotations

import json

import pytest

import milepost


@pytest.fixture(scope="module")
def client(collector) -> milepost.Client:
    return milepost.Client(endpoint=collector.url)


def test_budget_is_set_listed_shown_raised_and_deleted(invoke) -> None:
    def say(*words: str) -> str:
        return str(invoke("budget", *words).stdout)

    set_to = json.loads(
        say("set", "agent", "amy", "--usd", "2", "--time", "10m", "--per", "day", "--zone", "Europe/Berlin", "--json")
    )
    assert (set_to["limits"], set_to["zone"]) == ({"usd": 2.0, "wall_ms": 600_000}, "Europe/Berlin")
    listed = say("list")
    assert "agent amy" in listed
    assert "$2.00" in listed
    assert json.loads(say("raise", set_to["id"], "--usd", "3", "--reason", "month end", "--json"))["limits"]["usd"] == 5
    shown = say("show", set_to["id"])
    assert "month end" in shown
    assert "raised by" in shown
    say("delete", set_to["id"])
    assert "there are no budgets" in say("list", "--scope", "agent")


def test_budget_without_a_limit_is_wrong_usage(invoke) -> None:
    result = invoke("budget", "set", "project", code=2)
    assert "give --usd" in result.stderr


def test_unknown_budget_is_one_line(invoke) -> None:
    result = invoke("budget", "show", "nope", code=1)
    assert (result.exit_code, result.stderr) == (1, "Error: there is no budget 'nope'\n")


def test_task_is_handed_over_with_a_budget(invoke, client) -> None:
    result = invoke("task", "create", "dear", "--budget-usd", "1.5", "--budget-tokens", "9")
    (budget,) = client.tasks.get(result.stdout.strip()).budgets
    assert (budget.limits.usd, budget.limits.tokens) == (1.5, 9)
    shown = invoke("task", "get", result.stdout.strip())
    assert "$0.00 of $1.50" in shown.stdout


def test_budget_is_named_by_what_it_limits(invoke) -> None:
    made = json.loads(invoke("budget", "set", "name", "Load", "--usd", "5", "--per", "day", "--json").stdout)
    assert json.loads(invoke("budget", "show", "name", "Load", "--json").stdout)["budget"]["id"] == made["id"]
    invoke("budget", "raise", "name", "Load", "--usd", "2", "--reason", "month end")
    assert json.loads(invoke("budget", "show", made["id"], "--json").stdout)["budget"]["limits"]["usd"] == 7
    other = json.loads(invoke("budget", "set", "name", "Load", "--usd", "9", "--json").stdout)
    told = invoke("budget", "delete", "name", "Load", code=1).stderr
    assert f"{made['id']} (per day)" in told
    assert f"{other['id']} (per total)" in told
    invoke("budget", "delete", other["id"])
    assert invoke("budget", "delete", "name", "Load").stdout == "budget name Load is removed\n"
    assert "there is no budget of name Load" in invoke("budget", "show", "name", "Load", code=1).stderr
    assert "'ops' is no scope" in invoke("budget", "show", "ops", "x", code=2).stderr
