"""What SQLite and PostgreSQL say differently, and how Core statements become SQL text for the drivers.

Statements are compiled once per dialect and executed as text, with parameters in the order the text wants them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, Dialect, Text, bindparam
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.sql.operators import OperatorType

_SQLITE = SQLiteDialect()
_POSTGRESQL = PGDialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


class _Condition(ColumnElement[bool]):
    """A condition that is rendered as it is: on SQLite Core would compare it with 1, which no index helps."""

    type = Boolean()
    inherit_cache = False

    def __init__(self, column: ColumnElement[Any], parameter: str) -> None:
        self.column = column
        self.parameter = bindparam(parameter, type_=Text())

    def self_group(self, against: OperatorType | None = None) -> ColumnElement[bool]:
        return self

    def process(self, compiler: SQLCompiler, options: dict[str, Any]) -> tuple[str, str]:
        """Return the SQL of the column and of the parameter."""
        return compiler.process(self.column, **options), compiler.process(self.parameter, **options)


class any_of(_Condition):
    """True where a text column is one of the texts of a parameter: a JSON list on SQLite, an array on PostgreSQL."""


@compiles(any_of, "sqlite")
def _any_of_sqlite(element: any_of, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = element.process(compiler, options)
    return f"{column} IN (SELECT value FROM json_each({texts}))"


@compiles(any_of, "postgresql")
def _any_of_postgresql(element: any_of, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = element.process(compiler, options)
    return f"{column} = ANY ({texts.partition('::')[0]}::text[])"


class none_of(_Condition):
    """True where a text column is none of the texts of a parameter."""


@compiles(none_of, "sqlite")
def _none_of_sqlite(element: none_of, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = element.process(compiler, options)
    return f"{column} NOT IN (SELECT value FROM json_each({texts}))"


@compiles(none_of, "postgresql")
def _none_of_postgresql(element: none_of, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = element.process(compiler, options)
    return f"{column} <> ALL ({texts.partition('::')[0]}::text[])"


class all_among(_Condition):
    """True where every text of a column's JSON list is one of the texts of a parameter."""


@compiles(all_among, "sqlite")
def _all_among_sqlite(element: all_among, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = element.process(compiler, options)
    had = f"SELECT value FROM json_each({texts})"
    return f"NOT EXISTS (SELECT 1 FROM json_each({column}) WHERE value NOT IN ({had}))"


@compiles(all_among, "postgresql")
def _all_among_postgresql(element: all_among, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = element.process(compiler, options)
    return f"({column})::jsonb <@ to_jsonb({texts.partition('::')[0]}::text[])"


class contains_text(_Condition):
    """True where a column contains a parameter's text, in upper or lower case. No character is special."""


@compiles(contains_text, "sqlite")
def _contains_text_sqlite(element: contains_text, compiler: SQLCompiler, **options: Any) -> str:
    column, part = element.process(compiler, options)
    return f"instr(lower({column}), lower({part})) > 0"  # lower is Python's there, see sqlite.connect


@compiles(contains_text, "postgresql")
def _contains_text_postgresql(element: contains_text, compiler: SQLCompiler, **options: Any) -> str:
    column, part = element.process(compiler, options)
    # By the database's own collation: "C", which columns have, knows only the case of ASCII letters.
    return f'strpos(lower(({column}) COLLATE "default"), lower(({part}) COLLATE "default")) > 0'


class json_texts(FunctionElement[Any]):
    """The texts of a JSON list, one row each, in a column named value."""

    name = "json_texts"
    inherit_cache = False


@compiles(json_texts, "sqlite")
def _json_texts_sqlite(element: json_texts, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each{compiler.process(element.clause_expr, **options)}"


@compiles(json_texts, "postgresql")
def _json_texts_postgresql(element: json_texts, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array_elements_text({compiler.process(element.clause_expr, **options)}::json)"


class json_list_of(FunctionElement[str]):
    """A JSON list with one text in it, as text."""

    type = Text()
    name = "json_list_of"
    inherit_cache = False


@compiles(json_list_of, "sqlite")
def _json_list_of_sqlite(element: json_list_of, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array{compiler.process(element.clause_expr, **options)}"


@compiles(json_list_of, "postgresql")
def _json_list_of_postgresql(element: json_list_of, compiler: SQLCompiler, **options: Any) -> str:
    return f'(json_build_array{compiler.process(element.clause_expr, **options)}::text COLLATE "C")'


class current_transaction(FunctionElement[int]):
    """The number of the transaction that writes a row. On SQLite, which has one writer, always 0."""

    type = BigInteger()
    name = "current_transaction"
    inherit_cache = True


@compiles(current_transaction, "sqlite")
def _current_transaction_sqlite(element: current_transaction, compiler: SQLCompiler, **options: Any) -> str:
    return "0"


@compiles(current_transaction, "postgresql")
def _current_transaction_postgresql(element: current_transaction, compiler: SQLCompiler, **options: Any) -> str:
    return "(pg_current_xact_id()::text::bigint)"


class oldest_open_transaction(FunctionElement[int]):
    """The smallest number of a transaction that may still commit; every smaller one has ended. PostgreSQL only."""

    type = BigInteger()
    name = "oldest_open_transaction"
    inherit_cache = True


@compiles(oldest_open_transaction, "postgresql")
def _oldest_open_postgresql(element: oldest_open_transaction, compiler: SQLCompiler, **options: Any) -> str:
    return "(pg_snapshot_xmin(pg_current_snapshot())::text::bigint)"


class Prepared:
    """A statement's SQL text and its parameters' names in order. Values that the statement brings itself are kept."""

    __slots__ = ("_constants", "_pick", "names", "sql")

    def __init__(self, sql: str, names: Sequence[str], constants: dict[str, Any]) -> None:
        self.sql = sql
        self.names = names
        self._constants = {name: value for name, value in constants.items() if value is not None}
        self._pick = _picker(names)

    def bind(self, values: dict[str, Any]) -> tuple[Any, ...]:
        """Return the parameters' values in order."""
        return self._pick({**self._constants, **values} if self._constants else values)


def _picker(names: Sequence[str]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    if len(names) == 1:
        (name,) = names
        return lambda values: (values[name],)
    return itemgetter(*names) if names else lambda values: ()


class Preparer:
    """Compiles statements for one dialect and remembers the outcome, for good: statements are few and constant."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dialect: Dialect = _SQLITE if name == "sqlite" else _POSTGRESQL
        self._prepared: dict[ClauseElement, Prepared] = {}

    def prepare(self, statement: ClauseElement) -> Prepared:
        """Return a constant statement's SQL, compiled at its first use."""
        prepared = self._prepared.get(statement)
        if prepared is None:
            prepared = self._prepared[statement] = self.compile(statement)
        return prepared

    def compile(self, statement: ClauseElement) -> Prepared:
        """Return a statement's SQL."""
        compiled = statement.compile(dialect=self.dialect)
        assert isinstance(compiled, SQLCompiler)
        return Prepared(str(compiled), compiled.positiontup or (), dict(compiled.params))


PREPARERS = {name: Preparer(name) for name in ("sqlite", "postgresql")}
