"""What is put to people, what they said, and what happened to it."""

from __future__ import annotations

from msgspec import Struct


class AskRow(Struct, kw_only=True, array_like=True, gc=False):
    """Table `asks`, key id. See `milepost.wire.asks.Ask`.

    owner: who is told the answer: the task's id with the assignment's position (`task/position`), or the run's id; None
    once the task has been opened anew, which asks anew. (owner, key) is unique among those not invalidated. action,
    edited_action, options, schema, approvers, value: JSON. alarm_at: when nobody having received it is an alarm; None
    once somebody has. consumed_by: the first attempt that got the answer with its lease.
    """

    id: str
    key: str
    kind: str
    status: str
    title: str
    action_digest: str
    created_at: int
    on_expiry: str
    owner: str | None = None
    quorum: int = 1
    approvals: int = 0
    details: str = ""
    options: str = "[]"
    approvers: str = "[]"
    action: str | None = None
    schema: str | None = None
    task_id: str | None = None
    position: int | None = None
    attempt: int | None = None
    agent: str | None = None
    run_id: str | None = None
    span_id: str | None = None
    expires_at: int | None = None
    received_at: int | None = None
    alarm_at: int | None = None
    alarmed_at: int | None = None
    decided_at: int | None = None
    decided_by: str | None = None
    decided_via: str | None = None
    option: str | None = None
    edited: bool = False
    edited_action: str | None = None
    edited_digest: str | None = None
    value: str | None = None
    reason: str = ""
    consumed_by: int | None = None


class DecisionRow(Struct, kw_only=True, array_like=True, gc=False):
    """What one person said. Table `decisions`, key (ask_id, number), counted from 1. delegated_to: JSON."""

    ask_id: str
    number: int
    decision: str
    at: int
    via: str
    by: str | None = None
    team: str | None = None
    reason: str = ""
    option: str | None = None
    delegated_to: str = "[]"


class AskEventRow(Struct, kw_only=True, array_like=True, gc=False):
    """Table `ask_events`, key sequence, which the database gives, rising in order of commits: followed like
    `transitions`. event: see `milepost.wire.asks.AskEvent`."""

    ask_id: str
    event: str
    time: int
    task_id: str | None = None
    run_id: str | None = None
    by: str | None = None
    reason: str = ""
    sequence: int = 0
