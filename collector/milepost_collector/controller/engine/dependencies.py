"""Tasks that wait for others: a graph without cycles, released in the transaction that ends what they wait for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from milepost.wire.tasks import Dependency
from milepost_collector.controller.engine.queueing import enqueue
from milepost_collector.controller.engine.unit import Unit, settings_of
from milepost_collector.controller.lifecycle import is_finished
from milepost_collector.controller.rows import DependencyRow, TaskRow
from milepost_collector.controller.store.interface import Tx
from milepost_collector.errors import ConflictError, InvalidParameterError

MAX_PATH = 10_000  # tasks looked at when a cycle is searched for


def wanted_rows(task_id: str, dependencies: Sequence[str | Dependency]) -> list[DependencyRow]:
    """Return the rows of what a task depends on; naming one twice is the same as once."""
    rows: dict[str, DependencyRow] = {}
    for item in dependencies:
        dependency = Dependency(task_id=item) if isinstance(item, str) else item
        rows[dependency.task_id] = DependencyRow(
            task_id=task_id, upstream_id=dependency.task_id, output_as=dependency.output_as
        )
    return list(rows.values())


def resolve(unit: Unit, rows: list[DependencyRow], on_upstream_failure: str) -> int:
    """Set the state of dependencies by how their upstream tasks stand; return how many are still waited for.

    Raises:
        InvalidParameterError: an upstream task does not exist.
    """
    unit.load([row.upstream_id for row in rows], finished=True)
    for row in rows:
        upstream = unit.tasks.get(row.upstream_id)
        if upstream is None:
            raise InvalidParameterError("dependencies", row.upstream_id, "there is no such task; create it first")
        row.state = state_after(upstream.status, on_upstream_failure)
    return sum(row.state != "met" for row in rows)


def state_after(upstream_status: str, on_upstream_failure: str) -> str:
    """Return the state of a dependency on a task of this status."""
    if not is_finished(upstream_status):
        return "open"
    return "met" if upstream_status == "completed" or on_upstream_failure == "run" else "failed"


def refuse_cycles(tx: Tx, task_id: str, upstream_ids: Sequence[str]) -> None:
    """Refuse dependencies that would make a task wait for itself.

    Raises:
        ConflictError: names the path.
    """
    came_from: dict[str, str] = dict.fromkeys(upstream_ids, task_id)
    frontier = list(came_from)
    while frontier and len(came_from) < MAX_PATH:
        if task_id in frontier:
            raise ConflictError(f"these dependencies make a cycle: {' → '.join(_path(came_from, task_id))}")
        found = tx.dependencies(frontier)
        frontier = []
        for source, rows in found.items():
            for row in rows:
                if row.upstream_id not in came_from:
                    came_from[row.upstream_id] = source
                    frontier.append(row.upstream_id)


def _path(came_from: dict[str, str], task_id: str) -> list[str]:
    """Return the cycle from the task to itself, each waiting for the next."""
    path = [task_id]
    step = came_from[task_id]
    while step != task_id:
        path.append(step)
        step = came_from[step]
    return [task_id, *reversed(path[1:]), task_id]


def release_dependents(unit: Unit, upstream: TaskRow, finish: Callable[..., None]) -> None:
    """Decide for every task that waits for one that has just finished. finish: how a task is ended that is skipped."""
    edges = unit.tx.dependents((upstream.id,)).get(upstream.id, [])
    edges = [edge for edge in edges if edge.state != "met"]
    unit.load([edge.task_id for edge in edges])
    changed = []
    for edge in edges:
        task = unit.tasks.get(edge.task_id)
        if task is None or is_finished(task.status):
            continue
        before = edge.state
        edge.state = state_after(upstream.status, settings_of(task).on_upstream_failure)
        if edge.state != before:
            changed.append(edge)
        _decide(unit, task, edge, upstream, finish)
    if changed:
        unit.tx.update(changed)


def _decide(unit: Unit, task: TaskRow, edge: DependencyRow, upstream: TaskRow, finish: Callable[..., None]) -> None:
    if edge.state == "met":
        task.open_dependencies -= 1
        unit.change(task)
        release_if_free(unit, task)
        return
    reason = f"task {upstream.id} ({upstream.name}), which it depends on, is {upstream.status}"
    if settings_of(task).on_upstream_failure == "skip" and task.status in ("blocked", "paused"):
        finish(unit, task, "skipped", "cancelled", reason=reason)
    else:
        task.reason = reason
        unit.change(task)


def release_if_free(unit: Unit, task: TaskRow) -> None:
    """Put a blocked task into the queue when it waits for no other any more."""
    if task.status != "blocked" or task.open_dependencies > 0:
        return
    unit.move(task, "released", "pending")
    task.reason = None
    take_outputs(unit, task)
    for assignment in unit.of(task):
        enqueue(unit, assignment, task.run_at)


def take_outputs(unit: Unit, task: TaskRow) -> None:
    """Put the results of upstream tasks into a task's input, where its dependencies say so."""
    wanted = [row for row in unit.tx.dependencies((task.id,)).get(task.id, []) if row.output_as]
    if not wanted:
        return
    results = results_of(unit, [row.upstream_id for row in wanted])
    payload = unit.tx.payloads((task.id,))[task.id]
    fields: Any = msgspec.json.decode(payload.input) if payload.input else {}
    if not isinstance(fields, dict):
        fields = {"input": fields}
    fields |= {row.output_as: results.get(row.upstream_id) for row in wanted}
    payload.input = msgspec.json.encode(fields).decode()
    unit.tx.update([payload])


def results_of(unit: Unit, task_ids: Sequence[str]) -> dict[str, Any]:
    """Return the results of completed tasks, those of attempts that end in this unit included."""
    unit.flush_inserts()
    found = {}
    for task_id, attempts in unit.tx.attempts(task_ids).items():
        texts = {row.position: row for row in reversed(attempts) if row.status == "completed"}
        values = {position: _raw(row.result) for position, row in sorted(texts.items())}
        if values:
            several = unit.tasks[task_id].agents is not None if task_id in unit.tasks else len(values) > 1
            found[task_id] = (
                {texts[position].agent: value for position, value in values.items()}
                if several
                else next(iter(values.values()))
            )
    return found


def _raw(text: str | None) -> Any:
    return None if text is None else msgspec.Raw(text.encode())
