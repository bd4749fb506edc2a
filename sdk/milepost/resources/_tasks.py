"""Operations on tasks: functions that say what is asked, and ask nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import NoneType
from typing import Any, Literal, TypeVar, Unpack

import msgspec
from msgspec import UNSET, Struct, UnsetType

from milepost.errors import InvalidRequestError
from milepost.resources._filters import TaskFilters, filter_of, filter_query
from milepost.resources._operation import Operation, path_of, query_of
from milepost.resources._pages import Listing
from milepost.resources._values import build, dependency_of, expected_of, given_only, text_list, to_id
from milepost.wire.attempts import Attempt, AttemptList, CheckpointList, TransitionList
from milepost.wire.batches import BatchAnswer, BatchCreate
from milepost.wire.budgets import TaskBudget
from milepost.wire.deliverables import ExpectedDeliverable
from milepost.wire.tasks import (
    BulkAction,
    BulkAnswer,
    BulkRequest,
    CancelRequest,
    CompleteRequest,
    CountList,
    Dependency,
    Fallback,
    Need,
    PauseRequest,
    Priority,
    RedirectRequest,
    RetryRequest,
    RunRequest,
    Task,
    TaskCreate,
    TaskFilter,
    TaskList,
    TaskSettings,
    TaskType,
    TaskUpdate,
)
from milepost.wire.teams import Match

__all__ = [
    "bulk",
    "cancel",
    "checkpoints",
    "complete",
    "count",
    "create",
    "create_many",
    "delete",
    "get",
    "get_run",
    "list_runs",
    "listing",
    "match",
    "pause",
    "prepared",
    "redirect",
    "resume",
    "retry",
    "run",
    "transitions",
    "update",
]

T = TypeVar("T")
GroupBy = Literal["status", "type", "priority", "name", "agent", "team", "app", "tag"]


def create(
    name: str,
    *,
    agent: str | None = None,
    agents: Sequence[str] | None = None,
    team: str | None = None,
    input: Any = None,
    context: Any = None,
    description: str = "",
    type: TaskType = "manual",
    priority: Priority = "medium",
    settings: TaskSettings | Mapping[str, Any] | None = None,
    deadline: datetime | str | None = None,
    run_at: datetime | str | None = None,
    dependencies: Iterable[Task | Dependency | str | Mapping[str, Any]] = (),
    tags: Iterable[str] = (),
    app: str | None = None,
    key: str | None = None,
    created_by: str | None = None,
    idempotency_key: str | None = None,
    deliverables: Iterable[ExpectedDeliverable | str | Mapping[str, Any]] = (),
    traceparent: str | None = None,
    needs: Iterable[Need | str | Mapping[str, Any]] = (),
    fallback: Fallback | Mapping[str, Any] | None = None,
    budget: TaskBudget | Mapping[str, Any] | None = None,
    batch: str | None = None,
) -> Operation[Task]:
    """Hand a task to the controller and return it as it stands.

    agent, agents, team: who does it; with none of them any worker that handles `name`. settings: the fields of
    `TaskSettings` that differ from their defaults. deadline, run_at: with a time zone; texts are RFC 3339.
    dependencies: tasks or ids that must end first. key: what concurrency and rate limits count it under.
    deliverables: what it is to hand over: types such as `report`, or the fields of `ExpectedDeliverable`.
    idempotency_key: the same key never makes a second task; without one a key is made up, so that a try that was not
    answered can be repeated. traceparent: W3C Trace Context of the span that asks for it; None: the current one, so
    that the run this is called in leads to the task. needs: capabilities (`sql`) and labels (`region=eu`) that its
    agent must have, or, with a weight, should have. fallback: the agent, team or person that takes over when its agents
    do not get it done. batch: what it is counted with. budget: what all its attempts, and those of tasks that they
    ask for, may use together, such as `{"usd": 2.5}`.

    Raises:
        InvalidRequestError: a field is malformed or out of range; a dependency does not exist or closes a cycle.
        ConflictError: the idempotency key was used for another task.
        UnavailableError: the collector is away or overloaded.
    """
    fields = given_only(
        {
            "name": name,
            "agent": agent,
            "agents": None if agents is None else text_list(agents),
            "team": team,
            "input": input,
            "context": context,
            "description": description,
            "type": type,
            "priority": priority,
            "settings": settings,
            "deadline": deadline,
            "run_at": run_at,
            "dependencies": [dependency_of(one) for one in dependencies],
            "tags": text_list(tags),
            "app": app,
            "key": key,
            "created_by": created_by,
            "idempotency_key": idempotency_key,
            "deliverables": [expected_of(one) for one in deliverables],
            "traceparent": traceparent,
            "needs": [needs] if isinstance(needs, str) else list(needs),
            "fallback": fallback,
            "budget": budget,
            "batch": batch,
        }
    )
    return _creation(build(TaskCreate, fields))


def _creation(body: TaskCreate) -> Operation[Task]:
    return Operation(method="POST", path=path_of("tasks"), answer=Task, body=body, key=body.idempotency_key)


def create_many(tasks: Iterable[TaskCreate | Mapping[str, Any]], *, batch: str | None = None) -> Operation[BatchAnswer]:
    """Hand over up to 10,000 tasks in one transaction; either all are made or none.

    Each may be a `TaskCreate` or a mapping of its fields, which mean the same as in `create`. batch: what they are
    counted as; the same tasks for the same batch again are the ones that there are. None: a batch of their own.

    Raises:
        InvalidRequestError: a field is malformed or out of range; the message names the task by its place.
        ConflictError: an idempotency key was used for another task.
        UnavailableError: the collector is away or overloaded.
    """
    made = [one if isinstance(one, TaskCreate) else _task_from(dict(one), place) for place, one in enumerate(tasks)]
    return Operation(
        method="POST", path=path_of("tasks", "batch"), answer=BatchAnswer, body=BatchCreate(tasks=made, batch=batch)
    )


def _task_from(fields: dict[str, Any], place: int) -> TaskCreate:
    try:
        return build(
            TaskCreate, fields | {"dependencies": [dependency_of(one) for one in fields.get("dependencies", ())]}
        )
    except InvalidRequestError as error:
        place_in = ".".join(filter(None, (f"tasks[{place}]", error.field)))
        detail = f"tasks[{place}]: {error.detail}"
        raise InvalidRequestError(detail, problem=error.problem | {"field": place_in}) from error


def prepared(operation: Operation[T], *, new_key: Callable[[], str], traceparent: str | None) -> Operation[T]:
    """Return an operation with what only the moment of sending knows, where it is missing: keys that make a creation
    safe to repeat, and the span that asks for it."""
    body = operation.body
    if isinstance(body, TaskCreate):
        key = operation.key or new_key()
        body = msgspec.structs.replace(body, traceparent=body.traceparent or traceparent)
        return _replaced(operation, body, key)
    if isinstance(body, BatchCreate):
        tasks = [msgspec.structs.replace(one, traceparent=one.traceparent or traceparent) for one in body.tasks]
        return _replaced(operation, BatchCreate(tasks=tasks, batch=body.batch or new_key()), None)
    return operation


def _replaced(operation: Operation[T], body: Any, key: str | None) -> Operation[T]:
    return Operation(
        method=operation.method, path=operation.path, answer=operation.answer, body=body, repeatable=True, key=key
    )


def get(task: Task | str) -> Operation[Task]:
    """Return a task as it stands.

    Raises:
        NotFoundError: there is no such task.
    """
    return Operation(method="GET", path=_path(task), answer=Task, repeatable=True)


def listing(
    *, sort: str = "-created_at", page_size: int = 100, cursor: str | None = None, **filters: Unpack[TaskFilters]
) -> Listing[TaskList, Task]:
    """Return the tasks that match, page by page as they are iterated over; without input, context and result.

    sort: created_at, updated_at, priority, name, status, deadline or finished_at; a leading - is descending. cursor:
    where to begin, the `next_cursor` of an earlier page. filters: see `TaskFilters`.

    Raises:
        InvalidRequestError: a filter, the sort or the cursor is malformed; while iterating.
    """
    query = filter_query(filters) | {"sort": sort, "limit": page_size, "cursor": cursor}
    operation = Operation(method="GET", path=path_of("tasks"), answer=TaskList, query=query_of(query), repeatable=True)
    return Listing(operation, lambda page: page.tasks)


def count(group_by: GroupBy = "status", **filters: Unpack[TaskFilters]) -> Operation[CountList]:
    """Return how many of the tasks that match share a status, type, priority, name, agent, team, app or tag.

    Raises:
        InvalidRequestError: a filter is malformed.
    """
    query = query_of({"group_by": group_by} | filter_query(filters))
    return Operation(method="GET", path=path_of("tasks", "counts"), answer=CountList, query=query, repeatable=True)


def update(
    task: Task | str,
    *,
    name: str | UnsetType = UNSET,
    description: str | UnsetType = UNSET,
    agent: str | UnsetType | None = UNSET,
    team: str | UnsetType | None = UNSET,
    input: Any | UnsetType = UNSET,
    context: Any | UnsetType = UNSET,
    priority: Priority | UnsetType = UNSET,
    settings: Mapping[str, Any] | UnsetType = UNSET,
    deadline: datetime | str | UnsetType | None = UNSET,
    run_at: datetime | str | UnsetType | None = UNSET,
    dependencies: Iterable[Task | Dependency | str | Mapping[str, Any]] | UnsetType = UNSET,
    tags: Iterable[str] | UnsetType = UNSET,
    app: str | UnsetType | None = UNSET,
    key: str | UnsetType | None = UNSET,
    deliverables: Iterable[ExpectedDeliverable | str | Mapping[str, Any]] | UnsetType = UNSET,
    interrupt: bool = False,
    reason: str = "",
    by: str | None = None,
) -> Operation[Task]:
    """Change what is given and return the task; None clears agent, team, deadline, run_at, app or key.

    settings: merged into the task's. While an attempt runs, only tags, priority and deliverables can be changed under
    its feet. interrupt: change input, context, agent, team, description, settings, deadline or app all the same: what
    runs is asked to save a checkpoint and yield, is cut off after its grace, and the task goes on from there with the
    change. reason, by: kept with a change of input, context, agent or team.

    Raises:
        InvalidRequestError: a field is malformed or out of range.
        ConflictError: the task's state does not allow it.
        NotFoundError: there is no such task.
    """
    fields = {
        "name": name,
        "description": description,
        "agent": agent,
        "team": team,
        "input": input,
        "context": context,
        "priority": priority,
        "settings": settings,
        "deadline": deadline,
        "run_at": run_at,
        "dependencies": UNSET if dependencies is UNSET else [dependency_of(one) for one in dependencies],
        "tags": text_list(tags),
        "app": app,
        "key": key,
        "deliverables": UNSET if deliverables is UNSET else [expected_of(one) for one in deliverables],
        "interrupt": interrupt,
        "reason": reason,
        "by": by,
    }
    body = build(TaskUpdate, {field: value for field, value in fields.items() if value is not UNSET})
    return Operation(method="PATCH", path=_path(task), answer=Task, body=body, repeatable=True)


def delete(task: Task | str) -> Operation[None]:
    """Delete a finished, waiting or paused task with its attempts; its runs stay.

    Raises:
        ConflictError: an attempt is running; cancel it first.
        NotFoundError: there is no such task.
    """
    return Operation(method="DELETE", path=_path(task), answer=NoneType, repeatable=True)


def run(task: Task | str, *, input: Any | UnsetType = UNSET) -> Operation[Task]:
    """Run a task now: at once if it waits for a time, once more if it is finished. input: instead of the task's.

    Raises:
        ConflictError: it is running or blocked; `legal` says what can be done.
        NotFoundError: there is no such task.
    """
    return _command(task, "run", RunRequest(input=input))


def cancel(task: Task | str, *, reason: str = "", by: str | None = None) -> Operation[Task]:
    """Cancel a task: at once while it waits; a running one is asked to stop, and cut off after its grace.

    Raises:
        ConflictError: it is finished.
        NotFoundError: there is no such task.
    """
    return _command(task, "cancel", build(CancelRequest, given_only({"reason": reason, "by": by})))


def pause(task: Task | str, *, reason: str = "", by: str | None = None) -> Operation[Task]:
    """Hold a task: a waiting one is not begun; a running one is asked to save a checkpoint and stop.

    Raises:
        ConflictError: it is finished or paused.
        NotFoundError: there is no such task.
    """
    return _command(task, "pause", build(PauseRequest, given_only({"reason": reason, "by": by})))


def resume(task: Task | str, *, reason: str = "", by: str | None = None) -> Operation[Task]:
    """Let a paused task go on.

    Raises:
        ConflictError: it is not paused.
        NotFoundError: there is no such task.
    """
    return _command(task, "resume", build(PauseRequest, given_only({"reason": reason, "by": by})))


def retry(
    task: Task | str,
    *,
    reassign: bool | str = False,
    checkpoint: int | None = None,
    context: Any | UnsetType = UNSET,
    input: Any | UnsetType = UNSET,
    by: str | None = None,
) -> Operation[Task]:
    """Try a failed or cancelled task again, with retries as at first.

    reassign: True: away from the agent that failed, to any other of its team or any that handles the name; a name: to
    that agent. checkpoint: the sequence of the checkpoint to go on from, from 1; None: the newest. context, input:
    replace the task's.

    Raises:
        ConflictError: it neither failed nor was cancelled, or has no memory to take a checkpoint from.
        NotFoundError: there is no such task.
    """
    given = {"reassign": reassign, "context": context, "input": input}
    fields = {name: value for name, value in given.items() if value is not UNSET} | given_only(
        {"checkpoint": checkpoint, "by": by}
    )
    return _command(task, "retry", build(RetryRequest, fields))


def redirect(
    task: Task | str, *, agent: str | None = None, team: str | None = None, reason: str = "", by: str | None = None
) -> Operation[Task]:
    """Give an unfinished task to another agent, or any of a team; with neither, to any that handles its name.

    What runs is asked to save a checkpoint and yield, and is cut off after its grace; the other goes on from there.

    Raises:
        ConflictError: it is finished (`retry` can reassign it), being cancelled, or several agents are at it.
        InvalidRequestError: both agent and team are given.
        NotFoundError: there is no such task.
    """
    given = given_only({"agent": agent, "team": team, "reason": reason, "by": by})
    return _command(task, "redirect", build(RedirectRequest, given))


def complete(task: Task | str, *, result: Any = None, reason: str = "", by: str | None = None) -> Operation[Task]:
    """Complete an unfinished task by hand: its attempts are cut off, and what waits for it goes on.

    result: the task's from now on; None keeps what its agents have completed.

    Raises:
        ConflictError: it is finished.
        NotFoundError: there is no such task.
    """
    return _command(
        task, "complete", build(CompleteRequest, given_only({"result": result, "reason": reason, "by": by}))
    )


def list_runs(task: Task | str) -> Operation[AttemptList]:
    """Return a task's attempts, the newest first; each is a run.

    Raises:
        NotFoundError: there is no such task.
    """
    return Operation(method="GET", path=_path(task, "runs"), answer=AttemptList, repeatable=True)


def get_run(task: Task | str, attempt: int) -> Operation[Attempt]:
    """Return one attempt of a task, by its number.

    Raises:
        NotFoundError: there is no such task or attempt.
    """
    return Operation(method="GET", path=_path(task, "runs", str(attempt)), answer=Attempt, repeatable=True)


def checkpoints(task: Task | str) -> Operation[CheckpointList]:
    """Return the checkpoints and steps that a task's attempts saved, oldest first.

    Raises:
        NotFoundError: there is no such task.
    """
    return Operation(method="GET", path=_path(task, "checkpoints"), answer=CheckpointList, repeatable=True)


def transitions(task: Task | str) -> Operation[TransitionList]:
    """Return every change of a task's status, oldest first: what happened, when, who did it and why.

    Raises:
        NotFoundError: there is no such task.
    """
    return Operation(method="GET", path=_path(task, "transitions"), answer=TransitionList, repeatable=True)


def match(task: Task | str) -> Operation[Match]:
    """Return which agents could do a task, the best first, with the parts of each one's score.

    Raises:
        NotFoundError: there is no such task.
    """
    return Operation(method="GET", path=_path(task, "match"), answer=Match, repeatable=True)


def bulk(
    action: BulkAction,
    *,
    arguments: Mapping[str, Any] | None = None,
    dry_run: bool = False,
    every_task: bool = False,
    **filters: Unpack[TaskFilters],
) -> Operation[BulkAnswer]:
    """Do one thing to all tasks that match, and say how many it was done to and which refused it.

    action: run, cancel, pause, resume, retry, delete or update. arguments: of the action, such as a reason. dry_run:
    only count. every_task: True if no filter is meant to match every task.

    Raises:
        InvalidRequestError: a filter or argument is malformed, or there is no filter and every_task is False.
    """
    wanted = filter_of(filters)
    if wanted == TaskFilter() and not every_task:
        remedy = "give a filter, or every_task=True if all tasks are meant"
        raise InvalidRequestError(f"{action} without a filter matches every task", problem={"remedy": remedy})
    fields = {"action": action, "filter": wanted, "arguments": dict(arguments or {}), "dry_run": dry_run}
    body = build(BulkRequest, fields)
    return Operation(method="POST", path=path_of("tasks", "bulk"), answer=BulkAnswer, body=body, repeatable=dry_run)


def _command(task: Task | str, command: str, body: Struct) -> Operation[Task]:
    return Operation(method="POST", path=_path(task, command), answer=Task, body=body)


def _path(task: Task | str, *more: str) -> str:
    return path_of("tasks", to_id(task), *more)
