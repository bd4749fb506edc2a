"""Whole rows of any table: new ones, changed ones, gone ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from msgspec.structs import astuple
from sqlalchemy import Table, and_, bindparam, delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ClauseElement

from milepost_collector.controller.rows import InstantRow, Row, TaskRow
from milepost_collector.controller.store.dialects import PREPARERS
from milepost_collector.controller.store.session import Session
from milepost_collector.controller.store.tables import GIVEN_BY_DATABASE, TABLES, task_history

_PREFIX = "new_"  # Core keeps a column's own name to itself in INSERT and UPDATE


class Write(NamedTuple):
    """A statement for one row, and what makes its parameters of a row."""

    sql: str
    parameters: Callable[[Row], tuple[Any, ...]]


def _written(row: type[Row]) -> list[str]:
    return [name for name in row.__struct_fields__ if name != GIVEN_BY_DATABASE.get(row)]


def _parameter(table: Table, name: str) -> Any:
    return bindparam(_PREFIX + name, type_=table.c[name].type)


def _is_row(table: Table, key: tuple[str, ...]) -> Any:
    return and_(*(table.c[name] == _parameter(table, name) for name in key))


def _write(statement: ClauseElement, row: type[Row], dialect: str) -> Write:
    prepared = PREPARERS[dialect].compile(statement)
    return Write(prepared.sql, _parameters(tuple(name.removeprefix(_PREFIX) for name in prepared.names), row))


def _parameters(names: tuple[str, ...], row: type[Row]) -> Callable[[Row], tuple[Any, ...]]:
    if names == row.__struct_fields__:
        return astuple
    if len(names) == 1:
        get = attrgetter(names[0])
        return lambda values: (get(values),)
    return attrgetter(*names)


def _insert(row: type[Row], table: Table, dialect: str) -> Any:
    start = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return start(table).values({name: _parameter(table, name) for name in _written(row)}).inline()  # no RETURNING


@cache
def inserting(row: type[Row], dialect: str, *, finished: bool = False) -> Write:
    """Return the INSERT of a row. finished: of a task, into `task_history`."""
    table = task_history if finished else TABLES[row][0]
    return _write(_insert(row, table, dialect), row, dialect)


@cache
def updating(row: type[Row], dialect: str, *, finished: bool = False) -> Write:
    """Return the UPDATE of a row by its key."""
    table, key = TABLES[row]
    table = task_history if finished else table
    values = {name: _parameter(table, name) for name in _written(row) if name not in key}
    return _write(update(table).where(_is_row(table, key)).values(values), row, dialect)


@cache
def upserting(row: type[Row], dialect: str) -> Write:
    """Return the INSERT that changes the row that is there already."""
    table, key = TABLES[row]
    statement = _insert(row, table, dialect)
    values = {name: statement.excluded[name] for name in _written(row) if name not in key}
    return _write(statement.on_conflict_do_update(index_elements=list(key), set_=values), row, dialect)


@cache
def inserting_if_absent(row: type[Row], dialect: str) -> Write:
    """Return the INSERT that leaves the row that is there already."""
    _, key = TABLES[row]
    return _write(_insert(row, TABLES[row][0], dialect).on_conflict_do_nothing(index_elements=list(key)), row, dialect)


@cache
def deleting(row: type[Row], dialect: str) -> Write:
    """Return the DELETE of a row by its key."""
    table, key = TABLES[row]
    return _write(delete(table).where(_is_row(table, key)), row, dialect)


class Writing(Session):
    """The part of a transaction that writes rows, one statement per table."""

    def insert(self, rows: Sequence[Row]) -> None:
        """Write new rows.

        Raises:
            DuplicateRowError: a key is taken.
        """
        self._each_table(inserting, rows)

    def update(self, rows: Sequence[Row]) -> None:
        """Write rows that are there."""
        rows = self._renumber(rows)
        self._each_table(updating, rows)

    def upsert(self, rows: Sequence[Row]) -> None:
        """Write rows, whether they are there or not."""
        rows = self._renumber(rows)
        self._each_table(upserting, rows)

    def delete(self, rows: Sequence[Row]) -> None:
        """Remove rows by their keys."""
        self._each_table(deleting, rows)

    def insert_instant(self, row: InstantRow) -> bool:
        """Write an instant, unless its schedule has it already; tell whether it was written."""
        write = inserting_if_absent(InstantRow, self._preparer.name)
        self._execute_many(write.sql, [write.parameters(row)])
        return self._cursor.rowcount == 1

    def _renumber(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Write changed instants as new rows, so that those who follow the ledger see the change; return the others."""
        renewed = [row for row in rows if type(row) is InstantRow]
        if not renewed:
            return rows
        self.delete(renewed)
        self.insert(renewed)
        return [row for row in rows if type(row) is not InstantRow]

    def _each_table(self, statement: Callable[[type[Row], str], Write], rows: Sequence[Row]) -> None:
        by_type: dict[type[Row], list[Row]] = {}
        for row in rows:
            by_type.setdefault(type(row), []).append(row)
        for kind, same in by_type.items():
            self._write_rows(statement(kind, self._preparer.name), same)

    def _write_rows(self, write: Write, rows: Sequence[Row]) -> None:
        if rows:
            self._execute_many(write.sql, list(map(write.parameters, rows)))

    def _write_finished(self, rows: Sequence[TaskRow]) -> None:
        self._write_rows(inserting(TaskRow, self._preparer.name, finished=True), rows)
