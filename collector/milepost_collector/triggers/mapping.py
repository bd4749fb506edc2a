"""From a payload to the task it makes: conditions, fields of the input, key and description. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from milepost.wire.tasks import TaskCreate
from milepost.wire.triggers import Condition, InputField, TriggerDefinition
from milepost_collector.triggers import pointer
from milepost_collector.triggers.errors import DeliveryFailedError

MAX_KEY = 200  # characters, as of any task's key
MAX_DESCRIPTION = 20_000
MAX_SHOWN = 80  # characters of a value in a reason


def why_filtered(definition: TriggerDefinition, payload: Any, headers: Mapping[str, str]) -> str | None:
    """Return which condition does not hold, None when all do. headers: names in lower case."""
    for condition in definition.conditions:
        found = _found(condition, payload, headers)
        if not _holds(condition, found):
            return f"{_place(condition)} is {_shown(found)}, wanted is {_wanted(condition)}"
    return None


def request_of(definition: TriggerDefinition, name: str, payload: Any, headers: Mapping[str, str]) -> TaskCreate:
    """Return what the task is made from. name: the trigger's.

    Raises:
        DeliveryFailedError: a required field is not there.
    """
    template = definition.task
    return msgspec.structs.replace(
        template,
        type="triggered",
        idempotency_key=None,  # of the template it would stand for one task only
        input=_input(definition, payload, headers),
        key=_text(definition.key_from, payload, MAX_KEY) or template.key,
        description=_text(definition.description_from, payload, MAX_DESCRIPTION) or template.description,
        created_by=template.created_by or f"trigger {name}"[:MAX_KEY],
    )


def _input(definition: TriggerDefinition, payload: Any, headers: Mapping[str, str]) -> Any:
    base = definition.task.input
    if definition.mapping is None:
        return {**base, **payload} if isinstance(base, dict) and isinstance(payload, dict) else payload
    found = {field.name: _value(field, payload, headers) for field in definition.mapping}
    return {**(base or {}), **{name: value for name, value in found.items() if value is not UNSET}}


def _value(field: InputField, payload: Any, headers: Mapping[str, str]) -> Any:
    found = field.value if field.value is not UNSET else _found(field, payload, headers)
    if found is UNSET:
        found = field.default
    if found is UNSET and field.required:
        raise DeliveryFailedError(f"field {field.name!r} is required, and there is nothing at {_place(field)}")
    return found


def _found(wanted: Condition | InputField, payload: Any, headers: Mapping[str, str]) -> Any:
    if wanted.pointer is not None:
        return pointer.at(wanted.pointer, payload)
    return headers.get((wanted.header or "").lower(), UNSET)


def _holds(condition: Condition, found: Any) -> bool:
    if condition.exists is not UNSET:
        return condition.exists == (found is not UNSET)
    allowed = condition.one_of if condition.one_of is not UNSET else [condition.equals]
    return any(_same(found, one) for one in allowed)


def _same(found: Any, wanted: Any) -> bool:
    # True equals 1 in Python, not in JSON.
    return isinstance(found, bool) == isinstance(wanted, bool) and bool(found == wanted)


def _text(place: str | None, payload: Any, limit: int) -> str | None:
    found = UNSET if place is None else pointer.at(place, payload)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    return str(found)[:limit]


def _place(wanted: Condition | InputField) -> str:
    if wanted.header is not None:
        return f"header {wanted.header}"
    return wanted.pointer or "the payload"


def _wanted(condition: Condition) -> str:
    if condition.exists is not UNSET:
        return "anything" if condition.exists else "nothing"
    if condition.one_of is not UNSET:
        return "one of " + ", ".join(_shown(one) for one in condition.one_of)
    return _shown(condition.equals)


def _shown(value: Any) -> str:
    if value is UNSET:
        return "missing"
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
