"""Triggers, what became of each delivery to them, and how far those who follow what happens have come."""

from __future__ import annotations

from msgspec import Struct


class TriggerRow(Struct, kw_only=True, array_like=True, gc=False):
    """Table `triggers`, key id; name is unique.

    definition: JSON of the wire's. version: rises with every change but those of the counts. secret, previous_secret:
    sealed. previous_until: until when previous_secret and previous_hook_id are taken. armed_at: events before it do not
    count. The counts are of outcomes.
    """

    id: str
    name: str
    kind: str
    definition: str
    created_at: int
    updated_at: int
    armed_at: int
    enabled: bool = True
    version: int = 1
    hook_id: str | None = None
    secret: str | None = None
    previous_hook_id: str | None = None
    previous_secret: str | None = None
    previous_until: int | None = None
    last_at: int | None = None
    last_outcome: str | None = None
    accepted: int = 0
    duplicate: int = 0
    filtered: int = 0
    refused: int = 0
    limited: int = 0
    failed: int = 0


class TriggerEventRow(Struct, kw_only=True, array_like=True, gc=False):
    """Table `trigger_events`, key id, which rises with time. Of those with one trigger_id and delivery_id at most one
    is accepted. See `milepost.wire.triggers.TriggerEvent`."""

    id: str
    trigger_id: str
    at: int
    outcome: str
    delivery_id: str | None = None
    reason: str = ""
    task_id: str | None = None
    depth: int = 0
    size_bytes: int = 0
    replay_of: str | None = None
    by: str | None = None


class TriggerPayloadRow(Struct, kw_only=True, array_like=True, gc=False):
    """What came, until expires_at. Table `trigger_payloads`, key event_id. headers: JSON, without secrets. body:
    sealed."""

    event_id: str
    trigger_id: str
    expires_at: int
    headers: str
    body: str


class PositionRow(Struct, kw_only=True, array_like=True, gc=False):
    """Table `positions`, key (follower, source). position: up to where a follower has dealt with a source."""

    follower: str
    source: str
    position: str
