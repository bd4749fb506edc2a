"""What a run list may be narrowed to and ordered by, and the SQL conditions for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from milepost_collector.errors import InvalidParameterError
from milepost_collector.protocol.api import RunSummary
from milepost_collector.protocol.cursor import Cursor, decode_cursor, scope_of
from milepost_collector.traces.queries.search import Found, Search
from milepost_collector.traces.queries.search_sql import TEXT_COLUMNS, literal

SORT_KEYS = (
    "start_time", "duration_ms", "name", "cost_usd", "input_tokens", "output_tokens", "total_tokens", "span_count",
    "error_count", "llm_call_count", "tool_call_count",
)  # fmt: skip
_SORTED_BY = {"total_tokens": "coalesce(input_tokens + output_tokens, input_tokens, output_tokens)"}
MAX_LIMIT = 500

_PARAMETER = re.compile(r"\$(\w+)")

# The runs with a chat message that contains the text.
RUNS_WITH_MESSAGE = """
SELECT run_id FROM (
    SELECT run_id, unnest(list_concat(coalesce(input_ids, []), coalesce(output_ids, []))) AS message_id
    FROM span_messages
)
WHERE message_id IN (SELECT message_id FROM stored_messages WHERE contains(text, $text) OR contains(parts, $text))
"""


class Condition(NamedTuple):
    """A piece of SQL and the values of its parameters."""

    sql: str
    values: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFilter:
    """A request for a page of runs. Times are nanoseconds since 1970; text is a part of any text of any span.

    Raises:
        InvalidParameterError: the sort key or the limit is not allowed.
    """

    statuses: tuple[str, ...] = ()  # any of them
    name: str | None = None
    agent: str | None = None
    session: str | None = None
    user: str | None = None
    tag: str | None = None
    since_ns: int | None = None  # first start that belongs
    until_ns: int | None = None  # first start that does not
    min_duration_ms: float | None = None
    min_cost_usd: float | None = None
    text: str | None = None
    search: Search | None = None
    sort: str = "-start_time"
    cursor: str | None = None
    limit: int = 50

    def __post_init__(self) -> None:
        """Check the sort key and the limit."""
        if self.sort_key not in SORT_KEYS:
            allowed = ", ".join(SORT_KEYS)
            raise InvalidParameterError(
                "sort", self.sort, f"use one of {allowed}, with a leading - for descending order"
            )
        if not 1 <= self.limit <= MAX_LIMIT:
            raise InvalidParameterError("limit", self.limit, f"use a number from 1 to {MAX_LIMIT}")

    @property
    def sort_key(self) -> str:
        """What to sort by, one of `SORT_KEYS`."""
        return self.sort.removeprefix("-")

    @property
    def sort_column(self) -> str:
        """What is compared, in SQL."""
        return _SORTED_BY.get(self.sort_key, self.sort_key)

    @property
    def direction(self) -> Literal["ASC", "DESC"]:
        """The order's direction in SQL."""
        return "DESC" if self.sort.startswith("-") else "ASC"

    @property
    def scope(self) -> str:
        """What a cursor of this list belongs to. A relative `from` moves between pages, so times are left out."""
        return scope_of(
            self.statuses, self.name, self.agent, self.session, self.user, self.tag, self.min_duration_ms,
            self.min_cost_usd, self.text, self.search and self.search.text, self.sort,
        )  # fmt: skip

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the time is asked for."""
        asked = (self.name, self.agent, self.session, self.user, self.tag, self.min_duration_ms, self.min_cost_usd)
        searched = self.search is not None and not self.search.is_empty
        return bool(self.statuses) or self.text is not None or searched or any(value is not None for value in asked)

    def after(self) -> Cursor | None:
        """Return the decoded cursor.

        Raises:
            InvalidParameterError: it is malformed or belongs to another list.
        """
        return None if self.cursor is None else _checked(decode(self.cursor, self.scope), self)


def decode(cursor: str, scope: str) -> Cursor:
    """Decode a cursor parameter.

    Raises:
        InvalidParameterError: it is malformed or belongs to another list.
    """
    try:
        return decode_cursor(cursor, scope)
    except ValueError as error:
        raise InvalidParameterError("cursor", cursor, f"{error}; start again without it") from error


def run_conditions(request: RunFilter) -> list[Condition]:
    """Return the conditions on columns of `runs` that the request's filters make, the text and the cursor apart."""
    given = {
        "list_contains($statuses::VARCHAR[], status)": ("statuses", list(request.statuses) or None),
        "name = $name": ("name", request.name),
        "agent = $agent": ("agent", request.agent),
        "session_id = $session": ("session", request.session),
        "user_id = $user": ("user", request.user),
        "list_contains(tags, $tag)": ("tag", request.tag),
        "start_time >= make_timestamp_ns($from)": ("from", request.since_ns),
        "start_time < make_timestamp_ns($to)": ("to", request.until_ns),
        "duration_ms >= $min_duration_ms": ("min_duration_ms", request.min_duration_ms),
        "cost_usd >= $min_cost_usd": ("min_cost_usd", request.min_cost_usd),
    }
    conditions = [Condition(sql, {name: value}) for sql, (name, value) in given.items() if value is not None]
    if request.search and not request.search.is_empty:
        conditions.append(Condition(request.search.run_condition(), {}))
    return conditions


