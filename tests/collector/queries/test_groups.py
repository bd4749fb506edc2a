"""Traces that links join are one line of the run list, and the rest is reachable from it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost_collector.protocol.foreign import ForeignSpan
from milepost_collector.storage import Database
from milepost_collector.traces.commit import Committer
from milepost_collector.traces.queries import RunFilter, RunIndex, list_runs, read_only, run_detail
from tests.collector.ingest.foreign import SECOND, START, call, linked, request_of, span
from tests.collector.ingest.harness import MIB, SteppingClock, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    time = SteppingClock()
    database = Database(tmp_path / "milepost.duckdb", memory_limit_bytes=512 * MIB)
    yield Store(database, time, Committer(database, time.clock, 30))
    database.close()


def run(number: int) -> str:
    return f"{number:032x}"


def at(number: int) -> dict[str, int]:
    return {"start_time": START + number * SECOND, "end_time": START + number * SECOND + SECOND}


def commit(store: Store, *spans: ForeignSpan) -> None:
    store.committer.commit([request_of(*spans)])


def listed(store: Store, **asked: object) -> list[str]:
    """Return the run ids of all pages."""
    found: list[str] = []
    cursor = None
    for _ in itertools.count():
        with store.database.reader() as connection, read_only(connection):
            page = list_runs(connection, RunIndex(), RunFilter(cursor=cursor, **asked))
        found += [one.run_id for one in page.runs]
        cursor = page.next_cursor
        if cursor is None:
            return found
    raise AssertionError


def chain(store: Store, count: int) -> None:
    """Store runs that each link to the one before, an agent's turns, and one that stands alone."""
    commit(store, call(run(1), "a" * 16, **at(1)))
    for number in range(2, count + 1):
        commit(store, linked(run(number), "a" * 16, run(number - 1), **at(number)))
        commit(store, call(run(number), "b" * 16, "a" * 16, **at(number)))
    commit(store, span(run(99), "a" * 16, **at(50)))


def test_linked_runs_are_one_line_with_the_sums_of_all(store: Store) -> None:
    chain(store, 4)
    assert listed(store) == [run(99), run(1)]
    with store.database.reader() as connection, read_only(connection):
        whole = list_runs(connection, RunIndex(), RunFilter()).runs[1]
    assert (whole.part_count, whole.input_tokens, whole.llm_call_count) == (3, 400, 4)
    assert whole.duration_ms == pytest.approx(4_000)


def test_parts_are_reachable_and_name_their_run(store: Store) -> None:
    chain(store, 3)
    with store.database.reader() as connection, read_only(connection):
        whole = run_detail(connection, RunIndex(), run(1))
        part = run_detail(connection, RunIndex(), run(3))
    assert [one.run_id for one in whole.parts] == [run(2), run(3)]
    assert part.run.part_of == run(1)
    assert part.run.input_tokens == 100


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
@pytest.mark.parametrize("sort", ["-start_time", "start_time", "-input_tokens", "name"])
def test_pages_hold_every_line_once(store: Store, limit: int, sort: str) -> None:
    chain(store, 5)
    for number in range(20, 27):
        commit(store, call(run(number), "a" * 16, **at(number)))
    expected = {run(1), run(99), *(run(number) for number in range(20, 27))}
    found = listed(store, limit=limit, sort=sort)
    assert len(found) == len(expected)
    assert set(found) == expected


def test_narrowed_list_shows_the_part_that_was_looked_for(store: Store) -> None:
    chain(store, 3)
    commit(store, span(run(2), "c" * 16, "a" * 16, attributes={"note": "a needle"}, **at(2)))
    assert listed(store, text="needle") == [run(2)]


def test_link_to_a_run_that_never_came_joins_nothing(store: Store) -> None:
    commit(store, linked(run(1), "a" * 16, run(777)))
    assert listed(store) == [run(1)]


def test_links_in_a_circle_end(store: Store) -> None:
    commit(store, linked(run(1), "a" * 16, run(2), **at(1)), linked(run(2), "a" * 16, run(1), **at(2)))
    assert listed(store) == [run(1)]
