"""Which SQL users may send: one SELECT that only reads what is public.

The instance is locked down already (no files, no network, no extensions, no settings), and the query runs in a read-only
transaction. What is left are functions that act when they are called, or that take a pointer; so table functions are an
allow-list, and functions with effects are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import duckdb
import msgspec
from duckdb import DuckDBPyConnection

from milepost_collector.errors import QueryRejectedError

MAX_SQL_CHARACTERS = 100_000

TABLE_FUNCTIONS = frozenset({
    "duckdb_columns", "duckdb_functions", "duckdb_keywords", "duckdb_schemas", "duckdb_tables", "duckdb_types",
    "duckdb_views", "generate_series", "icu_calendar_names", "json_each", "json_tree", "pg_timezone_names",
    "pragma_table_info", "pragma_version", "range", "repeat", "repeat_row", "summary", "unnest",
})  # fmt: skip

# sleep_ms holds a worker; the others change the connection, the log or a sequence. error and current_query are harmless.
REFUSED_FUNCTIONS = frozenset({"currval", "nextval", "setseed", "sleep_ms", "write_log"})

_EXPLAIN = re.compile(r"\s*explain(?P<analyze>\s+analyze)?\b", re.IGNORECASE)
_NOT_SELECT = (
    "only one SELECT statement may be sent, this is {found}; WITH, VALUES, FROM, DESCRIBE and EXPLAIN are fine too"
)


class CheckedSql(NamedTuple):
    """A query that may be run. explain: "EXPLAIN ", "EXPLAIN ANALYZE " or "". select: one SELECT statement."""

    explain: str
    select: str


def check_sql(connection: DuckDBPyConnection, sql: str) -> CheckedSql:
    """Return the query if it may be run.

    Raises:
        QueryRejectedError: it is not one SELECT statement, or calls what users may not.
    """
    if len(sql) > MAX_SQL_CHARACTERS:
        raise QueryRejectedError(f"the query has {len(sql)} characters; the limit is {MAX_SQL_CHARACTERS}")
    select = single_select(sql)
    explain = ""
    if match := _EXPLAIN.match(select):
        explain = "EXPLAIN ANALYZE " if match["analyze"] else "EXPLAIN "
        select = single_select(select[match.end() :])
    for kind, name in _calls(_syntax_tree(connection, select)):
        _check_call(kind, name.casefold())
    return CheckedSql(explain, select)


def single_select(sql: str) -> str:
    """Return the text of the only statement.

    Raises:
        QueryRejectedError: there is none, there are several, or it is not a SELECT (or an EXPLAIN of something).
    """
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryRejectedError(str(error)) from error
    if not statements:
        raise QueryRejectedError(_NOT_SELECT.format(found="empty"))
    if len(statements) > 1:
        pivot = any(not statement.query for statement in statements)
        found = (
            "a PIVOT without its values (write ON kind IN ('llm', 'tool'))" if pivot else f"{len(statements)} of them"
        )
        raise QueryRejectedError(_NOT_SELECT.format(found=found))
    statement = statements[0]
    if statement.type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
        raise QueryRejectedError(_NOT_SELECT.format(found=statement.type.name.rstrip("_")))
    return statement.query


def _syntax_tree(connection: DuckDBPyConnection, select: str) -> Any:
    serialised = connection.execute("SELECT json_serialize_sql($sql::VARCHAR)", {"sql": select}).fetchall()[0][0]
    tree = msgspec.json.decode(serialised)
    if tree["error"]:
        raise QueryRejectedError(tree["error_message"])
    return tree["statements"]


def _calls(tree: Any) -> Iterator[tuple[str, str]]:
    """Yield ("table" | "scalar", name) of every function call. No recursion: queries may be nested deeply."""
    waiting = [("scalar", tree)]
    while waiting:
        kind, node = waiting.pop()
        if isinstance(node, list):
            waiting += [("scalar", item) for item in node]
        elif isinstance(node, dict):
            if isinstance(node.get("function_name"), str):
                yield kind, node["function_name"]
            inner = "table" if node.get("type") == "TABLE_FUNCTION" else "scalar"
            waiting += [(inner if key == "function" else "scalar", value) for key, value in node.items()]


def _check_call(kind: str, name: str) -> None:
    if kind == "table" and name not in TABLE_FUNCTIONS:
        allowed = ", ".join(sorted(TABLE_FUNCTIONS))
        raise QueryRejectedError(f"table function {name!r} may not be used; allowed are {allowed}")
    if kind == "scalar" and name in REFUSED_FUNCTIONS:
        raise QueryRejectedError(f"function {name!r} may not be used: it has side effects")
