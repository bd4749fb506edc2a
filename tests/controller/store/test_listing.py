"""Lists of tasks: filters, order, pages, counts - by example, and compared with the same in plain Python."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from milepost.wire.tasks import FINISHED_STATUSES, PRIORITIES, TASK_STATUSES, TaskFilter
from milepost_collector.controller.rows import TaskRow
from milepost_collector.controller.store.interface import Store
from milepost_collector.controller.store.listing import GROUPS, SORTS
from milepost_collector.errors import InvalidParameterError
from tests.controller.store.rows import NOW, finished, insert, task

AWKWARD = ["a", "b", "A%", "a_b", "é", ",", '"', "null", "\\", "]", "ß"]


def at(milliseconds: int) -> datetime:
    """Return an instant so long after NOW."""
    return datetime.fromtimestamp((NOW + milliseconds) / 1000, UTC)


def listed(store: Store, sort: str = "created_at", limit: int = 99, **wanted: Any) -> list[str]:
    """Return the ids of the tasks of a first page."""
    page = store.read(lambda tx: tx.page(TaskFilter(**wanted), sort=sort, cursor=None, limit=limit))
    return [row.id for row in page.tasks]


def all_pages(store: Store, wanted: TaskFilter, sort: str, limit: int) -> list[str]:
    """Return the ids of all pages."""
    ids: list[str] = []
    cursor: str | None = None
    while True:
        page = store.read(lambda tx: tx.page(wanted, sort=sort, cursor=cursor, limit=limit))
        assert len(page.tasks) == limit or page.cursor is None
        ids += [row.id for row in page.tasks]
        if (cursor := page.cursor) is None:
            return ids


def insert_tasks(store: Store, *rows: TaskRow) -> None:
    """Write tasks, live or finished."""
    insert(store, *(row for row in rows if row.status not in FINISHED_STATUSES))
    store.run(lambda tx: tx.insert_finished([row for row in rows if row.status in FINISHED_STATUSES]))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["t1", "t2", "t3"]),
        ({"ids": ["t3", "t1"]}, ["t1", "t3"]),
        ({"status": ["completed"]}, ["t3"]),
        ({"status": ["pending", "completed"]}, ["t1", "t3"]),
        ({"status": ["failed"]}, []),
        ({"type": ["scheduled"]}, ["t2"]),
        ({"priority": ["low", "urgent"]}, ["t2", "t3"]),
        ({"name": ["load"]}, ["t2"]),
        ({"agent": ["etl"]}, ["t1", "t2"]),
        ({"team": ["data"]}, ["t3"]),
        ({"app": ["shop"]}, ["t1"]),
        ({"tag": ["x"]}, ["t1"]),
        ({"tag": ["x", "z"]}, ["t1", "t3"]),
        ({"schedule_id": "s1"}, ["t2"]),
        ({"origin_run_id": "r1"}, ["t3"]),
        ({"created_from": at(2)}, ["t2", "t3"]),
        ({"created_to": at(2)}, ["t1"]),
        ({"created_from": at(2), "created_to": at(3)}, ["t2"]),
        ({"text": "EXTRACT"}, ["t1", "t3"]),
        ({"text": "%"}, ["t2"]),
        ({"text": "_"}, []),
        ({"text": "ÉTÉ"}, ["t1"]),
        ({"text": "timeout"}, ["t3"]),
        ({"text": "went"}, ["t3"]),
        ({"text": "t2"}, ["t2"]),
        ({"text": "extract", "tag": ["x"], "agent": ["etl"]}, ["t1"]),
    ],
)  # fmt: skip
def test_filter_finds_the_tasks_that_match(store: Store, wanted: dict[str, Any], found: list[str]) -> None:
    insert_tasks(
        store,
        task("t1", created_at=NOW + 1, agent="etl", app="shop", tags='["x","y"]', description="pendant l'été"),
        task(
            "t2", created_at=NOW + 2, name="load", agents='["other","etl"]', type="scheduled", schedule_id="s1",
            priority=0, status="blocked", tags='["100%"]',
        ),
        finished(
            "t3", created_at=NOW + 3, team="data", tags='["z"]', origin_run_id="r1", priority=3,
            error_type="TimeoutError", error_message="it went away",
        ),
    )  # fmt: skip
    assert listed(store, **wanted) == found
    assert store.read(lambda tx: tx.matching_ids(TaskFilter(**wanted), after=None, limit=99)) == found
    assert sum(count for _, count in store.read(lambda tx: tx.counts(TaskFilter(**wanted), group_by="status"))) == len(
        found
    )


def test_tasks_without_the_value_come_last_whichever_way(store: Store) -> None:
    insert_tasks(store, task("t1"), task("t2", deadline_at=NOW + 2), task("t3", deadline_at=NOW + 1))
    assert listed(store, "deadline") == ["t3", "t2", "t1"]
    assert listed(store, "-deadline") == ["t2", "t3", "t1"]


def test_page_is_not_upset_by_tasks_that_come_and_go(store: Store) -> None:
    insert_tasks(store, *(task(f"t{number}", created_at=NOW + number) for number in range(10)))
    first = store.read(lambda tx: tx.page(TaskFilter(), sort="-created_at", cursor=None, limit=3))
    insert_tasks(store, *(task(f"n{number}", created_at=NOW + 99) for number in range(3)))
    store.run(lambda tx: tx.finish([finished("t5", created_at=NOW + 5)]))
    store.run(lambda tx: tx.forget(["t7", "t6"]))
    second = store.read(lambda tx: tx.page(TaskFilter(), sort="-created_at", cursor=first.cursor, limit=3))
    assert [row.id for row in first.tasks] == ["t9", "t8", "t7"]
    assert [row.id for row in second.tasks] == ["t5", "t4", "t3"]


@pytest.mark.parametrize("cursor", ["", "x", "gA==", "kwECAw=="])
def test_cursor_that_was_not_given_out_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(InvalidParameterError, match=r"cursor .* is not valid; take next_cursor"):
        store.read(lambda tx: tx.page(TaskFilter(), sort="name", cursor=cursor, limit=1))


def test_cursor_of_another_order_is_refused(store: Store) -> None:
    insert_tasks(store, task("t1"), task("t2"))
    page = store.read(lambda tx: tx.page(TaskFilter(), sort="name", cursor=None, limit=1))
    with pytest.raises(InvalidParameterError, match="cursor"):
        store.read(lambda tx: tx.page(TaskFilter(), sort="-name", cursor=page.cursor, limit=1))


def test_unknown_order_and_group_are_refused_with_what_there_is(store: Store) -> None:
    with pytest.raises(InvalidParameterError, match="sort by one of created_at, "):
        listed(store, "size")
    with pytest.raises(InvalidParameterError, match="group by one of status, "):
        store.read(lambda tx: tx.counts(TaskFilter(), group_by="size"))


def test_task_counts_for_each_of_its_tags_and_agents(store: Store) -> None:
    insert_tasks(
        store, task("t1", tags='["x","y"]', agents='["a","b"]'), task("t2", tags='["y"]'), task("t3", agent="a")
    )
    assert store.read(lambda tx: tx.counts(TaskFilter(), group_by="tag")) == [("y", 2), ("x", 1), (None, 1)]
    assert store.read(lambda tx: tx.counts(TaskFilter(), group_by="agent")) == [("a", 2), ("b", 1), (None, 1)]


def test_matching_ids_come_in_pages_by_id(store: Store) -> None:
    insert_tasks(store, task("t3"), finished("t2"), task("t1"), finished("t4"))
    assert store.read(lambda tx: tx.matching_ids(TaskFilter(), after=None, limit=3)) == ["t1", "t2", "t3"]
    assert store.read(lambda tx: tx.matching_ids(TaskFilter(), after="t3", limit=3)) == ["t4"]


def task_rows() -> st.SearchStrategy[list[TaskRow]]:
    """Return tasks that differ in what lists look at."""
    names = st.sampled_from(AWKWARD)
    maybe = st.none() | names
    moments = st.integers(0, 3).map(lambda number: NOW + number)
    lists = st.lists(names, max_size=2, unique=True).map(lambda chosen: msgspec.json.encode(chosen).decode())
    row = st.builds(
        task, st.just(""), name=names, description=names, type=st.sampled_from(["manual", "scheduled"]),
        status=st.sampled_from(TASK_STATUSES), priority=st.integers(0, 3), created_at=moments, updated_at=moments,
        agent=maybe, team=maybe, app=maybe, tags=lists, deadline_at=st.none() | moments, error_message=maybe,
        agents=st.none() | lists,
    )  # fmt: skip
    return st.lists(row, max_size=12).map(_with_ids)


def _with_ids(made: list[TaskRow]) -> list[TaskRow]:
    for number, row in enumerate(made):
        row.id = f"t{(number * 7) % 13:02}"
        row.finished_at = row.updated_at if row.status in FINISHED_STATUSES else None
        row.agents = row.agents if row.agent is None else None
    return made


FILTERS = st.builds(
    TaskFilter,
    status=st.lists(st.sampled_from(TASK_STATUSES), max_size=3),
    priority=st.lists(st.sampled_from(PRIORITIES), max_size=2),
    agent=st.lists(st.sampled_from(AWKWARD), max_size=2),
    tag=st.lists(st.sampled_from(AWKWARD), max_size=2),
    created_from=st.none() | st.integers(0, 3).map(at),
    text=st.none() | st.sampled_from([*AWKWARD, "t0", "É", "%", "_"]),
)


def texts_of(row: TaskRow) -> list[str]:
    """Return what a filter's text is looked for in."""
    return [row.name, row.description, row.id, row.error_message or "", *msgspec.json.decode(row.tags)]


