"""Budgets that are used up: who is warned, stopped, asked and held back."""

from __future__ import annotations

import pytest

from milepost.wire.budgets import TaskBudget
from milepost_collector.errors import NotFoundError
from tests.controller.engine.house import House, Worker
from tests.controller.engine.purse import DAY_MS, Purse, pause

pytestmark = pytest.mark.parametrize("place", ["memory", "postgresql"], indirect=True)


# Warning and stopping.


def test_soft_limit_warns_once_a_period(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=10, per="day", soft=0.5)
    house.create(settings={"heartbeat_ms": 3_600_000})
    lease = worker.take()
    purse.spend(lease, 5.0)
    purse.spend(lease, 6.0)
    assert purse.events(budget) == ["set", "soft"]
    assert (purse.read(budget).state, purse.read(budget).reached) == ("soft", "usd")
    house.pass_time(DAY_MS)
    assert purse.read(budget).state == "open"
    assert purse.events(budget) == ["set", "soft", "reset"]


def test_soft_limit_may_be_an_amount(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=10, tokens=100, soft_limits=TaskBudget(tokens=10))
    house.create()
    purse.spend(worker.take(), 1.0, tokens=10)
    assert purse.read(budget).reached == "tokens"


def test_hard_limit_stops_attempts_and_asks_a_person(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=1)
    task = house.create()
    lease = worker.take()
    purse.spend(lease, 1.25)
    (command,) = worker.poll().commands
    assert (command.kind, command.reason) == ("pause", "the budget of the project is used up: $1.25 of $1.00 used")
    pause(worker, lease)
    assert house.status(task) == "review"
    (ask,) = house.asks()
    assert (ask.kind, [option.name for option in ask.options]) == ("budget", ["raise", "finish", "cancel"])
    assert purse.events(budget) == ["set", "soft", "hard"]


def test_attempt_that_does_not_stop_in_time_is_cut_off(house: House, purse: Purse, worker: Worker) -> None:
    purse.set(usd=1, grace_ms=3_000)
    task = house.create()
    lease = worker.take()
    purse.spend(lease, 1.0)
    house.pass_time(2_900)
    worker.poll()
    assert house.status(task) == "assigned"
    house.pass_time(100)
    assert house.status(task) == "review"
    assert worker.start(lease) == "stale"


def test_attempt_that_completes_all_the_same_has_completed(house: House, purse: Purse, worker: Worker) -> None:
    purse.set(usd=1)
    task = house.create()
    lease = worker.take()
    purse.spend(lease, 2.0)
    assert worker.complete(lease) == "applied"
    assert house.status(task) == "completed"
    assert house.asks() == []


def parked(house: House, purse: Purse, worker: Worker, spent: float = 1.25) -> tuple[str, str]:
    """Return a task that waits for a person, and its ask."""
    task = house.create()
    lease = worker.take()
    purse.spend(lease, spent)
    pause(worker, lease)
    return task, house.asks(task_id=task)[0].id


def test_raised_budget_lets_the_task_go_on(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=1)
    task, ask = parked(house, purse, worker)
    house.decide(ask, "approve", option="raise", by="ann")
    assert purse.read(budget).limits.usd == 1.5
    assert worker.take().task_id == task


def test_person_says_by_how_much_it_is_raised(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=1)
    task, ask = parked(house, purse, worker)
    house.decide(ask, "edit", option="raise", action={"budget_id": budget, "usd": 4})
    assert purse.read(budget).limits.usd == 5
    assert worker.take().task_id == task


def test_one_raise_lets_every_task_under_the_budget_go_on(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=1)
    tasks = [house.create(), house.create()]
    leases = worker.poll().leases
    purse.spend(leases[0], 1.0)
    for lease in leases:
        pause(worker, lease)
    house.decide(house.asks(task_id=tasks[0])[0].id, "approve", option="raise")
    assert {lease.task_id for lease in worker.poll().leases} == set(tasks)
    assert house.asks(task_id=tasks[1])[0].status == "cancelled"
    assert purse.read(budget).waiting == 0


def test_raise_from_outside_takes_the_asks_back(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=1)
    task, ask = parked(house, purse, worker)
    purse.raise_by(budget, usd=1)
    assert house.ask(ask).status == "cancelled"
    assert worker.take().task_id == task


def test_next_day_lets_the_task_go_on(house: House, purse: Purse, worker: Worker) -> None:
    purse.set(usd=1, per="day")
    task, ask = parked(house, purse, worker)
    house.pass_time(DAY_MS)
    worker.register()
    assert house.ask(ask).status == "cancelled"
    assert worker.take().task_id == task


