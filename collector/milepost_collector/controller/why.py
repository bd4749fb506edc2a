"""Why a task is not running, told from how things stand. Pure: facts in, a sentence out."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from milepost.wire.tasks import DependencyState, WhyNotRunning
from milepost_collector.controller.engine.budgets.ledger import described, standing, used_up
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.engine.limits import Limits
from milepost_collector.controller.engine.unit import names_in
from milepost_collector.controller.matching import spoken_needs
from milepost_collector.controller.rows import AgentRow, AskRow, AssignmentRow, BudgetRow, TaskRow, WorkerRow
from milepost_collector.protocol.durations import spoken


class Surroundings(Struct, kw_only=True):
    """What decides beside the task itself. workers: those alive. busy: leases by worker id. limits: as they stand."""

    now: int
    workers: Sequence[WorkerRow]
    busy: dict[str, int]
    agents: dict[str, AgentRow]
    limits: Limits


def why_not_running(
    task: TaskRow,
    assignments: Sequence[AssignmentRow],
    upstream: Sequence[DependencyState],
    around: Surroundings,
    asked: AskRow | None = None,
    budget: BudgetRow | None = None,
) -> WhyNotRunning | None:
    """Return why a task is not running; None when it is running or finished. asked: what it waits to be answered.
    budget: that holds it back."""
    if task.status == "blocked":
        return _blocked(task, upstream)
    if task.status == "paused":
        reason = task.reason or "paused"
        return WhyNotRunning(code="paused", text=reason if reason.startswith("paused") else f"paused: {reason}")
    if task.status == "review":
        return _asked(task, asked, around.now)
    if task.status != "pending":
        return None
    if budget is not None:
        return out_of_budget(budget, around.now)
    waiting = [row for row in assignments if row.state in ("ready", "delayed", "waiting")]
    reasons = [_queued(task, row, around) for row in waiting]
    return reasons[0] if reasons else None


def _asked(task: TaskRow, asked: AskRow | None, now: int) -> WhyNotRunning:
    if asked is None:
        return WhyNotRunning(code="review", text=task.reason or "waits for a person")
    names = names_in(asked.approvers)
    who = ", ".join(names) if names else "anybody"
    what = "to be answered" if asked.kind == "question" else "to be decided"
    given = f", {asked.approvals} of {asked.quorum} approvals given" if asked.quorum > 1 else ""
    expiry = "" if asked.expires_at is None else f", expires in {spoken(asked.expires_at - now)}"
    return WhyNotRunning(
        code="review",
        text=f"waits for {asked.title!r} {what} by {who}{given}{expiry}",
        until=to_datetime(asked.expires_at),
        ask_id=asked.id,
    )


def out_of_budget(budget: BudgetRow, now: int) -> WhyNotRunning:
    """Return that a budget is used up, how far, and when it begins anew."""
    measure = used_up(budget, now)
    how = (
        f" is used up: {standing(budget, measure)}" if measure else " has something left again; it goes on in a moment"
    )
    until = to_datetime(budget.ends_at) if measure else None
    again = f", anew in {spoken(budget.ends_at - now)}" if measure and budget.ends_at is not None else ""
    text = f"the budget of {described(budget)}{how}{again}"
    return WhyNotRunning(code="budget", text=text, until=until, budget_id=budget.id)


def _blocked(task: TaskRow, upstream: Sequence[DependencyState]) -> WhyNotRunning:
    for state in upstream:
        if state.status in ("failed", "cancelled", "deleted"):
            text = f"task {state.task_id} ({state.name}), which it depends on, is {state.status}"
            return WhyNotRunning(code="upstream_failed", text=text, task_id=state.task_id)
    waiting = [state for state in upstream if state.status != "completed"]
    if not waiting:
        return WhyNotRunning(code="dependency", text=task.reason or "waits for another task")
    more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
    text = f"waiting for task {waiting[0].task_id} ({waiting[0].name}, {waiting[0].status}){more}"
    return WhyNotRunning(code="dependency", text=text, task_id=waiting[0].task_id)


def _queued(task: TaskRow, row: AssignmentRow, around: Surroundings) -> WhyNotRunning:
    if row.state == "delayed" and row.ready_at > around.now:
        until = to_datetime(row.ready_at)
        if row.failures:
            attempts = "1 failed attempt" if row.failures == 1 else f"{row.failures} failed attempts"
            text = f"retry in {spoken(row.ready_at - around.now)}, after {attempts}"
            return WhyNotRunning(code="retry", text=text, until=until)
        return WhyNotRunning(code="scheduled", text=f"starts in {spoken(row.ready_at - around.now)}", until=until)
    if row.agent is not None and (agent := around.agents.get(row.agent)) is not None and agent.paused:
        by = f" by {agent.paused_by}" if agent.paused_by else ""
        return WhyNotRunning(code="agent_paused", text=f"agent {row.agent} is paused{by}")
    workers = [worker for worker in around.workers if _may_serve(worker, row)]
    if not workers:
        return WhyNotRunning(code="no_worker", text=f"no worker of {_executor(row)} is polling")
    workers = [worker for worker in workers if not _is_paused(worker, around)]
    if not workers:
        return WhyNotRunning(code="agent_paused", text=f"every worker of {_executor(row)} serves a paused agent")
    able = [worker for worker in workers if worker.any_task or row.name in names_in(worker.tasks)]
    if not able:
        return WhyNotRunning(code="not_handled", text=f"no worker of {_executor(row)} handles {row.name!r}")
    fit = [worker for worker in able if set(names_in(row.needs)) <= set(names_in(worker.abilities))]
    if not fit:
        return WhyNotRunning(code="not_capable", text=_lacking(row, able))
    return _limited(row, fit, around) or _busy(row, fit, around)


def _lacking(row: AssignmentRow, workers: Sequence[WorkerRow]) -> str:
    needs = names_in(row.needs)
    had = {ability for worker in workers for ability in names_in(worker.abilities)}
    who = f"agent {row.agent} has no" if row.agent is not None else f"no agent of {_executor(row)} has"
    who = "no agent has" if row.agent is None and row.team is None else who
    if missing := [what for what in needs if what not in had]:
        return f"{who} {spoken_needs(missing)}"
    return f"no agent has all of {spoken_needs(needs)}"


def _limited(row: AssignmentRow, workers: Sequence[WorkerRow], around: Surroundings) -> WhyNotRunning | None:
    obstacles = [around.limits.blocking(worker.agent, row.name, row.key) for worker in workers]
    if any(obstacle is None for obstacle in obstacles):
        return None
    agent, (limit, wait_ms) = next(
        (worker.agent, obstacle) for worker, obstacle in zip(workers, obstacles, strict=True) if obstacle is not None
    )
    value = {"agent": agent, "name": row.name, "key": row.key}[limit.scope]
    what = f"{limit.scope} {value!r}"
    if wait_ms is None:
        return WhyNotRunning(code="limit", text=f"{what} is at its limit of {limit.concurrency} at once")
    text = f"{what} is at its rate of {limit.rate} in {spoken(limit.per_ms or 0)}, next in {spoken(wait_ms)}"
    return WhyNotRunning(code="rate", text=text, until=to_datetime(around.now + wait_ms))


def _busy(row: AssignmentRow, workers: Sequence[WorkerRow], around: Surroundings) -> WhyNotRunning:
    slots = sum(worker.concurrency for worker in workers)
    busy = sum(around.busy.get(worker.id, 0) for worker in workers)
    if busy >= slots:
        return WhyNotRunning(code="busy", text=f"all {slots} slots of {_executor(row)} are busy")
    return WhyNotRunning(code="soon", text="it is about to be handed to a worker")


def _is_paused(worker: WorkerRow, around: Surroundings) -> bool:
    agent = around.agents.get(worker.agent)
    return agent is not None and agent.paused


def _may_serve(worker: WorkerRow, row: AssignmentRow) -> bool:
    if worker.draining or (worker.agent == row.avoid and row.avoid_until is None):
        return False
    if row.agent is not None:
        return worker.agent == row.agent
    return row.team is None or row.team in names_in(worker.teams)


def _executor(row: AssignmentRow) -> str:
    if row.agent is not None:
        return f"agent {row.agent}"
    if row.team is not None:
        return f"team {row.team}"
    return "any agent" if row.avoid is None else f"any agent but {row.avoid}"