def agents_of(row: TaskRow) -> list[str | None]:
    """Return a task's agents."""
    return [row.agent] if row.agents is None else msgspec.json.decode(row.agents)


def matches(row: TaskRow, wanted: TaskFilter) -> bool:
    """Tell whether a task matches a filter."""
    return (
        (not wanted.status or row.status in wanted.status)
        and (not wanted.priority or PRIORITIES[row.priority] in wanted.priority)
        and (not wanted.agent or any(agent in wanted.agent for agent in agents_of(row)))
        and (not wanted.tag or any(tag in wanted.tag for tag in msgspec.json.decode(row.tags)))
        and (wanted.created_from is None or row.created_at >= round(wanted.created_from.timestamp() * 1000))
        and (wanted.text is None or any(wanted.text.lower() in text.lower() for text in texts_of(row)))
    )


def in_order(rows: list[TaskRow], sort: str) -> list[str]:
    """Return the ids of tasks in an order."""
    column, descending = SORTS[sort.removeprefix("-")], sort.startswith("-")
    known = [row for row in rows if getattr(row, column) is not None]
    unknown = [row for row in rows if getattr(row, column) is None]
    known.sort(key=lambda row: (getattr(row, column), row.id), reverse=descending)
    unknown.sort(key=lambda row: row.id, reverse=descending)
    return [row.id for row in known + unknown]


