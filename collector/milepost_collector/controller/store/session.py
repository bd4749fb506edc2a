"""Prepared statements executed through a driver's cursor, and their answers as rows."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy.sql.elements import ClauseElement

from milepost_collector.controller.rows import Row
from milepost_collector.controller.store.dialects import Prepared, Preparer
from milepost_collector.controller.store.tables import TABLES

R = TypeVar("R")


def _boolean_columns(row: type[Row]) -> tuple[int, ...]:
    hints = typing.get_type_hints(row)
    return tuple(place for place, name in enumerate(row.__struct_fields__) if hints[name] is bool)


_BOOLEANS: dict[type, tuple[int, ...]] = {row: places for row in TABLES if (places := _boolean_columns(row))}
_LISTS: dict[type, Any] = {row: types.GenericAlias(list, row) for row in TABLES}


class Cursor(Protocol):
    """What is used of a DB-API cursor."""

    @property
    def rowcount(self) -> int: ...
    def execute(self, query: str, parameters: Sequence[Any], /) -> Any: ...
    def executemany(self, query: str, parameters: Iterable[Sequence[Any]], /) -> Any: ...
    def fetchall(self) -> list[tuple[Any, ...]]: ...


class Session:
    """An open transaction's cursor.

    failure: the driver's root exception. translate: makes an error of ours of it. Not thread-safe.
    """

    _may_lock = True  # a snapshot cannot

    def __init__(
        self,
        cursor: Cursor,
        preparer: Preparer,
        now: int,
        failure: type[Exception],
        translate: Callable[[Exception], Exception],
    ) -> None:
        self.now = now
        self._cursor = cursor
        self._preparer = preparer
        self._failure = failure
        self._translate = translate

    def _execute(self, statement: ClauseElement, **values: Any) -> int:
        """Execute a statement and return how many rows it changed."""
        return self._execute_prepared(self._preparer.prepare(statement), values)

    def _execute_prepared(self, prepared: Prepared, values: dict[str, Any]) -> int:
        try:
            self._cursor.execute(prepared.sql, prepared.bind(values))
            return self._cursor.rowcount
        except self._failure as error:
            raise self._translate(error) from error

    def _execute_many(self, sql: str, parameters: list[tuple[Any, ...]]) -> None:
        try:
            if len(parameters) == 1:
                self._cursor.execute(sql, parameters[0])
            else:
                self._cursor.executemany(sql, parameters)
        except self._failure as error:
            raise self._translate(error) from error

    def _tuples(self, statement: ClauseElement, **values: Any) -> list[tuple[Any, ...]]:
        """Return what a SELECT finds."""
        return self._tuples_of(self._preparer.prepare(statement), values)

    def _tuples_of(self, prepared: Prepared, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        try:
            self._cursor.execute(prepared.sql, prepared.bind(values))
            return self._cursor.fetchall()
        except self._failure as error:
            raise self._translate(error) from error

    def _value(self, statement: ClauseElement, **values: Any) -> Any:
        """Return the one value that a SELECT finds."""
        return self._tuples(statement, **values)[0][0]

    def _rows(self, row: type[R], statement: ClauseElement, **values: Any) -> list[R]:
        """Return the rows that a SELECT finds."""
        return self._as_rows(row, self._tuples(statement, **values))

    def _row(self, row: type[R], statement: ClauseElement, **values: Any) -> R | None:
        """Return the first row that a SELECT finds."""
        found = self._rows(row, statement, **values)
        return found[0] if found else None

    def _as_rows(self, row: type[R], found: list[tuple[Any, ...]]) -> list[R]:
        if row in _BOOLEANS and self._preparer.name == "sqlite":
            found = [_with_booleans(values, _BOOLEANS[row]) for values in found]
        rows: list[R] = msgspec.convert(found, _LISTS[row])
        return rows

    def _texts(self, texts: Collection[str]) -> Any:
        """Return texts as the parameter of `any_of`."""
        return msgspec.json.encode(list(texts)).decode() if self._preparer.name == "sqlite" else list(texts)


def _with_booleans(values: tuple[Any, ...], places: tuple[int, ...]) -> tuple[Any, ...]:
    """SQLite keeps booleans as 0 and 1."""
    changed = list(values)
    for place in places:
        changed[place] = bool(changed[place])
    return tuple(changed)
