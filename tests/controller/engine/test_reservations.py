"""Reservations: granted before it is spent, free again when nothing more can be told of it."""

from __future__ import annotations

import pytest

from milepost.wire.worker import AttemptPaused
from milepost_collector.controller.engine.budgets.reservations import SETTLE_MS
from tests.controller.engine.house import House, Worker
from tests.controller.engine.purse import DAY_MS, Purse, release

pytestmark = pytest.mark.parametrize("place", ["memory", "postgresql"], indirect=True)


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
