"""The rounds that are made as time passes: what is due at every tick, and what is looked after now and then."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager

from milepost_collector.controller.engine import answering, fallbacks, firing, outcomes, timekeeping
from milepost_collector.controller.engine.budgets import freeing
from milepost_collector.controller.engine.budgets import time as budgets_time
from milepost_collector.controller.engine.creation import Creator
from milepost_collector.controller.engine.unit import Unit
from milepost_collector.controller.store.interface import Tx

RISKS_EVERY_MS, BUDGETS_EVERY_MS, FORGET_EVERY_MS, WORKERS_KEPT_MS = 5_000, 1_000, 60_000, 3_600_000

NewUnit = Callable[[Tx], AbstractContextManager[Unit]]


class Rounds:
    """Does what time does, each part in a unit of its own. Keeps when each part is to be looked after next.

    new_unit: opens a unit that is written at its end. retention_ms: how long finished tasks and logs are kept.
    """

    def __init__(self, new_unit: NewUnit, creator: Creator, chance: random.Random, retention_ms: int) -> None:
        self._unit = new_unit
        self._creator = creator
        self._chance = chance
        self._retention_ms = retention_ms
        self._risks_at = self._forget_at = self._budgets_at = 0
        self._holds_after: freeing.Cursor | None = None
        self._without_worker_after = ""

    def make(self, tx: Tx, *, forget: bool) -> bool:
        """Do what is due, a bounded amount of it; tell whether there is more to do at once.

        forget: remove too what is older than the retention, once its time has come.
        """
        more = self._pass_time(tx)
        if tx.now >= self._budgets_at:
            unfinished = self._keep_budgets(tx)
            self._budgets_at = tx.now + (0 if unfinished else BUDGETS_EVERY_MS)
            more |= unfinished
        if tx.now >= self._risks_at:
            self._risks_at = tx.now + RISKS_EVERY_MS
            self._look_ahead(tx)
        if forget and tx.now >= self._forget_at:
            unfinished = self._forget(tx)
            self._forget_at = tx.now + (0 if unfinished else FORGET_EVERY_MS)
        return more

    def _pass_time(self, tx: Tx) -> bool:
        more = False
        with self._unit(tx) as unit:
            more |= timekeeping.promote_due(unit)
        with self._unit(tx) as unit:
            more |= timekeeping.end_leases(unit, self._chance)
        with self._unit(tx) as unit:
            more |= timekeeping.pass_deadlines(unit)
        with self._unit(tx) as unit:
            more |= answering.expire_due(unit)
            more |= answering.alarm(unit)
        with self._unit(tx) as unit:
            more |= firing.fire_due(unit, self._creator)
        return more

    def _keep_budgets(self, tx: Tx) -> bool:
        if not budgets_time.is_needed(tx):
            return False
        with self._unit(tx) as unit:
            more = budgets_time.keep_up(unit)
        with self._unit(tx) as unit:
            self._holds_after = freeing.sweep(unit, self._holds_after)
        with self._unit(tx) as unit:
            budgets_time.enforce(unit)
        return more

    def _look_ahead(self, tx: Tx) -> None:
        with self._unit(tx) as unit:
            timekeeping.report_risks(unit)
        with self._unit(tx) as unit:
            found, self._without_worker_after = fallbacks.without_worker(unit, self._without_worker_after)
            for task, assignment, fallback in found:
                outcomes.fall_back(unit, task, assignment, fallback, "no worker that may take it polls")

    def _forget(self, tx: Tx) -> bool:
        with self._unit(tx) as unit:
            timekeeping.forget_workers(unit, WORKERS_KEPT_MS)
            timekeeping.forget_rates(unit)
            budgets_time.forget(unit, self._retention_ms)
            return timekeeping.forget_old(unit, self._retention_ms)