def all_conditions(request: RunFilter) -> list[Condition]:
    """Return the conditions on columns of `runs` that the request's filters make, the cursor apart."""
    conditions = run_conditions(request)
    if request.text is not None:
        matching = text_condition(request.text)
        sql = f"SELECT run_id FROM all_spans WHERE {matching.sql} UNION {RUNS_WITH_MESSAGE.strip()}"
        conditions.append(Condition(f"run_id IN ({sql})", matching.values))
    return conditions


def joined(conditions: Sequence[Condition]) -> Condition:
    """Return the condition that all hold."""
    values: dict[str, Any] = {}
    for condition in conditions:
        values |= condition.values
    return Condition(" AND ".join(condition.sql for condition in conditions) or "true", values)


def spelt_out(conditions: Sequence[Condition]) -> str:
    """Return SQL that all conditions hold, with the values in place of the parameters: for users to run."""
    return " AND ".join(_spelt_out(condition) for condition in conditions) or "true"


def _spelt_out(condition: Condition) -> str:
    if not condition.values:  # what looks like parameters then is a text that is searched for
        return condition.sql
    return _PARAMETER.sub(lambda match: _literal(condition.values[match[1]]), condition.sql)


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return str(value) if isinstance(value, int) else literal(value)


def matches(request: RunFilter, run: RunSummary, start_ns: int, found: Found) -> bool:
    """Tell whether a run fulfils what `run_conditions` says in SQL. start_ns: its start, nanoseconds since 1970.
    found: the runs with spans that the search is about."""
    equal = (
        (request.name, run.name),
        (request.agent, run.agent),
        (request.session, run.session_id),
        (request.user, run.user_id),
    )
    return (
        (not request.statuses or run.status in request.statuses)
        and all(wanted is None or wanted == found for wanted, found in equal)
        and (request.tag is None or request.tag in run.tags)
        and (request.since_ns is None or start_ns >= request.since_ns)
        and (request.until_ns is None or start_ns < request.until_ns)
        and _reaches(run.duration_ms, request.min_duration_ms)
        and _reaches(run.cost_usd, request.min_cost_usd)
        and (request.search is None or request.search.holds(run, start_ns, found))
    )


def _reaches(value: float | None, least: float | None) -> bool:
    return least is None or (value is not None and value >= least)


def text_condition(text: str) -> Condition:
    """Return the condition on columns of a span that one of its texts contains `text`, letter for letter."""
    # contains() takes 75 ns a document; ILIKE, or lower() before it, take five to ten times as long.
    sql = " OR ".join(f"contains({column}, $text)" for column in TEXT_COLUMNS)
    return Condition(f"({sql})", {"text": text})


def after_condition(request: RunFilter, cursor: Cursor) -> Condition:
    """Return the condition that a run comes after the cursor. NULL sorts last in both directions."""
    column, further = request.sort_column, "<" if request.direction == "DESC" else ">"
    if cursor.key is None:
        return Condition(f"({column} IS NULL AND run_id > $tie)", {"tie": cursor.tie})
    value = "make_timestamp_ns($key)" if column == "start_time" else "$key"
    sql = f"({column} {further} {value} OR {column} IS NULL OR ({column} = {value} AND run_id > $tie))"
    return Condition(sql, {"key": cursor.key, "tie": cursor.tie})


def _checked(cursor: Cursor, request: RunFilter) -> Cursor:
    expected = {"start_time": (int,), "name": (str,)}.get(request.sort_key, (int, float, type(None)))
    if not isinstance(cursor.key, expected) or (isinstance(cursor.key, int) and abs(cursor.key) >= 2**63):
        raise InvalidParameterError("cursor", request.cursor, "the cursor is malformed; start again without it")
    return cursor