def values_of(row: TaskRow, group_by: str) -> list[str | None]:
    """Return under which values a task is counted."""
    if group_by == "tag":
        return msgspec.json.decode(row.tags) or [None]
    if group_by == "agent":
        return agents_of(row) or [None]
    value = getattr(row, group_by)
    return [PRIORITIES[value] if group_by == "priority" else value]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=task_rows(), wanted=FILTERS, sort=st.sampled_from(sorted(SORTS)), data=st.data())
def test_pages_and_counts_equal_a_filter_in_plain_python(
    store: Store, rows: list[TaskRow], wanted: TaskFilter, sort: str, data: st.DataObject
) -> None:
    store.run(lambda tx: tx.forget([f"t{number:02}" for number in range(13)]))
    insert_tasks(store, *rows)
    matching = [row for row in rows if matches(row, wanted)]
    sort = data.draw(st.sampled_from(["", "-"])) + sort
    assert all_pages(store, wanted, sort, data.draw(st.integers(1, 4))) == in_order(matching, sort)
    assert store.read(lambda tx: tx.matching_ids(wanted, after=None, limit=99)) == sorted(row.id for row in matching)
    group_by = data.draw(st.sampled_from(GROUPS))
    counted = Counter(value for row in matching for value in values_of(row, group_by))
    assert dict(store.read(lambda tx: tx.counts(wanted, group_by=group_by))) == counted
