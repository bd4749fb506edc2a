"""Who takes a task over that its agents do not get done: another agent at the next try, then its fallback.

A fallback is used once until the task is opened anew. When it is a person, the task waits in review for what that
person says: to try again, with all retries, or to give up; completing it by hand answers too.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from milepost.wire.asks import AskDefinition, AskOption
from milepost.wire.tasks import Fallback
from milepost_collector.controller.engine.asks import Asker, source_of
from milepost_collector.controller.engine.choosing import is_alive
from milepost_collector.controller.engine.queueing import enqueue, hold
from milepost_collector.controller.engine.teams import find
from milepost_collector.controller.engine.unit import Unit, names_in
from milepost_collector.controller.retry import Verdict
from milepost_collector.controller.rows import AgentRow, AssignmentRow, TaskRow, TeamRow, WorkerRow
from milepost_collector.controller.store.interface import Find

AVOIDED_MS = 30_000  # after a retry is due: from then on the agent that failed is better than none
BATCH = 100  # assignments without a worker that one look goes through
ASK_KEY = "fallback"


def avoid_failed(unit: Unit, assignment: AssignmentRow, retry_at: int) -> None:
    """Keep the retry of a task for no agent in particular from the agent that failed it, if there is another."""
    failed = assignment.held_by
    if assignment.agent is not None or failed is None or (assignment.avoid and assignment.avoid_until is None):
        return
    others = (one for one in unit.tx.workers() if is_alive(one, unit.now) and one.agent != failed)
    if any(_suits(one, assignment) for one in others):
        assignment.avoid, assignment.avoid_until = failed, max(retry_at, unit.now) + AVOIDED_MS
    else:
        assignment.avoid = assignment.avoid_until = None


def after_failure(unit: Unit, task: TaskRow, assignment: AssignmentRow, verdict: Verdict) -> Fallback | None:
    """Return who takes over after a failed attempt; None: nobody, or not yet."""
    if assignment.fell_back or verdict.kind == "fatal":
        return None
    fallback = _of(unit, task, assignment)
    if fallback is None:
        return None
    failures = fallback.after_failures
    is_due = verdict.kind == "exhausted" or (failures is not None and assignment.failures >= failures)
    return fallback if is_due else None


def hand_over(unit: Unit, task: TaskRow, assignment: AssignmentRow, fallback: Fallback, why: str) -> None:
    """Give an assignment to its fallback; the caller says what becomes of the task's status."""
    assignment.fell_back = True
    if fallback.person is not None:
        hold(unit, assignment)
        assignment.ask_state = "open"
        task.reason = f"asked {fallback.person}: {why}"
        unit.to_ask.append((task, assignment, _definition(task, fallback.person, why)))
        return
    assignment.failures = assignment.losses = 0
    assignment.avoid, assignment.avoid_until = None, None
    if fallback.team is not None and assignment.held_by is not None:
        assignment.avoid, assignment.avoid_until = assignment.held_by, unit.now + AVOIDED_MS
    assignment.agent, assignment.team = fallback.agent, fallback.team
    if len(unit.of(task)) == 1:
        task.agent, task.team, task.agents = fallback.agent, fallback.team, None
    to = f"agent {fallback.agent}" if fallback.agent is not None else f"team {fallback.team}"
    unit.record(task, "reassigned", task.status, assignment=assignment, reason=f"to {to}: {why}")
    enqueue(unit, assignment)
    unit.change(task)


def open_asks(unit: Unit, asker: Asker) -> None:
    """Put to people what was handed over to them in this unit."""
    for task, assignment, definition in unit.to_ask:
        asker.open(unit, source_of(task, assignment), definition)
    unit.to_ask.clear()


def without_worker(unit: Unit, after: str) -> tuple[list[tuple[TaskRow, AssignmentRow, Fallback]], str]:
    """Return assignments that no worker which may take them has polled for, for too long, and where to look on.

    after: what the last look returned. Some are looked at at a time, tasks with a fallback of their own by id in turn.
    """
    rows = unit.tx.waiting_with_fallback(after, BATCH)
    further = rows[-1].task_id if len(rows) == BATCH else ""
    teams = unit.tx.find(TeamRow, Find(order=("name",), limit=10_000))
    for team in teams:
        if team.fallback is not None and _read(team.fallback).after_ms is not None:
            rows += unit.tx.waiting_for_team(team.name, BATCH)
    if not rows:
        return [], further
    unit.load(dict.fromkeys(row.task_id for row in rows))
    workers, agents = unit.tx.workers(), unit.tx.agents()
    found = []
    for stale in rows:
        task = unit.tasks.get(stale.task_id)
        own = next((one for one in unit.of(task) if one.position == stale.position), None) if task else None
        if task is None or own is None or own.state != "ready" or own.fell_back:
            continue
        fallback = _of(unit, task, own)
        if fallback is None or fallback.after_ms is None:
            continue
        if unit.now - _served_until(own, workers, agents) >= fallback.after_ms:
            found.append((task, own, fallback))
    return found, further


def _served_until(row: AssignmentRow, workers: Iterable[WorkerRow], agents: Iterable[AgentRow]) -> int:
    """Return when somebody polled last who may take an assignment, at least when it became ready."""
    polled = [row.ready_at]
    polled += [one.last_poll_at for one in workers if _suits(one, row)]
    for agent in agents:
        if agent.last_poll_at is not None and row.name in names_in(agent.tasks) and _is_for(agent, row):
            polled.append(agent.last_poll_at)
    return max(polled)


def _suits(worker: WorkerRow, row: AssignmentRow) -> bool:
    if row.agent is not None and worker.agent != row.agent:
        return False
    if row.agent is None and row.team is not None and row.team not in names_in(worker.teams):
        return False
    handles = worker.any_task or row.name in names_in(worker.tasks)
    return handles and set(names_in(row.needs)) <= set(names_in(worker.abilities))


def _is_for(agent: AgentRow, row: AssignmentRow) -> bool:
    if row.agent is not None:
        return agent.name == row.agent
    return row.needs is None and (row.team is None or row.team in (*names_in(agent.teams), *names_in(agent.joined)))


def _of(unit: Unit, task: TaskRow, assignment: AssignmentRow) -> Fallback | None:
    """Return a task's fallback, or that of the team that it is for."""
    text = task.fallback
    if text is None and assignment.agent is None and assignment.team is not None:
        team = find(unit.tx, assignment.team)
        text = None if team is None else team.fallback
    return None if text is None else _read(text)


def _read(text: str) -> Fallback:
    return msgspec.json.decode(text, type=Fallback)


def _definition(task: TaskRow, person: str, why: str) -> AskDefinition:
    return AskDefinition(
        key=ASK_KEY,
        title=f"{task.name} was not done"[:500],
        details=f"{why}\n\nTry it again, give up, or do it by hand and complete the task.",
        options=[AskOption(name="try again"), AskOption(name="give up", approves=False)],
        approvers=[person],
    )
