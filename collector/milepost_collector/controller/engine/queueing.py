"""Where an assignment stands in the queue: waiting, delayed until an instant, or ready."""

from __future__ import annotations

from milepost_collector.controller.engine.choosing import needs_of, needs_texts
from milepost_collector.controller.engine.unit import Unit, names_in
from milepost_collector.controller.rows import AssignmentRow, TaskRow

# How much older a task must be to be served before one of higher priority: strict levels would starve the low ones.
HEAD_START_MS = (0, 60_000, 600_000, 3_600_000)  # low, medium, high, urgent


def order_at(ready_at: int, priority: int) -> int:
    """Return the key that the queue is ordered by, the smallest first."""
    return ready_at - HEAD_START_MS[priority]


def enqueue(unit: Unit, assignment: AssignmentRow, ready_at: int | None = None) -> None:
    """Make an assignment ready, now or at an instant. One that was ready before keeps its place in the queue."""
    waits = ready_at is not None and ready_at > unit.now
    due = ready_at if waits and ready_at is not None else unit.now
    if waits or assignment.state != "leased":
        assignment.order_at = order_at(due, assignment.priority)
    assignment.ready_at = due
    assignment.state = "delayed" if waits else "ready"
    unit.change_assignment(assignment)
    if waits:
        unit.effects.fall_due(due)
    else:
        unit.effects.ready.add((assignment.agent, assignment.team))


def hold(unit: Unit, assignment: AssignmentRow) -> None:
    """Take an assignment out of the queue without ending it."""
    assignment.state = "waiting"
    unit.change_assignment(assignment)


def waits_for_answer(assignment: AssignmentRow) -> bool:
    """Tell whether an assignment waits for the answer to an ask, whatever else it may wait for."""
    return assignment.state == "waiting" and assignment.ask_state == "open"


def release_lease(assignment: AssignmentRow) -> None:
    """Forget the lease of an assignment; its attempt number stays, so that the next one is higher."""
    assignment.worker_id = assignment.held_by = assignment.run_id = None
    assignment.leased_at = assignment.started_at = assignment.lease_ms = None
    assignment.expires_at = assignment.timeout_at = assignment.cut_off_at = None
    assignment.stop = assignment.stop_reason = None
    assignment.progress = assignment.phase = None
    assignment.steps_reused = assignment.checkpoint_count = assignment.budget_count = 0
    assignment.longest_gap_ms = 0
    assignment.moved_at = assignment.stalled_at = None


def new_assignments(task: TaskRow, now: int) -> list[AssignmentRow]:
    """Return what a task's executors have to do, not yet in the queue: one for each of several agents, else one."""
    several = names_in(task.agents)
    targets: list[tuple[str | None, str | None]] = [(agent, None) for agent in several]
    targets = targets or [(task.agent, None if task.agent else task.team)]
    required = None if task.needs is None else needs_texts(needs_of(task))[1]
    return [
        AssignmentRow(
            task_id=task.id,
            position=position,
            name=task.name,
            priority=task.priority,
            state="waiting",
            ready_at=now,
            order_at=order_at(now, task.priority),
            agent=agent,
            team=team,
            key=task.key,
            needs=required,
        )
        for position, (agent, team) in enumerate(targets)
    ]


def tell(unit: Unit, assignment: AssignmentRow, stop: str, reason: str) -> None:
    """Ask a running attempt to stop: to `cancel`, or to `pause` where it is."""
    assignment.stop, assignment.stop_reason = stop, reason
    unit.change_assignment(assignment)
    if assignment.worker_id is not None:
        unit.effects.workers.add(assignment.worker_id)


def is_yielding(assignment: AssignmentRow) -> bool:
    """Tell whether an attempt was asked to make way for a change of its task, and the task goes on then."""
    return assignment.state == "leased" and assignment.stop == "pause" and assignment.cut_off_at is not None


def working_status(unit: Unit, task: TaskRow) -> str:
    """Return the status that an open task has by its assignments alone."""
    leased = unit.leased(task)
    if any(assignment.started_at is not None for assignment in leased):
        return "in_progress"
    return "assigned" if leased else "pending"
