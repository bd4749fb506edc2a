"""A task whose budget is used up is put before a person: raise the budget, let the task finish, or cancel it.

An ask of kind `budget` names the budget and how it stands. Its action is what the budget is raised by if that is
approved, and may be edited. Let finish, the task gets one more attempt, which knows that it is to hand back what it has
and may use the part of the budget's limits that `finish` says; whatever it does not complete fails the task.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from milepost.wire.asks import AskDefinition, AskOption
from milepost.wire.budgets import BudgetLimits, BudgetRaise
from milepost.wire.tasks import CancelRequest
from milepost.wire.worker import AttemptPaused
from milepost_collector.controller.engine import answering, commands
from milepost_collector.controller.engine.asks import Asker, find_ask
from milepost_collector.controller.engine.budgets import keeping
from milepost_collector.controller.engine.budgets.amounts import MEASURES, limits_of, part_of, spoken, to_wire
from milepost_collector.controller.engine.budgets.ledger import described, find_budgets, used_up
from milepost_collector.controller.engine.budgets.lineage import keys_in
from milepost_collector.controller.engine.budgets.stopping import why
from milepost_collector.controller.engine.outcomes import give_up
from milepost_collector.controller.engine.queueing import enqueue
from milepost_collector.controller.engine.unit import Unit
from milepost_collector.controller.rows import (
    AskRow,
    AssignmentRow,
    AttemptRow,
    BudgetHoldRow,
    BudgetRow,
    BudgetRunRow,
    BudgetTurnRow,
    TaskRow,
)
from milepost_collector.controller.store.interface import Find

RAISE, FINISH, CANCEL = "raise", "finish", "cancel"
RAISED_BY = 0.5  # of the limits, unless the person says otherwise
FAILED = "BudgetExceeded"
WAIT_MS = 5_000  # before what others have reserved is asked for again
_AMOUNTS = {
    "usd": {"type": "number", "minimum": 0, "maximum": 1e9},
    "tokens": {"type": "integer", "minimum": 0, "maximum": 10**12},
    "wall_ms": {"type": "integer", "minimum": 0, "maximum": 31_536_000_000_000},
    "tool_calls": {"type": "integer", "minimum": 0, "maximum": 10**9},
}


def after_ends(unit: Unit, asker: Asker, ended: Sequence[AttemptRow]) -> None:
    """Put tasks before a person whose attempt has just ended under a used-up budget and which would go on."""
    ids = [attempt.run_id for attempt in ended]
    runs = {run.run_id: run for run in unit.tx.find(BudgetRunRow, Find(one_of={"run_id": ids}, limit=len(ids)))}
    for attempt in ended:
        task, run = unit.tasks.get(attempt.task_id), runs.get(attempt.run_id)
        row = None if task is None else _goes_on(unit, task, attempt)
        if task is None or row is None or run is None:
            continue
        if run.finishing:
            unit.tx.delete(unit.tx.find(BudgetTurnRow, Find(equal={"task_id": task.id}, limit=1)))
            give_up(unit, task, row, FAILED, "it was to finish, and has not: its budget is used up")
        elif task.stop is None and (budget := _used_up_budget(unit, run)) is not None:
            _park(unit, asker, task, row, budget)


def park_refused(unit: Unit, asker: Asker, row: AssignmentRow, report: AttemptPaused) -> None:
    """Put a task before a person that cannot go on without what a budget has refused; have it wait a little if others
    may use less than they reserved."""
    task = unit.tasks[row.task_id]
    if task.stop is not None or row.state not in ("ready", "delayed"):
        return
    if report.waits:
        enqueue(unit, row, unit.now + WAIT_MS)
    elif found := unit.tx.find(BudgetRow, Find(equal={"id": report.budget_id}, limit=1)):
        _park(unit, asker, task, row, found[0], report.reason)


def _goes_on(unit: Unit, task: TaskRow, attempt: AttemptRow) -> AssignmentRow | None:
    """Return the assignment of an attempt that has ended, if it waits to be leased again."""
    if task.finished_at is not None:
        return None
    for row in unit.of(task):
        if row.position == attempt.position and row.state in ("ready", "delayed"):
            return row
    return None


def _used_up_budget(unit: Unit, run: BudgetRunRow) -> BudgetRow | None:
    keys = keys_in(run)
    empty = {row.key: row for row in find_budgets(unit.tx, keys) if used_up(row, unit.now)}
    return next((empty[key] for key in keys if key in empty), None)


def _park(
    unit: Unit, asker: Asker, task: TaskRow, row: AssignmentRow, budget: BudgetRow, reason: str | None = None
) -> None:
    ask = answering.park(unit, asker, task, row, _definition(unit, row, budget, reason), "budget")
    held = BudgetHoldRow(
        task_id=row.task_id, position=row.position, budget_id=budget.id, held_at=unit.now, ask_id=ask.id
    )
    unit.tx.upsert([held])


def _definition(unit: Unit, row: AssignmentRow, budget: BudgetRow, reason: str | None) -> AskDefinition:
    limits = limits_of(budget)
    whose = "its budget" if budget.task_id == row.task_id else f"the budget of {described(budget)}"
    turn = [
        spoken(name, limit)
        for name, limit in zip(MEASURES, part_of(limits, budget.finish), strict=True)
        if limit is not None
    ]
    return AskDefinition(
        key=f"budget {row.attempt}",
        title=f"{row.name}: {whose} is used up"[:500],
        details=f"{reason or why(unit, budget)}.\n\n"
        f"**Raise** it, and the task goes on. Let it **finish**: one more attempt hands back what there is, with at "
        f"most {', '.join(turn)}. Or **cancel** the task.",
        action={
            "budget_id": budget.id,
            **msgspec.to_builtins(to_wire(part_of(limits, RAISED_BY))),
        },
        schema={
            "type": "object",
            "properties": {"budget_id": {"const": budget.id}, **_AMOUNTS},
            "additionalProperties": False,
        },
        options=[
            AskOption(name=RAISE, label="Raise the budget"),
            AskOption(name=FINISH, label="Let it finish"),
            AskOption(name=CANCEL, label="Cancel the task", approves=False),
        ],
    )


def carry_out(unit: Unit, ask_id: str) -> None:
    """Do what a person has decided about a used-up budget."""
    unit.flush_inserts()
    ask = find_ask(unit.tx, ask_id)
    if ask.kind != "budget" or ask.status == "open" or ask.task_id is None:
        return
    holds = unit.tx.find(BudgetHoldRow, Find(equal={"task_id": ask.task_id, "ask_id": ask.id}, limit=1))
    budget_id = holds[0].budget_id if holds else ""
    unit.tx.delete(holds)
    budgets = unit.tx.find(BudgetRow, Find(equal={"id": budget_id}, limit=1))
    if ask.status == "rejected":
        commands.cancel(
            unit, ask.task_id, CancelRequest(reason=ask.reason or "its budget is used up", by=ask.decided_by)
        )
    elif ask.status == "approved" and budgets and ask.option == FINISH:
        _let_finish(unit, ask, budgets[0])
    elif ask.status == "approved" and budgets:
        _raise(unit, ask, budgets[0])


def _raise(unit: Unit, ask: AskRow, budget: BudgetRow) -> None:
    action = msgspec.json.decode(ask.edited_action or ask.action or "{}")
    action.pop("budget_id", None)
    amounts = msgspec.convert(action, BudgetLimits)
    limited = {
        name: getattr(amounts, name)
        for name, limit in zip(MEASURES, limits_of(budget), strict=True)
        if limit is not None and getattr(amounts, name)
    }
    if limited:
        keeping.raise_by(unit, budget.id, BudgetRaise(**limited, by=ask.decided_by, reason=ask.reason))


def _let_finish(unit: Unit, ask: AskRow, budget: BudgetRow) -> None:
    assert ask.task_id is not None
    turn = BudgetTurnRow(task_id=ask.task_id, budget_id=budget.id, granted_at=unit.now)
    for name, limit in zip(MEASURES, part_of(limits_of(budget), budget.finish), strict=True):
        setattr(turn, f"limit_{name}", limit)
    unit.tx.upsert([turn])
