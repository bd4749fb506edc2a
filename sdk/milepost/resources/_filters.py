"""Which tasks an operation concerns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

import msgspec

from milepost.resources._values import build, given_only, text_list
from milepost.wire.tasks import Priority, TaskFilter, TaskStatus, TaskType

__all__ = ["TaskFilters", "filter_of", "filter_query"]


class TaskFilters(TypedDict, total=False):
    """Which tasks; what is not given does not narrow. Where several values may be given, one may stand alone.

    text: part of a name, description, tag, id or error. created_from: inclusive; created_to: exclusive.
    """

    ids: Sequence[str]
    status: TaskStatus | Sequence[TaskStatus]
    type: TaskType | Sequence[TaskType]
    priority: Priority | Sequence[Priority]
    name: str | Sequence[str]
    agent: str | Sequence[str]
    team: str | Sequence[str]
    app: str | Sequence[str]
    tag: str | Sequence[str]
    batch: str | Sequence[str]
    schedule_id: str
    origin_run_id: str
    created_from: datetime | str
    created_to: datetime | str
    text: str


_SEVERAL = ("ids", "status", "type", "priority", "name", "agent", "team", "app", "tag", "batch")


def filter_of(filters: Mapping[str, Any]) -> TaskFilter:
    """Return the filter that keyword arguments name."""
    given = given_only(filters)
    return build(TaskFilter, {name: text_list(value) if name in _SEVERAL else value for name, value in given.items()})


def filter_query(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a filter as query parameters, in which the times of creation are called from and to."""
    wanted = msgspec.structs.asdict(filter_of(filters))
    return {"from": wanted.pop("created_from"), "to": wanted.pop("created_to")} | wanted
