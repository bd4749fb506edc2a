"""Lists of tasks, live and finished together: filters, order, pages and counts."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    union_all,
)

from milepost.wire.tasks import FINISHED_STATUSES, PRIORITIES, TaskFilter
from milepost_collector.controller.rows import TaskRow
from milepost_collector.controller.store.dialects import (
    PREPARERS,
    Prepared,
    any_of,
    contains_text,
    json_list_of,
    json_texts,
)
from milepost_collector.controller.store.interface import TaskPage
from milepost_collector.controller.store.session import Session
from milepost_collector.controller.store.statements import rows_of
from milepost_collector.controller.store.tables import task_history, tasks
from milepost_collector.errors import InvalidParameterError

_LAST = 2**62  # where tasks without the value that is sorted by come: at the end, whichever way
_CACHED = 256  # shapes of filters; a viewer uses a handful

_LISTED = ("ids", "status", "type", "priority", "name", "agent", "team", "app", "tag", "batch")
_SINGLE = ("schedule_id", "origin_run_id", "created_from", "created_to", "text")
GROUPS = ("status", "type", "priority", "name", "agent", "team", "app", "tag")
SORTS = {
    "created_at": "created_at",
    "updated_at": "updated_at",
    "priority": "priority",
    "name": "name",
    "status": "status",
    "deadline": "deadline_at",
    "finished_at": "finished_at",
}
_NULLABLE = ("deadline_at", "finished_at")


class Shape(NamedTuple):
    """What decides a statement's text. conditions: the filter's fields that are given. live, finished: which tables."""

    dialect: str
    conditions: tuple[str, ...]
    live: bool
    finished: bool

    @property
    def tables(self) -> list[Table]:
        """The tables that can have such tasks; `tasks` when there is none, for a statement needs one."""
        chosen = [table for table, wanted in ((tasks, self.live), (task_history, self.finished)) if wanted]
        return chosen or [tasks]


class Order(NamedTuple):
    """What tasks are sorted by: a column, and whether the largest comes first."""

    column: str
    descending: bool

    @classmethod
    def parse(cls, sort: str) -> Order:
        """Read the API's `sort`.

        Raises:
            InvalidParameterError: it is none of SORTS, with or without a leading minus.
        """
        name = sort.removeprefix("-")
        if name not in SORTS:
            raise InvalidParameterError("sort", sort, f"sort by one of {', '.join(SORTS)}; a leading - turns it round")
        return cls(SORTS[name], sort.startswith("-"))


def _shape(wanted: TaskFilter, dialect: str) -> Shape:
    given = [name for name in _LISTED if getattr(wanted, name)]
    given += [name for name in _SINGLE if getattr(wanted, name) is not None]
    live = not wanted.status or any(status not in FINISHED_STATUSES for status in wanted.status)
    finished = not wanted.status or any(status in FINISHED_STATUSES for status in wanted.status)
    return Shape(dialect, tuple(given), live, finished)


def _milliseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def _elements(source: ColumnElement[Any]) -> Any:
    return json_texts(source).table_valued(column("value", Text()))


def _has_element(source: ColumnElement[Any], condition: Callable[[ColumnElement[Any]], Any]) -> ColumnElement[bool]:
    elements = _elements(source)
    return exists(select(literal_column("1")).select_from(elements).where(condition(elements.c.value)))


def _has_text(table: Table) -> ColumnElement[bool]:
    named = [table.c[name] for name in ("name", "description", "id", "error_type", "error_message")]
    tagged = _has_element(table.c.tags, lambda value: contains_text(value, "text"))
    return or_(*(contains_text(one, "text") for one in named), tagged)


def _has_agent(table: Table) -> ColumnElement[bool]:
    return or_(any_of(table.c.agent, "agent"), _has_element(table.c.agents, lambda value: any_of(value, "agent")))


_CONDITIONS: dict[str, Callable[[Table], ColumnElement[bool]]] = {
    "ids": lambda table: any_of(table.c.id, "ids"),
    "status": lambda table: any_of(table.c.status, "status"),
    "type": lambda table: any_of(table.c.type, "type"),
    "priority": lambda table: any_of(cast(table.c.priority, Text), "priority"),
    "name": lambda table: any_of(table.c.name, "name"),
    "agent": _has_agent,
    "team": lambda table: any_of(table.c.team, "team"),
    "app": lambda table: any_of(table.c.app, "app"),
    "tag": lambda table: _has_element(table.c.tags, lambda value: any_of(value, "tag")),
    "batch": lambda table: any_of(table.c.batch, "batch"),
    "schedule_id": lambda table: table.c.schedule_id == bindparam("schedule_id", type_=Text()),
    "origin_run_id": lambda table: table.c.origin_run_id == bindparam("origin_run_id", type_=Text()),
    "created_from": lambda table: table.c.created_at >= bindparam("created_from", type_=BigInteger()),
    "created_to": lambda table: table.c.created_at < bindparam("created_to", type_=BigInteger()),
    "text": _has_text,
}


def _matching(table: Table, shape: Shape) -> list[ColumnElement[bool]]:
    return [_CONDITIONS[name](table) for name in shape.conditions]


def _sort_key(table: Table, order: Order) -> ColumnElement[Any]:
    key: Column[Any] = table.c[order.column]
    if order.column not in _NULLABLE or (table is task_history and order.column == "finished_at"):
        return key
    return func.coalesce(key, literal_column(str(-_LAST if order.descending else _LAST)))


_LIMIT = bindparam("limit", type_=BigInteger())


@lru_cache(_CACHED)
def _page_statement(shape: Shape, order: Order, from_start: bool) -> Prepared:
    """Return the SELECT of a page: each table's first rows, then the first of those. The last column is the key."""
    branches = [select(_page_branch(table, shape, order, from_start).subquery()) for table in shape.tables]
    both = union_all(*branches)
    keys = [both.selected_columns.sort_key, both.selected_columns.id]
    ordered = both.order_by(*(key.desc() if order.descending else key.asc() for key in keys)).limit(_LIMIT)
    return PREPARERS[shape.dialect].compile(ordered)


