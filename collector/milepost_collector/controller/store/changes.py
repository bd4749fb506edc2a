"""Statements that write whole rows of any table: one row at a time, or on PostgreSQL many in one statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec.structs import asdict, astuple
from sqlalchemy import (
    ColumnElement,
    FromClause,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    column,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ClauseElement

from milepost_collector.controller.rows import Row
from milepost_collector.controller.store.dialects import PREPARERS, Prepared
from milepost_collector.controller.store.tables import GIVEN_BY_DATABASE, TABLES, TEXT, task_history

_PREFIX = "new_"  # Core keeps a column's own name to itself in INSERT and UPDATE

Values = Mapping[str, ColumnElement[Any]]


class Change(NamedTuple):
    """What is done with rows of a kind. finished: of tasks, in `task_history`."""

    verb: Literal["insert", "insert_if_absent", "update", "upsert", "delete"]
    row: type[Row]
    finished: bool = False

    @property
    def table(self) -> Table:
        """Where it is done."""
        return task_history if self.finished else TABLES[self.row][0]

    @property
    def key(self) -> tuple[str, ...]:
        """By which columns rows are found."""
        return TABLES[self.row][1]

    @property
    def written(self) -> list[str]:
        """The columns that rows bring."""
        return [name for name in self.row.__struct_fields__ if name != GIVEN_BY_DATABASE.get(self.row)]


class Write(NamedTuple):
    """A statement, and what makes its parameters of a row."""

    sql: str
    parameters: Callable[[Row], tuple[Any, ...]]


@cache
def writing_one(change: Change, dialect: str) -> Write:
    """Return the statement that makes a change to one row."""
    values = {name: bindparam(_PREFIX + name, type_=change.table.c[name].type) for name in change.row.__struct_fields__}
    prepared = PREPARERS[dialect].compile(_statement(change, dialect, values, None))
    names = tuple(name.removeprefix(_PREFIX) for name in prepared.names)
    return Write(prepared.sql, _parameters(names, change.row))


@cache
def writing_many(changes: tuple[Change, ...]) -> Prepared:
    """Return the statement of PostgreSQL's that makes several changes, each to many rows of a table of its own.

    Its parameters are `rows_0` and so on, each what `rows_as_json` makes: half the time of as many statements as rows.
    """
    first, *others = (_many(change, f"rows_{number}") for number, change in enumerate(changes))
    parts = [other.cte(f"part_{number}") for number, other in enumerate(others, 1)]
    return PREPARERS["postgresql"].compile(first.add_cte(*parts))


def rows_as_json(change: Change, rows: Sequence[Row]) -> str:
    """Return rows as the parameter of `writing_many`, without what is NULL."""
    if change.verb == "delete":
        given = [{name: getattr(row, name) for name in change.key} for row in rows]
    else:
        one_each = rows if change.verb == "insert" else _newest(rows, change.key)
        given = [{name: value for name, value in asdict(row).items() if value is not None} for row in one_each]
    return msgspec.json.encode(given).decode()


def _many(change: Change, parameter: str) -> Any:
    names = change.key if change.verb == "delete" else change.row.__struct_fields__
    types = {name: change.table.c[name].type for name in names}
    columns = [column(name, Text() if kind is TEXT else kind) for name, kind in types.items()]
    source = func.json_to_recordset(cast(bindparam(parameter, type_=Text()), postgresql.JSON())).table_valued(*columns)
    given = source.render_derived(name="given", with_types=True)
    return _statement(change, "postgresql", {name: given.c[name] for name in names}, given)


def _statement(change: Change, dialect: str, values: Values, source: FromClause | None) -> ClauseElement:
    is_row = and_(*(change.table.c[name] == values[name] for name in change.key))
    if change.verb == "delete":
        return delete(change.table).where(is_row)
    if change.verb == "update":
        changed = {name: values[name] for name in change.written if name not in change.key}
        return update(change.table).where(is_row).values(changed)
    start: Any = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(change.table).inline()  # no RETURNING
    statement = (
        start.values({name: values[name] for name in change.written})
        if source is None
        else start.from_select(change.written, select(*(source.c[name] for name in change.written)))
    )
    return _on_conflict(change, statement)


def _on_conflict(change: Change, statement: Any) -> ClauseElement:
    key = list(change.key)
    if change.verb == "insert_if_absent":
        statement = statement.on_conflict_do_nothing(index_elements=key)
    if change.verb == "upsert":
        changed = {name: statement.excluded[name] for name in change.written if name not in key}
        statement = statement.on_conflict_do_update(index_elements=key, set_=changed)
    insert: ClauseElement = statement
    return insert


def _parameters(names: tuple[str, ...], row: type[Row]) -> Callable[[Row], tuple[Any, ...]]:
    if names == row.__struct_fields__:
        return astuple
    if len(names) == 1:
        get = attrgetter(names[0])
        return lambda values: (get(values),)
    return attrgetter(*names)


def _newest(rows: Sequence[Row], key: tuple[str, ...]) -> Sequence[Row]:
    """Return the last row of each key: one statement cannot write a row twice."""
    return list({tuple(getattr(row, name) for name in key): row for row in rows}.values())
