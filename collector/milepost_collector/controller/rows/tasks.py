"""Tasks: what they are, their place in the queue, and what their attempts left."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

AssignmentState = Literal["waiting", "delayed", "ready", "leased", "completed", "failed", "cancelled"]


class TaskRow(Struct, kw_only=True, array_like=True, gc=False):
    """A task without its payloads. Table `tasks` while it is not finished, then `task_history`.

    priority: 0 (low) to 3 (urgent). agents, settings, tags, deliverables (those that are expected): JSON. attempt: the
    highest number given. failures, losses: of all its assignments since it was last opened. open_dependencies: upstream
    tasks it still waits for. stop: what has been asked of its running attempts: `cancel` or `pause`. needs, fallback:
    JSON of the wire's structs.
    """

    id: str
    name: str
    description: str
    type: str
    status: str
    priority: int
    settings: str
    created_at: int
    updated_at: int
    agent: str | None = None
    agents: str | None = None
    team: str | None = None
    tags: str = "[]"
    app: str | None = None
    key: str | None = None
    created_by: str | None = None
    idempotency_key: str | None = None
    run_at: int | None = None
    deadline_at: int | None = None
    started_at: int | None = None
    finished_at: int | None = None
    schedule_id: str | None = None
    scheduled_for: int | None = None
    origin_run_id: str | None = None
    origin_span_id: str | None = None
    attempt: int = 0
    failures: int = 0
    losses: int = 0
    open_dependencies: int = 0
    progress: float | None = None
    phase: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    reason: str | None = None
    last_run_id: str | None = None
    last_agent: str | None = None
    stop: str | None = None
    stop_by: str | None = None
    at_risk_at: int | None = None
    deliverables: str | None = None
    batch: str | None = None
    needs: str | None = None
    fallback: str | None = None


class PayloadRow(Struct, kw_only=True, array_like=True, gc=False):
    """What a task was given, as JSON. Table `payloads`, for live and finished tasks. result: given by a person who
    completed the task by hand; those of agents are in `attempts`."""

    task_id: str
    input: str | None = None
    context: str | None = None
    result: str | None = None


class AssignmentRow(Struct, kw_only=True, array_like=True, gc=False):
    """What one executor has to do for a task: its place in the queue and, while it is leased, the lease. Hot and small:
    gone when the task is finished. Table `assignments`, key (task_id, position).

    agent, team: who may take it; both None: any worker that handles `name`. avoid: an agent that must not, until
    avoid_until (None: for good). needs: JSON, what its worker must be able to. name, key, priority: copies of the
    task's, for the queue's index. state: `waiting` (the task is blocked, paused or in review),
    `delayed` (until ready_at), `ready`, `leased`, or how it ended. order_at: ready_at less the priority's head start;
    the smallest is served first. attempt: the number of the newest lease. held_by: the agent whose worker holds it.
    ask_state: `open` while it waits for the answer to an ask, then `answered`: its leases bring answers.
    moved_at: the newest sign of progress of the running attempt; longest_gap_ms: the longest time between two of them.
    stalled_at: since when it has shown none for unusually long. fell_back: it was given to its fallback.
    """

    task_id: str
    position: int
    name: str
    priority: int
    state: AssignmentState
    ready_at: int
    order_at: int
    agent: str | None = None
    team: str | None = None
    avoid: str | None = None
    key: str | None = None
    failures: int = 0
    losses: int = 0
    attempt: int = 0
    worker_id: str | None = None
    held_by: str | None = None
    run_id: str | None = None
    leased_at: int | None = None
    started_at: int | None = None
    lease_ms: int | None = None
    expires_at: int | None = None
    timeout_at: int | None = None
    stop: str | None = None
    stop_reason: str | None = None
    cut_off_at: int | None = None
    progress: float | None = None
    phase: str | None = None
    steps_reused: int = 0
    checkpoint_count: int = 0
    ask_state: str | None = None
    avoid_until: int | None = None
    needs: str | None = None
    moved_at: int | None = None
    longest_gap_ms: int = 0
    stalled_at: int | None = None
    fell_back: bool = False
    budget_count: int = 0


class AttemptRow(Struct, kw_only=True, array_like=True, gc=False):
    """An attempt that has ended. Table `attempts`, key (task_id, attempt). retry_at: when the next one was due.
    longest_gap_ms: the longest time without a sign of progress; None: it had not begun."""

    task_id: str
    attempt: int
    position: int
    status: str
    run_id: str
    worker_id: str
    leased_at: int
    ended_at: int
    agent: str | None = None
    started_at: int | None = None
    progress: float | None = None
    phase: str | None = None
    steps_reused: int = 0
    checkpoint_count: int = 0
    result: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    error_stack: str | None = None
    reason: str | None = None
    retry_at: int | None = None
    longest_gap_ms: int | None = None


class DependencyRow(Struct, kw_only=True, array_like=True, gc=False):
    """Table `dependencies`, key (task_id, upstream_id). state: `open`, `met`, or `failed` (or cancelled)."""

    task_id: str
    upstream_id: str
    state: str = "open"
    output_as: str | None = None


class CheckpointRow(Struct, kw_only=True, array_like=True, gc=False):
    """Table `checkpoints`, key (task_id, sequence); (task_id, attempt, attempt_sequence) is unique too.

    attempt_sequence: the worker's number; None for a copy, which a person had saved to go on from. copy_of: its
    original's sequence.
    """

    task_id: str
    sequence: int
    position: int
    attempt: int
    created_at: int
    size_bytes: int
    state: str
    attempt_sequence: int | None = None
    name: str | None = None
    copy_of: int | None = None


class StepRow(Struct, kw_only=True, array_like=True, gc=False):
    """Table `steps`, key (task_id, position, name, input_digest). reused_by: JSON, attempt numbers."""

    task_id: str
    position: int
    name: str
    input_digest: str
    attempt: int
    created_at: int
    size_bytes: int
    result: str
    reused_by: str = "[]"


class TransitionRow(Struct, kw_only=True, array_like=True, gc=False):
    """One change of a task. Table `transitions`, key sequence, which the database gives, rising in order of commits."""

    time: int
    task_id: str
    event: str
    to_status: str
    from_status: str | None = None
    attempt: int | None = None
    agent: str | None = None
    worker_id: str | None = None
    by: str | None = None
    reason: str | None = None
    sequence: int = 0


class IdempotencyRow(Struct, kw_only=True, array_like=True, gc=False):
    """Which task a key made. Table `idempotency`, key `key`. digest: of the request's content."""

    key: str
    digest: str
    task_id: str
    created_at: int
