"""Operations on triggers: functions that say what is asked, and ask nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, TypeAlias

from msgspec import UNSET, UnsetType

from milepost.resources._operation import Operation, path_of, query_of
from milepost.resources._pages import Listing
from milepost.resources._values import build, given_only, text_list, to_id
from milepost.wire.tasks import PauseRequest, TaskCreate
from milepost.wire.triggers import (
    Condition,
    DryRunRequest,
    InputField,
    Outcome,
    ReplayRequest,
    RotateRequest,
    Scheme,
    Signature,
    Trigger,
    TriggerCreate,
    TriggerDefinition,
    TriggerEvent,
    TriggerEventDetail,
    TriggerEventList,
    TriggerKind,
    TriggerList,
    TriggerSecret,
    TriggerUpdate,
    TryAnswer,
    TryRequest,
)

__all__ = [
    "create",
    "delete",
    "disable",
    "dry_run",
    "enable",
    "event",
    "events",
    "get",
    "listing",
    "replay",
    "rotate",
    "try_out",
    "update",
]

SignatureGiven: TypeAlias = Signature | Scheme | Mapping[str, Any]
FieldsGiven: TypeAlias = Mapping[str, str] | Sequence[InputField | Mapping[str, Any]]
ConditionsGiven: TypeAlias = Sequence[Condition | Mapping[str, Any]]


def create(
    name: str,
    *,
    task: TaskCreate | Mapping[str, Any],
    signature: SignatureGiven | None = None,
    secret: str | None = None,
    event: str | None = None,
    where: str = "",
    conditions: ConditionsGiven = (),
    mapping: FieldsGiven | None = None,
    key_from: str | None = None,
    description_from: str | None = None,
    description: str = "",
    enabled: bool = True,
    rate_limit: int = 600,
    keep_payload_days: int = 7,
    max_body_bytes: int | None = None,
    max_depth: int | None = None,
) -> Operation[TriggerSecret]:
    """Make a trigger and return it with its secret, which is shown this once.

    name: unique. task: what each task is made from, as the fields of `TaskCreate`. A webhook has signature: a scheme
    such as "github", or the fields of `Signature`. An event trigger has event, as "run.failed" or "task.*", and where:
    a search, as "cost>1". conditions: all must hold. mapping: fields of the input and JSON Pointers into the payload,
    {"title": "/issue/title"}, or the fields of `InputField`; None: the input is the whole payload. key_from,
    description_from: pointers to texts. rate_limit: tasks a minute.

    Raises:
        InvalidRequestError: a field is malformed, or they contradict one another.
        ConflictError: there is a trigger of that name.
    """
    fields = {
        "name": name,
        "kind": "webhook" if event is None else "event",
        "task": task,
        "signature": _signature(signature),
        "secret": secret,
        "event": event,
        "where": where,
        "conditions": list(conditions),
        "mapping": _mapping(mapping),
        "key_from": key_from,
        "description_from": description_from,
        "description": description,
        "enabled": enabled,
        "rate_limit": rate_limit,
        "keep_payload_days": keep_payload_days,
        "max_body_bytes": max_body_bytes,
        "max_depth": max_depth,
    }
    body = build(TriggerCreate, given_only(fields))
    return Operation(method="POST", path=path_of("triggers"), answer=TriggerSecret, body=body)


def get(trigger: Trigger | str) -> Operation[Trigger]:
    """Return a trigger by its id or name, with its address and counts.

    Raises:
        NotFoundError: there is no such trigger.
    """
    return Operation(method="GET", path=_path(trigger), answer=Trigger, repeatable=True)


def listing(
    *, text: str | None = None, kind: TriggerKind | None = None, page_size: int = 100, cursor: str | None = None
) -> Listing[TriggerList, Trigger]:
    """Return the triggers by name, page by page as they are iterated over. text: part of a name or description."""
    query = query_of({"text": text, "kind": kind, "limit": page_size, "cursor": cursor})
    operation = Operation(method="GET", path=path_of("triggers"), answer=TriggerList, query=query, repeatable=True)
    return Listing(operation, lambda page: page.triggers)


def update(
    trigger: Trigger | str,
    *,
    name: str | UnsetType = UNSET,
    task: TaskCreate | Mapping[str, Any] | UnsetType = UNSET,
    signature: SignatureGiven | UnsetType = UNSET,
    event: str | UnsetType = UNSET,
    where: str | UnsetType = UNSET,
    conditions: ConditionsGiven | UnsetType = UNSET,
    mapping: FieldsGiven | UnsetType | None = UNSET,
    key_from: str | UnsetType | None = UNSET,
    description_from: str | UnsetType | None = UNSET,
    description: str | UnsetType = UNSET,
    rate_limit: int | UnsetType = UNSET,
    keep_payload_days: int | UnsetType = UNSET,
    max_body_bytes: int | UnsetType = UNSET,
    max_depth: int | UnsetType = UNSET,
) -> Operation[Trigger]:
    """Change what is given and return the trigger; a task, a list or a signature replaces the whole of what was there.

    Raises:
        InvalidRequestError: a field is malformed, or they contradict one another.
        NotFoundError: there is no such trigger.
    """
    fields = {
        "name": name,
        "task": task,
        "signature": UNSET if signature is UNSET else _signature(signature),
        "event": event,
        "where": where,
        "conditions": UNSET if conditions is UNSET else list(conditions),
        "mapping": UNSET if mapping is UNSET else _mapping(mapping),
        "key_from": key_from,
        "description_from": description_from,
        "description": description,
        "rate_limit": rate_limit,
        "keep_payload_days": keep_payload_days,
        "max_body_bytes": max_body_bytes,
        "max_depth": max_depth,
    }
    body = build(TriggerUpdate, {field: value for field, value in fields.items() if value is not UNSET})
    return Operation(method="PATCH", path=_path(trigger), answer=Trigger, body=body, repeatable=True)


def delete(trigger: Trigger | str) -> Operation[None]:
    """Delete a trigger and its log; the tasks that it made stay.

    Raises:
        NotFoundError: there is no such trigger.
    """
    return Operation(method="DELETE", path=_path(trigger), answer=NoneType, repeatable=True)


def enable(trigger: Trigger | str) -> Operation[Trigger]:
    """Let a trigger make tasks again, of what comes from now on.

    Raises:
        NotFoundError: there is no such trigger.
    """
    return Operation(method="POST", path=_path(trigger, "enable"), answer=Trigger, body=PauseRequest(), repeatable=True)


def disable(trigger: Trigger | str) -> Operation[Trigger]:
    """Let a trigger make no tasks: its address answers as if there were none.

    Raises:
        NotFoundError: there is no such trigger.
    """
    return Operation(
        method="POST", path=_path(trigger, "disable"), answer=Trigger, body=PauseRequest(), repeatable=True
    )


def rotate(
    trigger: Trigger | str,
    *,
    secret: str | None = None,
    renew_secret: bool = True,
    renew_address: bool = False,
    overlap_ms: int = 86_400_000,
) -> Operation[TriggerSecret]:
    """Give a webhook a new secret, a new address, or both, and return it with the secret, which is shown this once.

    secret: the new one, as of Stripe and Slack, which make their own; made if none is given. overlap_ms: how long what
    is replaced is taken too.

    Raises:
        InvalidRequestError: the secret is not one that the scheme can use, or the trigger is no webhook.
        NotFoundError: there is no such trigger.
    """
    fields = {
        "secret": secret, "renew_secret": renew_secret, "renew_address": renew_address, "overlap_ms": overlap_ms
    }  # fmt: skip
    body = build(RotateRequest, given_only(fields))
    return Operation(method="POST", path=_path(trigger, "rotate"), answer=TriggerSecret, body=body)


def events(
    trigger: Trigger | str,
    *,
    outcome: Outcome | Sequence[Outcome] = (),
    page_size: int = 100,
    cursor: str | None = None,
) -> Listing[TriggerEventList, TriggerEvent]:
    """Return a trigger's log, the newest first: what became of each delivery or event."""
    query = query_of({"outcome": text_list(outcome), "limit": page_size, "cursor": cursor})
    operation = Operation(
        method="GET", path=_path(trigger, "events"), answer=TriggerEventList, query=query, repeatable=True
    )
    return Listing(operation, lambda page: page.events)


