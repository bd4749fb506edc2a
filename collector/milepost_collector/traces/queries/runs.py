"""The run list and one run's header."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from duckdb import DuckDBPyConnection

from milepost_collector.errors import NotFoundError
from milepost_collector.protocol.api import NotCounted, ProducerInfo, RunDetail, RunList, RunSummary
from milepost_collector.protocol.cursor import Cursor, encode_cursor
from milepost_collector.protocol.timestamps import iso_from_ns, ns_from_iso
from milepost_collector.traces.queries.filters import (
    RUNS_WITH_MESSAGE,
    Condition,
    RunFilter,
    after_condition,
    all_conditions,
    joined,
    matches,
    spelt_out,
    text_condition,
)
from milepost_collector.traces.queries.groups import Group, find_groups
from milepost_collector.traces.queries.parts import (
    Correction,
    Part,
    corrections_of,
    fresh_parts_of,
    running_parts_of,
    start_of,
    summary_of,
    summed_parts,
    summed_parts_of,
)
from milepost_collector.traces.queries.run_index import EVERYTHING, Bounds, RunIndex
from milepost_collector.traces.queries.search import Found, Search
from milepost_collector.traces.queries.source import SPAN_BOUNDS, Snapshot

_EVENT_COUNTS = "SELECT count(*), count(*) FILTER (kind = 'checkpoint') FROM events WHERE run_id = ?"

_PRODUCERS = f"""
WITH contributors AS (
    SELECT producer_id FROM spans WHERE run_id = $run_id AND {SPAN_BOUNDS}
    UNION SELECT producer_id FROM live_spans WHERE run_id = $run_id
    UNION SELECT producer_id FROM events WHERE run_id = $run_id
), sent AS (
    SELECT producer_id, max(epoch_ns(received_at)) AS last_seen, max(dropped) AS dropped
    FROM batches WHERE producer_id IN (SELECT producer_id FROM contributors) GROUP BY producer_id
)
SELECT producer_id, service_name, host_name, process_id, sdk_name, sdk_version, runtime,
    coalesce(last_seen, epoch_ns(first_seen)), coalesce(dropped, 0)
FROM producers LEFT JOIN sent USING (producer_id)
WHERE producer_id IN (SELECT producer_id FROM contributors)
ORDER BY first_seen, producer_id
"""

# Runs whose root started in a window although other spans of theirs started before it.
_ROOTED_LATE = """
SELECT run_id FROM run_sums
WHERE first_start < make_timestamp_ns($low)
    AND root_start_time BETWEEN make_timestamp_ns($low) AND make_timestamp_ns($high)
