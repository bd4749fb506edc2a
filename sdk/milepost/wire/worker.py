"""How a worker gets attempts and tells of them: `/api/worker`, in msgpack or JSON.

A worker is one process serving one agent; it registers once and gets an id that is never used again. Then it does two
things at the same time. It *polls* (`POST /api/worker/poll`), one request after the other: the answer comes when there
is work, a command, or after `wait_ms`. A poll is the only proof of life: it renews the leases of everything in `held`,
and an attempt is in `held` from the answer that brought it until its last report is answered. A lease that the
controller knows and `held` does not name is answered again, so that a lost answer loses no work; a worker ignores what
it holds. And it *reports* (`POST /api/worker/reports`): progress, checkpoints, steps, ends. Reports are applied in
their order, all of one request in one transaction that is committed before the answer; sending one again changes
nothing.

Every report names (task_id, attempt). When a later attempt has been leased or the task is finished, the report is
refused as `stale`, and the worker stops working on it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from milepost.wire.asks import Answer, AskDefinition
from milepost.wire.budgets import BudgetLeft
from milepost.wire.deliverables import ExpectedDeliverable
from milepost.wire.tasks import DurationMs, Fraction, Name, Reason, TaskId
from milepost.wire.teams import Capability, Label

__all__ = [
    "AttemptAsked",
    "AttemptCancelled",
    "AttemptCompleted",
    "AttemptFailed",
    "AttemptPaused",
    "AttemptReport",
    "AttemptStarted",
    "CheckpointSaved",
    "Command",
    "Held",
    "PollAnswer",
    "PollRequest",
    "ProgressMade",
    "RegisterAnswer",
    "RegisterRequest",
    "ReportResult",
    "ReportsAnswer",
    "ReportsRequest",
    "ReservationAsked",
    "ReservationReleased",
    "StepCompleted",
    "StepMemory",
    "StepReused",
    "TaskLease",
    "UnregisterRequest",
]

WorkerId = Annotated[str, Meta(min_length=1, max_length=64)]
AttemptNumber = Annotated[int, Meta(ge=1, le=2_147_483_647)]


class RegisterRequest(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """A worker begins. tasks: the task names it handles; any: it handles every name. concurrency: its slots.
    capabilities, labels: what tasks may ask for; they are the agent's as its newest worker has them."""

    agent: Name
    concurrency: Annotated[int, Meta(ge=1, le=10_000)]
    tasks: Annotated[list[Name], Meta(max_length=10_000)] = []
    any: bool = False
    teams: Annotated[list[Name], Meta(max_length=100)] = []
    capabilities: Annotated[list[Capability], Meta(max_length=100)] = []
    labels: Annotated[dict[Label, Label], Meta(max_length=100)] = {}
    host_name: Annotated[str, Meta(max_length=255)] | None = None
    process_id: int | None = None
    sdk_version: Annotated[str, Meta(max_length=64)] | None = None


class RegisterAnswer(Struct, kw_only=True):
    """worker_id: for every later request. max_wait_ms: the longest a poll may wait. max_value_bytes: of a checkpoint, a
    step's result, or a result."""

    worker_id: str
    max_wait_ms: int
    max_value_bytes: int


class UnregisterRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """A worker ends. Leases it still holds are over at once and their tasks go back to the queue."""

    worker_id: WorkerId


class Held(Struct, omit_defaults=True, array_like=True):
    """An attempt that a worker works on, or has ended but not yet had its report answered. started: its code runs, and
    has for age_ms."""

    task_id: TaskId
    attempt: AttemptNumber
    started: bool = True
    age_ms: DurationMs = 0


