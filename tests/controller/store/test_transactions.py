"""Transactions: all or nothing, group commits, snapshots, the clock, closing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from milepost_collector.controller.rows import TaskRow
from milepost_collector.controller.store import open_store
from milepost_collector.controller.store.interface import Store, Tx
from milepost_collector.errors import DuplicateRowError, StorageError
from tests.controller.conftest import START_MS, ManualClock, OpenStore
from tests.controller.store.rows import insert, task

TIMEOUT_S = 10


def names(store: Store) -> list[str]:
    """Return the ids of all tasks of these tests."""
    return sorted(store.read(lambda tx: tx.tasks(["t1", "t2", "t3"])))


def inserting(task_id: str, error: Exception | None = None) -> object:
    """Return work that writes a task and then fails, if it is to."""

    def work(tx: Tx) -> str:
        tx.insert([task(task_id)])
        if error is not None:
            raise error
        return task_id

    return work


def test_run_returns_what_its_work_returns(store: Store) -> None:
    assert store.run(inserting("t1")) == "t1"  # type: ignore[arg-type]
    assert names(store) == ["t1"]


def test_run_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(KeyError, match="broken"):
        store.run(inserting("t1", KeyError("broken")))  # type: ignore[arg-type]
    assert names(store) == []


def test_each_work_of_a_group_fails_alone(store: Store) -> None:
    error = KeyError("broken")
    answers = store.run_each([inserting("t1"), inserting("t2", error), inserting("t3")])  # type: ignore[list-item]
    assert answers == ["t1", error, "t3"]
    assert names(store) == ["t1", "t3"]


def test_error_of_the_database_in_a_group_concerns_its_work_only(store: Store) -> None:
    answers = store.run_each([inserting("t1"), inserting("t1"), inserting("t2")])  # type: ignore[list-item]
    assert isinstance(answers[1], DuplicateRowError)
    assert names(store) == ["t1", "t2"]


def test_group_sees_what_its_earlier_works_wrote(store: Store) -> None:
    assert store.run_each([inserting("t1"), lambda tx: list(tx.tasks(["t1"]))])[1] == ["t1"]  # type: ignore[list-item]


def test_empty_group_has_no_answers(store: Store) -> None:
    assert store.run_each([]) == []


def test_interrupt_in_a_group_ends_the_whole_of_it(store: Store) -> None:
    def interrupt(tx: Tx) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.run_each([inserting("t1"), interrupt])  # type: ignore[list-item]
    assert names(store) == []


def test_reader_sees_a_snapshot_and_does_not_wait_for_a_writer(store: Store) -> None:
    insert(store, task("t1"))
    has_written, may_commit = threading.Event(), threading.Event()

    def write(tx: Tx) -> None:
        tx.update([task("t1", phase="second")])
        has_written.set()
        assert may_commit.wait(TIMEOUT_S)

    def look_twice(tx: Tx) -> list[str | None]:
        first = tx.tasks(["t1"])["t1"].phase
        may_commit.set()
        writer.join(TIMEOUT_S)
        return [first, tx.tasks(["t1"])["t1"].phase]

    writer = threading.Thread(target=store.run, args=(write,))
    writer.start()
    assert has_written.wait(TIMEOUT_S)
    assert store.read(look_twice) == [None, None]
    assert store.read(lambda tx: tx.tasks(["t1"])["t1"].phase) == "second"


def test_several_threads_read_at_the_same_time(store: Store) -> None:
    insert(store, task("t1"))
    meeting = threading.Barrier(3, timeout=TIMEOUT_S)
    found: list[dict[str, TaskRow]] = []

    def read(tx: Tx) -> None:
        meeting.wait()
        found.append(tx.tasks(["t1"]))

    threads = [threading.Thread(target=store.read, args=(read,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert found == [{"t1": task("t1")}] * 3


def test_several_threads_write_one_after_the_other(store: Store) -> None:
    insert(store, task("t1", attempt=0))

    def increase(tx: Tx) -> None:
        row = tx.tasks(["t1"])["t1"]
        row.attempt += 1
        tx.update([row])

    threads = [threading.Thread(target=lambda: [store.run(increase) for _ in range(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert store.read(lambda tx: tx.tasks(["t1"])["t1"].attempt) == 40


def test_now_is_the_clock_that_was_given(store: Store, clock: ManualClock) -> None:
    clock.advance(5)
    assert store.run(lambda tx: tx.now) == START_MS + 5
    assert store.read(lambda tx: tx.now) == START_MS + 5


def test_now_never_goes_back_without_a_clock(store_place: str, open_stores: OpenStore) -> None:
    store = open_stores(store_place)
    moments = [store.run(lambda tx: tx.now) for _ in range(20)]
    assert moments == sorted(moments)
    assert moments[0] > START_MS


def test_stored_tasks_are_there_when_the_store_is_opened_again(store_place: str) -> None:
    for expected in ([], ["t1"]):
        store = open_store(store_place)
        assert names(store) == expected
        if not expected:
            insert(store, task("t1"))
        store.close()


def test_closed_store_says_so_and_can_be_closed_again(store: Store) -> None:
    store.close()
    store.close()
    for use in (store.run, store.read):
        with pytest.raises(StorageError, match=r"has been closed; open the store again"):
            use(lambda tx: tx.now)


def test_store_in_memory_is_one_for_reading_and_writing(clock: ManualClock) -> None:
    store = open_store(":memory:", clock=clock)
    insert(store, task("t1"))
    assert names(store) == ["t1"]
    assert store.run_each([inserting("t2"), inserting("t1")])[0] == "t2"  # type: ignore[list-item]
    store.close()
    assert not Path(":memory:").exists()
