"""Agents, their workers, and limits, as a client of `/api/agents` and `/api/limits` sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from milepost.wire.tasks import Name
from milepost.wire.teams import Capability, Label

__all__ = ["LIMIT_SCOPES", "Agent", "AgentList", "AgentUpdate", "Lease", "Limit", "LimitList", "Worker"]

LIMIT_SCOPES = ("agent", "name", "key")
LimitScope = Literal["agent", "name", "key"]


class Lease(Struct, omit_defaults=True, kw_only=True):
    """An attempt that a worker holds."""

    task_id: str
    task_name: str
    attempt: int
    run_id: str
    leased_at: datetime
    expires_at: datetime
    progress: float | None = None
    phase: str | None = None


class Worker(Struct, omit_defaults=True, kw_only=True):
    """A process that serves an agent. alive: it has polled lately. draining: it takes no more work."""

    id: str
    agent: str
    started_at: datetime
    last_poll_at: datetime
    concurrency: int
    alive: bool
    draining: bool = False
    tasks: list[str] = []
    host_name: str | None = None
    process_id: int | None = None
    sdk_version: str | None = None
    leases: list[Lease] = []


class Agent(Struct, omit_defaults=True, kw_only=True):
    """An agent: what it handles, who serves it and what waits for it. paused: it is given no work. capabilities,
    labels: what tasks may ask for; `set_by_hand` names those that were given here, instead of what its workers say.
    declared_teams: of its teams, those that its workers say."""

    name: str
    teams: list[str] = []
    declared_teams: list[str] = []
    tasks: list[str] = []
    capabilities: list[str] = []
    labels: dict[str, str] = {}
    set_by_hand: list[str] = []
    paused: bool = False
    paused_by: str | None = None
    workers: list[Worker] = []
    slots: int = 0
    busy: int = 0
    ready: int = 0
    delayed: int = 0
    last_poll_at: datetime | None = None


class AgentUpdate(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """What to change of an agent; what is not given stays. It holds, whatever workers say, until null takes it back."""

    capabilities: Annotated[list[Capability], Meta(max_length=100)] | UnsetType | None = UNSET
    labels: Annotated[dict[Label, Label], Meta(max_length=100)] | UnsetType | None = UNSET


class AgentList(Struct, kw_only=True):
    """All agents that have ever registered or that a task names, by name."""

    agents: list[Agent]


class Limit(Struct, omit_defaults=True, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How much of something may happen at once or in a stretch of time.

    scope and value: the agent, the task name or the key; value `*` stands for each that has no limit of its own.
    concurrency: attempts at once. rate, per_ms: attempts begun in any stretch of that length; both or neither.
    """

    scope: LimitScope
    value: Name
    concurrency: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    rate: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    per_ms: Annotated[int, Meta(ge=1, le=86_400_000)] | None = None


class LimitList(Struct, kw_only=True):
    """Every limit."""

    limits: list[Limit]
