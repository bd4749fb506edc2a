"""Managed tasks as a client of `/api/tasks` sees them: what is asked for, and what is read back.

Times are RFC 3339 in UTC. Lengths of time end in `_ms`. A task is handed to the controller, which leases it to a
worker as an attempt; every attempt is a run. `attempt` numbers rise with every lease of a task and are its fencing
epoch: what a
worker writes under an older number is refused.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from milepost.wire.budgets import Budget, TaskBudget
from milepost.wire.deliverables import Deliverable, ExpectedDeliverable, ExpectedState
from milepost.wire.parts import DurationMs as DurationMs
from milepost.wire.parts import Fraction as Fraction
from milepost.wire.parts import Name as Name
from milepost.wire.parts import Reason as Reason
from milepost.wire.parts import Tag as Tag
from milepost.wire.parts import TaskId as TaskId
from milepost.wire.parts import Text as Text

__all__ = [
    "BULK_ACTIONS",
    "FINISHED_STATUSES",
    "PRIORITIES",
    "TASK_STATUSES",
    "TASK_TYPES",
    "AgentResult",
    "BulkAnswer",
    "BulkRefusal",
    "BulkRequest",
    "CancelRequest",
    "CompleteRequest",
    "CountList",
    "Dependency",
    "DependencyState",
    "Estimate",
    "Fallback",
    "GroupCount",
    "Need",
    "PauseRequest",
    "RedirectRequest",
    "RetryRequest",
    "RunRequest",
    "Task",
    "TaskCreate",
    "TaskFilter",
    "TaskList",
    "TaskSettings",
    "TaskUpdate",
    "WhyNotRunning",
]

TASK_STATUSES = (
    "pending", "blocked", "assigned", "in_progress", "review", "paused", "completed", "failed", "cancelled",
)  # fmt: skip
FINISHED_STATUSES = ("completed", "failed", "cancelled")
PRIORITIES = ("low", "medium", "high", "urgent")
TASK_TYPES = ("manual", "scheduled", "triggered")
BULK_ACTIONS = ("run", "cancel", "pause", "resume", "retry", "redirect", "complete", "delete", "update")

TaskStatus = Literal[
    "pending", "blocked", "assigned", "in_progress", "review", "paused", "completed", "failed", "cancelled"
]
Priority = Literal["low", "medium", "high", "urgent"]
TaskType = Literal["manual", "scheduled", "triggered"]
BulkAction = Literal["run", "cancel", "pause", "resume", "retry", "redirect", "complete", "delete", "update"]

Expectations = Annotated[list[ExpectedDeliverable], Meta(max_length=100)]


class TaskSettings(Struct, omit_defaults=True, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How a task is tried.

    max_retries: further attempts after failures of code. max_losses: attempts whose worker may be lost before the task
    fails; counted apart. retry_delay_ms: before the first retry; with `exponential` backoff it doubles with each
    further failure up to max_retry_delay_ms. jitter: the part of a delay, from 0 to 1, that is drawn at random.
    timeout_ms: of one attempt. heartbeat_ms: how long a worker may be silent before its lease is over. memory: whether
    a later attempt gets checkpoints and steps. non_retryable_errors: error types that are not tried again.
    on_exhausted: what becomes of a task without retries left. cancel_grace_ms: how long a cancelled attempt may take to
    stop before it is cut off. on_upstream_failure: what becomes of a task when one that it depends on fails or is
    cancelled: it stays blocked, is cancelled, or runs all the same. completion: of several agents, how many must
    complete. match_wait_ms: how long a task for no agent in particular is kept for one that suits it clearly better
    than the one that asks, and is free; None: a second if it has needs, else not at all.
    """

    max_retries: Annotated[int, Meta(ge=0, le=1_000)] = 3
    max_losses: Annotated[int, Meta(ge=0, le=1_000)] = 10
    retry_delay_ms: DurationMs = 1_000
    backoff: Literal["fixed", "exponential"] = "exponential"
    max_retry_delay_ms: DurationMs = 300_000
    jitter: Fraction = 0.2
    timeout_ms: Annotated[int, Meta(ge=1, le=31_536_000_000)] | None = None
    heartbeat_ms: Annotated[int, Meta(ge=1_000, le=3_600_000)] = 12_000
    memory: bool = True
    non_retryable_errors: Annotated[tuple[Name, ...], Meta(max_length=100)] = ()
    on_exhausted: Literal["fail", "pause"] = "fail"
    cancel_grace_ms: DurationMs = 10_000
    on_upstream_failure: Literal["block", "skip", "run"] = "block"
    completion: Literal["all", "any"] | Annotated[int, Meta(ge=1, le=100)] = "all"
    match_wait_ms: Annotated[int, Meta(ge=0, le=60_000)] | None = None


