"""Runs by their sessions: what each session used, and how it stands."""

from __future__ import annotations

from typing import Any, NamedTuple

from duckdb import DuckDBPyConnection

from milepost_collector.errors import InvalidParameterError
from milepost_collector.protocol.api import SessionList, SessionSummary
from milepost_collector.protocol.cursor import Cursor, encode_cursor, scope_of
from milepost_collector.protocol.timestamps import iso_from_ns, optional_iso_from_ns
from milepost_collector.traces.queries.filters import RunFilter, all_conditions, decode, spelt_out
from milepost_collector.traces.queries.search_sql import literal

SESSION_SORT_KEYS = ("last_time", "start_time", "run_count", "error_count", "total_tokens", "cost_usd", "session_id")

_TIMES = ("start_time", "last_time")
_TOTAL_TOKENS = "coalesce(input_tokens + output_tokens, input_tokens, output_tokens)"
_GROUPED = """
SELECT session_id, count(*) AS run_count, min(start_time) AS start_time, max(start_time) AS last_time,
CASE WHEN count(end_time) = count(*) THEN max(end_time) END AS end_time,
arg_max(status, (start_time, run_id)) AS status, arg_max(name, (start_time, run_id)) AS name,
histogram(status) AS statuses,
list_sort(list(DISTINCT agent) FILTER (agent IS NOT NULL)) AS agents,
list_sort(list(DISTINCT user_id) FILTER (user_id IS NOT NULL)) AS users,
sum(error_count)::BIGINT AS error_count, sum(input_tokens)::BIGINT AS input_tokens,
sum(output_tokens)::BIGINT AS output_tokens, sum(cache_read_tokens)::BIGINT AS cache_read_tokens,
sum(cost_usd) AS cost_usd, sum(unpriced_count)::BIGINT AS unpriced_count
FROM runs WHERE {where} GROUP BY session_id
""".strip().replace("\n", " ")


class Order(NamedTuple):
    """How sessions are listed: a key of `SESSION_SORT_KEYS`, and whether the largest come first."""

    key: str
    descending: bool

    @classmethod
    def read(cls, sort: str) -> Order:
        """Read a sort parameter.

        Raises:
            InvalidParameterError: the key is unknown.
        """
        key = sort.removeprefix("-")
        if key not in SESSION_SORT_KEYS:
            raise InvalidParameterError(
                "sort", sort, f"use one of {', '.join(SESSION_SORT_KEYS)}, with a leading - for descending order"
            )
        return cls(key, sort.startswith("-"))

    @property
    def column(self) -> str:
        """What is compared, in SQL."""
        return _TOTAL_TOKENS if self.key == "total_tokens" else self.key

    @property
    def sql(self) -> str:
        """The order in SQL."""
        return f"{self.column} {'DESC' if self.descending else 'ASC'} NULLS LAST, session_id"


def list_sessions(
    connection: DuckDBPyConnection, request: RunFilter, *, sort: str = "-last_time", limit: int = 50
) -> SessionList:
    """Return a page of the sessions of the runs of a request; its cursor is of such a page. Call within a transaction.

    Only the runs of the request count, and runs that are parts of others count by themselves. Status and name are those
    of the session's last run.

    Raises:
        InvalidParameterError: the order is unknown, or the cursor malformed or of another list.
    """
    order = Order.read(sort)
    scope = scope_of("sessions", request.scope, sort)
    where = spelt_out(all_conditions(request))
    grouped = _GROUPED.format(
        where="session_id IS NOT NULL" if where == "true" else f"{where} AND session_id IS NOT NULL"
    )
    after = _after(order, _cursor(order, request.cursor, scope)) if request.cursor else None
    listed = f"SELECT * FROM ({grouped}){f' WHERE {after}' if after else ''}"
    rows = _rows(connection, f"{listed} ORDER BY {order.sql} LIMIT {limit + 1}", order)
    page = rows[:limit]
    more = len(rows) > limit
    return SessionList(
        sessions=[_summary(row) for row in page],
        next_cursor=encode_cursor(Cursor(scope, page[-1]["key"], page[-1]["session_id"])) if more else None,
        sql=f"{listed} ORDER BY {order.sql} LIMIT {limit}",
    )


def _rows(connection: DuckDBPyConnection, sql: str, order: Order) -> list[dict[str, Any]]:
    key = f"epoch_ns({order.key})" if order.key in _TIMES else order.column
    times = ", ".join(f"epoch_ns({name}) AS {name}" for name in (*_TIMES, "end_time"))
    found = connection.execute(f"SELECT * REPLACE ({times}), {key} AS key FROM ({sql})")
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _summary(row: dict[str, Any]) -> SessionSummary:
    return SessionSummary(
        session_id=row["session_id"],
        run_count=row["run_count"],
        start_time=iso_from_ns(row["start_time"]),
        last_time=iso_from_ns(row["last_time"]),
        end_time=optional_iso_from_ns(row["end_time"]),
        status=row["status"],
        name=row["name"],
        statuses=row["statuses"],
        agents=row["agents"] or [],
        users=row["users"] or [],
        error_count=row["error_count"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        cache_read_tokens=row["cache_read_tokens"],
        cost_usd=row["cost_usd"],
        unpriced_count=row["unpriced_count"],
    )


def _cursor(order: Order, text: str, scope: str) -> Cursor:
    cursor = decode(text, scope)
    kinds = (int,) if order.key in _TIMES else (str,) if order.key == "session_id" else (int, float, type(None))
    if not isinstance(cursor.key, kinds):
        raise InvalidParameterError("cursor", text, "the cursor is malformed; start again without it")
    return cursor


def _after(order: Order, cursor: Cursor) -> str:
    """Return the condition that a session comes after the cursor. NULL sorts last in both directions."""
    tie = f"session_id > {literal(cursor.tie)}"
    if cursor.key is None:
        return f"({order.column} IS NULL AND {tie})"
    value = f"make_timestamp_ns({cursor.key})" if order.key in _TIMES else literal(cursor.key)
    further = f"{order.column} {'<' if order.descending else '>'} {value}"
    return f"({further} OR {order.column} IS NULL OR ({order.column} = {value} AND {tie}))"
