"""The run list answers what the view `runs` says, under every filter, order and page size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from milepost_collector.errors import InvalidParameterError, NotFoundError
from milepost_collector.protocol.api import RunSummary
from milepost_collector.protocol.timestamps import iso_from_ns, ns_from_text, optional_iso_from_ns
from milepost_collector.traces.queries import RunFilter, RunIndex, list_runs, run_detail, run_summaries
from milepost_collector.traces.queries.filters import SORT_KEYS
from milepost_collector.traces.queries.pool import read_only
from tests.collector.queries.stories import BASE_NS, NAMES, SECOND, Recorder, recorder, run_id_of, runs

# Stories are long, and hypothesis would rather not print them.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")

few_examples = settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # an example takes half a second, shrinking one for ever
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
arrivals = st.fixed_dictionaries({"batch_size": st.integers(1, 20), "sum_up_every": st.integers(1, 6)})
filters = st.fixed_dictionaries(
    {},
    optional={
        "statuses": st.lists(st.sampled_from(("completed", "failed", "running")), min_size=1, max_size=2).map(tuple),
        "name": st.sampled_from(NAMES),
        "agent": st.sampled_from(("writer", "nobody")),
        "session": st.just("s1"),
        "user": st.just("u1"),
        "tag": st.sampled_from(("eu", "nightly")),
        "since_ns": st.integers(0, 300).map(lambda second: BASE_NS + second * SECOND),
        "until_ns": st.integers(0, 300).map(lambda second: BASE_NS + second * SECOND),
        "min_duration_ms": st.sampled_from((0.0, 5000.0)),
        "min_cost_usd": st.floats(0, 1000),
        "text": st.sampled_from(("report.pdf", "50% of_it", "refused", "Ärger", "nowhere")),
    },
)
sorts = st.sampled_from([sign + key for key in SORT_KEYS for sign in ("", "-")] + ["-start_time"] * 8)


@few_examples
@given(events=runs(0, 14), arrival=arrivals, narrowed=filters, sort=sorts, limit=st.integers(1, 5))
def test_pages_hold_every_matching_run_once_in_order(
    tmp_path: Path, events: list[Any], arrival: dict[str, int], narrowed: dict[str, Any], sort: str, limit: int
) -> None:
    with recorder(tmp_path) as made:
        made.record(events, **arrival)
        pages = all_pages(made, RunFilter(**narrowed, sort=sort, limit=limit))
        with made.store.database.reader() as connection:
            assert pages == expected_runs(connection, RunFilter(**narrowed, sort=sort))


@few_examples
@given(first=runs(0, 8), later=runs(8, 16), arrival=arrivals, limit=st.integers(1, 6))
def test_pages_hold_every_run_once_while_runs_arrive(
    tmp_path: Path, first: list[Any], later: list[Any], arrival: dict[str, int], limit: int
) -> None:
    with recorder(tmp_path) as made:
        made.record(first, **arrival)
        with made.store.database.reader() as connection:
            before = {run.run_id: run.start_time for run in expected_runs(connection, RunFilter())}
        waiting = list(later)
        seen: list[str] = []
        index, request = RunIndex(), RunFilter(limit=limit)
        while True:
            page = answered(made, index, request)
            seen += [run.run_id for run in page.runs]
            if page.next_cursor is None:
                break
            made.record(waiting[:5], **arrival)
            del waiting[:5]
            request = RunFilter(limit=limit, cursor=page.next_cursor)
        assert sorted(run_id for run_id in seen if run_id in before) == sorted(before)


@few_examples
@given(events=runs(0, 8), arrival=arrivals, wanted=st.sets(st.integers(0, 9)))
def test_summaries_are_those_of_the_view(
    tmp_path: Path, events: list[Any], arrival: dict[str, int], wanted: set[int]
) -> None:
    with recorder(tmp_path) as made:
        made.record(events, **arrival)
        ids = {run_id_of(number) for number in wanted}
        with made.store.database.reader() as connection, read_only(connection):
            everything = {run.run_id: run for run in expected_runs(connection, RunFilter())}
            for index in (None, RunIndex()):
                found = {run.run_id: run for run in run_summaries(connection, sorted(ids), index)}
                assert found == {run_id: run for run_id, run in everything.items() if run_id in ids}


def test_unknown_run_is_named(tmp_path: Path) -> None:
    with (
        recorder(tmp_path) as made,
        made.store.database.reader() as connection,
        pytest.raises(NotFoundError, match="there is no run 'feed"),
    ):
        run_detail(connection, RunIndex(), "feed" * 8)


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "ä", "W10", "WyJhIiwxLCJiIl0"])
def test_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidParameterError, match="start again without it"):
        RunFilter(cursor=cursor).after()


@pytest.mark.parametrize("wrong", [{"sort": "nope"}, {"sort": "--name"}, {"limit": 0}, {"limit": 501}])
def test_filter_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError, match="is not valid; use"):
        RunFilter(**wrong)


def all_pages(made: Recorder, request: RunFilter) -> list[RunSummary]:
    """Follow the cursors from the first page to the last."""
    index, found, cursor = RunIndex(), list[RunSummary](), None
    settings = {name: getattr(request, name) for name in RunFilter.__dataclass_fields__ if name != "cursor"}
    while True:
        page = answered(made, index, RunFilter(**settings, cursor=cursor))
        assert len(page.runs) <= request.limit
        found += page.runs
        if page.next_cursor is None:
            return found
        cursor = page.next_cursor


def answered(made: Recorder, index: RunIndex, request: RunFilter) -> Any:
    """Return one page."""
    with made.store.database.reader() as connection, read_only(connection):
        return list_runs(connection, index, request)


# What a run is a part of, and of what parts, the view does not say.
VIEW_COLUMNS = [name for name in RunSummary.__struct_fields__ if name not in ("part_of", "part_count")]


def expected_runs(connection: DuckDBPyConnection, request: RunFilter) -> list[RunSummary]:
    """Filter and sort the rows of the view in plain Python."""
    times = {"start_time": "epoch_ns(start_time)", "end_time": "epoch_ns(end_time)"}
    columns = ", ".join(times.get(name, name) for name in VIEW_COLUMNS)
    rows = connection.execute(f"SELECT {columns} FROM runs").fetchall()
    found = [dict(zip(VIEW_COLUMNS, row, strict=True)) for row in rows]
    found = [run for run in found if is_wanted(connection, run, request)]
    found.sort(key=lambda run: run["run_id"])
    known = [run for run in found if sort_value(run, request) is not None]
    known.sort(key=lambda run: sort_value(run, request), reverse=request.sort.startswith("-"))
    unknown = [run for run in found if sort_value(run, request) is None]
    return [summary(run) for run in known + unknown]


def sort_value(run: dict[str, Any], request: RunFilter) -> Any:
    """Return what a row of the view is sorted by."""
    if request.sort_key != "total_tokens":
        return run[request.sort_key]
    known = [run[name] for name in ("input_tokens", "output_tokens") if run[name] is not None]
    return sum(known) if known else None


def summary(run: dict[str, Any]) -> RunSummary:
    """Return a row of the view as the API shows it."""
    times = {"start_time": iso_from_ns(run["start_time"]), "end_time": optional_iso_from_ns(run["end_time"])}
    return RunSummary(**{**run, **times})


def is_wanted(connection: DuckDBPyConnection, run: dict[str, Any], request: RunFilter) -> bool:
    """Apply the filters to a row of the view."""
    columns = {"name": "name", "agent": "agent", "session": "session_id", "user": "user_id"}
    if any(getattr(request, key) not in (None, run[column]) for key, column in columns.items()):
        return False
    if request.statuses and run["status"] not in request.statuses:
        return False
    if request.tag is not None and request.tag not in run["tags"]:
        return False
    if request.since_ns is not None and run["start_time"] < request.since_ns:
        return False
    if request.until_ns is not None and run["start_time"] >= request.until_ns:
        return False
    for least, value in ((request.min_duration_ms, run["duration_ms"]), (request.min_cost_usd, run["cost_usd"])):
        if least is not None and (value is None or value < least):
            return False
    return request.text is None or request.text in all_text(connection, run["run_id"])


def all_text(connection: DuckDBPyConnection, run_id: str) -> str:
    """Join every text of every span of a run."""
    sql = (
        "SELECT name, input, output, error_type, error_message, error_stack, attributes FROM all_spans WHERE run_id = ?"
    )
    return "\n".join(str(value) for row in connection.execute(sql, [run_id]).fetchall() for value in row)


@given(nanos=st.integers(0, 2**63 - 1))
def test_times_survive_their_text(nanos: int) -> None:
    assert ns_from_text(iso_from_ns(nanos), now_ns=0) == nanos


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", 10**18),
        ("now-90s", 10**18 - 90 * SECOND),
        ("now-2d", 10**18 - 2 * 86_400 * SECOND),
        ("1970-01-02", 86_400 * SECOND),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("1970-01-01 00:00:00.000000007", 7),
    ],
)
def test_time_of_day_and_relative_times_are_read(text: str, expected: int) -> None:
    assert ns_from_text(text, now_ns=10**18) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "now-1y", "now+1h", "2026-13-01", "1969-12-31", "9999-01-01"])
def test_text_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        ns_from_text(text, now_ns=10**18)
