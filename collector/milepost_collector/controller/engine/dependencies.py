"""Tasks that wait for others: a graph without cycles, released in the transaction that ends what they wait for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from milepost.wire.tasks import Dependency
from milepost_collector.controller.engine.queueing import enqueue
from milepost_collector.controller.engine.unit import Unit, settings_of
from milepost_collector.controller.lifecycle import is_finished
from milepost_collector.controller.rows import AttemptRow, DependencyRow, TaskRow
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


def look_again(unit: Unit, rows: list[DependencyRow], on_upstream_failure: str) -> int:
    """Set the state of stored dependencies by how their upstream tasks stand now, and write it; return how many are
    still waited for. A task that is gone counts as failed."""
    unit.load([row.upstream_id for row in rows], finished=True)
    changed = []
    for row in rows:
        upstream = unit.tasks.get(row.upstream_id)
        state = state_after("failed" if upstream is None else upstream.status, on_upstream_failure)
        if state != row.state:
            row.state = state
            changed.append(row)
    if changed:
        unit.tx.update(changed)
    return sum(row.state != "met" for row in rows)


def refuse_cycles(tx: Tx, task_id: str, upstream_ids: Sequence[str]) -> None:
    """Refuse dependencies that would make a task wait for itself.

    Raises:
        ConflictError: names the path, or there are too many tasks to look at.
    """
    came_from: dict[str, str] = dict.fromkeys(upstream_ids, task_id)
    frontier = list(came_from)
    while frontier:
        if len(came_from) > MAX_PATH:
            raise ConflictError(
                f"task {task_id} would wait, directly or not, for more than {MAX_PATH} tasks, too many to look for a "
                "cycle; let it depend on fewer"
            )
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


def release_dependents(unit: Unit, upstream: TaskRow, end: Callable[..., None]) -> None:
    """Decide for every task that waits for one that has just finished, and for those that wait for what is skipped.
    end: ends a task, but does not release what waits for it: chains may be longer than the interpreter's stack."""
    ended = [upstream]
    for task in ended:  # grows meanwhile
        ended += _release_direct(unit, task, end)


def _release_direct(unit: Unit, upstream: TaskRow, end: Callable[..., None]) -> list[TaskRow]:
    """Decide for the tasks that wait for one itself; return those that were skipped."""
    edges = [edge for edge in unit.dependents(upstream) if edge.state != "met"]
    unit.load([edge.task_id for edge in edges])
    changed, skipped = [], []
    for edge in edges:
        task = unit.tasks.get(edge.task_id)
        if task is None or is_finished(task.status):
            continue
        before = edge.state
        edge.state = state_after(upstream.status, settings_of(task).on_upstream_failure)
        if edge.state != before:
            changed.append(edge)
        _decide(unit, task, edge, upstream, end)
        if is_finished(task.status):
            skipped.append(task)
    if changed:
        unit.tx.update(changed)
    return skipped


def _decide(unit: Unit, task: TaskRow, edge: DependencyRow, upstream: TaskRow, end: Callable[..., None]) -> None:
    if edge.state == "met":
        task.open_dependencies -= 1
        unit.change(task)
        release_if_free(unit, task)
        return
    reason = f"task {upstream.id} ({upstream.name}), which it depends on, is {upstream.status}"
    if settings_of(task).on_upstream_failure == "skip":
        end(unit, task, "skipped", "cancelled", reason=reason)
    elif task.status == "blocked":
        task.reason = reason
        unit.change(task)


def skip_if_failed(unit: Unit, task: TaskRow, edges: Sequence[DependencyRow], finish: Callable[..., None]) -> bool:
    """End a task that is skipped because one that it depends on has failed already; tell whether it was."""
    failed = next((edge for edge in edges if edge.state == "failed"), None)
    if failed is None or settings_of(task).on_upstream_failure != "skip":
        return False
    reason = f"task {failed.upstream_id}, which it depends on, did not complete"
    finish(unit, task, "skipped", "cancelled", reason=reason)
    return True


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
    for row in wanted:  # a result that is gone leaves what was taken of it before
        fields[row.output_as] = results.get(row.upstream_id, fields.get(row.output_as))
    payload.input = msgspec.json.encode(fields).decode()
    unit.tx.update([payload])


def results_of(unit: Unit, task_ids: Sequence[str]) -> dict[str, Any]:
    """Return the results of completed tasks, those of attempts that end in this unit included."""
    unit.flush_inserts()
    unit.load(task_ids, finished=True)
    attempts = unit.tx.attempts(task_ids)
    by_hand = given_by_hand(unit, task_ids)
    return {
        task_id: result_of(unit.tasks[task_id], attempts.get(task_id, []), by_hand.get(task_id))
        for task_id in task_ids
        if task_id in unit.tasks and unit.tasks[task_id].status == "completed"
    }


def given_by_hand(unit: Unit, task_ids: Sequence[str]) -> dict[str, str]:
    """Return the results, as JSON, that people gave tasks; only those have a reason for being completed."""
    found = [
        task_id
        for task_id in task_ids
        if (task := unit.tasks.get(task_id)) is not None and task.status == "completed" and task.reason is not None
    ]
    payloads = unit.tx.payloads(found) if found else {}
    return {task_id: payload.result for task_id, payload in payloads.items() if payload.result is not None}


def result_of(task: TaskRow, attempts: Sequence[AttemptRow], by_hand: str | None = None) -> Any:
    """Return a completed task's result: what a person gave it, else its newest completed attempt's, or one per agent
    when there are several.

    attempts: the newest first; those from before the task was last opened count no more. by_hand: JSON.
    """
    if by_hand is not None:
        return _raw(by_hand)
    newest: dict[int, AttemptRow] = {}
    for attempt in attempts:
        if attempt.status == "completed" and attempt.leased_at >= (task.started_at or 0):
            newest.setdefault(attempt.position, attempt)
    if task.agents is None:
        return _raw(newest[0].result) if 0 in newest else None
    return {attempt.agent: _raw(attempt.result) for _, attempt in sorted(newest.items())}


def _raw(text: str | None) -> Any:
    return None if text is None else msgspec.Raw(text.encode())