class PollRequest(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Ask for work and commands. held: see the module. draining: no more work, but commands and renewals."""

    worker_id: WorkerId
    held: Annotated[list[Held], Meta(max_length=10_000)] = []
    wait_ms: Annotated[int, Meta(ge=0, le=60_000)] = 0
    draining: bool = False


class StepMemory(Struct, omit_defaults=True, kw_only=True):
    """A step that an earlier attempt completed."""

    name: str
    input_digest: str
    attempt: int
    result: Any = None


class TaskLease(Struct, omit_defaults=True, kw_only=True):
    """An attempt handed to a worker.

    run_id: the run to record it as. lease_ms: how long the controller waits for the next poll. failures: attempts
    before this one that failed. checkpoint: the state saved last by an earlier attempt, with its sequence number.
    answers: to what earlier attempts have asked since the task was last opened.
    scheduled_for: the instant of its schedule that it is for. deliverables: what is to be handed over. budget: what it
    may use; None: nothing limits it.
    """

    task_id: str
    name: str
    attempt: int
    run_id: str
    lease_ms: int
    agent: str | None = None
    input: Any = None
    context: Any = None
    priority: str = "medium"
    tags: list[str] = []
    deadline: datetime | None = None
    timeout_ms: int | None = None
    cancel_grace_ms: int = 10_000
    failures: int = 0
    checkpoint: Any = None
    checkpoint_sequence: int | None = None
    steps: list[StepMemory] = []
    answers: list[Answer] = []
    origin_run_id: str | None = None
    origin_span_id: str | None = None
    scheduled_for: datetime | None = None
    deliverables: list[ExpectedDeliverable] = []
    budget: BudgetLeft | None = None


class Command(Struct, omit_defaults=True, kw_only=True):
    """What a worker is to do with an attempt.

    cancel: stop; reason says why. pause: save a checkpoint and stop. lost: the lease is over, stop and report nothing
    more. grace_ms: after so long a cancelled attempt is cut off.
    """

    kind: Literal["cancel", "pause", "lost"]
    task_id: str
    attempt: int
    reason: str = ""
    grace_ms: int | None = None


class PollAnswer(Struct, omit_defaults=True, kw_only=True):
    """leases: attempts to work on. commands: repeated in each answer until the attempt ends. poll_within_ms: poll again
    before that is over, or leases are lost."""

    leases: list[TaskLease] = []
    commands: list[Command] = []
    poll_within_ms: int = 20_000


class AttemptReport(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """What every report begins with."""

    task_id: TaskId
    attempt: AttemptNumber


class AttemptStarted(AttemptReport, tag="started"):
    """Its code runs. Not necessary: `started` in a poll says the same."""


class ProgressMade(AttemptReport, tag="progress"):
    """How far it is."""

    progress: Fraction | None = None
    phase: Name | None = None


class CheckpointSaved(AttemptReport, tag="checkpoint"):
    """State for a later attempt. sequence: the worker counts from 1 within the attempt, so that repeats are known."""

    sequence: Annotated[int, Meta(ge=1, le=2_147_483_647)]
    state: Any = None
    name: Name | None = None


class StepCompleted(AttemptReport, tag="step"):
    """A step's result, for a later attempt. input_digest: hexadecimal digest of the step's input."""

    name: Name
    input_digest: Annotated[str, Meta(max_length=64)]
    result: Any = None


class StepReused(AttemptReport, tag="step_reused"):
    """A remembered step's result was taken instead of doing it again."""

    name: Name
    input_digest: Annotated[str, Meta(max_length=64)]


class ReservationAsked(AttemptReport, tag="reserve"):
    """It wants to use so much more, and waits until that is granted or refused. number: the worker counts from 1 within
    the attempt, so that repeats are known. expires_ms: after so long, what is left of it is free again."""

    number: Annotated[int, Meta(ge=1, le=2_147_483_647)]
    usd: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
    tokens: Annotated[int, Meta(ge=0, le=1_000_000_000_000)] = 0
    tool_calls: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 0
    expires_ms: Annotated[int, Meta(ge=1_000, le=86_400_000)] = 300_000


class ReservationReleased(AttemptReport, tag="release"):
    """It uses no more of a reservation; what was used of it may not be known yet."""

    number: Annotated[int, Meta(ge=1, le=2_147_483_647)]


class AttemptCompleted(AttemptReport, tag="completed"):
    """It is done."""

    result: Any = None


class AttemptFailed(AttemptReport, tag="failed"):
    """It failed. retryable: False: do not try again. retry_after_ms: not before, whatever the backoff says."""

    error_type: Annotated[str, Meta(max_length=500)]
    error_message: Annotated[str, Meta(max_length=100_000)] = ""
    error_stack: Annotated[str, Meta(max_length=1_000_000)] | None = None
    retryable: bool = True
    retry_after_ms: DurationMs | None = None


class AttemptCancelled(AttemptReport, tag="cancelled"):
    """It stopped because it was told to cancel."""


class AttemptPaused(AttemptReport, tag="paused"):
    """It stopped because it was told to pause, or hands its lease back (`released`): it goes on later, and that counts
    neither as a failure nor as a loss. budget_id: of the budget that refused what it cannot go on without; waits:
    what others have reserved is in the way."""

    released: bool = False
    reason: Reason = ""
    budget_id: Annotated[str, Meta(max_length=64)] | None = None
    waits: bool = False


class AttemptAsked(AttemptReport, tag="asked"):
    """It asks a person and ends: a later attempt goes on with the answer. Until then nothing is held for it."""

    ask: AskDefinition


Report = (
    AttemptStarted
    | ProgressMade
    | CheckpointSaved
    | StepCompleted
    | StepReused
    | ReservationAsked
    | ReservationReleased
    | AttemptCompleted
    | AttemptFailed
    | AttemptCancelled
    | AttemptPaused
    | AttemptAsked
)


class ReportsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Reports in their order."""

    worker_id: WorkerId
    reports: Annotated[list[Report], Meta(min_length=1, max_length=10_000)]


class ReportResult(Struct, omit_defaults=True, kw_only=True):
    """What became of a report. stale: the lease is over. repeated: it had been applied before. refused: it is not legal
    now or too large, or a budget does not allow it (budget_id). reason: why, unless applied; of an applied end, why the
    attempt failed all the same. waits: it may be granted later, when others have used less than they reserved. budget:
    what is left, after a reservation."""

    outcome: Literal["applied", "repeated", "stale", "refused"]
    reason: str = ""
    budget_id: str | None = None
    waits: bool = False
    budget: BudgetLeft | None = None


class ReportsAnswer(Struct, kw_only=True):
    """One result per report, and commands for the attempts that the reports name."""

    results: list[ReportResult]
    commands: list[Command] = []
