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