def event(trigger: Trigger | str, event: TriggerEvent | str) -> Operation[TriggerEventDetail]:
    """Return a line of a trigger's log with what came: headers without secrets, and the body while it is kept.

    Raises:
        NotFoundError: there is no such line.
    """
    return Operation(
        method="GET", path=_path(trigger, "events", to_id(event)), answer=TriggerEventDetail, repeatable=True
    )


def replay(trigger: Trigger | str, event: TriggerEvent | str, *, by: str | None = None) -> Operation[TriggerEvent]:
    """Make the task of a delivery again, by the trigger as it is now, and return the new line of the log.

    Raises:
        ConflictError: what came is not kept.
        NotFoundError: there is no such line.
    """
    body = build(ReplayRequest, given_only({"by": by}))
    path = _path(trigger, "events", to_id(event), "replay")
    return Operation(method="POST", path=path, answer=TriggerEvent, body=body)


def try_out(
    trigger: Trigger | str,
    payload: Any,
    *,
    headers: Mapping[str, str] | None = None,
    definition: TriggerDefinition | Mapping[str, Any] | None = None,
) -> Operation[TryAnswer]:
    """Return what a trigger would make of a payload; nothing is kept. definition: instead of the trigger's own.

    Raises:
        NotFoundError: there is no such trigger.
    """
    fields = {"headers": headers, "definition": definition}
    body = build(TryRequest, {"payload": payload, **given_only(fields)})
    return Operation(method="POST", path=_path(trigger, "try"), answer=TryAnswer, body=body, repeatable=True)


