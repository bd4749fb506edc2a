"""Which runs began and ended, for whoever follows them: roots in the order in which their ends were committed."""

from __future__ import annotations

from typing import NamedTuple

from duckdb import DuckDBPyConnection

COMMITS_AT_ONCE = 200

_COLUMNS = "run_id, name, epoch_ns(start_time), agent, task_id, attempt, coalesce(tags, [])"
_ENDED = f"""
SELECT {_COLUMNS}, status, epoch_ns(end_time), error_type, error_message
FROM spans WHERE commit_id > $after AND commit_id <= $up_to AND parent_span_id IS NULL
ORDER BY commit_id, end_time, span_id
"""
_RUNNING = f"SELECT {_COLUMNS} FROM live_spans WHERE parent_span_id IS NULL ORDER BY start_time, span_id"
_NEWEST = "SELECT greatest(coalesce(max(commit_id), -1), (SELECT up_to FROM summed)) FROM spans"


class RunRoot(NamedTuple):
    """A run by its root. Times are nanoseconds since the Unix epoch. status and what follows: once it has ended."""

    run_id: str
    name: str
    start_time: int
    agent: str | None
    task_id: str | None
    attempt: int | None
    tags: list[str]
    status: str = "running"
    end_time: int | None = None
    error_type: str | None = None
    error_message: str | None = None


class RunEnds(NamedTuple):
    """Roots that ended, up to a commit. more: there may be more already. running: roots that have not ended."""

    ended: list[RunRoot]
    reached: int
    more: bool
    running: list[RunRoot]


def run_ends_after(connection: DuckDBPyConnection, after: int, *, with_running: bool) -> RunEnds:
    """Return what ended after a commit. Call within a transaction. A root that was taken for lost and then ended, ends
    twice."""
    newest = newest_commit(connection)
    up_to = min(newest, after + COMMITS_AT_ONCE)
    ended = connection.execute(_ENDED, {"after": after, "up_to": up_to}).fetchall() if up_to > after else []
    running = connection.execute(_RUNNING).fetchall() if with_running else []
    return RunEnds(
        [RunRoot(*row) for row in ended], max(up_to, after), up_to < newest, [RunRoot(*row) for row in running]
    )


def newest_commit(connection: DuckDBPyConnection) -> int:
    """Return the number of the newest commit of spans, -1 if there are none."""
    row = connection.execute(_NEWEST).fetchone()
    return -1 if row is None else int(row[0])
