"""What a worker may lease as budgets allow: what they do not is taken out of the queue until they do again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from milepost_collector.controller.engine.budgets.ledger import find_budgets, used_up
from milepost_collector.controller.engine.budgets.lineage import behind, lineage_text, origins, own_keys, worker_keys
from milepost_collector.controller.engine.queueing import hold
from milepost_collector.controller.engine.unit import Unit, names_in
from milepost_collector.controller.rows import (
    AssignmentRow,
    BudgetHoldRow,
    BudgetRow,
    BudgetRunRow,
    BudgetTurnRow,
    WorkerRow,
)
from milepost_collector.controller.store.interface import Candidate, Find

Key = tuple[str, int]


class _Pass(NamedTuple):
    """What an admitted assignment draws on. turn: it is the task's one turn to hand back what there is."""

    keys: list[str]
    budgets: list[BudgetRow]
    turn: BudgetTurnRow | None


class Gate:
    """The budgets before one worker's claim."""

    def __init__(self, unit: Unit, worker: WorkerRow) -> None:
        self._unit = unit
        self._worker = worker
        self._teams = names_in(worker.teams)
        self._workers_own = worker_keys(worker)
        self._passes: dict[Key, _Pass] = {}
        self._runs: list[BudgetRunRow] = []
        self.refused: set[Key] = set()

    def admit(self, found: Sequence[Candidate]) -> list[Candidate]:
        """Return what may be leased; the rest is held, but for what another agent may still do."""
        inherited = origins(self._unit.tx, (candidate.task for candidate in found))
        keys = {
            candidate.task.id: [
                *own_keys(candidate.task, self._worker.agent, self._teams),
                *behind(candidate.task, inherited),
            ]
            for candidate in found
        }
        budgets = find_budgets(self._unit.tx, {key for some in keys.values() for key in some})
        turns = self._turns(found) if any(used_up(row, self._unit.now) for row in budgets) else {}
        return [
            candidate
            for candidate in found
            if self._admit_one(candidate, keys[candidate.task.id], budgets, turns.get(candidate.task.id))
        ]

    def _admit_one(
        self, candidate: Candidate, keys: list[str], budgets: Sequence[BudgetRow], turn: BudgetTurnRow | None
    ) -> bool:
        row = candidate.assignment
        place = row.task_id, row.position
        own = [budget for budget in budgets if budget.key in set(keys)]
        empty = [budget for budget in own if used_up(budget, self._unit.now)]
        if not empty or turn is not None:
            self._passes[place] = _Pass(keys, own, turn)
            return True
        self.refused.add(place)
        lasting = [budget for budget in empty if row.agent is not None or budget.key not in self._workers_own]
        if lasting:
            self._hold(candidate, lasting[0])
        return False

    def _hold(self, candidate: Candidate, budget: BudgetRow) -> None:
        unit = self._unit
        unit.take([candidate])
        for row in unit.of(unit.tasks[candidate.task.id]):
            if row.position == candidate.assignment.position:
                hold(unit, row)
                held = BudgetHoldRow(task_id=row.task_id, position=row.position, budget_id=budget.id, held_at=unit.now)
                unit.tx.upsert([held])
        unit.effects.changed = True

    def _turns(self, found: Sequence[Candidate]) -> dict[str, BudgetTurnRow]:
        ids = {candidate.task.id for candidate in found}
        rows = self._unit.tx.find(BudgetTurnRow, Find(one_of={"task_id": ids}, limit=len(ids)))
        return {row.task_id: row for row in rows if row.run_id is None}

    def begin(self, row: AssignmentRow) -> None:
        """Note that an admitted assignment has been leased: from now on its run draws on its budgets."""
        admitted = self._passes[row.task_id, row.position]
        row.budget_count = len(admitted.budgets)
        if not admitted.budgets:
            return
        assert row.run_id is not None
        run = BudgetRunRow(
            run_id=row.run_id,
            lineage=lineage_text(admitted.keys, {budget.key for budget in admitted.budgets}),
            began_at=self._unit.now,
            task_id=row.task_id,
            position=row.position,
            attempt=row.attempt,
            agent=row.held_by,
            finishing=int(admitted.turn is not None),
        )
        self._runs.append(run)
        self._unit.effects.metered.add(row.run_id)
        if admitted.turn is not None:
            admitted.turn.run_id = row.run_id
            self._unit.tx.update([admitted.turn])

    def write(self) -> None:
        """Write down the runs that have begun; they are read when the leases are handed over."""
        if self._runs:
            self._unit.tx.insert(self._runs)
