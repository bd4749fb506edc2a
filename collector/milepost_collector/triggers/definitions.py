"""Triggers as they are kept: definitions checked, rows made of them, and shown again. Pure."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
from msgspec import UNSET

from milepost.wire.tasks import TaskCreate
from milepost.wire.triggers import Condition, InputField, Outcome, Trigger, TriggerDefinition
from milepost_collector.controller.engine.creation import check_executors
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.rows import TriggerRow
from milepost_collector.errors import InvalidParameterError
from milepost_collector.triggers import happenings, search

PATH = "/api/hooks/"
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

_decode = msgspec.json.Decoder(TriggerDefinition).decode
_DEFAULTS = TriggerDefinition(task=TaskCreate(name="-"))
_OF_WEBHOOKS = ("signature", "max_body_bytes")
_OF_EVENTS = ("event", "where", "max_depth")


def definition_of(row: TriggerRow) -> TriggerDefinition:
    """Return what a trigger does."""
    return _decode(row.definition)


def definition_text(definition: TriggerDefinition) -> str:
    """Return a definition as it is kept, whichever struct it is part of."""
    fields = {name: getattr(definition, name) for name in TriggerDefinition.__struct_fields__}
    return msgspec.json.encode(TriggerDefinition(**fields)).decode()


def check(kind: str, definition: TriggerDefinition) -> None:
    """Refuse a definition that contradicts itself.

    Raises:
        InvalidParameterError: names the field and the remedy.
    """
    _check_kind(kind, definition)
    check_executors(definition.task)
    for number, condition in enumerate(definition.conditions):
        _check_condition(kind, f"conditions[{number}]", condition)
    for number, field in enumerate(definition.mapping or ()):
        _check_field(kind, f"mapping[{number}]", field)
    names = [field.name for field in definition.mapping or ()]
    if len(set(names)) < len(names):
        raise InvalidParameterError("mapping", names, "name each field once")
    if definition.mapping is not None and not isinstance(definition.task.input, dict | None):
        raise InvalidParameterError(
            "task.input", definition.task.input, "with a mapping it is an object whose fields are added to"
        )


def show(row: TriggerRow, now: int) -> Trigger:
    """Return a trigger as clients see it. now: milliseconds since the Unix epoch."""
    wanted = definition_of(row)
    is_hook = row.kind == "webhook"
    overlaps = row.previous_until is not None and row.previous_until > now
    return Trigger(
        id=row.id,
        name=row.name,
        kind="webhook" if is_hook else "event",
        enabled=row.enabled,
        task=wanted.task,
        description=wanted.description,
        conditions=wanted.conditions,
        mapping=wanted.mapping,
        key_from=wanted.key_from,
        description_from=wanted.description_from,
        rate_limit=wanted.rate_limit,
        keep_payload_days=wanted.keep_payload_days,
        created_at=to_datetime(row.created_at),
        updated_at=to_datetime(row.updated_at),
        counts={outcome: getattr(row, outcome) for outcome in OUTCOMES},
        last_at=to_datetime(row.last_at),
        last_outcome=row.last_outcome,  # type: ignore[arg-type]  # written by `recording` only
        signature=wanted.signature,
        max_body_bytes=wanted.max_body_bytes if is_hook else None,
        path=_path(row.hook_id),
        previous_path=_path(row.previous_hook_id) if overlaps else None,
        previous_until=to_datetime(row.previous_until) if overlaps else None,
        event=wanted.event,
        where=None if is_hook else wanted.where,
        max_depth=None if is_hook else wanted.max_depth,
    )


def with_changes(row: TriggerRow, changes: dict[str, Any]) -> TriggerDefinition:
    """Return a trigger's definition with some of its fields changed."""
    return msgspec.structs.replace(definition_of(row), **changes)


def _path(hook_id: str | None) -> str | None:
    return None if hook_id is None else PATH + hook_id


def _check_kind(kind: str, definition: TriggerDefinition) -> None:
    for name in _OF_EVENTS if kind == "webhook" else _OF_WEBHOOKS:
        if (value := getattr(definition, name)) != getattr(_DEFAULTS, name):
            other = "an event" if kind == "webhook" else "a webhook"
            raise InvalidParameterError(name, msgspec.to_builtins(value), f"only {other} has it; leave it out")
    if kind == "webhook":
        if definition.signature is None:
            raise InvalidParameterError("signature", None, 'say how senders sign, as {"scheme": "github"}')
        return
    if definition.event is None:
        raise InvalidParameterError("event", None, "say which, as run.failed or task.*")
    happenings.check_pattern(definition.event)
    search.read(happenings.source_of(definition.event), definition.where)


def _check_condition(kind: str, where: str, condition: Condition) -> None:
    _check_place(kind, where, condition)
    given = [name for name in ("equals", "one_of", "exists") if getattr(condition, name) is not UNSET]
    if len(given) != 1:
        raise InvalidParameterError(where, given, "give exactly one of equals, one_of and exists")


def _check_field(kind: str, where: str, field: InputField) -> None:
    if field.value is UNSET:
        _check_place(kind, where, field)
    elif field.pointer is not None or field.header is not None or field.default is not UNSET or field.required:
        raise InvalidParameterError(where, field.name, "a constant value stands alone: leave the others out")


def _check_place(kind: str, where: str, wanted: Condition | InputField) -> None:
    if (wanted.pointer is None) == (wanted.header is None):
        raise InvalidParameterError(where, wanted.pointer, "give exactly one of pointer and header")
    if kind == "event" and wanted.header is not None:
        raise InvalidParameterError(f"{where}.header", wanted.header, "events have no headers; use a pointer")
