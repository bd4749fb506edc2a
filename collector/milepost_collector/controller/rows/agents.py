"""Agents, their workers, and what limits them."""

from __future__ import annotations

from msgspec import Struct


class AgentRow(Struct, kw_only=True, array_like=True, gc=False):
    """Table `agents`, key name. teams, tasks, capabilities, labels: JSON, as its workers last registered. joined: JSON,
    teams it was put into otherwise. given_capabilities, given_labels: JSON, instead of what workers say; None: nothing
    was given. served_at: its newest lease."""

    name: str
    teams: str = "[]"
    tasks: str = "[]"
    paused: bool = False
    paused_by: str | None = None
    last_poll_at: int | None = None
    served_at: int = 0
    joined: str = "[]"
    capabilities: str = "[]"
    labels: str = "{}"
    given_capabilities: str | None = None
    given_labels: str | None = None


class WorkerRow(Struct, kw_only=True, array_like=True, gc=False):
    """Table `workers`, key id. tasks, teams: JSON. any_task: it handles every name. polled_until: by when it must have
    polled again to count as alive. abilities: JSON, what tasks may need of it: capabilities, and labels as
    `name=value`."""

    id: str
    agent: str
    concurrency: int
    tasks: str
    teams: str
    any_task: bool
    started_at: int
    last_poll_at: int
    polled_until: int
    draining: bool = False
    host_name: str | None = None
    process_id: int | None = None
    sdk_version: str | None = None
    abilities: str = "[]"


class LimitRow(Struct, kw_only=True, array_like=True, gc=False):
    """Table `limits`, key (scope, value). See `milepost.wire.agents.Limit`."""

    scope: str
    value: str
    concurrency: int | None = None
    rate: int | None = None
    per_ms: int | None = None


class RateRow(Struct, kw_only=True, array_like=True, gc=False):
    """What of a rate is used up. Table `rates`, key (scope, value). begun: JSON, the instants within the last period at
    which attempts began, and how many, oldest first: [[at, count], …]; neighbouring ones may be put together."""

    scope: str
    value: str
    begun: str
