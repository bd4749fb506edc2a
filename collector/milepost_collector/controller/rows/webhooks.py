"""Webhooks: who is told what, each delivery and its tries."""

from __future__ import annotations

from msgspec import Struct


class WebhookRow(Struct, kw_only=True, array_like=True, gc=False):
    """Who is told. Table `webhooks`, key id; name is unique. See `milepost.wire.webhooks.Webhook`.

    url: as it may be shown. sealed_url, sealed_secret, sealed_old_secret: see `secrets.Secrets`. events, agents, names,
    tags: JSON. old_secret_until: up to when deliveries are signed with both. failing_since: of the first failure after
    the last success. throttled_until: nothing is sent before.
    """

    id: str
    name: str
    format: str
    url: str
    sealed_url: str
    sealed_secret: str
    events: str
    status: str
    created_at: int
    updated_at: int
    description: str = ""
    agents: str = "[]"
    names: str = "[]"
    tags: str = "[]"
    reason: str = ""
    changed_by: str | None = None
    sealed_old_secret: str | None = None
    old_secret_until: int | None = None
    failing_since: int | None = None
    throttled_until: int | None = None
    last_success_at: int | None = None
    last_failure_at: int | None = None
    last_error: str | None = None
    delivered_count: int = 0
    failed_count: int = 0


class DeliveryRow(Struct, kw_only=True, array_like=True, gc=False):
    """An event on its way to a webhook. Table `deliveries`, key id. event_id: the same for all that are told of it.

    payload: JSON, what is sent. tries_before: those of `tries` that were made before it was last replayed. next_at:
    when it is due; while it is being sent, when somebody else may take it over; None: it is over. claimed_at: when it
    was last taken, None while nobody has it. claim: rises with each taking: who has an older one may not write.
    """

    id: str
    webhook_id: str
    event_id: str
    type: str
    status: str
    time: int
    created_at: int
    payload: str
    subject: str = ""
    tries: int = 0
    tries_before: int = 0
    claim: int = 0
    next_at: int | None = None
    claimed_at: int | None = None
    finished_at: int | None = None
    last_status: int | None = None
    last_error: str | None = None


class DeliveryTryRow(Struct, kw_only=True, array_like=True, gc=False):
    """One try of a delivery. Table `delivery_tries`, key (delivery_id, number), counted from 1."""

    delivery_id: str
    number: int
    at: int
    duration_ms: int
    status: int | None = None
    error: str | None = None


class StartedRunRow(Struct, kw_only=True, array_like=True, gc=False):
    """A run whose start has been told and whose end has not. Table `started_runs`, key run_id."""

    run_id: str
    told_at: int
