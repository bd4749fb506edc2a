"""Tasks as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from milepost.wire.tasks import (
    PRIORITIES,
    AgentResult,
    CountList,
    DependencyState,
    Estimate,
    Fallback,
    GroupCount,
    Task,
    TaskFilter,
    TaskList,
    TaskSettings,
)
from milepost_collector.controller.engine.choosing import needs_of
from milepost_collector.controller.engine.contract import expectations, newest, states
from milepost_collector.controller.engine.deliverables import Owner, of_owner
from milepost_collector.controller.engine.dependencies import result_of
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.engine.limits import Limits
from milepost_collector.controller.engine.queueing import is_yielding
from milepost_collector.controller.engine.timekeeping import HISTORY
from milepost_collector.controller.engine.unit import names_in
from milepost_collector.controller.estimates import (
    Ended,
    Expected,
    Like,
    expected_of_queued,
    expected_of_running,
    like,
    quantile,
)
from milepost_collector.controller.lifecycle import is_finished
from milepost_collector.controller.rows import AskRow, AssignmentRow, AttemptRow, DependencyRow, PayloadRow, TaskRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.controller.views.budgets import holding, of_task, used_up_for
from milepost_collector.controller.views.deliverables import shown
from milepost_collector.controller.why import Surroundings, out_of_budget, why_not_running
from milepost_collector.errors import InvalidParameterError, NotFoundError

GROUPS = ("status", "type", "priority", "name", "agent", "team", "app", "tag")
_NEVER = 2**62
_BEFORE_THE_CLAIM = ("soon", "busy", "no_worker")  # whether a budget allows it has not been looked at then
SORTS = ("created_at", "updated_at", "priority", "name", "status", "deadline", "finished_at")


def task(tx: Tx, task_id: str) -> Task:
    """Return a task whole, with its input, context and result.

    Raises:
        NotFoundError: there is none.
    """
    row = find(tx, task_id)
    found = _Assembly(tx, [row]).assemble()[0]
    payload = tx.payloads((task_id,)).get(task_id) or PayloadRow(task_id=task_id)
    found.input, found.context = raw(payload.input), raw(payload.context)
    attempts = tx.attempts((task_id,)).get(task_id, [])
    found.agents = _agent_results(row, tx.assignments((task_id,), lock=False).get(task_id, []), attempts)
    if row.status == "completed":
        found.result = result_of(row, attempts, payload.result)
    found.dependents = _dependents(tx, task_id)
    rows = of_owner(tx, Owner(task_id=task_id))
    found.deliverables = [shown(one) for one in newest(rows)]
    found.expected_deliverables = states(expectations(row.deliverables), rows)
    found.budgets = of_task(tx, row)
    why = found.why_not_running
    if row.status == "pending" and why is not None and why.code in _BEFORE_THE_CLAIM:
        spent = used_up_for(tx, row)
        found.why_not_running = why if spent is None else out_of_budget(spent, tx.now)
    return found


def new_tasks(tx: Tx, task_ids: Sequence[str]) -> dict[str, Task]:
    """Return unfinished tasks by id, without their payloads and what depends on them: new ones have no dependents."""
    rows = tx.tasks(task_ids, lock=False) if task_ids else {}
    found = {task.id: task for task in _Assembly(tx, list(rows.values())).assemble()}
    for row in rows.values():
        found[row.id].expected_deliverables = states(expectations(row.deliverables), ())
    return found


def tasks(tx: Tx, wanted: TaskFilter, *, sort: str, cursor: str | None, limit: int) -> TaskList:
    """Return a page of tasks, without their payloads.

    Raises:
        InvalidParameterError: the sort key or the cursor is not valid.
    """
    if sort.removeprefix("-") not in SORTS:
        raise InvalidParameterError("sort", sort, f"use one of {', '.join(SORTS)}, with a leading - to turn it round")
    page = tx.page(wanted, sort=sort, cursor=cursor, limit=limit)
    return TaskList(tasks=_Assembly(tx, page.tasks).assemble(), next_cursor=page.cursor)


def counts(tx: Tx, wanted: TaskFilter, *, group_by: str) -> CountList:
    """Return how many tasks share each value of a field, the largest group first.

    Raises:
        InvalidParameterError: tasks cannot be grouped so.
    """
    if group_by not in GROUPS:
        raise InvalidParameterError("group_by", group_by, f"use one of {', '.join(GROUPS)}")
    found = tx.counts(wanted, group_by=group_by)
    groups = [GroupCount(value=value, count=count) for value, count in found]
    groups.sort(key=lambda group: (-group.count, group.value or ""))
    return CountList(group_by=group_by, groups=groups, total=sum(group.count for group in groups))


def find(tx: Tx, task_id: str) -> TaskRow:
    """Return a task's row, live or finished.

    Raises:
        NotFoundError: there is none.
    """
    found = tx.tasks((task_id,), lock=False) or tx.finished((task_id,), lock=False)
    if task_id not in found:
        raise NotFoundError("task", task_id)
    return found[task_id]


def raw(text: str | None) -> Any:
    """Return stored JSON as it goes into an answer, without decoding it."""
    return None if text is None else msgspec.Raw(text.encode())


class _Assembly:
    """Puts the tasks of one answer together; what they share is looked up once."""

    def __init__(self, tx: Tx, rows: Sequence[TaskRow]) -> None:
        self._tx = tx
        self._rows = rows
        open_ids = [row.id for row in rows if not is_finished(row.status)]
        self._assignments = tx.assignments(open_ids, lock=False) if open_ids else {}
        self._dependencies = tx.dependencies([row.id for row in rows]) if rows else {}
        self._upstream = _states(tx, [edge.upstream_id for edges in self._dependencies.values() for edge in edges])
        self._around = surroundings(tx) if open_ids else None
        self._asked = _asked(tx, [row.id for row in rows if row.status == "review"])
        self._ended: dict[str, list[Ended]] = {}
        self._holding = holding(tx, [row.id for row in rows if row.status == "pending" and self._is_held(row)])
        self._typical: dict[str, int | None] = {}

    def assemble(self) -> list[Task]:
        """Return the tasks in the order of their rows."""
        return [self._task(row) for row in self._rows]

    def _task(self, row: TaskRow) -> Task:
        assignments = self._assignments.get(row.id, [])
        edges = [self._edge(edge) for edge in self._dependencies.get(row.id, [])]
        estimate = self._estimate(row, assignments)
        return Task(
            id=row.id,
            name=row.name,
            description=row.description,
            type=row.type,  # type: ignore[arg-type]
            status=row.status,  # type: ignore[arg-type]
            priority=PRIORITIES[row.priority],  # type: ignore[arg-type]
            agents=_agent_results(row, assignments, ()),
            settings=msgspec.json.decode(row.settings, type=TaskSettings),
            created_at=to_datetime(row.created_at),
            updated_at=to_datetime(row.updated_at),
            agent=row.agent,
            team=row.team,
            error_type=row.error_type,
            error_message=row.error_message,
            reason=row.reason,
            deadline=to_datetime(row.deadline_at),
            deadline_at_risk=row.at_risk_at is not None,
            run_at=to_datetime(row.run_at),
            dependencies=edges,
            tags=names_in(row.tags),
            app=row.app,
            key=row.key,
            created_by=row.created_by,
            idempotency_key=row.idempotency_key,
            schedule_id=row.schedule_id,
            scheduled_for=to_datetime(row.scheduled_for),
            origin_run_id=row.origin_run_id,
            origin_span_id=row.origin_span_id,
            progress=row.progress,
            phase=row.phase,
            attempt=row.attempt,
            failures=row.failures,
            losses=row.losses,
            last_run_id=row.last_run_id,
            next_run_at=_next_run(assignments),
            estimated_completion=estimate.completion if estimate else None,
            estimate=estimate,
            stalled_since=to_datetime(min((one.stalled_at for one in assignments if one.stalled_at), default=None)),
            why_not_running=self._why(row, assignments, edges),
            pause_requested=row.stop == "pause",
            yield_requested=row.stop is None and any(is_yielding(one) for one in assignments),
            cancel_requested=row.stop == "cancel",
            started_at=to_datetime(row.started_at),
            finished_at=to_datetime(row.finished_at),
            batch=row.batch,
            needs=needs_of(row),
            fallback=None if row.fallback is None else msgspec.json.decode(row.fallback, type=Fallback),
        )

    def _edge(self, edge: DependencyRow) -> DependencyState:
        upstream = self._upstream.get(edge.upstream_id)
        return DependencyState(
            task_id=edge.upstream_id,
            name=upstream.name if upstream else "",
            status=upstream.status if upstream else "deleted",
            output_as=edge.output_as,
        )

    def _why(self, row: TaskRow, assignments: Sequence[AssignmentRow], edges: Sequence[DependencyState]) -> Any:
        if self._around is None:
            return None
        asked, holding_it = self._asked.get(row.id), self._holding.get(row.id)
        return why_not_running(row, assignments, edges, self._around, asked, holding_it)

    def _is_held(self, row: TaskRow) -> bool:
        return any(assignment.state == "waiting" for assignment in self._assignments.get(row.id, ()))

    def _estimate(self, row: TaskRow, assignments: Sequence[AssignmentRow]) -> Estimate | None:
        """Return when a task will probably be finished, judged by its like; None: too few are known."""
        if is_finished(row.status) or row.status in ("blocked", "paused", "review"):
            return None
        if row.name not in self._ended:
            self._ended[row.name] = self._tx.ended(row.name, HISTORY)
        leased = [assignment.held_by for assignment in assignments if assignment.state == "leased"]
        known = like(self._ended[row.name], next(iter(leased), row.agent))
        if known is None:
            return None
        now = self._tx.now
        if row.status == "in_progress" and row.started_at is not None:
            expected = expected_of_running(known, row.started_at, now)
        else:
            expected = expected_of_queued(known, max((one.ready_at for one in assignments), default=now), now)
        return _estimate(known, expected)


def _estimate(known: Like, expected: Expected | None) -> Estimate:
    return Estimate(
        of=known.of,
        samples=len(known.runs_ms),
        median_ms=quantile(known.runs_ms, 0.5),
        p90_ms=quantile(known.runs_ms, 0.9),
        completion=to_datetime(expected.median_at) if expected else None,
        completion_p90=to_datetime(expected.p90_at) if expected else None,
    )


def _asked(tx: Tx, task_ids: Sequence[str]) -> dict[str, AskRow]:
    """Return by task what it waits to be answered: of several the one that expires first."""
    if not task_ids:
        return {}
    query = Find(equal={"status": "open"}, one_of={"task_id": task_ids}, order=("created_at", "id"), limit=100_000)
    found: dict[str, AskRow] = {}
    for row in sorted(tx.find(AskRow, query), key=lambda row: row.expires_at or _NEVER):
        found.setdefault(row.task_id or "", row)
    return found


def surroundings(tx: Tx) -> Surroundings:
    """Return what decides, beside a task itself, whether it runs."""
    busy: dict[str, int] = {}
    alive = [worker for worker in tx.workers() if worker.polled_until >= tx.now]
    for worker in alive:
        busy[worker.id] = len(tx.held_by(worker.id))
    known = {row.name: row for row in tx.agents()}
    return Surroundings(now=tx.now, workers=alive, busy=busy, agents=known, limits=Limits(tx, lock=False))


def _states(tx: Tx, ids: Sequence[str]) -> dict[str, TaskRow]:
    if not ids:
        return {}
    live = tx.tasks(ids, lock=False)
    return live | tx.finished([task_id for task_id in ids if task_id not in live], lock=False)


def _dependents(tx: Tx, task_id: str) -> list[DependencyState]:
    edges = tx.dependents((task_id,)).get(task_id, [])
    found = _states(tx, [edge.task_id for edge in edges])
    return [
        DependencyState(task_id=row.id, name=row.name, status=row.status, output_as=edge.output_as)
        for edge in edges
        if (row := found.get(edge.task_id)) is not None
    ]


def _next_run(assignments: Sequence[AssignmentRow]) -> Any:
    delayed = [row.ready_at for row in assignments if row.state == "delayed"]
    return to_datetime(min(delayed)) if delayed else None


def _agent_results(
    row: TaskRow, assignments: Sequence[AssignmentRow], attempts: Sequence[AttemptRow]
) -> list[AgentResult]:
    """Return how far each executor is; of a finished task as its newest attempts tell."""
    newest: dict[int, AttemptRow] = {}
    for attempt in attempts:
        newest.setdefault(attempt.position, attempt)
    if assignments:
        return [_working(assignment, newest.get(assignment.position)) for assignment in assignments]
    targets: list[str | None] = [*names_in(row.agents)] or [row.agent]
    return [_ended(row, agent, newest.get(position)) for position, agent in enumerate(targets)]


def _working(assignment: AssignmentRow, last: AttemptRow | None) -> AgentResult:
    found = AgentResult(
        status="running" if assignment.state == "leased" else assignment.state,
        agent=assignment.held_by or assignment.agent,
        team=assignment.team,
        attempt=assignment.attempt,
        failures=assignment.failures,
        losses=assignment.losses,
        worker_id=assignment.worker_id,
    )
    if last is not None:
        found.result = raw(last.result)
        found.error_type, found.error_message = last.error_type, last.error_message
    return found


def _ended(row: TaskRow, agent: str | None, last: AttemptRow | None) -> AgentResult:
    if last is None:
        return AgentResult(status=row.status, agent=agent or row.last_agent, team=row.team)
    return AgentResult(
        status=last.status,
        agent=last.agent or agent,
        team=row.team,
        attempt=last.attempt,
        worker_id=last.worker_id,
        result=raw(last.result),
        error_type=last.error_type,
        error_message=last.error_message,
    )
