"""Statements that find rows of one table by what its columns hold."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Table, bindparam, func, select, tuple_

from milepost_collector.controller.rows import Row
from milepost_collector.controller.store.dialects import any_of
from milepost_collector.controller.store.interface import Find
from milepost_collector.controller.store.session import Session
from milepost_collector.controller.store.statements import rows_of
from milepost_collector.controller.store.tables import TABLES


class _Shape(NamedTuple):
    """What of a query makes its statement: all but values."""

    row: type[Row]
    equal: tuple[str, ...]
    null: tuple[str, ...]
    one_of: tuple[str, ...]
    before: tuple[str, ...]
    since: tuple[str, ...]
    order: tuple[str, ...]
    descending: bool
    has_after: bool


class FindPart(Session):
    """Rows of any table."""

    def find(self, row: type[Any], query: Find, *, lock: bool = False) -> list[Any]:
        """Return rows that a query describes. lock: until the end of the transaction."""
        statement = _finding(_shape(row, query), lock and self._may_lock and self._preparer.name == "postgresql")
        return self._rows(row, statement, **self._values(query), limit=query.limit)

    def count(self, row: type[Row], query: Find) -> int:
        """Return how many rows a query describes, on all its pages."""
        shape = _shape(row, query)._replace(order=(), descending=False, has_after=False)
        found: int = self._value(_counting(shape), **self._values(query))
        return found

    def _values(self, query: Find) -> dict[str, Any]:
        values = {f"equal_{name}": value for name, value in query.equal.items() if value is not None}
        values |= {f"one_of_{name}": self._texts(texts) for name, texts in query.one_of.items()}
        values |= {f"before_{name}": value for name, value in query.before.items()}
        values |= {f"since_{name}": value for name, value in query.since.items()}
        if query.after is not None:
            values |= {f"after_{name}": value for name, value in zip(query.order, query.after, strict=True)}
        return values


def _shape(row: type[Row], query: Find) -> _Shape:
    return _Shape(
        row,
        equal=tuple(name for name, value in query.equal.items() if value is not None),
        null=tuple(name for name, value in query.equal.items() if value is None),
        one_of=tuple(query.one_of),
        before=tuple(query.before),
        since=tuple(query.since),
        order=query.order,
        descending=query.descending,
        has_after=query.after is not None,
    )


@cache
def _finding(shape: _Shape, lock: bool) -> Select[Any]:
    table = TABLES[shape.row][0]
    order = [table.c[name] for name in shape.order]
    statement = rows_of(shape.row, table).where(*_conditions(shape, table)).limit(bindparam("limit"))
    if shape.has_after:
        last = tuple_(*(bindparam(f"after_{column.name}", type_=column.type) for column in order))
        statement = statement.where(tuple_(*order) < last if shape.descending else tuple_(*order) > last)
    statement = statement.order_by(*(column.desc() if shape.descending else column for column in order))
    return statement.with_for_update() if lock else statement


@cache
def _counting(shape: _Shape) -> Select[Any]:
    table = TABLES[shape.row][0]
    return select(func.count()).select_from(table).where(*_conditions(shape, table))


def _conditions(shape: _Shape, table: Table) -> list[ColumnElement[bool]]:
    def given(kind: str, name: str) -> ColumnElement[Any]:
        return bindparam(f"{kind}_{name}", type_=table.c[name].type)

    return [
        *(table.c[name] == given("equal", name) for name in shape.equal),
        *(table.c[name].is_(None) for name in shape.null),
        *(any_of(table.c[name], f"one_of_{name}") for name in shape.one_of),
        *(table.c[name] < given("before", name) for name in shape.before),
        *(table.c[name] >= given("since", name) for name in shape.since),
    ]
