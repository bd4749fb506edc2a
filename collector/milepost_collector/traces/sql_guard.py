"""Which SQL users may send: one SELECT that only reads what is public.

The instance is locked down already (no files, no network, no extensions, no settings), and the query runs in a
read-only transaction. What is left are functions that act when they are called, or that take a pointer; so table
functions are an allow-list, and functions with effects are refused by name.
"""

from __future__ import annotations

import math
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

# sleep_ms holds a worker; the others change the connection, the log or a sequence.
REFUSED_FUNCTIONS = frozenset({"currval", "nextval", "setseed", "sleep_ms", "write_log"})

# Functions that make a large value out of a small one: in one step of 2048 rows, before any limit can be looked at.
MULTIPLYING_FUNCTIONS = frozenset({"array_resize", "generate_series", "list_resize", "lpad", "range", "repeat", "rpad"})
MAX_MULTIPLE = 10_000

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
    for node in _nodes(_syntax_tree(connection, select)):
        _check_node(node)
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
    return _without_end(statement.query)


def _without_end(sql: str) -> str:
    """Cut off the semicolons that may end a statement, and the comments after them."""
    encoded = sql.encode()
    for offset, kind in reversed(duckdb.tokenize(sql)):
        if kind != duckdb.token_type.operator or encoded[offset : offset + 1] != b";":
            break
        encoded = encoded[:offset]
    return encoded.decode()


def _syntax_tree(connection: DuckDBPyConnection, select: str) -> Any:
    serialised = connection.execute("SELECT json_serialize_sql($sql::VARCHAR)", {"sql": select}).fetchall()[0][0]
    tree = msgspec.json.decode(serialised)
    if tree["error"]:
        raise QueryRejectedError(tree["error_message"])
    return tree["statements"]


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a syntax tree. No recursion: queries may be nested deeply."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            yield node
            waiting += _below(node)


def _below(node: dict[str, Any]) -> list[Any]:
    if node.get("type") != "TABLE_FUNCTION":
        return list(node.values())
    # The function of a table function is no scalar one, but its arguments may be.
    return [node["function"]["children"], *(value for key, value in node.items() if key != "function")]


def _check_node(node: dict[str, Any]) -> None:
    match node.get("type"):
        case "TABLE_FUNCTION":
            _check_table_function(node["function"]["function_name"].casefold())
        case "BASE_TABLE":
            _check_table(node["table_name"].casefold())
        case "FUNCTION":
            _check_function(node["function_name"].casefold(), node["children"])


def _check_table_function(name: str) -> None:
    if name not in TABLE_FUNCTIONS:
        allowed = ", ".join(sorted(TABLE_FUNCTIONS))
        raise QueryRejectedError(f"table function {name!r} may not be used; allowed are {allowed}")


def _check_table(name: str) -> None:
    if name.startswith(("duckdb_", "pragma_")) and name not in TABLE_FUNCTIONS:
        raise QueryRejectedError(f"table {name!r} tells about the collector, not about runs, and may not be read")


def _check_function(name: str, arguments: list[dict[str, Any]]) -> None:
    if name in REFUSED_FUNCTIONS:
        raise QueryRejectedError(f"function {name!r} may not be used: it has side effects")
    if name in MULTIPLYING_FUNCTIONS and not all(_is_small(argument) for argument in arguments[1:] or arguments):
        raise QueryRejectedError(
            f"function {name!r} may only be used with constants up to {MAX_MULTIPLE} as its further arguments"
        )


def _is_small(argument: dict[str, Any]) -> bool:
    """Whether an argument is a constant that makes no value huge."""
    value = argument.get("value", {}).get("value") if argument.get("type") == "VALUE_CONSTANT" else math.inf
    return not isinstance(value, int | float) or value <= MAX_MULTIPLE
