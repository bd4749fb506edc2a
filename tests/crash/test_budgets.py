"""SIGKILL of workers and collector while attempts reserve and spend: the ledger is what was recorded, to the cent."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import httpx
import pytest

import milepost
from milepost.wire.budgets import BudgetDetail
from tests.crash.load import AGENT, SETTINGS
from tests.crash.processes import Crew, KillableCollector, rest, running, until

PRICE_USD = 0.01
CALLS = 12  # of a task at most
TASKS_A_KILL = 4
RAISE_USD = 0.25  # less than what these would use, so that the budget is used up again and again
COLLECTOR_SHARE = 0.5  # of the kills
FREED_WITHIN_S = 90  # a lease that is lost, and what is granted to it until nothing more can be told


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_budget_holds_to_the_cent_through_kills(
    kind: str,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if kind == "postgresql":
        monkeypatch.setenv("MILEPOST_CONTROLLER_URL", request.getfixturevalue("own_postgres").url)
    kills = pytestconfig.getoption("kills") // (2 if kind == "sqlite" else 4)
    chance = random.Random()
    collector = KillableCollector(tmp_path)
    crew = Crew(AGENT, collector.endpoint, tmp_path, workers=2, slots=2)
    with running(collector, crew), milepost.Client(endpoint=collector.endpoint) as client:
        budget_id = client.budgets.set("agent", AGENT, usd=RAISE_USD, grace_ms=60_000).id
        for kill in range(kills):
            for number in range(TASKS_A_KILL):
                create(client, f"{kill}-{number}")
            before = ledger(client, budget_id).budget.used.usd
            until(lambda before=before: ledger(client, budget_id).budget.used.usd > before, "a call")  # type: ignore[misc]
            rest(chance.uniform(0, 0.4))
            if chance.random() < COLLECTOR_SHARE:
                collector.kill()
            else:
                crew.kill_one(chance)
            held_to_its_limit(client, budget_id)
            client.budgets.raise_by(budget_id, usd=RAISE_USD)
        client.budgets.raise_by(budget_id, usd=kills * TASKS_A_KILL * CALLS * PRICE_USD * 10)
        until(lambda: statuses(client) == {"completed"}, "the end of every task", within_s=120)
        until(lambda: ledger(client, budget_id).budget.reserved.usd == 0, "nothing reserved", FREED_WITHIN_S)
        until(lambda: matches(client, collector.endpoint, budget_id), "the ledger that was recorded")
        found = held_to_its_limit(client, budget_id)
    print(f"\n{kills} kills, {kills * TASKS_A_KILL} tasks, ${found.budget.used.usd:.2f} used in {len(found.runs)} runs")


def create(client: milepost.Client, key: str) -> None:
    """Create a task that draws on the budget."""
    given = {"usd": PRICE_USD, "calls": CALLS}
    client.tasks.create("draw", agent=AGENT, input=given, settings=SETTINGS, idempotency_key=key)


def ledger(client: milepost.Client, budget_id: str) -> BudgetDetail:
    return client.budgets.get(budget_id)


def statuses(client: milepost.Client) -> set[str | None]:
    return {group.value for group in client.tasks.count("status").groups}


def held_to_its_limit(client: milepost.Client, budget_id: str) -> BudgetDetail:
    """Hold that everything was reserved before it was spent: nothing may be used beyond the limit."""
    found = ledger(client, budget_id)
    assert found.budget.limits.usd is not None
    assert found.budget.used.usd <= found.budget.limits.usd + 1e-9
    return found


def matches(client: milepost.Client, endpoint: str, budget_id: str) -> bool:
    """Tell whether the ledger is the sum of what was recorded, all in all and run by run as far as it is shown."""
    recorded = {run_id: cost for run_id, cost in rows(endpoint, "SELECT run_id, cost_usd FROM runs") if cost}
    found = ledger(client, budget_id)
    assert all(run.used.usd <= (recorded.get(run.run_id) or 0) + 1e-9 for run in found.runs)
    return found.budget.used.usd == pytest.approx(sum(recorded.values()))


def rows(endpoint: str, sql: str) -> list[list[Any]]:
    answer = httpx.post(f"{endpoint}/api/sql", json={"sql": sql}).raise_for_status().json()
    assert not answer["truncated"]
    found: list[list[Any]] = answer["rows"]
    return found
