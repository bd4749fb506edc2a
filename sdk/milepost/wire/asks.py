"""What a run puts to a person: approvals and questions, under `/api/asks`. Times are RFC 3339 in UTC.

An *ask* is durable: it is made once per key of a task (or of a run without one), however often the code that asks is
executed again. An approval is bound to its action: `action_digest` is the SHA-256 of the action's canonical JSON (keys
sorted, no spaces; `digest_of_action`), and an ask whose action has changed is invalidated and made anew. Expiry is an
outcome of its own, not a rejection.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct

from milepost.wire.events import RunId, SpanId
from milepost.wire.tasks import DurationMs, Name, Reason, TaskId, Text

__all__ = [
    "ASK_KINDS",
    "ASK_STATUSES",
    "Answer",
    "Ask",
    "AskCreate",
    "AskDefinition",
    "AskEvent",
    "AskEventList",
    "AskFilter",
    "AskList",
    "AskOption",
    "CancelAskRequest",
    "DecideRequest",
    "Decision",
    "DelegateRequest",
    "ReceivedRequest",
    "digest_of_action",
]

ASK_KINDS = ("approval", "question", "budget")
ASK_STATUSES = ("open", "approved", "rejected", "answered", "expired", "cancelled", "invalidated")

AskKind = Literal["approval", "question", "budget"]
AskStatus = Literal["open", "approved", "rejected", "answered", "expired", "cancelled", "invalidated"]
DecisionKind = Literal["approve", "reject", "edit", "answer", "delegate"]
Channel = Literal["api", "cli", "viewer", "link", "mcp"]
AskId = Annotated[str, Meta(min_length=1, max_length=64)]


class AskOption(Struct, omit_defaults=True, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One of several ways to say yes, or no. approves: whether choosing it is an approval."""

    name: Name
    label: Name | None = None
    approves: bool = True


