"""Agents, their workers, and limits, as a client of `/api/agents` and `/api/limits` sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from milepost.wire.tasks import Name

__all__ = ["LIMIT_SCOPES", "Agent", "AgentList", "Lease", "Limit", "LimitList", "Worker"]

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
    """An agent: what it handles, who serves it and what waits for it. paused: it is given no work."""

    name: str
    teams: list[str] = []
    tasks: list[str] = []
    paused: bool = False
    paused_by: str | None = None
    workers: list[Worker] = []
    slots: int = 0
    busy: int = 0
    ready: int = 0
    delayed: int = 0
    last_poll_at: datetime | None = None


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
