"""Lists of runs hold what a search means, whichever way they are made, and so does the SQL they name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from milepost.wire import SpanEnded
from milepost_collector.traces.queries import RunFilter, RunIndex, list_runs
from milepost_collector.traces.queries.histogram import width_ns
from milepost_collector.traces.queries.pool import read_only
from milepost_collector.traces.queries.runs import list_sql
from milepost_collector.traces.queries.search import Search
from milepost_collector.traces.queries.search_spans import search_spans
from tests.collector.queries.stories import BASE_NS, SECOND, recorder, run_id_of, runs
from tests.collector.search.plain import Plain
from tests.collector.search.trees import apt_searches, apt_span_searches

# Stories are long, and hypothesis would rather not print them.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")

NOW_NS = BASE_NS + 300 * SECOND
few_examples = settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # an example takes half a second, shrinking one for ever
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
ONCE = {"batch_size": 20, "sum_up_every": 1}
arrivals = st.fixed_dictionaries({"batch_size": st.integers(1, 20), "sum_up_every": st.integers(1, 6)})


@few_examples
@given(events=runs(0, 10), arrival=arrivals, texts=st.lists(apt_searches, min_size=12, max_size=12), data=st.data())
def test_lists_hold_what_is_searched_for(
    tmp_path: Path, events: list[Any], arrival: dict[str, int], texts: list[str], data: st.DataObject
) -> None:
    with recorder(tmp_path) as made:
        made.record(events, **arrival)
        with made.store.database.reader() as connection, read_only(connection):
            plain, index = Plain.read(connection, NOW_NS), RunIndex()
            for text in texts:
                search, sort = Search.read(text, now_ns=NOW_NS), data.draw(st.sampled_from(("-start_time", "name")))
                page = list_runs(connection, index, RunFilter(search=search, sort=sort, limit=50))
                found = [run.run_id for run in page.runs]
                assert (text, sorted(found)) == (text, plain.found(search.node))
                assert [row[0] for row in connection.execute(page.sql).fetchall()] == found


@few_examples
@given(
    events=runs(0, 14), arrival=arrivals, texts=st.lists(apt_searches, min_size=4, max_size=4), limit=st.integers(1, 2)
)
def test_pages_of_a_search_hold_every_run_once(
    tmp_path: Path, events: list[Any], arrival: dict[str, int], texts: list[str], limit: int
) -> None:
    with recorder(tmp_path) as made:
        made.record(events, **arrival)
        with made.store.database.reader() as connection, read_only(connection):
            plain, index = Plain.read(connection, NOW_NS), RunIndex()
            for text in texts:
                search = Search.read(text, now_ns=NOW_NS)
                found = all_pages(connection, index, RunFilter(search=search, limit=limit))
                assert (text, sorted(found)) == (text, plain.found(search.node))


def all_pages(connection: DuckDBPyConnection, index: RunIndex, request: RunFilter) -> list[str]:
    """Return the runs of all pages, each of which the query that it names must find, too."""
    found: list[str] = []
    while True:
        page = list_runs(connection, index, request)
        ids = [run.run_id for run in page.runs]
        assert [row[0] for row in connection.execute(page.sql).fetchall()] == ids
        found += ids
        if page.next_cursor is None:
            return found
        request = replace(request, cursor=page.next_cursor)


@few_examples
@given(events=runs(0, 6), arrival=arrivals, texts=st.lists(apt_span_searches, min_size=6, max_size=6))
def test_spans_of_a_run_are_those_that_a_search_means(
    tmp_path: Path, events: list[Any], arrival: dict[str, int], texts: list[str]
) -> None:
    with recorder(tmp_path) as made:
        made.record(events, **arrival)
        with made.store.database.reader() as connection, read_only(connection):
            plain, index = Plain.read(connection, NOW_NS), RunIndex()
            for run_id, text in zip(plain.spans, texts, strict=False):
                search = Search.read(text, now_ns=NOW_NS, of_spans=True)
                found = search_spans(connection, index, run_id, search)
                assert (text, found.span_ids) == (text, plain.found_spans(search.node, run_id))
                assert [row[1] for row in connection.execute(found.sql).fetchall()] == found.span_ids


@given(low=st.integers(0, 2**62), length=st.integers(1, 2**61), buckets=st.integers(1, 200))
def test_buckets_are_as_many_as_may_be_and_no_more(low: int, length: int, buckets: int) -> None:
    width = width_ns(low, low + length, buckets)
    assert 1 <= (low + length - 1) // width - low // width + 1 <= buckets


def test_query_of_a_list_spells_out_every_parameter(tmp_path: Path) -> None:
    request = RunFilter(
        statuses=("failed",), name="it's", agent="a", session="s", user="u", tag="$t", since_ns=BASE_NS,
        until_ns=NOW_NS, min_duration_ms=0.5, min_cost_usd=0.1, text="$name",
    )  # fmt: skip
    with recorder(tmp_path) as made, made.store.database.reader() as connection:
        assert connection.execute(list_sql(request)).fetchall() == []
    assert "name = 'it''s'" in list_sql(request)
    assert "contains(input, '$name')" in list_sql(request)


def test_query_of_a_list_leaves_parts_of_other_runs_out(tmp_path: Path) -> None:
    with recorder(tmp_path) as made:
        made.record([lonely(number) for number in range(1, 6)], **ONCE)
        made.store.committer.sum_up()
        links = [(run_id_of(one), f"{one:016x}", run_id_of(one - 1)) for one in (2, 3)]
        made.store.database.writer.executemany("INSERT INTO run_links VALUES (?, ?, ?)", links)
        with made.store.database.reader() as connection, read_only(connection):
            index = RunIndex()
            assert len(all_pages(connection, index, RunFilter(limit=2))) == 3
            assert len(all_pages(connection, index, RunFilter(search=Search.read("name:x", now_ns=NOW_NS)))) == 5


def lonely(number: int) -> SpanEnded:
    """Return a run of one span."""
    start = BASE_NS + number
    return SpanEnded(run_id=run_id_of(number), span_id=f"{number:016x}", name="x", start_time=start, end_time=start + 1)
