"""Budgets are set, raised and deleted."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from milepost.wire.budgets import BudgetRaise, BudgetSet, TaskBudget
from milepost_collector.controller.engine.budgets.amounts import MEASURES, Amounts, Limits, from_wire, limits_of
from milepost_collector.controller.engine.budgets.ledger import Ledger, event, find_budgets, period_at
from milepost_collector.controller.engine.budgets.lineage import key_of, keys_in, lineage_text, own_keys
from milepost_collector.controller.engine.unit import Unit, names_in
from milepost_collector.controller.rows import (
    AssignmentRow,
    BudgetPeriodRow,
    BudgetRow,
    BudgetRunRow,
    ChargeRow,
    TaskRow,
)
from milepost_collector.controller.store.interface import Find
from milepost_collector.errors import InvalidParameterError, NotFoundError

_BATCH = 1_000


def check(wanted: TaskBudget, field: str = "") -> None:
    """Refuse a budget that limits nothing, or warns of what it does not limit.

    Raises:
        InvalidParameterError: names the field.
    """
    limits = from_wire(wanted)
    prefix = f"{field}." if field else ""
    if all(limit is None for limit in limits):
        raise InvalidParameterError(f"{prefix}usd", None, f"give at least one of {', '.join(MEASURES)}")
    if wanted.soft_limits is None:
        return
    for name, soft, hard in zip(MEASURES, from_wire(wanted.soft_limits), limits, strict=True):
        if soft is not None and (hard is None or soft > hard):
            value = getattr(wanted.soft_limits, name)
            raise InvalidParameterError(f"{prefix}soft_limits.{name}", value, f"give {name} at least as much")


def put(unit: Unit, wanted: BudgetSet, new_id: Callable[[int], str]) -> str:
    """Set a budget, or change the one there is; return its id.

    Raises:
        InvalidParameterError: it is not valid.
        NotFoundError: there is no such task.
    """
    check(wanted)
    _check_place(wanted)
    if wanted.scope == "task":
        unit.task(wanted.value)
    key = key_of(wanted.scope, wanted.value)
    ledger = Ledger(unit)
    row = next((found for found in ledger.lock_keys([key]) if found.per == wanted.per), None)
    if row is None:
        row = _new(unit, key, wanted.per, wanted.zone, new_id(unit.now), wanted)
        unit.tx.insert([row])
        ledger.lock_keys([key])
        _adopt(unit, key)
    else:
        _define(row, wanted)
        if row.zone != wanted.zone:
            row.zone = wanted.zone
            row.period, row.ends_at = period_at(row.per, row.zone, unit.now)
    row.updated_at = row.eased_at = unit.now
    row.set_by = wanted.by
    ledger.change(row)
    ledger.note(event(unit, row, "set", by=wanted.by))
    ledger.flush()
    _ease(unit, row.id)
    return row.id


def of_new_task(unit: Unit, task: TaskRow, wanted: TaskBudget, new_id: Callable[[int], str]) -> None:
    """Give a task that is being made its budget; it has been checked."""
    row = _new(unit, key_of("task", task.id), "total", "UTC", new_id(unit.now), wanted)
    row.task_id, row.set_by = task.id, task.created_by
    unit.add(row)
    unit.add(event(unit, row, "set", by=task.created_by))


def raise_by(unit: Unit, budget_id: str, wanted: BudgetRaise) -> None:
    """Allow more in the present period.

    Raises:
        InvalidParameterError: nothing is added, or to what is not limited.
        NotFoundError: there is no such budget.
    """
    ledger = Ledger(unit)
    row = _locked(ledger, budget_id)
    more = from_wire(wanted)
    for name, amount, limit in zip(MEASURES, more, limits_of(row), strict=True):
        if amount and limit is None:
            raise InvalidParameterError(name, getattr(wanted, name), f"the budget does not limit {name}; set it first")
    if not any(more):
        raise InvalidParameterError("usd", wanted.usd, f"raise at least one of {', '.join(MEASURES)}")
    extra = Amounts(*(amount or 0 for amount in more))
    Amounts.of(row, "raised").plus(extra).put(row, "raised")
    row.eased_at = unit.now
    row.soft_at, row.updated_at = None, unit.now  # told again when it is reached again
    ledger.change(row)
    ledger.note(event(unit, row, "raised", by=wanted.by, reason=wanted.reason))
    ledger.flush()
    _ease(unit, row.id)


def delete(unit: Unit, budget_id: str) -> None:
    """Remove a budget with what was counted in it; what it held back goes on.

    Raises:
        NotFoundError: there is no such budget.
    """
    ledger = Ledger(unit)
    row = _locked(ledger, budget_id)
    unit.tx.insert([event(unit, row, "deleted")])
    unit.tx.delete([row])
    of_it = Find(equal={"budget_id": budget_id}, limit=_BATCH)
    while charges := unit.tx.find(ChargeRow, of_it):
        unit.tx.delete(charges)
    while periods := unit.tx.find(BudgetPeriodRow, of_it):
        unit.tx.delete(periods)
    unit.effects.changed = True
    _ease(unit, budget_id)


def _ease(unit: Unit, budget_id: str) -> None:
    unit.eased_budgets.add(budget_id)
    unit.effects.freed = True


def _locked(ledger: Ledger, budget_id: str) -> BudgetRow:
    found = ledger.lock_ids([budget_id])
    if not found:
        raise NotFoundError("budget", budget_id)
    return found[0]


def _check_place(wanted: BudgetSet) -> None:
    if wanted.scope == "project" and wanted.value != "*":
        raise InvalidParameterError("value", wanted.value, "a project's budget is for all; leave value out")
    if wanted.scope != "project" and wanted.value == "*":
        raise InvalidParameterError("value", wanted.value, f"name the {wanted.scope}")
    try:
        ZoneInfo(wanted.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidParameterError("zone", wanted.zone, "use an IANA name, for example Europe/Berlin") from error


def _new(unit: Unit, key: str, per: str, zone: str, budget_id: str, wanted: TaskBudget) -> BudgetRow:
    scope, _, value = key.partition(":")
    row = BudgetRow(
        id=budget_id,
        key=key,
        per=per,
        zone=zone,
        created_at=unit.now,
        updated_at=unit.now,
        soft=wanted.soft,
        finish=wanted.finish,
        grace_ms=wanted.grace_ms,
        task_id=value if scope == "task" else None,
    )
    row.period, row.ends_at = period_at(per, zone, unit.now)
    _define(row, wanted)
    return row


def _define(row: BudgetRow, wanted: TaskBudget) -> None:
    row.soft, row.finish, row.grace_ms = wanted.soft, wanted.finish, wanted.grace_ms
    softer: Limits = (None, None, None, None) if wanted.soft_limits is None else from_wire(wanted.soft_limits)
    for name, hard, soft in zip(MEASURES, from_wire(wanted), softer, strict=True):
        setattr(row, f"limit_{name}", hard)
        setattr(row, f"soft_{name}", soft)
    if row.soft_at is not None:
        row.soft_at = None


def _adopt(unit: Unit, key: str) -> None:
    """Have attempts that run already draw on a budget that is new."""
    leased = [row for worker in unit.tx.workers() for row in unit.tx.held_by(worker.id)]
    unit.load({row.task_id for row in leased})
    rows = [row for rows in unit.assignments.values() for row in rows if row.state == "leased"]
    known = {
        run.run_id: run
        for run in unit.tx.find(
            BudgetRunRow, Find(one_of={"run_id": [row.run_id or "" for row in rows]}, limit=len(rows) or 1)
        )
    }
    lineages = _Lineages(unit, {row.run_id: row for row in rows if row.run_id is not None}, known)
    for row in rows:
        assert row.run_id is not None
        keys = lineages.of(row.run_id)
        if key not in keys:
            continue
        row.budget_count += 1
        unit.change_assignment(row)
        unit.effects.metered.add(row.run_id)
        if row.run_id not in known:
            unit.tx.insert([_run(row, keys, {found.key for found in find_budgets(unit.tx, keys)})])


def _run(row: AssignmentRow, keys: list[str], with_budgets: set[str]) -> BudgetRunRow:
    assert row.run_id is not None
    assert row.leased_at is not None
    return BudgetRunRow(
        run_id=row.run_id,
        lineage=lineage_text(keys, with_budgets),
        began_at=row.leased_at,
        task_id=row.task_id,
        position=row.position,
        attempt=row.attempt,
        agent=row.held_by,
    )


class _Lineages:
    """The lineages of attempts that run, through those of others that do."""

    def __init__(self, unit: Unit, leased: dict[str, AssignmentRow], known: dict[str, BudgetRunRow]) -> None:
        self._unit = unit
        self._leased = leased
        self._teams = {worker.id: names_in(worker.teams) for worker in unit.tx.workers()}
        self._found = {run_id: keys_in(run) for run_id, run in known.items()}

    def of(self, run_id: str) -> list[str]:
        """Return a run's lineage; nothing of one that does not run and drew on no budget."""
        if run_id not in self._found:
            row = self._leased.get(run_id)
            self._found[run_id] = []  # should tasks have asked for each other in a circle
            if row is not None:
                task = self._unit.tasks[row.task_id]
                own = own_keys(task, row.held_by, self._teams.get(row.worker_id or "", ()))
                above = self.of(task.origin_run_id) if task.origin_run_id is not None else []
                self._found[run_id] = list(dict.fromkeys([*own, *above]))
        return self._found[run_id]
