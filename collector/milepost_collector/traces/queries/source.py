"""The SQL of the view `runs` over chosen runs, so that pruned queries and the view cannot disagree."""

from __future__ import annotations

from functools import cache

from duckdb import DuckDBPyConnection

from milepost_collector.storage.migrate import read_sql, run_parts_sql

# Spans of a run lie between its bounds; without the condition every span's id would have to be read.
SPAN_BOUNDS = "start_time BETWEEN make_timestamp_ns($low) AND make_timestamp_ns($high)"

_PARTS = "(SELECT * FROM run_parts UNION ALL BY NAME SELECT * FROM live_run_parts)"
_HEAD = "CREATE OR REPLACE VIEW runs AS"
_CHOSEN = "run_id IN (SELECT run_id FROM chosen)"


@cache
def chosen_runs_sql() -> str:
    """Return the view's SELECT over the runs of a relation `chosen` (which the query has to define, with `run_id`).

    Parameters of the query: $low and $high, the bounds of the runs' ended spans in nanoseconds; $up_to, the commit up to
    which spans are summed. They are constants, unlike in the view: only comparisons with constants skip row groups.
    """
    body = read_sql("views.sql").partition(_HEAD)[2].partition(";\n")[0]
    assert _PARTS in body, f"views.sql no longer sums {_PARTS}"
    bounds = "first_start BETWEEN make_timestamp_ns($low) AND make_timestamp_ns($high)"
    recent = run_parts_sql(f"(SELECT * FROM spans WHERE commit_id > $up_to AND {_CHOSEN})")
    # `WHERE false` gives the running spans the columns they lack, and costs nothing.
    running = run_parts_sql(
        "(SELECT * FROM spans WHERE false UNION ALL BY NAME "
        f"SELECT *, 'running' AS status FROM live_spans WHERE {_CHOSEN})"
    )
    sums = f"SELECT * FROM run_sums WHERE {_CHOSEN} AND {bounds}"
    return body.replace(_PARTS, f"({sums} UNION ALL BY NAME {recent} UNION ALL BY NAME {running})")


def summed_up_to(connection: DuckDBPyConnection) -> int:
    """Return the commit up to which spans are contained in `run_sums`."""
    return int(connection.execute("SELECT up_to FROM summed").fetchall()[0][0])
