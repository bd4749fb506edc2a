"""The part of a transaction that knows asks: pages of them, and what time does to them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    bindparam,
    case,
    column,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.sql.elements import ClauseElement

from milepost.wire.asks import AskFilter
from milepost_collector.controller.rows import AskRow
from milepost_collector.controller.store.dialects import PREPARERS, Prepared, any_of, contains_text, json_texts
from milepost_collector.controller.store.interface import AskPage
from milepost_collector.controller.store.session import Session
from milepost_collector.controller.store.statements import rows_of
from milepost_collector.controller.store.tables import ask_events, ask_links, asks, decisions
from milepost_collector.errors import InvalidParameterError

_CACHED = 64  # shapes of filters
_NEVER = 2**53  # where open asks that do not expire stand; then come those that are closed, the newest first
_LISTED = ("status", "kind", "agent", "approver")
_SINGLE = ("task_id", "run_id", "text")

_LIMIT = bindparam("limit", type_=BigInteger())
_NOW = bindparam("now", type_=BigInteger())
_BEFORE = bindparam("before", type_=BigInteger())


def _is_open() -> ColumnElement[bool]:
    return asks.c.status == literal_column("'open'")  # a literal: the index is partial


_FOUND = rows_of(AskRow, asks)
_DUE = _FOUND.where(_is_open(), asks.c.expires_at <= _NOW).order_by(asks.c.expires_at, asks.c.id).limit(_LIMIT)
_ALARMING = _FOUND.where(asks.c.alarm_at <= _NOW).order_by(asks.c.alarm_at, asks.c.id).limit(_LIMIT)
_OLD = (
    select(asks.c.id)
    .where(asks.c.task_id.is_(None), asks.c.created_at < _BEFORE, ~_is_open())
    .order_by(asks.c.created_at)
    .limit(_LIMIT)
)
_DELETE = (
    delete(decisions).where(any_of(decisions.c.ask_id, "ids")),
    delete(ask_links).where(any_of(ask_links.c.ask_id, "ids")),
    delete(asks).where(any_of(asks.c.id, "ids")),
)
_PRUNE_EVENTS = delete(ask_events).where(
    ask_events.c.sequence.in_(
        select(ask_events.c.sequence)
        .where(ask_events.c.time < _BEFORE, ~exists().where(asks.c.id == ask_events.c.ask_id))
        .order_by(ask_events.c.sequence)
        .limit(_LIMIT)
    )
)


class AskPart(Session):
    """Asks."""

    def ask_page(self, wanted: AskFilter, *, cursor: str | None, limit: int) -> AskPage:
        """Return the asks that match: open ones the soonest to expire first, then the others, the newest first.

        Raises:
            InvalidParameterError: the cursor is not valid.
        """
        shape = _shape(wanted, self._preparer.name, has_cursor=cursor is not None)
        values = self._ask_values(wanted, shape) | {"limit": limit + 1}
        if cursor is not None:
            place = _read_cursor(cursor)
            values |= {"after_rank": place.rank, "after_id": place.id}
        found = self._tuples_of(_page_statement(shape), values)
        rows = self._as_rows(AskRow, [each[:-1] for each in found[:limit]])
        more = limit < len(found)
        return AskPage(asks=rows, cursor=_write_cursor(_Place(found[limit - 1][-1], rows[-1].id)) if more else None)

    def open_asks(self, wanted: AskFilter) -> int:
        """Return how many of the asks that match, whatever status is wanted, are open."""
        only = msgspec.structs.replace(wanted, status=["open"])
        shape = _shape(only, self._preparer.name, has_cursor=False)
        found: int = self._tuples_of(_count_statement(shape), self._ask_values(only, shape))[0][0]
        return found

    def due_asks(self, limit: int) -> list[AskRow]:
        """Return open asks that have expired, not locked."""
        return self._rows(AskRow, _DUE, now=self.now, limit=limit)

    def alarming_asks(self, limit: int) -> list[AskRow]:
        """Return asks that nobody has received for too long, not locked."""
        return self._rows(AskRow, _ALARMING, now=self.now, limit=limit)

    def prune_asks(self, before: int, limit: int) -> int:
        """Remove asks of runs that were closed and made before an instant, and events of asks that are gone; return
        how many of the larger kind. Those of tasks go with their task."""
        old = [found for (found,) in self._tuples(_OLD, before=before, limit=limit)]
        if old:
            for statement in _DELETE:
                self._execute(statement, ids=self._texts(old))
        return max(len(old), self._execute(_PRUNE_EVENTS, before=before, limit=limit))

    def _ask_values(self, wanted: AskFilter, shape: _Shape) -> dict[str, Any]:
        values = {name: getattr(wanted, name) for name in shape.conditions}
        return {name: self._texts(value) if isinstance(value, list) else value for name, value in values.items()}


class _Shape(NamedTuple):
    """What of a list makes its statement."""

    dialect: str
    conditions: tuple[str, ...]
    only_open: bool
    has_cursor: bool


def _shape(wanted: AskFilter, dialect: str, *, has_cursor: bool) -> _Shape:
    only_open = wanted.status == ["open"]
    given = [name for name in _LISTED if getattr(wanted, name) and not (name == "status" and only_open)]
    given += [name for name in _SINGLE if getattr(wanted, name) is not None]
    return _Shape(dialect, tuple(given), only_open, has_cursor)


def _for_approver() -> ColumnElement[bool]:
    """Asks that name one of the approvers, or leave it to anybody."""
    elements: Any = json_texts(asks.c.approvers).table_valued(column("value", Text()))
    named = exists(select(literal_column("1")).select_from(elements).where(any_of(elements.c.value, "approver")))
    return or_(named, asks.c.approvers == literal_column("'[]'"))


def _has_text() -> ColumnElement[bool]:
    searched = (asks.c.title, asks.c.details, asks.c.id, asks.c.key, asks.c.task_id, asks.c.run_id, asks.c.action)
    return or_(*(contains_text(func.coalesce(each, literal_column("''")), "text") for each in searched))


def _equals(name: str) -> Callable[[], ColumnElement[bool]]:
    return lambda: asks.c[name] == bindparam(name, type_=Text())


_CONDITIONS: dict[str, Callable[[], ColumnElement[bool]]] = {
    "status": lambda: any_of(asks.c.status, "status"),
    "kind": lambda: any_of(asks.c.kind, "kind"),
    "agent": lambda: any_of(asks.c.agent, "agent"),
    "approver": _for_approver,
    "task_id": _equals("task_id"),
    "run_id": _equals("run_id"),
    "text": _has_text,
}


def _conditions(shape: _Shape) -> list[ColumnElement[bool]]:
    found = [_CONDITIONS[name]() for name in shape.conditions]
    return [_is_open(), *found] if shape.only_open else found


@lru_cache(_CACHED)
def _page_statement(shape: _Shape) -> Prepared:
    """Return the SELECT of a page. Its last column is the rank that it is ordered by, then by id."""
    closed_at = func.coalesce(asks.c.decided_at, asks.c.created_at)
    rank = case(
        (_is_open(), func.coalesce(asks.c.expires_at, literal_column(str(_NEVER)))),
        else_=literal_column(str(2 * _NEVER)) - closed_at,
    )
    found = rows_of(AskRow, asks).add_columns(rank.label("rank")).where(*_conditions(shape))
    if shape.has_cursor:
        place = tuple_(bindparam("after_rank", type_=BigInteger()), bindparam("after_id", type_=Text()))
        found = found.where(tuple_(rank, asks.c.id) > place)
    return _compiled(shape, found.order_by(rank, asks.c.id).limit(_LIMIT))


@lru_cache(_CACHED)
def _count_statement(shape: _Shape) -> Prepared:
    return _compiled(shape, select(func.count()).select_from(asks).where(*_conditions(shape)))


def _compiled(shape: _Shape, statement: ClauseElement) -> Prepared:
    return PREPARERS[shape.dialect].compile(statement)


class _Place(msgspec.Struct, array_like=True):
    """Where a page ended."""

    rank: int
    id: str


def _write_cursor(place: _Place) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(place)).decode()


def _read_cursor(cursor: str) -> _Place:
    try:
        return msgspec.msgpack.decode(base64.urlsafe_b64decode(cursor), type=_Place)
    except (ValueError, msgspec.DecodeError) as error:
        raise InvalidParameterError("cursor", cursor, "take next_cursor of the page before") from error
