"""What a used-up budget held back goes on when there is something left again."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from milepost.wire.asks import CancelAskRequest
from milepost_collector.controller.engine import answering
from milepost_collector.controller.engine.budgets.ledger import used_up
from milepost_collector.controller.engine.unit import Unit
from milepost_collector.controller.rows import AskRow, AssignmentRow, BudgetHoldRow, BudgetRow
from milepost_collector.controller.store.interface import Find

BATCH = 500  # holds looked at at a time
MOST_AT_ONCE = 5_000  # let go on in one transaction; the others follow

Cursor = tuple[int, str, int]  # held_at, task_id and position of the hold looked at last


def free(unit: Unit, budget_ids: Collection[str]) -> None:
    """Let go on what these budgets hold back no longer, now that there may be more left of them."""
    ids = sorted(budget_ids)
    query = Find(one_of={"budget_id": ids}, order=("held_at", "task_id", "position"), limit=MOST_AT_ONCE)
    holds = unit.tx.find(BudgetHoldRow, query)
    empty = {row.id for row in _budgets(unit, holds).values() if used_up(row, unit.now)}
    _let_go(unit, [row for row in holds if row.budget_id not in empty])


def sweep(unit: Unit, after: Cursor | None) -> Cursor | None:
    """Look at some holds, for what nobody told of: a budget that is gone with its task. Return where to go on; None: at
    the beginning. What has been put before a person stays there: it may need more than is left."""
    query = Find(order=("held_at", "task_id", "position"), after=after, limit=BATCH)
    holds = unit.tx.find(BudgetHoldRow, query)
    budgets = _budgets(unit, holds)
    _let_go(unit, [row for row in holds if _is_over(unit, row, budgets.get(row.budget_id))])
    return (holds[-1].held_at, holds[-1].task_id, holds[-1].position) if len(holds) == BATCH else None


def _budgets(unit: Unit, holds: Sequence[BudgetHoldRow]) -> dict[str, BudgetRow]:
    ids = sorted({row.budget_id for row in holds})
    rows = unit.tx.find(BudgetRow, Find(one_of={"id": ids}, limit=len(ids))) if ids else []
    return {row.id: row for row in rows}


def _is_over(unit: Unit, hold: BudgetHoldRow, budget: BudgetRow | None) -> bool:
    if budget is None:
        return True
    return not used_up(budget, unit.now) and (hold.ask_id is None or budget.eased_at > hold.held_at)


def _let_go(unit: Unit, holds: Collection[BudgetHoldRow]) -> None:
    """Put held assignments back where they were in the queue, unless something else keeps them from it."""
    if not holds:
        return
    unit.load({row.task_id for row in holds})
    for hold in holds:
        _withdraw(unit, hold)
        row = _assignment(unit, hold)
        if row is None or row.state != "waiting":
            continue
        if unit.tasks[row.task_id].status in ("pending", "assigned", "in_progress"):
            row.state = "ready"
            unit.change_assignment(row)
            unit.effects.ready.add((row.agent, row.team))
    unit.tx.delete(list(holds))
    unit.effects.changed = True


def _withdraw(unit: Unit, hold: BudgetHoldRow) -> None:
    """Take an ask back that needs no answer any more."""
    found = [] if hold.ask_id is None else unit.tx.find(AskRow, Find(equal={"id": hold.ask_id, "status": "open"}))
    for ask in found:
        answering.cancel(unit, ask.id, CancelAskRequest(reason="the budget has something left again"))


def _assignment(unit: Unit, hold: BudgetHoldRow) -> AssignmentRow | None:
    for row in unit.assignments.get(hold.task_id, ()):
        if row.position == hold.position:
            return row
    return None
