"""Changes of a task's definition: at once while nothing runs, by yielding where something does."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from milepost.wire.tasks import PRIORITIES, RedirectRequest, TaskCreate, TaskSettings, TaskUpdate
from milepost_collector.controller.engine.asks import forget_answers
from milepost_collector.controller.engine.contract import expectations_text
from milepost_collector.controller.engine.creation import (
    Creator,
    check_executors,
    milliseconds,
    settings_text,
    text_or_none,
)
from milepost_collector.controller.engine.dependencies import (
    look_again,
    refuse_cycles,
    release_if_free,
    resolve,
    skip_if_failed,
    wanted_rows,
)
from milepost_collector.controller.engine.outcomes import finish
from milepost_collector.controller.engine.queueing import (
    HEAD_START_MS,
    enqueue,
    hold,
    new_assignments,
    tell,
    waits_for_answer,
)
from milepost_collector.controller.engine.unit import Unit, names_in, settings_of
from milepost_collector.controller.lifecycle import COMMANDS, Command, legal_commands
from milepost_collector.controller.rows import AssignmentRow, DependencyRow, TaskRow
from milepost_collector.errors import ConflictError, InvalidParameterError

_WHILE_WORKING = {"tags", "priority", "deliverables"}  # what may change under an attempt's feet
# What may change between the end of an attempt that yields and the next: limits count the rest under what it was.
_BY_YIELDING = {"input", "context", "agent", "team", "description", "settings", "deadline", "app"}
_HOW = {"interrupt", "reason", "by"}
_TOLD = {"input", "context", "agent", "team"}  # whose change is a transition


def allowed(task: TaskRow, command: Command) -> None:
    """Refuse a command that the task's status does not allow.

    Raises:
        ConflictError: carries what is legal now.
    """
    if task.status not in COMMANDS[command]:
        legal = legal_commands(task.status)
        raise ConflictError(
            f"task {task.id} is {task.status}: {command} is not possible; possible now: {', '.join(legal)}", legal
        )


def update(unit: Unit, creator: Creator, task_id: str, request: TaskUpdate) -> None:
    """Change a task's definition."""
    if request.dependencies is not UNSET:
        unit.tx.lock_dependencies()  # two changes at the same time could close a cycle that neither sees
    task = unit.task(task_id)
    allowed(task, "update")
    given = {name for name in request.__struct_fields__ if getattr(request, name) is not UNSET} - _HOW
    yields = bool(unit.leased(task)) and not given <= _WHILE_WORKING
    if yields:
        _check_yielding(task, given, interrupt=request.interrupt)
    if request.dependencies is not UNSET and any(map(waits_for_answer, unit.of(task))):
        raise ConflictError(
            f"task {task.id} waits for an answer: dependencies cannot change now; answer or cancel the ask first",
            legal_commands(task.status),
        )
    was_for, was_due = (task.agent, task.agents, task.team), task.run_at
    _update_plain(task, request)
    _update_settings(task, request)
    edges = _wanted_dependencies(unit, task, request)  # refused, if at all, before anything is written
    replace_payload(unit, creator, task, input=request.input, context=request.context)
    unit.change(task)
    if told := given & _TOLD:
        unit.record(task, "edited", task.status, by=request.by, reason=_told(task, told, request.reason))
    if yields:
        let_yield(unit, task, _told(task, given - _WHILE_WORKING, request.reason))
    if (task.agent, task.agents, task.team) != was_for:
        _change_executors(unit, task)
    for assignment in unit.of(task):
        _follow_definition(unit, task, assignment, is_moved=task.run_at != was_due)
    if edges is not None:
        unit.tx.delete(unit.tx.dependencies((task.id,)).get(task.id, []))
        unit.tx.insert(edges)
        _wait_for(unit, task, edges)
    elif request.settings is not UNSET and task.open_dependencies:
        edges = unit.tx.dependencies((task.id,)).get(task.id, [])
        task.open_dependencies = look_again(unit, edges, settings_of(task).on_upstream_failure)
        _wait_for(unit, task, edges)
    unit.effects.fall_due(task.deadline_at)
    unit.effects.changed = True


def redirect(unit: Unit, creator: Creator, task_id: str, request: RedirectRequest) -> None:
    """Give an unfinished task to somebody else; what runs yields first."""
    allowed(unit.task(task_id), "redirect")
    change = TaskUpdate(agent=request.agent, team=request.team, interrupt=True, reason=request.reason, by=request.by)
    update(unit, creator, task_id, change)


def replace_payload(unit: Unit, creator: Creator, task: TaskRow, *, input: Any = UNSET, context: Any = UNSET) -> None:
    """Replace a task's input or context, where given."""
    if isinstance(input, UnsetType) and isinstance(context, UnsetType):
        return
    payload = unit.tx.payloads((task.id,))[task.id]
    for field, value in (("input", input), ("context", context)):
        if value is not UNSET:
            text = text_or_none(value)
            creator.check_size(field, text)
            setattr(payload, field, text)
    unit.tx.update([payload])


