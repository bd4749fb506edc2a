"""Budgets: how they are set, and how what attempts use is counted."""

from __future__ import annotations

from typing import Any

import pytest

from milepost.wire.budgets import TaskBudget
from milepost_collector.controller import views
from milepost_collector.errors import InvalidParameterError
from tests.controller.engine.house import House, Worker
from tests.controller.engine.purse import DAY_MS, Purse, pause

pytestmark = pytest.mark.parametrize("place", ["memory", "postgresql"], indirect=True)


# Counting.


def test_usage_counts_once_in_every_budget_that_an_attempt_draws_on(house: House, purse: Purse, worker: Worker) -> None:
    ids = [
        purse.set(usd=9),
        purse.set("name", "work", usd=9),
        purse.set("agent", "a", usd=9),
        purse.set("team", "red", usd=9),
        purse.set("agent", "b", usd=9),
    ]
    worker.request.teams = ["red"]
    worker.register()
    house.create(budget=TaskBudget(usd=9))
    lease = worker.take()
    purse.spend(lease, 1.5)
    purse.spend(lease, 1.5)
    purse.spend(lease, 2.0)
    assert [purse.used(budget_id) for budget_id in ids] == [2, 2, 2, 2, 0]
    assert [budget.used.usd for budget in house.task(lease.task_id).budgets] == [2, 2, 2, 2, 2]


def test_correction_takes_back_what_was_counted_too_much(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=9, tokens=100)
    house.create()
    lease = worker.take()
    purse.spend(lease, 3.0, tokens=50)
    purse.spend(lease, 1.0, tokens=60)
    found = purse.read(budget)
    assert (found.used.usd, found.used.tokens) == (1, 60)


def test_usage_told_after_the_end_still_counts(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=9)
    house.create()
    lease = worker.take()
    worker.complete(lease)
    purse.spend(lease, 3.0)
    assert purse.used(budget) == 3


def test_running_time_counts_and_waiting_does_not(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(wall_ms=60_000)
    house.create()
    house.pass_time(5_000)
    lease = worker.take()
    house.pass_time(2_000)
    assert purse.read(budget).used.wall_ms == 2_000
    house.clock.advance(1_500)
    worker.complete(lease)
    house.pass_time(10_000)
    assert purse.read(budget).used.wall_ms == 3_500


def test_day_begins_with_nothing_used_at_midnight_of_its_zone(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=9, per="day", zone="America/New_York")
    house.create(settings={"heartbeat_ms": 3_600_000})
    lease = worker.take()
    purse.spend(lease, 4.0)
    assert purse.read(budget).period == "2025-12-31"  # it is 19:00 there
    house.clock.advance(5 * 3_600_000)
    purse.spend(lease, 6.0)
    found = purse.detail(budget)
    assert (found.budget.period, found.budget.used.usd) == ("2026-01-01", 2)
    assert [(period.period, period.used.usd) for period in found.periods] == [("2025-12-31", 4)]


def test_correction_of_a_day_that_is_over_is_made_there(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=9, per="day")
    house.create()
    lease = worker.take()
    purse.spend(lease, 4.0)
    worker.complete(lease)
    house.pass_time(DAY_MS)
    purse.spend(lease, 3.0)
    found = purse.detail(budget)
    assert found.budget.used.usd == 0
    assert found.periods[0].used.usd == 3


def test_children_draw_on_the_budgets_of_those_that_asked_for_them(house: House, purse: Purse, worker: Worker) -> None:
    parent = house.create("parent", budget=TaskBudget(usd=9))
    first = worker.take()
    child = house.create("child", traceparent=f"00-{first.run_id}-{'1' * 16}-01", budget=TaskBudget(usd=1))
    second = worker.take()
    grandchild = house.create("grandchild", traceparent=f"00-{second.run_id}-{'1' * 16}-01")
    worker.complete(first)
    third = worker.take()
    purse.spend(second, 0.25)
    purse.spend(third, 0.5)
    assert [budget.used.usd for budget in house.task(parent).budgets] == [0.75]
    assert [budget.used.usd for budget in house.task(child).budgets] == [0.75, 0.75]
    assert [budget.used.usd for budget in house.task(grandchild).budgets] == [0.75, 0.75]


def test_budget_set_while_attempts_run_counts_them_too(house: House, purse: Purse, worker: Worker) -> None:
    house.create("parent")
    first = worker.take()
    house.create("child", traceparent=f"00-{first.run_id}-{'1' * 16}-01")
    second = worker.take()
    budget = purse.set("name", "parent", usd=9)
    purse.spend(first, 1.0)
    purse.spend(second, 2.0)
    assert purse.used(budget) == 3
    assert purse.read(budget).running == 2


# Setting.


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "usd"),
        ({"usd": 1, "value": "x"}, "value"),
        ({"usd": 1, "scope": "agent"}, "value"),
        ({"usd": 1, "zone": "Nowhere/City"}, "zone"),
        ({"usd": 1, "soft_limits": TaskBudget(tokens=5)}, "soft_limits.tokens"),
        ({"usd": 1, "soft_limits": TaskBudget(usd=2)}, "soft_limits.usd"),
    ],
)
def test_budget_that_makes_no_sense_is_refused(purse: Purse, given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        purse.set(**given)
    assert caught.value.field == field


def test_task_with_a_budget_of_nothing_is_refused(house: House, purse: Purse) -> None:
    with pytest.raises(InvalidParameterError, match="give at least one of usd"):
        house.create(budget=TaskBudget())


def test_set_again_keeps_what_was_used(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=1)
    house.create()
    purse.spend(worker.take(), 0.5)
    assert purse.set(usd=5, grace_ms=1) == budget
    found = purse.read(budget)
    assert (found.limits.usd, found.used.usd, found.grace_ms) == (5, 0.5, 1)


def test_budgets_are_listed_by_scope_and_value(house: House, purse: Purse) -> None:
    for scope, value in (("team", "red"), ("agent", "b"), ("agent", "a"), ("project", "*"), ("name", "n")):
        purse.set(scope, value, usd=1)
    purse.set("agent", "a", usd=1, per="day")
    house.create(budget=TaskBudget(usd=1))
    seen, cursor = [], None
    while True:
        page = house.store.read(lambda tx, after=cursor: views.budgets(tx, scopes=[], cursor=after, limit=2))
        seen += [(found.scope, found.value, found.per) for found in page.budgets]
        cursor = page.next_cursor
        if cursor is None:
            break
    agents = [("agent", "a", "day"), ("agent", "a", "total"), ("agent", "b", "total")]
    assert seen == [*agents, ("name", "n", "total"), ("project", "*", "total"), ("team", "red", "total")]
    of_tasks = house.store.read(lambda tx: views.budgets(tx, scopes=["task"], cursor=None, limit=10))
    assert len(of_tasks.budgets) == 1


def test_lowered_limit_is_felt_at_once(house: House, purse: Purse, worker: Worker) -> None:
    purse.set(usd=5)
    task = house.create()
    lease = worker.take()
    purse.spend(lease, 2.0)
    purse.set(usd=1)
    house.pass_time(1_000)
    assert worker.commands() == ["pause"]
    pause(worker, lease)
    assert house.status(task) == "review"
