"""What is done about budgets every second, and when attempts under them end."""

from __future__ import annotations

from milepost_collector.controller.engine.budgets.ledger import Ledger, find_budgets
from milepost_collector.controller.engine.budgets.lineage import keys_in
from milepost_collector.controller.engine.budgets.metering import charge_time
from milepost_collector.controller.engine.budgets.reservations import free_due
from milepost_collector.controller.engine.budgets.stopping import running, stop_under_used_up
from milepost_collector.controller.engine.unit import Unit
from milepost_collector.controller.rows import (
    BudgetEventRow,
    BudgetHoldRow,
    BudgetPeriodRow,
    BudgetRow,
    BudgetRunRow,
    ChargeRow,
)
from milepost_collector.controller.store.interface import Find, Tx

BATCH = 500
PERIODS_KEPT_MS = 400 * 86_400_000


def is_needed(tx: Tx) -> bool:
    """Tell whether there is anything to keep up."""
    return bool(tx.find(BudgetRow, Find(limit=1)) or tx.find(BudgetHoldRow, Find(limit=1)))


def keep_up(unit: Unit) -> bool:
    """Begin new periods, free what has expired, count running time; tell whether there may be more to do at once."""
    ledger = Ledger(unit)
    over = unit.tx.find(BudgetRow, Find(before={"ends_at": unit.now + 1}, order=("id",), limit=BATCH))
    ledger.lock_ids([row.id for row in over])
    more = free_due(unit, ledger, BATCH)
    ledger.flush()
    runs = running(unit.tx)
    keys = {key for run in runs for key in keys_in(run)}
    timed = {row.key for row in find_budgets(unit.tx, sorted(keys)) if row.limit_wall_ms is not None}
    charge_time(unit, [run for run in runs if timed.intersection(keys_in(run))])
    return more or len(over) == BATCH


def enforce(unit: Unit) -> None:
    """Stop what runs under used-up budgets."""
    stop_under_used_up(unit, running(unit.tx))


def forget(unit: Unit, retention_ms: int) -> None:
    """Remove what is known of runs without a task, of events and of periods long over. Tasks take theirs along."""
    tx, before = unit.tx, unit.now - retention_ms
    query = Find(equal={"task_id": None}, before={"ended_at": before}, limit=BATCH)
    if runs := tx.find(BudgetRunRow, query):
        ids = [run.run_id for run in runs]
        tx.delete(tx.find(ChargeRow, Find(one_of={"run_id": ids}, limit=BATCH * BATCH)))
        tx.delete(runs)
    tx.delete(tx.find(BudgetEventRow, Find(before={"time": before}, limit=BATCH)))
    old = unit.now - max(retention_ms, PERIODS_KEPT_MS)
    tx.delete(tx.find(BudgetPeriodRow, Find(before={"ended_at": old}, limit=BATCH)))