class AskDefinition(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked.

    key: what makes it the same ask when the code that asks is executed again; unique within a task and agent, or a run.
    kind: `approval` of an action, or `question` with an answer of one's own; `budget` is the controller's. details: for
    the person, Markdown. action: what will be done, JSON. options: to choose from; none: approve or reject. schema: the
    JSON Schema (2020-12, without references to other documents) of a question's answer, or of an approval's action when
    it is edited. approvers: names of people, or `team:NAME` for whoever says that he decides for that team; none:
    anybody. quorum: how many different people must approve; one rejection rejects. timeout_ms: until it expires.
    on_expiry: what becomes of the task: it goes on and is told, fails with `ApprovalExpired`, or is cancelled.
    """

    key: Name
    title: Annotated[str, Meta(min_length=1, max_length=500)]
    kind: Literal["approval", "question"] = "approval"
    details: Text = ""
    action: Any = None
    options: Annotated[list[AskOption], Meta(max_length=20)] = []
    schema: dict[str, Any] | None = None
    approvers: Annotated[list[Name], Meta(max_length=100)] = []
    quorum: Annotated[int, Meta(ge=1, le=100)] = 1
    timeout_ms: DurationMs | None = None
    on_expiry: Literal["continue", "fail", "cancel"] = "continue"


class AskCreate(AskDefinition, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """An ask of a run that no task of the controller stands behind. Made once for (run_id, key). agent: the run's."""

    run_id: RunId
    span_id: SpanId | None = None
    agent: Name | None = None


class Decision(Struct, omit_defaults=True, kw_only=True):
    """What one person said to an ask. via: how it came. team: for which of the approvers' teams. to: whom it was
    delegated to."""

    decision: DecisionKind
    at: datetime
    via: Channel
    by: str | None = None
    team: str | None = None
    reason: str = ""
    option: str | None = None
    to: list[str] = []


class Answer(Struct, omit_defaults=True, kw_only=True):
    """What the code that asked is told. action_digest: of the action that it asked for. action: as it was approved,
    edited or not. value: a question's answer, or the option that was chosen. by: who said the last word."""

    key: str
    ask_id: str
    action_digest: str
    status: AskStatus
    decided_at: datetime
    option: str | None = None
    edited: bool = False
    action: Any = None
    value: Any = None
    reason: str = ""
    by: str | None = None


class Ask(Struct, kw_only=True):
    """An ask as it stands.

    attempt: the attempt that asked. edited_action: what an approver has made of the action, with its digest, which is
    then what others have looked at. decisions: the oldest first; `approvals` of them agree, of the same action and
    option, and count towards `quorum`. closed_at: when it was no longer open. received_at: when a person or a receiver
    that was notified first had it; None: nobody has, as far as is known. alarmed_at: when that was told as an alarm.
    consumed_by: the first attempt that went on with the answer.
    """

    id: str
    kind: AskKind
    status: AskStatus
    key: str
    title: str
    details: str
    action: Any
    action_digest: str
    options: list[AskOption]
    schema: dict[str, Any] | None
    approvers: list[str]
    quorum: int
    approvals: int
    on_expiry: str
    created_at: datetime
    expires_at: datetime | None
    decisions: list[Decision]
    edited_action: Any = None
    edited_digest: str | None = None
    closed_at: datetime | None = None
    task_id: str | None = None
    task_name: str | None = None
    agent: str | None = None
    attempt: int | None = None
    run_id: str | None = None
    span_id: str | None = None
    received_at: datetime | None = None
    alarmed_at: datetime | None = None
    answer: Answer | None = None
    consumed_by: int | None = None


class AskList(Struct, kw_only=True):
    """A page of asks: open ones the soonest to expire first, others the newest first. open_count: of all that match but
    for their status. next_cursor: of the next page; None at the end."""

    asks: list[Ask]
    open_count: int
    next_cursor: str | None


class AskFilter(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Which asks; what is not given does not narrow. approver: those that name one of these people or `team:NAME`, or
    leave it to anybody. text: part of a title, details, action, key or id."""

    status: list[AskStatus] = []
    kind: list[AskKind] = []
    agent: list[Name] = []
    approver: list[Name] = []
    task_id: TaskId | None = None
    run_id: str | None = None
    text: Annotated[str, Meta(max_length=1_000)] | None = None


class DecideRequest(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Decide an ask.

    `edit`: approve with `action` in place of the one asked for. `answer`: a question's `value`, or one of the options:
    of an approval that is an approval or a rejection, as the option says. by: who; needed where approvers are named or
    several must approve. team: which of the approvers' teams he decides for. action_digest: of the action that was
    looked at (`edited_digest` once it was edited); refused when the ask's is another by now.
    """

    decision: Literal["approve", "reject", "edit", "answer"]
    option: Name | None = None
    action: Any = UNSET
    value: Any = UNSET
    reason: Reason = ""
    by: Name | None = None
    team: Name | None = None
    via: Channel = "api"
    action_digest: Annotated[str, Meta(max_length=64)] | None = None


class DelegateRequest(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Let others decide instead. to: names, or `team:NAME`. by, team: as in `DecideRequest`."""

    to: Annotated[list[Name], Meta(min_length=1, max_length=100)]
    reason: Reason = ""
    by: Name | None = None
    team: Name | None = None
    via: Channel = "api"


class CancelAskRequest(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Take an ask back: the code that asked goes on and is told so."""

    reason: Reason = ""
    by: Name | None = None


class ReceivedRequest(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Tell that an ask has reached somebody: a person who looks at it, or a receiver that shows it to one."""

    by: Name | None = None


class AskEvent(Struct, omit_defaults=True, kw_only=True):
    """Something that happened to an ask. event: `opened`, `received`, `delegated`, `decided` (one of several
    approvals), `approved`, `rejected`, `answered`, `expired`, `cancelled`, `invalidated` or `alarmed`."""

    ask_id: str
    event: str
    time: datetime
    task_id: TaskId | None = None
    run_id: str | None = None
    by: str | None = None
    reason: str = ""


class AskEventList(Struct, kw_only=True):
    """What a live stream tells of asks, in the order of commits."""

    events: list[AskEvent]


def digest_of_action(action: Any) -> str:
    """Return the SHA-256 of an action's canonical JSON, as 64 hexadecimal digits. action: made of JSON's types."""
    return hashlib.sha256(msgspec.json.encode(action, order="sorted")).hexdigest()
