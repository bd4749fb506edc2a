"""On which budgets a run draws: those of its task, name, agent, team and project, and those of the runs above it.

A *lineage* is a list of keys of budgets, there be such or not, the nearest first. A task that was asked for within a
run has that run's lineage behind its own. It is kept with each run that draws on any budget, so it reaches through any
number of generations.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from milepost_collector.controller.engine.unit import names_in
from milepost_collector.controller.rows import BudgetRunRow, TaskRow, WorkerRow
from milepost_collector.controller.store.interface import Find, Tx

PROJECT = "project:*"
_MOST_FOREBEARS = 64  # tasks without a budget of their own that a lineage names: one may be set while they run


def key_of(scope: str, value: str) -> str:
    """Return the key of budgets of a scope and value."""
    return PROJECT if scope == "project" else f"{scope}:{value}"


def own_keys(task: TaskRow, agent: str | None, teams: Sequence[str] = ()) -> list[str]:
    """Return the keys of an attempt itself. agent: who does it. teams: the agent's; they count for what no team was
    asked for."""
    keys = [key_of("task", task.id), key_of("name", task.name)]
    if agent is not None:
        keys.append(key_of("agent", agent))
    keys += [key_of("team", team) for team in ([task.team] if task.team else teams)]
    return [*keys, PROJECT]


def worker_keys(worker: WorkerRow) -> set[str]:
    """Return the keys that are a worker's and not a task's: budgets that only keep this worker from a task."""
    return {key_of("agent", worker.agent), *(key_of("team", team) for team in names_in(worker.teams))}


def keys_in(row: BudgetRunRow) -> list[str]:
    """Return a run's lineage."""
    return msgspec.json.decode(row.lineage, type=list[str])


def lineage_text(keys: Iterable[str], with_budgets: Collection[str]) -> str:
    """Return a lineage to be kept. with_budgets: the keys among them that have budgets."""
    kept, tasks = [], 0
    for key in dict.fromkeys(keys):
        if key.startswith("task:") and key not in with_budgets:
            tasks += 1
            if tasks > _MOST_FOREBEARS:
                continue
        kept.append(key)
    return msgspec.json.encode(kept).decode()


def origins(tx: Tx, tasks: Iterable[TaskRow]) -> dict[str, list[str]]:
    """Return the lineages of the runs that tasks were asked for in, by run id."""
    run_ids = {task.origin_run_id for task in tasks if task.origin_run_id is not None}
    if not run_ids:
        return {}
    found = tx.find(BudgetRunRow, Find(one_of={"run_id": run_ids}, limit=len(run_ids)))
    return {row.run_id: keys_in(row) for row in found}


def behind(task: TaskRow, found: dict[str, list[str]]) -> list[str]:
    """Return what a task inherits."""
    return found.get(task.origin_run_id, []) if task.origin_run_id is not None else []