class Dependency(Struct, omit_defaults=True, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A task that must end first. output_as: the field of the input that takes its result."""

    task_id: TaskId
    output_as: Name | None = None


class Need(Struct, omit_defaults=True, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a task wants of its agent. what: a capability, as `sql`, or a label, as `region=eu`. weight: how much it
    counts beside the others that are preferred; None: it is required."""

    what: Name
    weight: Annotated[float, Meta(gt=0, le=1_000)] | None = None


class Fallback(Struct, omit_defaults=True, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Who takes a task over when its agents do not get it done: an agent, a team or a person; one of them.

    after_failures: after so many failed attempts; None: when no retries are left. after_ms: when no worker that may
    take it has polled for so long; None: however long.
    """

    agent: Name | None = None
    team: Name | None = None
    person: Name | None = None
    after_failures: Annotated[int, Meta(ge=1, le=1_000)] | None = None
    after_ms: Annotated[int, Meta(ge=1_000, le=31_536_000_000)] | None = None


class TaskCreate(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """What a task is made from.

    agent, agents, team: who does it; with none of them any worker that handles `name`. agents: each of them does it, in
    parallel. key: what concurrency and rate limits count it under. run_at: not before. deliverables: what it is to hand
    over before it counts as completed. traceparent: W3C Trace Context of the span that asked for it. needs:
    what its agent must be able to, or should; a text is required. fallback: who takes over when its agents fail; None:
    as its team says. batch: what it is counted with. budget: what all its attempts, and those of tasks that they
    ask for, may use together.
    """

    name: Name
    description: Text = ""
    type: TaskType = "manual"
    agent: Name | None = None
    agents: Annotated[list[Name], Meta(max_length=100)] | None = None
    team: Name | None = None
    input: Any = None
    context: Any = None
    priority: Priority = "medium"
    settings: TaskSettings = TaskSettings()
    deadline: datetime | None = None
    run_at: datetime | None = None
    dependencies: Annotated[list[TaskId | Dependency], Meta(max_length=1_000)] = []
    tags: Annotated[list[Tag], Meta(max_length=100)] = []
    app: Name | None = None
    key: Name | None = None
    created_by: Name | None = None
    budget: TaskBudget | None = None
    idempotency_key: Name | None = None
    deliverables: Expectations = []
    traceparent: Annotated[str, Meta(max_length=200)] | None = None
    needs: Annotated[list[Name | Need], Meta(max_length=50)] = []
    fallback: Fallback | None = None
    batch: Name | None = None


class TaskUpdate(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; a field that is not given stays.

    While an attempt runs, only tags, priority and deliverables can be changed under its
    feet. interrupt: change more all the same:
    running attempts are asked to save a checkpoint and yield, are cut off after the task's cancel_grace_ms, and the
    task goes on from there with what was changed; one that ends before it yields has ended. by, reason: kept with the
    change of input, context or executor.
    """

    name: Name | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    agent: Name | UnsetType | None = UNSET
    team: Name | UnsetType | None = UNSET
    input: Any = UNSET
    context: Any = UNSET
    priority: Priority | UnsetType = UNSET
    settings: dict[str, Any] | UnsetType = UNSET  # merged into the task's settings
    deadline: datetime | UnsetType | None = UNSET
    run_at: datetime | UnsetType | None = UNSET
    dependencies: Annotated[list[TaskId | Dependency], Meta(max_length=1_000)] | UnsetType = UNSET
    tags: Annotated[list[Tag], Meta(max_length=100)] | UnsetType = UNSET
    app: Name | UnsetType | None = UNSET
    key: Name | UnsetType | None = UNSET
    interrupt: bool = False
    reason: Reason = ""
    by: Name | None = None
    deliverables: Expectations | UnsetType = UNSET


class RunRequest(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Run a task now: at once if it waits for a time, once more if it is finished. input: instead of the task's."""

    input: Any = UNSET


class CancelRequest(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Cancel a task. reason: shown with it. by: who."""

    reason: Reason = ""
    by: Name | None = None


class PauseRequest(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Pause or resume a task. by: who."""

    reason: Reason = ""
    by: Name | None = None


class RetryRequest(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Try a failed or cancelled task again, with retries as at first.

    reassign: true: away from the agent that failed, to any other of its team or any that handles the name; a text: to
    that agent. context: replaces the task's. checkpoint: the sequence of the checkpoint that the next attempt goes on
    from; None: the newest.
    """

    reassign: bool | Name = False
    checkpoint: Annotated[int, Meta(ge=1)] | None = None
    context: Any = UNSET
    input: Any = UNSET
    by: Name | None = None


class RedirectRequest(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Give an unfinished task to another agent, or any of a team; with neither, to any that handles its name. What runs
    yields first, as in `TaskUpdate.interrupt`, and the other goes on from its checkpoints."""

    agent: Name | None = None
    team: Name | None = None
    reason: Reason = ""
    by: Name | None = None


class CompleteRequest(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Complete an unfinished task by hand: attempts that run are cut off. result: null keeps what agents completed."""

    result: Any = None
    reason: Reason = ""
    by: Name | None = None


class WhyNotRunning(Struct, omit_defaults=True, kw_only=True):
    """Why a task is not running. code: `dependency`, `upstream_failed`, `paused`, `scheduled`, `retry`, `no_worker`,
    `not_handled`, `not_capable`, `busy`, `limit`, `rate`, `budget`, `agent_paused`, `review` or `soon`. text: for
    people. until: when that ends, if it is known. task_id: the task it waits for. ask_id: the ask whose answer it waits
    for. budget_id: the budget that is used up."""

    code: str
    text: str
    until: datetime | None = None
    task_id: str | None = None
    ask_id: str | None = None
    budget_id: str | None = None


class DependencyState(Struct, omit_defaults=True, kw_only=True):
    """A task that another one depends on, and how it stands; status `deleted` when it is gone."""

    task_id: str
    name: str
    status: str
    output_as: str | None = None


class AgentResult(Struct, omit_defaults=True, kw_only=True):
    """How far one of a task's agents is. agent: None: any that handles the task."""

    status: str  # waiting, delayed, ready, running, completed, failed or cancelled
    agent: str | None = None
    team: str | None = None
    attempt: int = 0
    failures: int = 0
    losses: int = 0
    worker_id: str | None = None
    result: Any = None
    error_type: str | None = None
    error_message: str | None = None


class Estimate(Struct, omit_defaults=True, kw_only=True):
    """How long a task probably takes, judged by `samples` completed ones of its name, of the same agent if there are
    enough. median_ms, p90_ms: from first start to end. completion, completion_p90: when half, and nine of ten, of its
    like would be finished, had they waited and run as it has; None: it has run longer than all of them."""

    of: Literal["agent", "name"]
    samples: int
    median_ms: int
    p90_ms: int
    completion: datetime | None = None
    completion_p90: datetime | None = None


class Task(Struct, kw_only=True):
    """A task as it stands.

    yield_requested: what runs was asked to make way for a change. attempt: the newest attempt's number, 0 before the
    first. failures, losses: attempts since the last `run` or `retry` that failed in their code, and whose worker was
    lost. last_run_id: the newest attempt's run. next_run_at: when it is due, while it waits for that.
    deadline_at_risk: it will probably not be finished in time. estimate: None when too few like it are known;
    estimated_completion is its `completion`. stalled_since: it shows no sign of progress for longer than nearly all of
    its like did. cost_usd and the tokens: over all attempts, None when nothing is known. deliverables: the newest
    version of each; expected_deliverables: what it is to hand over, and whether it has. budgets: that it draws on, told
    of a task alone and not in lists.
    """

    id: str
    name: str
    description: str
    type: TaskType
    status: TaskStatus
    priority: Priority
    agents: list[AgentResult]
    settings: TaskSettings
    created_at: datetime
    updated_at: datetime
    agent: str | None = None
    team: str | None = None
    input: Any = None
    context: Any = None
    result: Any = None
    error_type: str | None = None
    error_message: str | None = None
    reason: str | None = None
    deadline: datetime | None = None
    deadline_at_risk: bool = False
    run_at: datetime | None = None
    dependencies: list[DependencyState] = []
    dependents: list[DependencyState] = []
    tags: list[str] = []
    app: str | None = None
    key: str | None = None
    created_by: str | None = None
    idempotency_key: str | None = None
    schedule_id: str | None = None
    scheduled_for: datetime | None = None
    origin_run_id: str | None = None
    origin_span_id: str | None = None
    progress: float | None = None
    phase: str | None = None
    attempt: int = 0
    failures: int = 0
    losses: int = 0
    last_run_id: str | None = None
    next_run_at: datetime | None = None
    estimated_completion: datetime | None = None
    estimate: Estimate | None = None
    stalled_since: datetime | None = None
    why_not_running: WhyNotRunning | None = None
    pause_requested: bool = False
    yield_requested: bool = False
    cancel_requested: bool = False
    started_at: datetime | None = None
    finished_at: datetime | None = None
    batch: str | None = None
    needs: list[Need] = []
    fallback: Fallback | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    deliverables: list[Deliverable] = []
    expected_deliverables: list[ExpectedState] = []
    budgets: list[Budget] = []


class TaskList(Struct, kw_only=True):
    """A page of tasks, without input, context, result and deliverables. next_cursor: for the next page; None at the
    end."""

    tasks: list[Task]
    next_cursor: str | None


class TaskFilter(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Which tasks; what is not given does not narrow. text: part of a name, description, tag, id or error."""

    ids: Annotated[list[TaskId], Meta(max_length=10_000)] = []
    status: list[TaskStatus] = []
    type: list[TaskType] = []
    priority: list[Priority] = []
    name: list[Name] = []
    agent: list[Name] = []
    team: list[Name] = []
    app: list[Name] = []
    tag: list[Tag] = []
    batch: list[Name] = []
    schedule_id: TaskId | None = None
    origin_run_id: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    text: Annotated[str, Meta(max_length=1_000)] | None = None


class GroupCount(Struct, kw_only=True):
    """How many tasks share a value; None: those without one."""

    value: str | None
    count: int


class CountList(Struct, kw_only=True):
    """Numbers of tasks by one field, the largest first."""

    group_by: str
    groups: list[GroupCount]
    total: int


class BulkRequest(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Do one thing to all tasks that match. arguments: the fields of the action's own request, such as a reason."""

    action: BulkAction
    filter: TaskFilter
    arguments: dict[str, Any] = {}
    dry_run: bool = False


class BulkRefusal(Struct, kw_only=True):
    """A task that the action does not apply to, and why."""

    task_id: str
    reason: str


class BulkAnswer(Struct, kw_only=True):
    """What became of a bulk action. matched: tasks that the filter names; changed: of them, or (dry run) would be.
    refusals: the first 100 of `refused`."""

    matched: int
    changed: int
    refused: int
    refusals: list[BulkRefusal]
    dry_run: bool
