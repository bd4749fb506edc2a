"""What budgets promise, for every interleaving of grants, usage, releases, ends and time."""

from __future__ import annotations

from itertools import count
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, given, settings

from milepost.wire.budgets import BudgetSet, TaskBudget
from milepost.wire.worker import (
    AttemptCompleted,
    ReportsRequest,
    ReservationAsked,
    ReservationReleased,
    TaskLease,
)
from milepost_collector.controller.engine.budgets.amounts import NANO
from milepost_collector.controller.rows import BudgetRow, ChargeRow, ReservationRow
from milepost_collector.controller.store import open_store
from milepost_collector.controller.store.interface import Find
from milepost_collector.protocol.totals import RunTotals
from tests.controller.conftest import ManualClock
from tests.controller.engine.house import House, Worker

RUNS = 16
LIMIT = 20  # cents, of the project and of each task's own budget half as much
CENT = NANO // 100

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), st.integers(0, RUNS - 1), st.integers(1, 8)),
        st.tuples(st.just("spend"), st.integers(0, RUNS - 1), st.integers(1, 8)),  # at most what is reserved
        st.tuples(st.just("release"), st.integers(0, RUNS - 1), st.integers(0, 3)),
        st.tuples(st.just("late"), st.integers(0, RUNS - 1), st.just(0)),  # an old reading comes once more
        st.tuples(st.just("end"), st.integers(0, RUNS - 1), st.just(0)),
        st.tuples(st.just("time"), st.just(0), st.integers(1, 4_000)),
    ),
    max_size=60,
)


class Race:
    """Sixteen attempts under one budget and their own, that spend only what they were granted."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.house = House(open_store(":memory:", clock=clock), clock)
        wanted = BudgetSet(scope="project", usd=LIMIT / 100)
        self.project = self.house.do(lambda engine, tx: engine.set_budget(tx, wanted))
        self.worker: Worker = self.house.worker(concurrency=RUNS)
        for _ in range(RUNS):
            self.house.create(budget=TaskBudget(usd=LIMIT / 200), settings={"heartbeat_ms": 3_600_000})
        self.leases: list[TaskLease] = self.worker.poll().leases
        self.numbers = count(1)
        self.held: dict[int, dict[int, int]] = {run: {} for run in range(RUNS)}  # cents by number, not spent yet
        self.spent = [0] * RUNS
        self.over: set[int] = set()

    def close(self) -> None:
        self.house.store.close()

    def report(self, kind: type[Any], run: int, **given: Any) -> str:
        lease = self.leases[run]
        reports = [kind(task_id=lease.task_id, attempt=lease.attempt, **given)]
        request = ReportsRequest(worker_id=self.worker.id, reports=reports)
        (result,) = self.house.do(lambda engine, tx: engine.reports(tx, request)).results
        return str(result.outcome)

    def reserve(self, run: int, cents: int) -> None:
        number = next(self.numbers)
        if self.report(ReservationAsked, run, number=number, usd=cents / 100) == "applied":
            self.held[run][number] = cents

    def spend(self, run: int, cents: int) -> None:
        """Spend from the oldest reservations, as they are counted."""
        for number in list(self.held[run]):
            part = min(cents, self.held[run][number])
            self.held[run][number] -= part
            self.spent[run] += part
            cents -= part
            if not self.held[run][number]:
                del self.held[run][number]
        self.meter(run)

    def meter(self, run: int) -> None:
        lease, now = self.leases[run], self.clock.now
        told = [RunTotals(run_id=lease.run_id, usd=self.spent[run] / 100, ended=run in self.over)]
        if self.house.do(lambda engine, tx: engine.charge(tx, told, [lease.run_id], now)):
            self.house.do(lambda engine, tx: engine.enforce_budgets(tx))

    def release(self, run: int, which: int) -> None:
        numbers = list(self.held[run])
        if which < len(numbers):
            self.report(ReservationReleased, run, number=numbers[which])
            del self.held[run][numbers[which]]
            self.clock.advance(1)

    def late(self, run: int) -> None:
        self.meter(run)

    def end(self, run: int) -> None:
        if run not in self.over:
            self.over.add(run)
            self.held[run] = {}
            self.worker.held.pop((self.leases[run].task_id, self.leases[run].attempt), None)
            self.report(AttemptCompleted, run)

    def check(self) -> None:
        """Hold the books against what happened."""
        limits, charges, left = self.house.store.read(
            lambda tx: (
                tx.find(BudgetRow, Find(limit=100)),
                tx.find(ChargeRow, Find(limit=1_000)),
                tx.find(ReservationRow, Find(limit=1_000)),
            )
        )
        for row in limits:
            assert row.limit_usd is not None
            assert row.used_usd + row.reserved_usd <= row.limit_usd
            assert row.used_usd == sum(charge.used_usd for charge in charges if charge.budget_id == row.id)
            assert row.reserved_usd == sum(one.left_usd for one in left if row.id in one.budgets)
        project = next(row for row in limits if row.id == self.project)
        assert project.used_usd == sum(self.spent) * CENT
        still_held = sum(sum(held.values()) for run, held in self.held.items() if run not in self.over)
        assert project.reserved_usd >= still_held * CENT


@given(STEPS)
@settings(
    max_examples=60,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow],
)
def test_grants_and_usage_never_exceed_any_budget(steps: list[tuple[str, int, int]]) -> None:
    race = Race(ManualClock())
    try:
        for step, run, amount in steps:
            if step == "time":
                race.house.pass_time(amount)
            elif step in ("late", "end"):
                getattr(race, step)(run)
            elif run not in race.over:
                getattr(race, step)(run, amount)
            race.check()
    finally:
        race.close()