def _update_plain(task: TaskRow, request: TaskUpdate) -> None:
    for field in ("name", "description", "app", "key"):
        if (value := getattr(request, field)) is not UNSET:
            setattr(task, field, value)
    if request.agent and request.team:
        raise InvalidParameterError("team", request.team, "agent is given too; give one of them")
    if request.agent is not UNSET or request.team is not UNSET:
        task.agent, task.agents, task.team = request.agent or None, None, request.team or None
    if request.priority is not UNSET:
        task.priority = PRIORITIES.index(request.priority)
    if request.tags is not UNSET:
        task.tags = text_or_none(request.tags) or "[]"
    if request.deadline is not UNSET:
        task.deadline_at, task.at_risk_at = milliseconds("deadline", request.deadline), None
    if request.deliverables is not UNSET:
        task.deliverables = expectations_text(request.deliverables)
    if request.run_at is not UNSET:
        task.run_at = milliseconds("run_at", request.run_at)


def _check_yielding(task: TaskRow, given: set[str], *, interrupt: bool) -> None:
    allowed_now = _WHILE_WORKING | (_BY_YIELDING if interrupt else set())
    refused = sorted(given - allowed_now)
    if refused:
        can_yield = not interrupt and set(refused) <= _BY_YIELDING
        remedy = "pause it first, or interrupt it" if can_yield else "pause it first"
        raise ConflictError(
            f"task {task.id} is {task.status}: {', '.join(refused)} cannot change under an attempt; {remedy}",
            legal_commands(task.status),
        )
    if task.stop == "cancel":
        raise ConflictError(f"task {task.id} is being cancelled; wait until it is, then run it again", ["run"])
    if task.agents is not None and {"agent", "team"} & given:
        raise ConflictError(
            f"task {task.id} is done by several agents at once; pause it before giving it to another",
            legal_commands(task.status),
        )


def _told(task: TaskRow, fields: Collection[str], reason: str) -> str:
    """Return what a change was, for people. task: as it has been changed."""
    plain = sorted(set(fields) - {"agent", "team"})
    said = [f"{', '.join(plain)} changed"] if plain else []
    if len(plain) < len(fields):
        to = f"agent {task.agent}" if task.agent else f"team {task.team}" if task.team else "any that handles it"
        said.append(f"given to {to}")
    changed = ", ".join(said)
    return f"{changed}: {reason}" if reason else changed


def let_yield(unit: Unit, task: TaskRow, reason: str) -> None:
    """Ask what runs to save a checkpoint and stop, and cut it off after its grace; the task goes on then by itself,
    unless it was asked to pause."""
    cut_off_at = unit.now + settings_of(task).cancel_grace_ms
    for assignment in unit.leased(task):
        assignment.cut_off_at = cut_off_at if assignment.cut_off_at is None else assignment.cut_off_at
        tell(unit, assignment, "pause", reason)
    unit.effects.fall_due(cut_off_at)
    unit.effects.changed = True


def _update_settings(task: TaskRow, request: TaskUpdate) -> None:
    if request.settings is UNSET:
        return
    merged = msgspec.to_builtins(settings_of(task)) | request.settings
    try:
        settings = msgspec.convert(merged, TaskSettings)
    except msgspec.ValidationError as error:
        raise InvalidParameterError("settings", request.settings, str(error)) from error
    check_executors(TaskCreate(name=task.name, agents=names_in(task.agents) or None, settings=settings))
    task.settings = settings_text(settings)


def _wanted_dependencies(unit: Unit, task: TaskRow, request: TaskUpdate) -> list[DependencyRow] | None:
    if request.dependencies is UNSET:
        return None
    edges = wanted_rows(task.id, request.dependencies)
    refuse_cycles(unit.tx, task.id, [edge.upstream_id for edge in edges])
    task.open_dependencies = resolve(unit, edges, settings_of(task).on_upstream_failure)
    return edges


def _wait_for(unit: Unit, task: TaskRow, edges: list[DependencyRow]) -> None:
    """Block, skip or release a task whose dependencies have changed."""
    if task.status == "pending" and task.open_dependencies:
        unit.move(task, "held", "blocked")
        for assignment in unit.of(task):
            hold(unit, assignment)
    if not skip_if_failed(unit, task, edges, finish):
        release_if_free(unit, task)


def _change_executors(unit: Unit, task: TaskRow) -> None:
    """Give a task that nobody holds to somebody else; of several agents none goes on."""
    was_one = len(unit.of(task)) == 1
    if not was_one:
        unit.replace_assignments(task, new_assignments(task, unit.now))
        forget_answers(unit, task)
        if task.status == "review":
            unit.move(task, "answered", "pending", reason="others do it now")
    for assignment in unit.of(task):
        assignment.agent, assignment.team, assignment.avoid = task.agent, None if task.agent else task.team, None
        unit.change_assignment(assignment)
        if task.status == "pending" and not was_one:
            enqueue(unit, assignment, task.run_at)


def _follow_definition(unit: Unit, task: TaskRow, assignment: AssignmentRow, *, is_moved: bool) -> None:
    """Bring an assignment in line with its task's changed definition; it keeps its place in the queue."""
    assignment.order_at += HEAD_START_MS[assignment.priority] - HEAD_START_MS[task.priority]
    assignment.name, assignment.key, assignment.priority = task.name, task.key, task.priority
    unit.change_assignment(assignment)
    waits_for_retry = assignment.state == "delayed" and assignment.failures > 0
    if is_moved and assignment.state in ("ready", "delayed") and not waits_for_retry:
        enqueue(unit, assignment, task.run_at)
    elif assignment.state == "ready":
        unit.effects.ready.add((assignment.agent, assignment.team))
