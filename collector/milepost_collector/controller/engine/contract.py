"""What a task is to hand over, and whether it has. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from milepost.wire.deliverables import ExpectedDeliverable, ExpectedState, name_problem
from milepost_collector.controller.rows import DeliverableRow
from milepost_collector.errors import InvalidParameterError

_MANY = list[ExpectedDeliverable]


def expectations_text(expected: Sequence[ExpectedDeliverable]) -> str | None:
    """Return expectations as they are stored, None without any.

    Raises:
        InvalidParameterError: one names neither a type nor a name, or a name that no deliverable can have.
    """
    for place, one in enumerate(expected):
        field = f"deliverables[{place}]"
        if one.type is None and one.name is None:
            raise InvalidParameterError(field, msgspec.to_builtins(one), "give a type, a name, or both")
        if one.name is not None and (problem := name_problem(one.name)):
            raise InvalidParameterError(f"{field}.name", one.name, problem)
    return msgspec.json.encode(expected).decode() if expected else None


@lru_cache(maxsize=1_000)  # tasks of one schedule or program expect the same
def _read(text: str) -> tuple[ExpectedDeliverable, ...]:
    return tuple(msgspec.json.decode(text, type=_MANY))


def expectations(text: str | None) -> tuple[ExpectedDeliverable, ...]:
    """Return stored expectations."""
    return () if text is None else _read(text)


def newest(rows: Sequence[DeliverableRow]) -> list[DeliverableRow]:
    """Return the newest version of each deliverable, by name."""
    found: dict[str, DeliverableRow] = {}
    for row in rows:
        if row.name not in found or row.version > found[row.name].version:
            found[row.name] = row
    return [found[name] for name in sorted(found)]


def states(expected: Sequence[ExpectedDeliverable], rows: Sequence[DeliverableRow]) -> list[ExpectedState]:
    """Return of each expectation whether a deliverable's newest version meets it. rows: of all versions."""
    attached = newest(rows)
    return [_state(one, attached) for one in expected]


def missing(expected: Sequence[ExpectedDeliverable], rows: Sequence[DeliverableRow]) -> list[str]:
    """Return what is required and not there, each with what is wrong."""
    return [
        f"{_wanted(state)}: {state.problem}" for state in states(expected, rows) if state.required and not state.met
    ]


def _state(one: ExpectedDeliverable, attached: Sequence[DeliverableRow]) -> ExpectedState:
    fields = {name: getattr(one, name) for name in one.__struct_fields__}
    problem = "not attached"
    for row in attached:
        if one.name not in (None, row.name) or one.type not in (None, row.type):
            continue
        problem = _mismatch(one, row)
        if not problem:
            return ExpectedState(met=True, attached=row.name, version=row.version, **fields)
    return ExpectedState(met=False, problem=problem, **fields)


def _mismatch(one: ExpectedDeliverable, row: DeliverableRow) -> str:
    """Return why a deliverable does not meet an expectation that it is meant for; empty: it does."""
    if one.max_bytes is not None and row.size_bytes > one.max_bytes:
        return f"{row.name} has {row.size_bytes} bytes, {one.max_bytes} are allowed"
    if one.content_types and not any(_is_of(row.content_type, wanted) for wanted in one.content_types):
        return f"{row.name} is {row.content_type}, not {' or '.join(one.content_types)}"
    return ""


def _is_of(content_type: str, wanted: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    wanted = wanted.lower()
    return kind == wanted or (wanted.endswith("/*") and kind.startswith(wanted[:-1]))


def _wanted(state: ExpectedState) -> str:
    parts = [state.name or "", f"type {state.type}" if state.type else ""]
    return " of ".join(part for part in parts if part)
