"""Scores and feedback, the newest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from duckdb import DuckDBPyConnection

from milepost.wire.scores import Feedback, FeedbackList, Score, ScoreList
from milepost_collector.errors import InvalidParameterError, NotFoundError
from milepost_collector.protocol.cursor import Cursor, encode_cursor, scope_of
from milepost_collector.protocol.timestamps import iso_from_ns
from milepost_collector.traces.queries.filters import decode

MAX_LIMIT = 1000
_SCORE_COLUMNS = 'score_id, run_id, span_id, task_id, name, value, label, explanation, source, "by"'
_FEEDBACK_COLUMNS = 'feedback_id, run_id, span_id, task_id, rating, text, issues, "by"'

Narrowing = Mapping[str, Any]


def list_scores(connection: DuckDBPyConnection, narrowing: Narrowing, cursor: str | None, limit: int) -> ScoreList:
    """Return a page of scores. narrowing: values by column; None does not narrow.

    Raises:
        InvalidParameterError: the cursor is malformed or of another list.
    """
    rows, next_cursor = _page(connection, "scores", _SCORE_COLUMNS, narrowing, cursor, limit)
    scores = [
        Score(
            id=row[1], time=iso_from_ns(row[0]), run_id=row[2], span_id=row[3], task_id=row[4], name=row[5],
            value=row[6], label=row[7], explanation=row[8], source=row[9], by=row[10],
        )
        for row in rows
    ]  # fmt: skip
    return ScoreList(scores=scores, next_cursor=next_cursor)


def list_feedback(connection: DuckDBPyConnection, narrowing: Narrowing, cursor: str | None, limit: int) -> FeedbackList:
    """Return a page of feedback, as `list_scores`."""
    rows, next_cursor = _page(connection, "feedback", _FEEDBACK_COLUMNS, narrowing, cursor, limit)
    feedback = [
        Feedback(
            id=row[1], time=iso_from_ns(row[0]), run_id=row[2], span_id=row[3], task_id=row[4], rating=row[5],
            text=row[6], issues=row[7], by=row[8],
        )
        for row in rows
    ]  # fmt: skip
    return FeedbackList(feedback=feedback, next_cursor=next_cursor)


def check_target(connection: DuckDBPyConnection, run_id: str, span_id: str | None) -> None:
    """Raise NotFoundError unless a run, and the span of it if one is named, is recorded."""
    span = "" if span_id is None else " AND span_id = $span_id"
    found = connection.execute(
        f"SELECT 1 FROM all_spans WHERE run_id = $run_id{span} LIMIT 1",
        {"run_id": run_id} if span_id is None else {"run_id": run_id, "span_id": span_id},
    ).fetchone()
    if found is None:
        raise NotFoundError("run", run_id) if span_id is None else NotFoundError("span", span_id)


def _page(
    connection: DuckDBPyConnection, view: str, columns: str, narrowing: Narrowing, cursor: str | None, limit: int
) -> tuple[list[tuple[Any, ...]], str | None]:
    values = {name: value for name, value in narrowing.items() if value is not None}
    scope = scope_of(view, *narrowing.values())
    key = columns.split(",", 1)[0]
    conditions = [f'"{name}" = ${name}' for name in values]
    if cursor is not None:
        conditions.append(f"(time, {key}) < (make_timestamp_ns($after), $after_key)")
        values |= _place(cursor, scope)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = connection.execute(
        f"SELECT epoch_ns(time), {columns} FROM {view}{where} ORDER BY time DESC, {key} DESC LIMIT {limit + 1:d}",
        values,
    ).fetchall()
    page = rows[:limit]
    more = encode_cursor(Cursor(scope, page[-1][0], page[-1][1])) if len(rows) > limit else None
    return page, more


def _place(cursor: str, scope: str) -> dict[str, Any]:
    after = decode(cursor, scope)
    if not isinstance(after.key, int) or abs(after.key) >= 2**63:
        raise InvalidParameterError("cursor", cursor, "the cursor is malformed; start again without it")
    return {"after": after.key, "after_key": after.tie}