def _page_branch(table: Table, shape: Shape, order: Order, from_start: bool) -> Select[Any]:
    key = _sort_key(table, order)
    found = rows_of(TaskRow, table).add_columns(key.label("sort_key")).where(*_matching(table, shape))
    if not from_start:
        place = tuple_(bindparam("after_key", type_=table.c[order.column].type), bindparam("after_id", type_=Text()))
        reached = tuple_(key, table.c.id)
        found = found.where(reached < place if order.descending else reached > place)
    ends = (key.desc(), table.c.id.desc()) if order.descending else (key.asc(), table.c.id.asc())
    return found.order_by(*ends).limit(_LIMIT)


@lru_cache(_CACHED)
def _ids_statement(shape: Shape) -> Prepared:
    after = bindparam("after", type_=Text())
    branches = [
        select(table.c.id).where(table.c.id > after, *_matching(table, shape)).order_by(table.c.id).limit(_LIMIT)
        for table in shape.tables
    ]
    both = union_all(*(select(branch.subquery()) for branch in branches))
    return PREPARERS[shape.dialect].compile(both.order_by(both.selected_columns.id).limit(_LIMIT))


@lru_cache(_CACHED)
def _count_statement(shape: Shape, group_by: str) -> Prepared:
    both = union_all(*(_count_branch(table, shape, group_by) for table in shape.tables)).subquery()
    total = cast(func.sum(both.c.count), BigInteger).label("total")
    counts = select(both.c.value, total).group_by(both.c.value).order_by(total.desc(), both.c.value.nulls_last())
    return PREPARERS[shape.dialect].compile(counts)


def _count_branch(table: Table, shape: Shape, group_by: str) -> Select[Any]:
    source: Any = table
    if group_by in ("tag", "agent"):  # a task counts once for each of its tags and agents
        several = func.coalesce(table.c.agents, json_list_of(table.c.agent)) if group_by == "agent" else table.c.tags
        elements = _elements(several)
        source, value = table.outerjoin(elements, true()), elements.c.value
    else:
        value = table.c[group_by]
    counted = select(value.label("value"), func.count().label("count")).select_from(source)
    return counted.where(*_matching(table, shape)).group_by(value)


class _Place(msgspec.Struct, array_like=True):
    """Where a page ended. sort: what it was sorted by."""

    sort: str
    key: int | str
    id: str


def _write_cursor(place: _Place) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(place)).decode()


def _read_cursor(cursor: str, sort: str) -> _Place:
    try:
        place = msgspec.msgpack.decode(base64.urlsafe_b64decode(cursor), type=_Place)
    except (ValueError, msgspec.DecodeError):
        place = None
    if place is None or place.sort != sort or isinstance(place.key, str) != (Order.parse(sort).column in _TEXTS):
        raise InvalidParameterError("cursor", cursor, "take next_cursor of a page with the same sort")
    return place


_TEXTS = ("name", "status")


class Listing(Session):
    """The part of a transaction that lists tasks."""

    def page(self, wanted: TaskFilter, *, sort: str, cursor: str | None, limit: int) -> TaskPage:
        """Return the tasks that match, in order, from where the cursor's page ended; created_to is exclusive.

        Raises:
            InvalidParameterError: sort or cursor is not valid.
        """
        order, shape = Order.parse(sort), _shape(wanted, self._preparer.name)
        values = self._filter_values(wanted, shape) | {"limit": limit + 1}
        if cursor is not None:
            place = _read_cursor(cursor, sort)
            values |= {"after_key": place.key, "after_id": place.id}
        found = self._tuples_of(_page_statement(shape, order, cursor is None), values)
        rows = self._as_rows(TaskRow, [values[:-1] for values in found[:limit]])
        more = limit < len(found)
        return TaskPage(
            tasks=rows, cursor=_write_cursor(_Place(sort, found[limit - 1][-1], rows[-1].id)) if more else None
        )

    def matching_ids(self, wanted: TaskFilter, *, after: str | None, limit: int) -> list[str]:
        """Return the ids of the tasks that match and come after an id, rising."""
        shape = _shape(wanted, self._preparer.name)
        values = self._filter_values(wanted, shape) | {"after": after or "", "limit": limit}
        return [task_id for (task_id,) in self._tuples_of(_ids_statement(shape), values)]

    def counts(self, wanted: TaskFilter, *, group_by: str) -> list[tuple[str | None, int]]:
        """Return how many tasks that match share a value, the most frequent first.

        Raises:
            InvalidParameterError: group_by is not one of GROUPS.
        """
        if group_by not in GROUPS:
            raise InvalidParameterError("group_by", group_by, f"group by one of {', '.join(GROUPS)}")
        shape = _shape(wanted, self._preparer.name)
        found = self._tuples_of(_count_statement(shape, group_by), self._filter_values(wanted, shape))
        return [(PRIORITIES[value] if group_by == "priority" else value, count) for value, count in found]

    def _filter_values(self, wanted: TaskFilter, shape: Shape) -> dict[str, Any]:
        values = {name: getattr(wanted, name) for name in shape.conditions}
        if "priority" in values:
            values["priority"] = [str(PRIORITIES.index(name)) for name in wanted.priority]
        for name, value in values.items():
            if isinstance(value, list):
                values[name] = self._texts(value)
            elif isinstance(value, datetime):
                values[name] = _milliseconds(value)
        return values
