"""Triggers as a client of `/api/triggers` sees them: what makes tasks of webhooks and of events. Times are RFC 3339.

A *trigger* makes a task of each delivery to its address (`webhook`), or of each event of a kind that happens in the
collector (`event`). Whatever comes of one is a *trigger event*: a line in the trigger's log.

Payloads are pointed into by JSON Pointers (RFC 6901): `/issue/title`, `/labels/0/name`, the empty text for all of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from milepost.wire.tasks import DurationMs, Name, Text
from milepost.wire.tasks import TaskCreate as TaskTemplate

__all__ = [
    "SIGNATURE_SCHEMES",
    "TRIGGER_KINDS",
    "TRIGGER_OUTCOMES",
    "Condition",
    "DryRunRequest",
    "HookAnswer",
    "InputField",
    "ReplayRequest",
    "RotateRequest",
    "Signature",
    "Trigger",
    "TriggerCreate",
    "TriggerEvent",
    "TriggerEventDetail",
    "TriggerEventList",
    "TriggerList",
    "TriggerSecret",
    "TriggerUpdate",
    "TryAnswer",
    "TryRequest",
]

TRIGGER_KINDS = ("webhook", "event")
SIGNATURE_SCHEMES = ("github", "stripe", "slack", "standard-webhooks", "hmac", "bearer", "basic")
TRIGGER_OUTCOMES = ("accepted", "duplicate", "filtered", "refused", "limited", "failed")

TriggerKind = Literal["webhook", "event"]
Scheme = Literal["github", "stripe", "slack", "standard-webhooks", "hmac", "bearer", "basic"]
Outcome = Literal["accepted", "duplicate", "filtered", "refused", "limited", "failed"]

Pointer = Annotated[str, Meta(max_length=500, pattern=r"^(/([^~]|~[01])*)?$")]
Header = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
Secret = Annotated[str, Meta(min_length=16, max_length=500)]
EventPattern = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[a-z_]+\.([a-z_]+|\*)$")]
Where = Annotated[str, Meta(max_length=2_000)]
BodyLimit = Annotated[int, Meta(ge=1, le=16 * 1024 * 1024)]
RateLimit = Annotated[int, Meta(ge=1, le=6_000)]
KeepDays = Annotated[int, Meta(ge=0, le=90)]
Depth = Annotated[int, Meta(ge=1, le=20)]


class Signature(Struct, omit_defaults=True, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How a sender proves that it knows the secret.

    tolerance_s: how far a signed time may lie from now; of `stripe`, `slack` and `standard-webhooks`. header,
    algorithm, encoding, prefix: of `hmac`, the digest of the raw body under the secret, as `sha256=1f2e…`. user: of
    `basic`. delivery_header: of `hmac`, `bearer` and `basic`, where a delivery's id is; without one it is the body's
    digest.
    """

    scheme: Scheme
    tolerance_s: Annotated[int, Meta(ge=1, le=3_600)] = 300
    header: Header = "X-Signature"
    algorithm: Literal["sha1", "sha256", "sha384", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: Annotated[str, Meta(max_length=50)] = ""
    user: Annotated[str, Meta(max_length=200)] = ""
    delivery_header: Header | None = None


class InputField(Struct, omit_defaults=True, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A field of the task's input, from exactly one of: a place in the payload, a header, a constant value.

    default: when nothing is there. Without one the field is left out, or, if it is required, no task is made.
    """

    name: Name
    pointer: Pointer | None = None
    header: Header | None = None
    value: Any = UNSET
    default: Any = UNSET
    required: bool = False


class Condition(Struct, omit_defaults=True, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What must hold of a payload or its headers: exactly one of pointer and header, and one of the others.

    equals: this value. one_of: any of these. exists: whether there is anything.
    """

    pointer: Pointer | None = None
    header: Header | None = None
    equals: Any = UNSET
    one_of: Annotated[list[Any], Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    exists: bool | UnsetType = UNSET


class TriggerDefinition(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """What a trigger does; see `TriggerCreate`."""

    task: TaskTemplate
    description: Text = ""
    conditions: Annotated[list[Condition], Meta(max_length=20)] = []
    mapping: Annotated[list[InputField], Meta(max_length=100)] | None = None
    key_from: Pointer | None = None
    description_from: Pointer | None = None
    rate_limit: RateLimit = 600
    keep_payload_days: KeepDays = 7
    signature: Signature | None = None
    max_body_bytes: BodyLimit = 1024 * 1024
    event: EventPattern | None = None
    where: Where = ""
    max_depth: Depth = 3


class TriggerCreate(TriggerDefinition, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """What a trigger is made from.

    name: unique. task: what each task is made from; its type becomes `triggered`. conditions: all must hold, or no task
    is made. mapping: fields of the task's input, beside those of the template's; None: the input is the whole payload.
    key_from, description_from: pointers to texts that become the task's key and description. rate_limit: tasks a
    minute. keep_payload_days: how long payloads are kept, for replays; 0: not at all.

    A `webhook` has signature and max_body_bytes; secret: what the sender signs with, made if none is given. An `event`
    has event: which, as `run.failed` or `task.*`; where: a search that the run or task must be found by; max_depth: how
    many triggers may follow from one another before this one stops.
    """

    name: Name
    kind: Literal["webhook", "event"]
    enabled: bool = True
    secret: Secret | None = None


class TriggerUpdate(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; a field that is not given stays."""

    name: Name | UnsetType = UNSET
    task: TaskTemplate | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    conditions: Annotated[list[Condition], Meta(max_length=20)] | UnsetType = UNSET
    mapping: Annotated[list[InputField], Meta(max_length=100)] | UnsetType | None = UNSET
    key_from: Pointer | UnsetType | None = UNSET
    description_from: Pointer | UnsetType | None = UNSET
    rate_limit: RateLimit | UnsetType = UNSET
    keep_payload_days: KeepDays | UnsetType = UNSET
    signature: Signature | UnsetType = UNSET
    max_body_bytes: BodyLimit | UnsetType = UNSET
    event: EventPattern | UnsetType = UNSET
    where: Where | UnsetType = UNSET
    max_depth: Depth | UnsetType = UNSET


class Trigger(Struct, kw_only=True):
    """A trigger as it stands.

    path: below the collector's address, where a webhook is sent to. previous_until: until when the secret and the
    address before the last rotation are taken too. counts: of deliveries or events, by outcome.
    """

    id: str
    name: str
    kind: TriggerKind
    enabled: bool
    task: TaskTemplate
    description: str
    conditions: list[Condition]
    mapping: list[InputField] | None
    key_from: str | None
    description_from: str | None
    rate_limit: int
    keep_payload_days: int
    created_at: datetime
    updated_at: datetime
    counts: dict[Outcome, int]
    last_at: datetime | None = None
    last_outcome: Outcome | None = None
    signature: Signature | None = None
    max_body_bytes: int | None = None
    path: str | None = None
    previous_path: str | None = None
    previous_until: datetime | None = None
    event: str | None = None
    where: str | None = None
    max_depth: int | None = None


class TriggerSecret(Struct, kw_only=True):
    """A trigger with its secret, which is shown this once; None: it was given, or there is none."""

    trigger: Trigger
    secret: str | None


class TriggerList(Struct, kw_only=True):
    """A page of triggers by name."""

    triggers: list[Trigger]
    next_cursor: str | None


class RotateRequest(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Give a webhook a new secret, a new address, or both. secret: the new one; made if none is given. overlap_ms: how
    long what it replaces is taken too."""

    secret: Secret | None = None
    renew_secret: bool = True
    renew_address: bool = False
    overlap_ms: DurationMs = 86_400_000


class TriggerEvent(Struct, omit_defaults=True, kw_only=True):
    """What became of one delivery or event.

    accepted: it made the task. duplicate: it had made it before. filtered: a condition does not hold. refused: its
    signature is missing or wrong. limited: too many came, or triggers followed from one another too deeply. failed: no
    task could be made of it. size_bytes: of the body. has_payload: whether it can be replayed. replay_of: the trigger
    event that was done again, by whom.
    """

    id: str
    trigger_id: str
    at: datetime
    outcome: Outcome
    delivery_id: str | None = None
    reason: str = ""
    task_id: str | None = None
    depth: int = 0
    size_bytes: int = 0
    has_payload: bool = False
    replay_of: str | None = None
    by: str | None = None


class TriggerEventDetail(TriggerEvent, omit_defaults=True, kw_only=True):
    """A trigger event with what came: headers without secrets, and the body as text, while it is kept."""

    headers: dict[str, str] = {}
    payload: str | None = None


class TriggerEventList(Struct, kw_only=True):
    """A page of trigger events, the newest first."""

    events: list[TriggerEvent]
    next_cursor: str | None


class ReplayRequest(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Make the task of a trigger event again, by the trigger as it is now. by: who."""

    by: Name | None = None


class TryRequest(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """A payload to try a trigger with. definition: instead of the trigger's own, before it is changed to that."""

    payload: Any
    headers: Annotated[dict[str, str], Meta(max_length=100)] = {}
    definition: TriggerDefinition | None = None


class DryRunRequest(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A payload to try a trigger with that is not made yet. Conditions and mapping are tried; an event's search is only
    read. headers: of a webhook's delivery."""

    kind: Literal["webhook", "event"]
    definition: TriggerDefinition
    payload: Any
    name: Name = "dry run"
    headers: Annotated[dict[str, str], Meta(max_length=100)] = {}


class TryAnswer(Struct, omit_defaults=True, kw_only=True):
    """What a trigger would make of a payload. task: None unless the outcome is `accepted`."""

    outcome: Outcome
    reason: str = ""
    task: TaskTemplate | None = None


class HookAnswer(Struct, omit_defaults=True, kw_only=True):
    """What a sender is told: its delivery is durable. task_id: None when it was filtered. challenge: Slack's."""

    outcome: Outcome
    event_id: str | None = None
    task_id: str | None = None
    reason: str = ""
    challenge: str | None = None
