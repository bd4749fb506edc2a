"""Budgets: what attempts may use, how it is counted, granted and held back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from milepost.wire.budgets import Budget, BudgetDetail, BudgetRaise, BudgetSet, TaskBudget
from milepost.wire.worker import AttemptPaused, ReportResult, ReportsRequest, ReservationAsked, ReservationReleased
from milepost.wire.worker import TaskLease as Lease
from milepost_collector.controller import views
from milepost_collector.controller.engine.budgets.reservations import SETTLE_MS
from milepost_collector.errors import InvalidParameterError, NotFoundError
from milepost_collector.protocol.totals import RunTotals
from tests.controller.engine.house import House, Worker

pytestmark = pytest.mark.parametrize("place", ["memory", "postgresql"], indirect=True)
DAY_MS = 86_400_000


class Purse:
    """Budgets of a house, moved by hand."""

    def __init__(self, house: House) -> None:
        self.house = house

    def set(self, scope: Any = "project", value: str = "*", **limits: Any) -> str:
        """Set a budget and return its id."""
        wanted = BudgetSet(scope=scope, value=value, **limits)
        return self.house.do(lambda engine, tx: engine.set_budget(tx, wanted))

    def read(self, budget_id: str) -> Budget:
        """Return a budget as clients read it."""
        return self.detail(budget_id).budget

    def detail(self, budget_id: str) -> BudgetDetail:
        """Return a budget with what belongs to it."""
        found = self.house.store.read(lambda tx: views.budget_detail(tx, budget_id))
        return msgspec.json.decode(msgspec.json.encode(found), type=BudgetDetail)

    def used(self, budget_id: str) -> float:
        """Return how much money was used."""
        return self.read(budget_id).used.usd

    def reserved(self, budget_id: str) -> float:
        """Return how much money is reserved."""
        return self.read(budget_id).reserved.usd

    def events(self, budget_id: str) -> list[str]:
        """Return what has happened, the oldest first."""
        return [event.event for event in self.detail(budget_id).events][::-1]

    def spend(self, lease: Lease, usd: float = 0.0, **used: Any) -> None:
        """Have telemetry tell what an attempt has used, all in all; then what follows from it."""
        totals, now = [RunTotals(run_id=lease.run_id, usd=usd, **used)], self.house.clock.now
        if self.house.do(lambda engine, tx: engine.charge(tx, totals, [lease.run_id], now)):
            self.house.do(lambda engine, tx: engine.enforce_budgets(tx))

    def reserve(self, worker: Worker, lease: Lease, usd: float, number: int = 1, **given: Any) -> ReportResult:
        """Reserve for an attempt."""
        report = ReservationAsked(task_id=lease.task_id, attempt=lease.attempt, number=number, usd=usd, **given)
        request = ReportsRequest(worker_id=worker.id, reports=[report])
        return self.house.do(lambda engine, tx: engine.reports(tx, request)).results[0]

    def raise_by(self, budget_id: str, **amounts: Any) -> None:
        """Allow more."""
        wanted = BudgetRaise(**amounts)
        self.house.do(lambda engine, tx: engine.raise_budget(tx, budget_id, wanted))

    def delete(self, budget_id: str) -> None:
        """Remove a budget."""
        self.house.do(lambda engine, tx: engine.delete_budget(tx, budget_id))


@pytest.fixture
def purse(house: House) -> Purse:
    """Return the budgets of the house."""
    return Purse(house)


def pause(worker: Worker, lease: Lease) -> None:
    """Stop, as an attempt does that was told to."""
    worker.held.pop((lease.task_id, lease.attempt))
    assert worker.report(AttemptPaused, lease) == "applied"


def release(worker: Worker, lease: Lease, number: int = 1) -> None:
    """Give a reservation back."""
    assert worker.report(ReservationReleased, lease, number=number) == "applied"


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
        "the budget of name dear per day is used up: $2.00 of $1.00 used, anew in 24 h",
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


# Reserving.


def test_reservation_beyond_the_limit_is_refused(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=1)
    house.create()
    house.create()
    one, other = worker.poll().leases
    assert purse.reserve(worker, one, 0.6).outcome == "applied"
    refused = purse.reserve(worker, other, 0.6)
    assert (refused.outcome, refused.budget_id, refused.waits) == ("refused", budget, True)
    assert refused.reason.startswith("budget of the project: $0.60 asked for, $0.00 used and $0.60 reserved of $1.00")
    assert purse.reserve(worker, other, 0.4).outcome == "applied"
    assert purse.reserved(budget) == 1


def test_reservation_told_again_grants_nothing_more(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=1)
    house.create()
    lease = worker.take()
    assert [purse.reserve(worker, lease, 0.6).outcome for _ in range(2)] == ["applied", "applied"]
    assert purse.reserved(budget) == 0.6


def test_usage_is_taken_from_what_was_reserved(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=1, tokens=100)
    house.create()
    lease = worker.take()
    purse.reserve(worker, lease, 0.3, tokens=10)
    purse.reserve(worker, lease, 0.3, number=2)
    purse.spend(lease, 0.4, tokens=50)
    found = purse.read(budget)
    assert (found.used.usd, found.reserved.usd) == (0.4, 0.2)
    assert (found.used.tokens, found.reserved.tokens) == (50, 0)


def test_released_reservation_is_free_once_its_usage_is_known(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=1)
    house.create()
    lease = worker.take()
    purse.reserve(worker, lease, 0.6)
    release(worker, lease)
    assert house.effects.metered == {lease.run_id}
    assert purse.reserved(budget) == 0.6
    purse.spend(lease, 0.1)
    assert (purse.used(budget), purse.reserved(budget)) == (0.1, 0)


def test_reading_from_before_a_release_does_not_free_it(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=1)
    house.create()
    lease = worker.take()
    purse.reserve(worker, lease, 0.6)
    before = house.clock.now
    house.clock.advance(1)
    release(worker, lease)
    house.do(lambda engine, tx: engine.charge(tx, [], [lease.run_id], before))
    assert purse.reserved(budget) == 0.6
    house.pass_time(SETTLE_MS)
    assert purse.reserved(budget) == 0


def test_reservations_of_an_attempt_that_ended_are_free_once_its_end_is_recorded(
    house: House, purse: Purse, worker: Worker
) -> None:
    budget = purse.set(usd=1)
    house.create()
    lease = worker.take()
    purse.reserve(worker, lease, 0.6)
    purse.spend(lease, 0.1, ended=True)
    assert purse.reserved(budget) == 0.5
    worker.complete(lease)
    purse.spend(lease, 0.2)
    assert purse.reserved(budget) == pytest.approx(0.4)
    purse.spend(lease, 0.2, ended=True)
    assert purse.reserved(budget) == 0


def test_reservations_of_an_attempt_whose_end_is_never_recorded_are_freed(
    house: House, purse: Purse, worker: Worker
) -> None:
    budget = purse.set(usd=1)
    house.create()
    lease = worker.take()
    purse.reserve(worker, lease, 0.6)
    worker.complete(lease)
    house.pass_time(SETTLE_MS)
    assert purse.reserved(budget) == 0


def test_reservation_expires(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=1)
    house.create(settings={"heartbeat_ms": 3_600_000})
    lease = worker.take()
    purse.reserve(worker, lease, 0.6, expires_ms=5_000)
    house.pass_time(4_000)
    assert purse.reserved(budget) == 0.6
    house.pass_time(1_000)
    assert purse.reserved(budget) == 0


def test_reservation_outlives_midnight(house: House, purse: Purse, worker: Worker) -> None:
    budget = purse.set(usd=1, per="day")
    house.create(settings={"heartbeat_ms": 3_600_000})
    lease = worker.take()
    house.clock.advance(DAY_MS - 1_000)
    worker.poll()
    purse.reserve(worker, lease, 0.6)
    house.pass_time(2_000)
    assert purse.reserve(worker, lease, 0.6, number=2).outcome == "refused"
    purse.spend(lease, 0.5)
    found = purse.read(budget)
    assert (found.used.usd, found.reserved.usd) == (0.5, pytest.approx(0.1))


def test_task_that_cannot_go_on_without_what_was_refused_is_put_before_a_person(
    house: House, purse: Purse, worker: Worker
) -> None:
    budget = purse.set(usd=1)
    task = house.create()
    lease = worker.take()
    refused = purse.reserve(worker, lease, 2.0)
    worker.report(AttemptPaused, lease, reason=refused.reason, budget_id=refused.budget_id)
    worker.held.clear()
    assert house.status(task) == "review"
    house.pass_time(5_000)
    assert house.status(task) == "review"
    purse.raise_by(budget, usd=5)
    assert worker.take().task_id == task


def test_reservation_without_a_budget_is_granted(house: House, purse: Purse, worker: Worker) -> None:
    house.create()
    assert purse.reserve(worker, worker.take(), 1e6).outcome == "applied"


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