def test_rejecting_cancels_the_task(house: House, purse: Purse, worker: Worker) -> None:
    purse.set(usd=1)
    task, ask = parked(house, purse, worker)
    house.decide(ask, "reject", option="cancel", reason="too dear")
    assert house.status(task) == "cancelled"
    assert worker.poll().leases == []


def test_turn_to_finish_may_complete_the_task(house: House, purse: Purse, worker: Worker) -> None:
    purse.set(usd=1, finish=0.1)
    task, ask = parked(house, purse, worker)
    house.decide(ask, "approve", option="finish")
    lease = worker.take()
    assert lease.budget is not None
    assert (lease.budget.finishing, lease.budget.usd) == (True, 0.1)
    assert purse.reserve(worker, lease, 0.08).outcome == "applied"
    assert purse.reserve(worker, lease, 0.08, number=2).outcome == "refused"
    worker.complete(lease, "what there is")
    assert house.status(task) == "completed"


def test_turn_to_finish_is_cut_off_when_it_is_used_up(house: House, purse: Purse, worker: Worker) -> None:
    purse.set(usd=1, finish=0.1)
    task, ask = parked(house, purse, worker)
    house.decide(ask, "approve", option="finish")
    lease = worker.take()
    purse.spend(lease, 0.05)
    assert worker.poll().commands == []
    purse.spend(lease, 0.11)
    house.tick()
    found = house.task(task)
    assert (found.status, found.error_type) == ("failed", "BudgetExceeded")


def test_turn_to_finish_that_does_not_complete_fails_the_task(house: House, purse: Purse, worker: Worker) -> None:
    purse.set(usd=1)
    task, ask = parked(house, purse, worker)
    house.decide(ask, "approve", option="finish")
    worker.fail(worker.take())
    assert house.status(task) == "failed"


# Holding back.


def test_nothing_begins_under_a_used_up_budget(house: House, purse: Purse, worker: Worker) -> None:
    purse.set("name", "dear", usd=1, per="day")
    house.create("dear")
    purse.spend(worker.take(), 2.0)
    task = house.create("dear")
    other = house.create("cheap")
    assert [lease.task_id for lease in worker.poll().leases] == [other]
    assert house.why(task) == (
        "budget",
        "the budget of name dear per day is used up: $2.00 of $1.00 used, anew in 1 d",
    )
    assert house.status(task) == "pending"


def test_why_names_the_budget_before_any_worker_polls(house: House, purse: Purse, worker: Worker) -> None:
    purse.set("name", "dear", usd=1)
    house.create("dear")
    purse.spend(worker.take(), 2.0)
    assert house.why(house.create("dear"))[0] == "budget"


def test_held_task_keeps_its_place_in_the_queue(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set("name", "dear", usd=1)
    house.create("dear")
    lease = worker.take()
    purse.spend(lease, 2.0)
    worker.complete(lease)
    first = house.create("dear")
    assert worker.poll().leases == []
    house.pass_time(1_000)
    worker.request.concurrency = 1
    worker.register()
    second = house.create("cheap")
    purse.raise_by(budget, usd=5)
    assert worker.take().task_id == first
    assert house.status(second) == "pending"


def test_agents_budget_leaves_what_others_may_do_to_them(house: House, purse: Purse, worker: Worker) -> None:
    purse.set("agent", "a", usd=1)
    house.create()
    purse.spend(worker.take(), 2.0)
    task = house.create()
    bound = house.create(agent="a")
    assert worker.poll().leases == []
    assert house.why(task)[0] == "budget"
    assert house.why(bound)[0] == "budget"
    assert house.worker("b").take().task_id == task


def test_deleted_budget_holds_nothing_back(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=1)
    house.create()
    lease = worker.take()
    purse.spend(lease, 2.0)
    task = house.create()
    worker.poll()
    purse.delete(budget)
    assert worker.take().task_id == task
    with pytest.raises(NotFoundError):
        purse.read(budget)


def test_deleted_task_takes_its_budget_and_frees_its_children(house: House, purse: Purse, worker: Worker) -> None:
    parent = house.create("parent", budget=TaskBudget(usd=1))
    lease = worker.take()
    child = house.create("child", traceparent=f"00-{lease.run_id}-{'1' * 16}-01")
    purse.spend(lease, 2.0)
    worker.complete(lease)
    assert worker.poll().leases == []
    house.delete(parent)
    house.pass_time(1_000)
    assert worker.take().task_id == child
