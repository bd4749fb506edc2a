"""What runs used, as far as their telemetry tells: absolute totals, so that telling them again changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from milepost_collector.controller.engine.budgets.amounts import NANO, NOTHING, Amounts
from milepost_collector.controller.engine.budgets.ledger import Ledger
from milepost_collector.controller.engine.budgets.lineage import keys_in
from milepost_collector.controller.engine.budgets.reservations import absorb, release, settle
from milepost_collector.controller.engine.unit import Unit
from milepost_collector.controller.rows import AttemptRow, BudgetRow, BudgetRunRow
from milepost_collector.controller.store.interface import Find
from milepost_collector.protocol.totals import RunTotals


def charge(unit: Unit, totals: Sequence[RunTotals], run_ids: Collection[str], as_of: int) -> bool:
    """Count what runs used in their budgets; tell whether a hard limit may have been reached.

    run_ids: all that were asked about; of those that `totals` leaves out nothing is recorded. as_of: when the totals
    were read, or before.
    """
    told = {found.run_id: found for found in totals}
    query = Find(one_of={"run_id": told}, order=("run_id",), limit=len(told))
    runs = unit.tx.find(BudgetRunRow, query, lock=True) if told else []
    changed = [run for run in runs if _recorded(told[run.run_id], run) != Amounts.of(run, "used")]
    is_used_up = _count(unit, {run.run_id: _recorded(told[run.run_id], run) for run in changed}, changed)
    ended = {run.run_id for run in runs if run.ended_at is not None and told[run.run_id].ended}
    ledger = Ledger(unit)
    settle(unit, ledger, run_ids, ended, as_of)
    ledger.flush()
    return is_used_up


def charge_time(unit: Unit, runs: Iterable[BudgetRunRow]) -> bool:
    """Count the time that running attempts have taken so far."""
    used = {run.run_id: Amounts.of(run, "used")._replace(wall_ms=max(unit.now - run.began_at, 0)) for run in runs}
    return _count(unit, used, list(runs))


def close(unit: Unit, ended: Sequence[AttemptRow]) -> None:
    """End the runs of attempts that ended: their time is known, and they spend nothing more."""
    by_run = {attempt.run_id: attempt for attempt in ended}
    query = Find(one_of={"run_id": by_run}, order=("run_id",), limit=len(by_run))
    runs = unit.tx.find(BudgetRunRow, query, lock=True)
    for run in runs:
        attempt = by_run[run.run_id]
        run.ended_at = attempt.ended_at
        release(unit, run.run_id)
    used = {
        run.run_id: Amounts.of(run, "used")._replace(wall_ms=max(run.ended_at - run.began_at, 0))
        for run in runs
        if run.ended_at is not None
    }
    _count(unit, used, runs)


def _count(unit: Unit, used: dict[str, Amounts], runs: Sequence[BudgetRunRow]) -> bool:
    if not runs:
        return False
    ledger = Ledger(unit)
    lineages = {run.run_id: set(keys_in(run)) for run in runs}
    budgets = ledger.lock_keys(sorted({key for keys in lineages.values() for key in keys}))
    more = {}
    for run in runs:
        more[run.run_id] = used[run.run_id].minus(Amounts.of(run, "used"))
        used[run.run_id].put(run, "used")
    pairs: list[tuple[BudgetRunRow, list[BudgetRow]]] = [
        (run, [row for row in budgets if row.key in lineages[run.run_id]]) for run in runs
    ]
    ledger.charge(pairs)
    absorb(unit, ledger, {run_id: amounts for run_id, amounts in more.items() if amounts != NOTHING})
    unit.tx.update(list(runs))
    ledger.flush()
    return any(row.hard_at is not None for row in budgets)


def _recorded(told: RunTotals, run: BudgetRunRow) -> Amounts:
    """Return a run's usage with what is recorded now; its time the controller knows itself."""
    return Amounts(
        usd=max(round(told.usd * NANO), 0),
        tokens=max(told.tokens, 0),
        wall_ms=run.used_wall_ms,
        tool_calls=max(told.tool_calls, 0),
    )