def dry_run(
    payload: Any,
    *,
    task: TaskCreate | Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
    signature: SignatureGiven | None = None,
    event: str | None = None,
    where: str = "",
    conditions: ConditionsGiven = (),
    mapping: FieldsGiven | None = None,
    key_from: str | None = None,
    description_from: str | None = None,
    name: str | None = None,
) -> Operation[TryAnswer]:
    """Return what a trigger that is not made would make of a payload; nothing is made, nothing is kept.

    headers: of a webhook's delivery. The others are as `create` takes them; signature is not checked, and whether
    anything is found by where is not either. name: what tasks that it makes are said to come from.

    Raises:
        InvalidRequestError: a field is malformed, or they contradict one another.
    """
    definition = {
        "task": task,
        "signature": _signature(signature),
        "event": event,
        "where": where,
        "conditions": list(conditions),
        "mapping": _mapping(mapping),
        "key_from": key_from,
        "description_from": description_from,
    }
    fields = {"kind": "webhook" if event is None else "event", "headers": headers, "name": name}
    body = build(DryRunRequest, {"payload": payload, "definition": given_only(definition), **given_only(fields)})
    return Operation(method="POST", path=path_of("triggers", "dry-run"), answer=TryAnswer, body=body, repeatable=True)


def _signature(given: SignatureGiven | UnsetType | None) -> Any:
    return {"scheme": given} if isinstance(given, str) else given


def _mapping(given: FieldsGiven | UnsetType | None) -> Any:
    if isinstance(given, Mapping):
        return [{"name": name, "pointer": pointer} for name, pointer in given.items()]
    return list(given) if isinstance(given, Sequence) else given


def _path(trigger: Trigger | str, *more: str) -> str:
    return path_of("triggers", to_id(trigger), *more)