"""
_NEAR = "near"
_SPANS_BETWEEN = (
    f"SELECT * FROM spans WHERE {SPAN_BOUNDS} UNION ALL BY NAME SELECT *, 'running' AS status FROM live_spans"
)
_FRESH = f"SELECT DISTINCT run_id FROM spans WHERE commit_id > $up_to AND {SPAN_BOUNDS}"

# What `groups` finds for a few runs, for all of them.
_JOINED = """WITH RECURSIVE linked AS (
    SELECT run_id, linked_run_id AS other FROM run_links UNION SELECT linked_run_id, run_id FROM run_links
), joined AS (
    SELECT * FROM linked
    UNION SELECT joined.run_id, linked.other FROM joined JOIN linked ON linked.run_id = joined.other
)
"""
_NO_PART = """run_id NOT IN (
    SELECT joined.run_id FROM joined
    JOIN runs AS one ON one.run_id = joined.run_id JOIN runs AS earlier ON earlier.run_id = joined.other
    WHERE (earlier.start_time, earlier.run_id) < (one.start_time, one.run_id)
)"""
# The newest page is looked for among this many times its length of parts of runs, then among more.
_FIRST_WINDOW = 3
_WIDER = 2
# Beyond so many parts DuckDB is quicker: it goes through 20 in the time that one takes here, but has to plan first.
_PARTS_PER_PLAN = 500
_TIMES_QUICKER = 20
_MOST_PARTS = 10_000

MAX_PAGES = 50  # looked through for runs that are not parts of others


def list_runs(connection: DuckDBPyConnection, index: RunIndex, request: RunFilter) -> RunList:
    """Return a page of runs. Call within a transaction.

    Raises:
        InvalidParameterError: the cursor is malformed or belongs to another list.
    """
    snapshot = Snapshot(connection, index)
    page = _grouped(snapshot, request) if snapshot.has_links else _page(snapshot, request)
    page.sql = list_sql(request, parts_apart=request.is_narrowed or not snapshot.has_links)
    return page


def list_sql(request: RunFilter, *, parts_apart: bool = True) -> str:
    """Return the query for the runs of a page. parts_apart: runs that are parts of others are listed, too."""
    cursor = request.after()
    conditions = [*all_conditions(request), *([after_condition(request, cursor)] if cursor else [])]
    where = spelt_out(conditions if parts_apart else [*conditions, Condition(_NO_PART, {})])
    return (
        f"{'' if parts_apart else _JOINED}SELECT * FROM runs WHERE {where} "
        f"ORDER BY {_order(request)} LIMIT {request.limit}"
    )


def _order(request: RunFilter) -> str:
    return f"{request.sort_column} {request.direction} NULLS LAST, run_id"


def _page(snapshot: Snapshot, request: RunFilter) -> RunList:
    cursor = request.after()
    page = _newest(snapshot, request, cursor) if request.sort == "-start_time" else None
    return page or _searched(snapshot, request, cursor)


# --- runs that are parts of others


def _grouped(snapshot: Snapshot, request: RunFilter) -> RunList:
    """Return a page in which a run stands for those that links join to it.

    A list that is narrowed shows the parts themselves: what was looked for may be in one of them.
    """
    if request.is_narrowed:
        page = _page(snapshot, request)
        return RunList(runs=_with_groups(snapshot, page.runs), next_cursor=page.next_cursor)
    kept: list[RunSummary] = []
    last = ""
    cursor = request.cursor
    for _ in range(MAX_PAGES):
        page = _page(snapshot, replace(request, cursor=cursor))
        cursor = page.next_cursor
        for run, whole in zip(page.runs, _with_groups(snapshot, page.runs), strict=True):
            if whole.part_of is not None:
                continue
            if len(kept) == request.limit:
                return RunList(runs=kept, next_cursor=last)
            kept.append(whole)
            last = _cursor_at(request, run)  # by its own value: that is what the list is sorted by
        if cursor is None:
            break
    return RunList(runs=kept, next_cursor=cursor)


def _cursor_at(request: RunFilter, run: RunSummary) -> str:
    return _cursor(request, _sort_value(request, run), run.run_id)


def _sort_value(request: RunFilter, run: RunSummary) -> Any:
    if request.sort_key == "start_time":
        return ns_from_iso(run.start_time)
    if request.sort_key != "total_tokens":
        return getattr(run, request.sort_key)
    known = [tokens for tokens in (run.input_tokens, run.output_tokens) if tokens is not None]
    return sum(known) if known else None


def _with_groups(snapshot: Snapshot, runs: Sequence[RunSummary]) -> list[RunSummary]:
    """Return the runs, those that stand for others with the sums of all, and parts with the run they belong to."""
    groups = _groups(snapshot, [run.run_id for run in runs])
    return [_in_group(run, groups[run.run_id]) if run.run_id in groups else run for run in runs]


def _in_group(run: RunSummary, group: Group) -> RunSummary:
    return next((part for part in group.parts if part.run_id == run.run_id), group.whole)


def _groups(snapshot: Snapshot, run_ids: Sequence[str]) -> dict[str, Group]:
    return find_groups(snapshot.connection, run_ids, lambda members: summaries(snapshot, members))


def run_summaries(
    connection: DuckDBPyConnection, run_ids: Sequence[str], index: RunIndex | None = None
) -> list[RunSummary]:
    """Return the summaries of these runs, in no order; unknown ones are left out. Call within a transaction.

    index: makes it fast in large databases.
    """
    snapshot = Snapshot(connection, index)
    found = summaries(snapshot, run_ids)
    return _with_groups(snapshot, found) if snapshot.has_links else found


def summaries(snapshot: Snapshot, run_ids: Sequence[str]) -> list[RunSummary]:
    """Return the summaries of these runs, each by itself, in no order; unknown ones are left out."""
    parts = _parts_of(snapshot, run_ids)
    less = _corrections(snapshot, run_ids)
    return [summary_of(of_run, less.get(run_id)) for run_id, of_run in parts.items()]


def _corrections(snapshot: Snapshot, run_ids: Iterable[str]) -> dict[str, Correction]:
    return corrections_of(snapshot.connection, list(run_ids)) if snapshot.has_uncounted else {}


def run_detail(connection: DuckDBPyConnection, index: RunIndex, run_id: str) -> RunDetail:
    """Return a run's header. Call within a transaction.

    Raises:
        NotFoundError: nothing is known of this run.
    """
    snapshot = Snapshot(connection, index)
    found = summaries(snapshot, [run_id])
    if not found:
        raise NotFoundError("run", run_id)
    group = _groups(snapshot, [run_id]).get(run_id) if snapshot.has_links else None
    producers = _producers(connection, run_id, index.bounds([run_id]))
    events, checkpoints = connection.execute(_EVENT_COUNTS, [run_id]).fetchall()[0]
    return RunDetail(
        run=_in_group(found[0], group) if group else found[0],
        producers=producers,
        event_count=events,
        checkpoint_count=checkpoints,
        not_counted=not_counted(connection, run_id) if snapshot.has_uncounted else [],
        parts=[part for part in group.parts if part.run_id != run_id] if group else [],
    )


def not_counted(connection: DuckDBPyConnection, run_id: str) -> list[NotCounted]:
    """Return the spans whose usage the sums of a run leave out."""
    sql = "SELECT span_id, reason, of_span_id FROM uncounted WHERE run_id = ? ORDER BY start_time, span_id"
    return [NotCounted(*row) for row in connection.execute(sql, [run_id]).fetchall()]


# --- the newest runs, from the end of the table


def _newest(snapshot: Snapshot, request: RunFilter, cursor: Cursor | None) -> RunList | None:
    """Look for the page in the newest part of time; None when it takes a larger part of the table."""
    count, oldest, newest = _extent(snapshot)
    latest = _latest_start(request, cursor)
    ns_per_part = (min(newest, latest) - oldest) / max(count, 1)
    expected = _FIRST_WINDOW * (request.limit + 1)
    while expected < min(count, max(count // _TIMES_QUICKER, _PARTS_PER_PLAN), _MOST_PARTS):
        low = max(min(newest, latest) - int(ns_per_part * expected) - 1, request.since_ns or 0)
        page = _page_between(snapshot, request, cursor, Bounds(low, latest))
        if page.next_cursor is not None or low == request.since_ns:
            return page
        expected = _next_window(expected, len(page.runs), request.limit)
    return None


def _next_window(parts: int, found: int, limit: int) -> int:
    """Return how many parts hold a page if runs go on to match as often as they did among the newest `parts`."""
    return max(_WIDER * parts, _FIRST_WINDOW * parts * (limit + 1) // max(found, 1) // 2)


def _extent(snapshot: Snapshot) -> tuple[int, int, int]:
    sql = "SELECT count(*), epoch_ns(min(first_start)), epoch_ns(max(first_start)) FROM run_sums"
    count, oldest, newest = snapshot.connection.execute(sql).fetchall()[0]
    return count, oldest or 0, newest or 0


def _latest_start(request: RunFilter, cursor: Cursor | None) -> int:
    ends = [request.until_ns, cursor.key if cursor and isinstance(cursor.key, int) else None]
    return min((end for end in ends if end is not None), default=EVERYTHING.high)


def _page_between(snapshot: Snapshot, request: RunFilter, cursor: Cursor | None, window: Bounds) -> RunList:
    candidates = _runs_between(snapshot, window)
    if request.text is not None:
        with_text = _runs_with_text(snapshot, request.text, candidates)
        candidates = {run_id: parts for run_id, parts in candidates.items() if run_id in with_text}
    starts = [(start_of(parts), run_id) for run_id, parts in candidates.items()]
    order = sorted((-start, run_id) for start, run_id in starts if start >= window.low)
    after = (-int(cursor.key or 0), cursor.tie) if cursor else (-EVERYTHING.high, "")
    page: list[RunSummary] = []
    last = ""
    less = _corrections(snapshot, candidates)
    found = found_by(snapshot, request.search, candidates)
    for place in order:
        summary = summary_of(candidates[place[1]], less.get(place[1])) if place > after else None
        if summary is None or not matches(request, summary, -place[0], found):
            continue
        if len(page) == request.limit:
            return RunList(runs=page, next_cursor=last)
        page.append(summary)
        last = _cursor(request, -place[0], place[1])
    return RunList(runs=page, next_cursor=None)


def _runs_between(snapshot: Snapshot, window: Bounds) -> dict[str, list[Part]]:
    """Return all parts of every run that started in the window, and of some more runs."""
    assert snapshot.index is not None  # lists are made with one
    reach = _reach(window)
    found: dict[str, list[Part]] = defaultdict(list)
    _add(found, summed_parts(snapshot.connection, reach.low, reach.high))
    late = {row[0] for row in snapshot.connection.execute(_ROOTED_LATE, window._asdict()).fetchall()}
    fresh = _fresh_between(snapshot, window) if snapshot.has_fresh else set()
    # What is known of these runs so far may not be all.
    apart = {run_id for run_id in found if not snapshot.index.bounds([run_id]).within(reach)}
    apart |= (late | fresh | snapshot.live_runs) - found.keys()
    for run_id in apart:
        found.pop(run_id, None)
    _add(found, _summed(snapshot, list(apart)))
    _add(found, _unsummed(snapshot, list(found.keys() | apart)))
    return found


def _reach(window: Bounds) -> Bounds:
    """Return a window a little longer: a run that started in the window may have parts after it."""
    return Bounds(window.low, min(window.high + (window.high - window.low) // 8, EVERYTHING.high))


def _fresh_between(snapshot: Snapshot, window: Bounds) -> set[str]:
    values = {**window._asdict(), "up_to": snapshot.summed_up_to}
    return {row[0] for row in snapshot.connection.execute(_FRESH, values).fetchall()}


def _runs_with_text(snapshot: Snapshot, text: str, run_ids: Iterable[str]) -> set[str]:
    """Return those of the runs, and maybe others, that have a span with the text."""
    assert snapshot.index is not None  # lists are made with one
    matching = text_condition(text)
    sql = (
        f"SELECT run_id FROM spans WHERE {SPAN_BOUNDS} AND {matching.sql} UNION SELECT run_id FROM "
        "(SELECT * FROM spans WHERE false UNION ALL BY NAME SELECT *, 'running' AS status FROM live_spans) "
        f"WHERE {matching.sql} UNION {RUNS_WITH_MESSAGE}"
    )
    values = {**snapshot.index.bounds(run_ids)._asdict(), **matching.values}
    return {row[0] for row in snapshot.connection.execute(sql, values).fetchall()}


def found_by(snapshot: Snapshot, search: Search | None, run_ids: Iterable[str]) -> Found:
    """Return which of the runs, and maybe others, have spans that a search is about."""
    if search is None or not (wanted := search.about_spans()):
        return {}
    assert snapshot.index is not None  # lists are made with one
    values = snapshot.index.bounds(run_ids)._asdict()
    queries = {node: search.runs_with(node, _NEAR) for node in wanted}
    return {
        node: {row[0] for row in snapshot.connection.execute(_bounded(sql), values).fetchall()}
        for node, sql in queries.items()
    }


def _bounded(sql: str) -> str:
    return f"WITH near AS ({_SPANS_BETWEEN}) {sql}"


# --- any other list, by SQL over the whole table


def _searched(snapshot: Snapshot, request: RunFilter, cursor: Cursor | None) -> RunList:
    rows = _search(snapshot.connection, request, cursor)
    page = rows[: request.limit]
    found = {run.run_id: run for run in summaries(snapshot, [run_id for run_id, _ in page])}
    next_cursor = _cursor(request, page[-1][1], page[-1][0]) if len(rows) > request.limit else None
    return RunList(runs=[found[run_id] for run_id, _ in page], next_cursor=next_cursor)


def _search(connection: DuckDBPyConnection, request: RunFilter, cursor: Cursor | None) -> list[tuple[str, Any]]:
    """Return (run id, sort value) of one run more than the limit, so that one sees whether there is a next page."""
    conditions = all_conditions(request)
    if cursor:
        conditions.append(after_condition(request, cursor))
    where = joined(conditions)
    key = "epoch_ns(start_time)" if request.sort_key == "start_time" else request.sort_column
    # Columns that neither a condition nor the order needs are not added up.
    return connection.execute(
        f"SELECT run_id, {key} FROM runs WHERE {where.sql} ORDER BY {_order(request)} LIMIT $limit",
        {**where.values, "limit": request.limit + 1},
    ).fetchall()


def _cursor(request: RunFilter, key: Any, run_id: str) -> str:
    return encode_cursor(Cursor(request.scope, key, run_id))


# --- parts of chosen runs


def _parts_of(snapshot: Snapshot, run_ids: Sequence[str]) -> dict[str, list[Part]]:
    """Return all parts of these runs; runs that do not exist are left out."""
    found: dict[str, list[Part]] = defaultdict(list)
    _add(found, _summed(snapshot, run_ids))
    _add(found, _unsummed(snapshot, run_ids))
    return found


def _summed(snapshot: Snapshot, run_ids: Sequence[str]) -> list[Part]:
    if not run_ids:
        return []
    bounds = EVERYTHING if snapshot.index is None else snapshot.index.bounds(run_ids)
    return summed_parts_of(snapshot.connection, run_ids, bounds.low, bounds.high)


def _unsummed(snapshot: Snapshot, run_ids: Sequence[str]) -> list[Part]:
    parts: list[Part] = []
    if run_ids and snapshot.has_fresh:
        parts += fresh_parts_of(snapshot.connection, run_ids, snapshot.summed_up_to)
    if running := snapshot.live_runs.intersection(run_ids):
        parts += running_parts_of(snapshot.connection, list(running))
    return parts


def _add(found: dict[str, list[Part]], parts: Iterable[Part]) -> None:
    for part in parts:
        found[part.run_id].append(part)


def _producers(connection: DuckDBPyConnection, run_id: str, bounds: Bounds) -> list[ProducerInfo]:
    values = {"run_id": run_id, "low": bounds.low, "high": bounds.high}
    names = ProducerInfo.__struct_fields__
    found = []
    for row in connection.execute(_PRODUCERS, values).fetchall():
        fields = dict(zip(names, row, strict=True))
        fields["last_seen"] = iso_from_ns(fields["last_seen"])
        found.append(ProducerInfo(**fields))
    return found
