"""Teams of agents, and how well agents suit a task."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from milepost.wire.tasks import Fallback, Name, Need, TaskId, Text

__all__ = [
    "Capability",
    "Label",
    "Match",
    "MatchCandidate",
    "MemberRequest",
    "Team",
    "TeamCreate",
    "TeamList",
    "TeamUpdate",
]

Capability = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^=\s]+$")]
Label = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^=\s]+$")]
Members = Annotated[list[Name], Meta(max_length=1_000)]


class TeamCreate(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """What a team is made from. fallback: for tasks of the team that have none of their own."""

    name: Name
    description: Text = ""
    members: Members = []
    fallback: Fallback | None = None


class TeamUpdate(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """What to change of a team; what is not given stays."""

    description: Text | UnsetType = UNSET
    fallback: Fallback | UnsetType | None = UNSET


class MemberRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Agents to put into a team, or to take out of it."""

    agents: Annotated[list[Name], Meta(min_length=1, max_length=1_000)]


class Team(Struct, omit_defaults=True, kw_only=True):
    """A team. members: agents, whether they were added or their workers say so (`declared`). created_at: None: nobody
    has made it, agents merely name it. alive: members with a worker that polls. ready, delayed: what waits for it."""

    name: str
    members: list[str] = []
    declared: list[str] = []
    alive: list[str] = []
    description: str = ""
    fallback: Fallback | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    ready: int = 0
    delayed: int = 0


class TeamList(Struct, kw_only=True):
    """Every team, by name."""

    teams: list[Team]


class MatchCandidate(Struct, omit_defaults=True, kw_only=True):
    """How well one agent suits a task. obstacle: why it cannot take it; then total is 0.

    preference, success, load, cost: parts of the score, from 0 to 1, the more the better; total: their weighted mean.
    success counts `successes` of `attempts` at tasks of this name, smoothed; cost compares the median cost_usd of
    cost_samples attempts with the lowest of all agents.
    """

    agent: str
    total: float
    preference: float
    success: float
    load: float
    cost: float
    obstacle: str | None = None
    handles: bool = True
    met: list[str] = []
    missing: list[str] = []
    slots: int = 0
    busy: int = 0
    attempts: int = 0
    successes: int = 0
    cost_usd: float | None = None
    cost_samples: int = 0
    median_ms: float | None = None


class Match(Struct, kw_only=True):
    """Which agents could do a task, the best first; those that cannot come last. weights: of the parts. margin: by how
    much another must be better for the task to be kept for it, match_wait_ms at most. best: the first that can."""

    task_id: TaskId
    needs: list[Need]
    candidates: list[MatchCandidate]
    weights: dict[str, float]
    margin: float
    match_wait_ms: int
    best: str | None = None
