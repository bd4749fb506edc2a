"""What the controller tells of its tasks, for whoever keeps a record of it: plain facts, no rows of its store.

Times are integer milliseconds since the Unix epoch.
"""

from __future__ import annotations

from typing import NamedTuple, NewType

from msgspec import Struct

At = NewType("At", int)


class TransitionFact(NamedTuple):
    """One change of a task: a row of `task_transitions`."""

    sequence: int
    task_id: str
    time: At
    event: str
    from_status: str | None
    to_status: str
    attempt: int | None
    agent: str | None
    worker_id: str | None
    by: str | None
    reason: str | None


class TaskFact(NamedTuple):
    """A task as it stands after a transition: a row of `task_versions`. priority: low, medium, high or urgent."""

    task_id: str
    name: str
    type: str
    status: str
    priority: str
    agent: str | None
    team: str | None
    app: str | None
    key: str | None
    tags: list[str]
    attempt: int
    failures: int
    losses: int
    created_at: At
    created_by: str | None
    run_at: At | None
    started_at: At | None
    finished_at: At | None
    deadline: At | None
    error_type: str | None
    error_message: str | None
    reason: str | None
    schedule_id: str | None
    scheduled_for: At | None
    origin_run_id: str | None


class AttemptFact(NamedTuple):
    """An attempt as it stands: a row of `attempt_versions`. status: `running`, or how it ended. summary, insights,
    recommendations: what its result says of itself."""

    task_id: str
    attempt: int
    run_id: str
    agent: str | None
    worker_id: str
    status: str
    leased_at: At
    started_at: At | None
    ended_at: At | None
    retry_at: At | None
    steps_reused: int
    checkpoint_count: int
    error_type: str | None
    error_message: str | None
    reason: str | None
    summary: str | None
    insights: list[str] | None
    recommendations: list[str] | None


class InstantFact(NamedTuple):
    """What became of an instant of a schedule: a row of `instant_versions`."""

    schedule_id: str
    schedule_name: str | None
    nominal: At
    status: str
    recorded_at: At
    task_id: str | None
    reason: str | None


class DeliverableFact(NamedTuple):
    """A version of a deliverable that was attached: a row of `attached_versions`."""

    sequence: int
    task_id: str | None
    run_id: str | None
    attempt: int | None
    span_id: str | None
    name: str
    deliverable_version: int
    type: str
    content_type: str
    size_bytes: int
    sha256: str
    created_at: At
    agent: str | None
    by: str | None


class AskFact(NamedTuple):
    """Something that happened to an ask. event: see `milepost.wire.asks.AskEvent`."""

    ask_id: str
    event: str
    time: At
    task_id: str | None
    run_id: str | None
    by: str | None
    reason: str


class Recorded(Struct, kw_only=True, frozen=True):
    """Everything that changed between two positions in the controller's store.

    after: the position it begins after, None at the very beginning; position: where it ends. deleted: ids of tasks that
    are gone. tasks, attempts: as they stand now, which may be later than at `position`. asks: for live viewers; no
    table keeps them. again: some of the transitions may have been told before.
    """

    after: str | None
    position: str
    transitions: list[TransitionFact] = []
    tasks: list[TaskFact] = []
    deleted: list[str] = []
    attempts: list[AttemptFact] = []
    instants: list[InstantFact] = []
    deliverables: list[DeliverableFact] = []
    asks: list[AskFact] = []
    again: bool = False
