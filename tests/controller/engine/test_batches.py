"""Batches: made once, counted together, on both databases."""

from __future__ import annotations

import pytest

from milepost.wire.batches import BatchAnswer, BatchCreate, BatchProgress
from milepost.wire.tasks import TaskCreate, TaskFilter
from milepost_collector.controller import views
from milepost_collector.errors import InvalidParameterError, NotFoundError
from tests.controller.engine.house import House, Worker

pytestmark = pytest.mark.parametrize("place", ["memory", "postgresql"], indirect=True)


def make(house: House, count: int = 3, batch: str | None = None, name: str = "work") -> BatchAnswer:
    """Make a batch."""
    request = BatchCreate(tasks=[TaskCreate(name=name, input=number) for number in range(count)], batch=batch)
    return house.do(lambda engine, tx: engine.create_batch(tx, request))


def progress(house: House, batch: str) -> BatchProgress:
    """Return how far a batch is."""
    return house.store.read(lambda tx: views.batch(tx, batch))


def test_same_call_again_makes_nothing(house: House) -> None:
    first = make(house, batch="nightly")
    assert make(house, batch="nightly") == first
    assert progress(house, "nightly").total == 3


def test_other_tasks_are_added_to_a_batch(house: House) -> None:
    make(house, batch="nightly")
    more = make(house, batch="nightly", name="other")
    assert progress(house, "nightly").total == 6
    found = house.store.read(
        lambda tx: tx.matching_ids(TaskFilter(batch=["nightly"], name=["other"]), after=None, limit=9)
    )
    assert sorted(found) == sorted(more.ids)


def test_batch_without_a_name_gets_one(house: House) -> None:
    first, second = make(house), make(house)
    assert first.batch != second.batch
    assert house.task(first.ids[0]).batch == first.batch


def test_nothing_is_made_when_one_task_is_refused(house: House) -> None:
    request = BatchCreate(tasks=[TaskCreate(name="a"), TaskCreate(name="b", agent="x", team="y")], batch="bad")
    with pytest.raises(InvalidParameterError):
        house.do(lambda engine, tx: engine.create_batch(tx, request))
    with pytest.raises(NotFoundError):
        progress(house, "bad")


def test_progress_counts_and_expects(house: House, worker: Worker) -> None:
    made = make(house, count=10)
    leases = worker.poll().leases
    house.clock.advance(1_000)
    worker.complete(leases[0])
    for lease in leases[1:]:
        worker.fail(lease, retryable=False)
    found = progress(house, made.batch)
    assert (found.total, found.finished) == (10, 8)
    assert found.counts == {"completed": 1, "failed": 7, "pending": 2}
    assert found.estimated_completion == house.at(250)


def test_too_little_of_a_batch_tells_nothing_of_its_end(house: House, worker: Worker) -> None:
    made = make(house, count=10)
    worker.complete(worker.poll().leases[0])
    assert progress(house, made.batch).estimated_completion is None


def test_newest_batches_come_first(house: House) -> None:
    make(house, batch="one")
    house.clock.advance(1)
    make(house, batch="two")
    found = house.store.read(lambda tx: views.batches(tx, limit=5)).batches
    assert [one.id for one in found] == ["two", "one"]
