"""Budgets of a house, moved by hand, and what attempts under them do."""

from __future__ import annotations

from typing import Any

import msgspec

from milepost.wire.budgets import Budget, BudgetDetail, BudgetRaise, BudgetSet
from milepost.wire.worker import AttemptPaused, ReportResult, ReportsRequest, ReservationAsked, ReservationReleased
from milepost.wire.worker import TaskLease as Lease
from milepost_collector.controller import views
from milepost_collector.protocol.totals import RunTotals
from tests.controller.engine.house import House, Worker

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


def pause(worker: Worker, lease: Lease) -> None:
    """Stop, as an attempt does that was told to."""
    worker.held.pop((lease.task_id, lease.attempt))
    assert worker.report(AttemptPaused, lease) == "applied"


def release(worker: Worker, lease: Lease, number: int = 1) -> None:
    """Give a reservation back."""
    assert worker.report(ReservationReleased, lease, number=number) == "applied"
