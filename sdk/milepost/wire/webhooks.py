"""Webhooks as a client of `/api/webhooks` sees them: whom the collector tells what happens, and what became of it.

Deliveries follow Standard Webhooks 1.0 (https://www.standardwebhooks.com). Times are RFC 3339 in UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from milepost.wire.tasks import DurationMs, Name, Reason, Text

__all__ = [
    "DELIVERY_STATUSES",
    "EVENT_TYPES",
    "Delivery",
    "DeliveryDetail",
    "DeliveryList",
    "DeliveryTry",
    "EventType",
    "EventTypeList",
    "ReplayAnswer",
    "ReplayRequest",
    "RotateRequest",
    "Webhook",
    "WebhookCreate",
    "WebhookEvent",
    "WebhookHold",
    "WebhookList",
    "WebhookSecret",
    "WebhookUpdate",
]

DELIVERY_STATUSES = ("waiting", "delivered", "failed")

# Every type of event there is, and what it says.
EVENT_TYPES: dict[str, str] = {
    "task.created": "a task was created",
    "task.released": "everything that a task depended on is there",
    "task.held": "a task was given dependencies and waits for them",
    "task.leased": "a worker took an attempt of a task",
    "task.started": "an attempt of a task began to run",
    "task.completed": "a task was completed",
    "task.failed": "a task failed for good, or its deadline passed",
    "task.cancelled": "a task was cancelled, or what it depended on was not completed",
    "task.requeued": "an attempt failed or was lost; the task is tried again",
    "task.yielded": "an attempt gave its task back to be gone on with later",
    "task.paused": "a task was paused",
    "task.resumed": "a paused task goes on",
    "task.reopened": "a finished task was opened again",
    "task.exhausted": "a task was parked: its workers were lost too often",
    "task.asked": "a task waits for a person",
    "task.answered": "a person answered; the task goes on",
    "task.at_risk": "a task will probably miss its deadline",
    "task.edited": "a person changed what a task is given",
    "task.reassigned": "a task was given to somebody else",
    "task.stalled": "an attempt has not moved for longer than its kind does",
    "task.recovered": "an attempt that had stalled moves again",
    "task.deleted": "a task was deleted",
    "task.assignment_completed": "one of several agents completed its part of a task",
    "task.assignment_cancelled": "one of several agents' part of a task was cancelled",
    "task.assignment_paused": "one of several agents' part of a task was paused",
    "run.started": "a run began",
    "run.completed": "a run was completed",
    "run.failed": "a run failed",
    "run.cancelled": "a run was cancelled",
    "run.skipped": "a run was skipped",
    "run.lost": "a run's process went away",
    "deliverable.attached": "a task or a run got a deliverable, or another version of one",
    "budget.set": "a budget was set",
    "budget.soft": "as much of a budget is used as calls for a warning",
    "budget.hard": "a budget is used up; nothing more begins under it",
    "budget.raised": "more was allowed than a budget's limits",
    "budget.reset": "a budget of which a limit was reached begins anew",
    "budget.deleted": "a budget was removed",
    "ask.opened": "an approval or a question was put to people",
    "ask.received": "somebody has it",
    "ask.delegated": "others are to decide",
    "ask.decided": "one of several approvals was given",
    "ask.approved": "it was approved",
    "ask.rejected": "it was rejected",
    "ask.answered": "a question was answered",
    "ask.expired": "nobody decided in time",
    "ask.cancelled": "it was taken back",
    "ask.invalidated": "the action it was about has changed",
    "ask.alarmed": "nobody has received it",
    "schedule.fired": "a schedule made a task in time",
    "schedule.late": "a schedule made a task for an instant that had passed",
    "schedule.queued": "an instant waits for the task before it",
    "schedule.skipped": "an instant was skipped by a policy or a pause",
    "schedule.missed": "an instant passed while nothing ran",
    "schedule.backfilled": "an instant of the past was made up for on request",
    "webhook.disabled": "a webhook was disabled because its deliveries fail",
    "webhook.test": "somebody tries a webhook out",
}

WebhookFormat = Literal["standard", "slack"]
WebhookStatus = Literal["active", "paused", "disabled"]
DeliveryStatus = Literal["waiting", "delivered", "failed"]

Url = Annotated[str, Meta(min_length=1, max_length=2_000)]
Pattern = Annotated[str, Meta(pattern=r"^(\*|[a-z_]+\.\*|[a-z_]+\.[a-z_]+)$", max_length=100)]
Patterns = Annotated[list[Pattern], Meta(min_length=1, max_length=100)]
Names = Annotated[list[Name], Meta(max_length=100)]


class WebhookCreate(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """What a webhook is made from.

    name: unique. url: https; what else is allowed, the collector's settings say. format: `standard`, or `slack` for an
    incoming webhook of Slack or what understands its messages. events: types or patterns: `task.failed`, `task.*`, `*`.
    agents, names, tags: only of these agents, tasks (or runs) of these names and with one of these tags; none: all.
    secret: `whsec_` and base64 of 24 to 64 bytes; None: one is made.
    """

    name: Name
    url: Url
    events: Patterns
    format: WebhookFormat = "standard"
    description: Text = ""
    agents: Names = []
    names: Names = []
    tags: Names = []
    secret: Annotated[str, Meta(max_length=200)] | None = None
    paused: bool = False
    by: Name | None = None


class WebhookUpdate(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; a field that is not given stays."""

    name: Name | UnsetType = UNSET
    url: Url | UnsetType = UNSET
    events: Patterns | UnsetType = UNSET
    format: WebhookFormat | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    agents: Names | UnsetType = UNSET
    names: Names | UnsetType = UNSET
    tags: Names | UnsetType = UNSET


