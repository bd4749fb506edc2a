"""A used-up budget stops what runs under it: attempts are told to save their state and stop, and are cut off if not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from milepost_collector.controller.engine.budgets.amounts import Amounts, limits_of, reached, spoken
from milepost_collector.controller.engine.budgets.ledger import described, find_budgets, standing, used_up
from milepost_collector.controller.engine.budgets.lineage import keys_in
from milepost_collector.controller.engine.unit import Unit
from milepost_collector.controller.rows import AssignmentRow, BudgetRow, BudgetRunRow, BudgetTurnRow
from milepost_collector.controller.store.interface import Find, Tx

MOST_RUNNING = 10_000  # attempts under budgets that are looked at


def running(tx: Tx) -> list[BudgetRunRow]:
    """Return the runs of attempts that go on and draw on budgets."""
    return tx.find(BudgetRunRow, Find(equal={"ended_at": None}, order=("run_id",), limit=MOST_RUNNING))


def stop_under_used_up(unit: Unit, runs: Sequence[BudgetRunRow]) -> None:
    """Tell attempts whose budgets are used up to stop, once each."""
    lineages = {run.run_id: set(keys_in(run)) for run in runs}
    budgets = find_budgets(unit.tx, sorted({key for keys in lineages.values() for key in keys}))
    empty = [row for row in budgets if used_up(row, unit.now)]
    if not empty:
        return
    turns = _turns(unit.tx, [run for run in runs if run.finishing])
    to_stop: list[tuple[BudgetRunRow, str, int]] = []
    for run in runs:
        found = next((row for row in empty if row.key in lineages[run.run_id]), None)
        if run.finishing and (turn := turns.get(run.task_id or "")) is not None:
            if (measure := reached(Amounts.of(run, "used"), limits_of(turn))) is not None:
                to_stop.append((run, _turn_is_over(turn, measure), 0))
        elif found is not None:
            to_stop.append((run, why(unit, found), found.grace_ms))
    _tell(unit, to_stop)


def _tell(unit: Unit, to_stop: Iterable[tuple[BudgetRunRow, str, int]]) -> None:
    found = list(to_stop)
    unit.load([run.task_id for run, _, _ in found if run.task_id is not None])
    for run, reason, grace_ms in found:
        row = _lease_of(unit, run)
        if row is None or row.stop is not None:
            continue
        row.stop, row.stop_reason, row.cut_off_at = "budget", reason, unit.now + grace_ms
        unit.change_assignment(row)
        unit.effects.fall_due(row.cut_off_at)
        if row.worker_id is not None:
            unit.effects.workers.add(row.worker_id)


def _lease_of(unit: Unit, run: BudgetRunRow) -> AssignmentRow | None:
    for row in unit.assignments.get(run.task_id or "", ()):
        if row.state == "leased" and row.run_id == run.run_id:
            return row
    return None


def _turns(tx: Tx, runs: Sequence[BudgetRunRow]) -> dict[str, BudgetTurnRow]:
    ids = [run.task_id for run in runs if run.task_id is not None]
    found = tx.find(BudgetTurnRow, Find(one_of={"task_id": ids}, limit=len(ids))) if ids else []
    return {row.task_id: row for row in found}


def why(unit: Unit, row: BudgetRow) -> str:
    """Return that a budget is used up, for people."""
    measure = used_up(row, unit.now)
    return f"the budget of {described(row)} is used up: {standing(row, measure or 'usd')}"


def _turn_is_over(turn: BudgetTurnRow, measure: str) -> str:
    limit = limits_of(turn)[Amounts._fields.index(measure)] or 0
    return f"the turn to finish has used its {spoken(measure, limit)}"
