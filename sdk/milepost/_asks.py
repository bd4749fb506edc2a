"""What code asks people, and what it is told: from arguments to the wire and back. Pure."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, Literal, TypedDict, TypeVar

import msgspec

from milepost.agents.inputs import converted
from milepost.agents.values import kept_json
from milepost.wire import asks as wire
from milepost.wire.asks import Answer, AskDefinition

__all__ = [
    "Approval",
    "ApprovalFields",
    "AskFields",
    "AskOption",
    "KeyLedger",
    "Reply",
    "approval_asked",
    "approval_of",
    "question_asked",
    "reply_of",
    "schema_of",
    "told",
]

T = TypeVar("T")

OnExpiry = Literal["continue", "fail", "cancel"]

_MAX_KEY = 200
_MAX_BYTES = 256 * 1024  # of an action; the collector's
_LONGEST_MS = 31_536_000_000


@dataclass(frozen=True, slots=True)
class AskOption:
    """One of several ways to say yes, or no. label: what people read. approves: whether choosing it is an approval."""

    name: str
    label: str | None = None
    approves: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    """What became of an approval that was asked for; true when it was given.

    status: `approved`, `rejected`, `expired`, or `cancelled` when the ask was taken back. action: what was approved:
    as it was asked for, or as an approver edited it. by: who said the last word. option: the one chosen, if there were
    any.
    """

    ask_id: str
    status: str
    action: Any = None
    edited: bool = False
    option: str | None = None
    reason: str = ""
    by: str | None = None

    @property
    def approved(self) -> bool:
        """Whether it may be done."""
        return self.status == "approved"

    @property
    def expired(self) -> bool:
        """Whether nobody answered in time, which is no rejection."""
        return self.status == "expired"

    def __bool__(self) -> bool:
        return self.approved


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply(Generic[T]):
    """What became of a question; true when it was answered.

    value: the answer, of the type that was asked for; None without one. status: `answered`, `rejected` when somebody
    declined to answer, `expired`, or `cancelled` when the ask was taken back. option: the one chosen, if there were
    any.
    """

    ask_id: str
    status: str
    value: T | None = None
    option: str | None = None
    reason: str = ""
    by: str | None = None

    @property
    def answered(self) -> bool:
        """Whether there is a value."""
        return self.status == "answered"

    @property
    def expired(self) -> bool:
        """Whether nobody answered in time."""
        return self.status == "expired"

    def __bool__(self) -> bool:
        return self.answered


class KeyLedger:
    """Keys for asks that were given none: the title, and from its second use on its number. May be used from any
    thread. Code that is executed again gives the same keys as long as it asks in the same order."""

    def __init__(self) -> None:
        self._uses: dict[str, int] = {}
        self._lock = threading.Lock()

    def next(self, title: str) -> str:
        """Return the key of an ask with this title."""
        base = title if len(title) <= _MAX_KEY - 10 else _shortened(title)
        with self._lock:
            number = self._uses.get(base, 0) + 1
            self._uses[base] = number
        return base if number == 1 else f"{base} #{number}"


class AskFields(TypedDict, total=False):
    """What may be said with every ask.

    options: to choose from. timeout: seconds. approvers: names of people, or `team:NAME`; none: anybody. on_expiry:
    what becomes of the task: it goes on and is told, fails, or is cancelled. key: what makes it the same ask when its
    code is executed again.
    """

    options: Sequence[str | AskOption]
    timeout: float | timedelta | None
    approvers: Sequence[str]
    on_expiry: OnExpiry
    key: str | None


class ApprovalFields(AskFields, total=False):
    """What may be said with an approval. action: what will be done, JSON. quorum: how many different people must
    approve. schema: a JSON Schema, or a type, that an edited action must fit."""

    action: Any
    quorum: int
    schema: Any


def approval_asked(
    title: str, details: str, keys: KeyLedger, *, action: Any = None, quorum: int = 1, schema: Any = None, **more: Any
) -> AskDefinition:
    """Return an ask for an approval. more: `AskFields`.

    Raises:
        ReportRefusedError: the action cannot be written as JSON, or is too large.
        TypeError: the schema is neither a JSON Schema nor a type that has one.
        ValueError: an argument is out of range.
    """
    plain = None if action is None else msgspec.json.decode(kept_json(action, "action", _MAX_BYTES))
    fields = _common(title, details, keys, **more)
    return _checked(AskDefinition(**fields, action=plain, schema=schema_of(schema), quorum=quorum))


def question_asked(question: str, details: str, keys: KeyLedger, *, schema: Any = None, **more: Any) -> AskDefinition:
    """Return a question. more: `AskFields`.

    Raises:
        TypeError: the schema is neither a JSON Schema nor a type that has one.
        ValueError: an argument is out of range.
    """
    fields = _common(question, details, keys, **more)
    return _checked(AskDefinition(**fields, kind="question", schema=schema_of(schema)))


def schema_of(schema: Any) -> dict[str, Any] | None:
    """Return the JSON Schema of a type; a mapping is one already.

    Raises:
        TypeError: the type has none.
    """
    if schema is None:
        return None
    if isinstance(schema, Mapping):
        return dict(schema)
    if callable(model := getattr(schema, "model_json_schema", None)):
        made: dict[str, Any] = model()
        return made
    return msgspec.json.schema(schema)


def approval_of(answer: Answer) -> Approval:
    """Return an answer as the code that asked for an approval gets it."""
    return Approval(
        ask_id=answer.ask_id,
        status=answer.status,
        action=answer.action,
        edited=answer.edited,
        option=answer.option,
        reason=answer.reason,
        by=answer.by,
    )


def reply_of(answer: Answer, schema: Any) -> Reply[Any]:
    """Return an answer as the code that asked a question gets it.

    Raises:
        InvalidInputError: the value does not fit the type, though it fits its schema.
    """
    value = answer.value
    if answer.status == "answered" and schema is not None and not isinstance(schema, Mapping):
        value = converted(value, schema)
    return Reply(
        ask_id=answer.ask_id,
        status=answer.status,
        value=value,
        option=answer.option,
        reason=answer.reason,
        by=answer.by,
    )


def told(answer: Answer) -> dict[str, Any]:
    """Return what the timeline shows of an answer."""
    shown = {"status": answer.status, "by": answer.by, "reason": answer.reason or None, "option": answer.option}
    shown |= {"action": answer.action if answer.edited else None, "value": answer.value}
    return {name: value for name, value in shown.items() if value is not None}


def _common(
    title: str,
    details: str,
    keys: KeyLedger,
    *,
    options: Sequence[str | AskOption] = (),
    timeout: float | timedelta | None = None,
    approvers: Sequence[str] = (),
    on_expiry: OnExpiry = "continue",
    key: str | None = None,
) -> dict[str, Any]:
    if isinstance(approvers, str) or isinstance(options, str):
        raise TypeError("approvers and options are lists of texts, not one text")
    return {
        "key": key or keys.next(title),
        "title": title,
        "details": details,
        "options": [_option(each) for each in options],
        "timeout_ms": _milliseconds(timeout),
        "approvers": list(approvers),
        "on_expiry": on_expiry,
    }


def _option(given: str | AskOption) -> wire.AskOption:
    if isinstance(given, str):
        return wire.AskOption(name=given)
    return wire.AskOption(name=given.name, label=given.label, approves=given.approves)


def _milliseconds(timeout: float | timedelta | None) -> int | None:
    if timeout is None:
        return None
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
    if not 0 < seconds * 1_000 <= _LONGEST_MS:
        raise ValueError(f"timeout must be more than 0 s and a year at most, got {timeout!r}")
    return max(round(seconds * 1_000), 1)


def _checked(definition: AskDefinition) -> AskDefinition:
    """Return the ask if it keeps the wire's limits.

    Raises:
        ValueError: names what does not.
    """
    try:
        return msgspec.convert(msgspec.to_builtins(definition), AskDefinition)
    except msgspec.ValidationError as error:
        raise ValueError(f"this cannot be asked: {error}") from error


def _shortened(title: str) -> str:
    """Return a long title's beginning with a digest, so that titles that begin alike stay apart."""
    return f"{title[: _MAX_KEY - 30]}… {hashlib.sha256(title.encode()).hexdigest()[:12]}"
