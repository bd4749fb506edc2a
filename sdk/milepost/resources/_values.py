"""From the arguments of a call to the structs of the wire; what does not fit is refused before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from milepost.errors import InvalidRequestError
from milepost.wire.tasks import Task

__all__ = ["build", "checked_moment", "dependency_of", "expected_of", "given_only", "text_list", "to_id"]

T = TypeVar("T")

_PLACE = " - at `$"
_STEP = re.compile(r"(\w+)|\[(\d+)\]")
_ZONE = "give it a time zone, as datetime.now(UTC) or 2026-12-31T23:59:59Z have one"


def build(kind: type[T], given: Mapping[str, Any]) -> T:
    """Return a struct of the wire.

    Raises:
        InvalidRequestError: a field is unknown, of the wrong type or out of range; `field` and `value` tell which.
    """
    for name, value in given.items():
        if isinstance(value, datetime):
            checked_moment(name, value)
    try:
        return msgspec.convert(given, kind, str_keys=True)
    except msgspec.ValidationError as error:
        raise _refusal(given, str(error)) from error


def checked_moment(name: str, moment: datetime) -> datetime:
    """Return a time that has a zone.

    Raises:
        InvalidRequestError: it has none, so that nobody knows when it is meant to be.
    """
    if moment.tzinfo is None:
        raise InvalidRequestError(
            f"{name} {moment.isoformat()} has no time zone",
            problem={"field": name, "value": moment, "remedy": _ZONE},
        )
    return moment


def given_only(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that were given: neither None nor UNSET."""
    return {name: value for name, value in arguments.items() if value is not None and value is not UNSET}


def dependency_of(given: Any) -> Any:
    """Return what stands for a dependency on the wire: a task stands for its id."""
    return given.id if isinstance(given, Task) else given


def expected_of(given: Any) -> Any:
    """Return what stands for an expected deliverable on the wire: a text stands for its type."""
    return {"type": given} if isinstance(given, str) else given


def to_id(given: Any) -> str:
    """Return the id of what was given: a thing that has one, or the id itself."""
    return given if isinstance(given, str) else str(getattr(given, "id", given))


def text_list(given: Any) -> Any:
    """Return one text as a list of it, several as a list, anything else as it is."""
    if isinstance(given, str):
        return [given]
    return list(given) if isinstance(given, Iterable) else given


def _refusal(given: Mapping[str, Any], said: str) -> InvalidRequestError:
    before, at, place = said.rpartition(_PLACE)
    path, reason = place.removeprefix(".").removesuffix("`"), before if at else said
    reason = reason[:1].lower() + reason[1:]
    if not (at and path):
        return InvalidRequestError(reason)
    return InvalidRequestError(
        f"{path}: {reason}", problem=given_only({"field": path, "value": _value_at(given, path)})
    )


def _value_at(given: Any, path: str) -> Any:
    """Return the value at a path such as `settings.max_retries` or `tags[0]`; None where it cannot be followed."""
    for name, place in _STEP.findall(path):
        if place:
            given = given[int(place)] if isinstance(given, list) and int(place) < len(given) else None
        else:
            given = given.get(name) if isinstance(given, Mapping) else getattr(given, name, None)
    return given