class WebhookHold(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Pause a webhook, or let it go on."""

    reason: Reason = ""
    by: Name | None = None


class RotateRequest(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Give a webhook another secret. overlap_ms: how long deliveries are signed with the old one too; 0: not at all.
    secret: None: one is made."""

    overlap_ms: DurationMs = 86_400_000
    secret: Annotated[str, Meta(max_length=200)] | None = None


class Webhook(Struct, kw_only=True):
    """A webhook as it stands. url: of an incoming webhook of Slack without what is secret in it.

    status: `active`; `paused`: what happens meanwhile is kept and delivered later; `disabled`: its deliveries failed
    for days, or it said 410 Gone, and nothing is kept for it. reason: why. waiting_count: deliveries to come.
    old_secret_until: up to when deliveries are signed with the secret before, too. failing_since: nothing has arrived
    since. throttled_until: it has asked not to be sent anything before.
    """

    id: str
    name: str
    url: str
    format: WebhookFormat
    events: list[str]
    description: str
    agents: list[str]
    names: list[str]
    tags: list[str]
    status: WebhookStatus
    reason: str
    created_at: datetime
    updated_at: datetime
    waiting_count: int
    delivered_count: int
    failed_count: int
    changed_by: str | None = None
    old_secret_until: datetime | None = None
    failing_since: datetime | None = None
    throttled_until: datetime | None = None
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    last_error: str | None = None


class WebhookSecret(Struct, kw_only=True):
    """A webhook and its secret, which is not shown again."""

    webhook: Webhook
    secret: str


class WebhookList(Struct, kw_only=True):
    """Every webhook, by name."""

    webhooks: list[Webhook]


class WebhookEvent(Struct, kw_only=True):
    """What is sent: what happened, when, and to whom (ids and status; ask the collector for the rest)."""

    type: str
    timestamp: datetime
    data: dict[str, Any]


class Delivery(Struct, kw_only=True):
    """An event on its way to a webhook. event_id: sent as `webhook-id` with every try. subject: the id of what it is
    about. next_at: of the next try; None: it is over. last_status: of the newest answer, if there was one."""

    id: str
    webhook_id: str
    event_id: str
    type: str
    status: DeliveryStatus
    subject: str
    time: datetime
    created_at: datetime
    tries: int
    next_at: datetime | None = None
    finished_at: datetime | None = None
    last_status: int | None = None
    last_error: str | None = None


class DeliveryTry(Struct, kw_only=True):
    """One try of a delivery. status: of the answer, None if there was none."""

    number: int
    at: datetime
    duration_ms: int
    status: int | None
    error: str | None


class DeliveryDetail(Struct, kw_only=True):
    """A delivery, what is sent, and every try."""

    delivery: Delivery
    event: WebhookEvent
    tries: list[DeliveryTry]


class DeliveryList(Struct, kw_only=True):
    """A page of deliveries, the newest first."""

    deliveries: list[Delivery]
    next_cursor: str | None


class ReplayRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Deliver again what failed. since: of events from then on."""

    since: datetime


class ReplayAnswer(Struct, kw_only=True):
    """How many deliveries are made again."""

    replayed: int


class EventType(Struct, kw_only=True):
    """A type of event. text: what it says."""

    type: str
    text: str


class EventTypeList(Struct, kw_only=True):
    """Every type of event there is."""

    types: list[EventType]
