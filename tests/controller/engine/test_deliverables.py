"""Deliverables as transactions decide on them, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from milepost.wire.deliverables import ExpectedDeliverable
from milepost_collector.controller import views
from milepost_collector.controller.engine.deliverables import MAX_VERSIONS, Arrival, Attached, Owner
from milepost_collector.controller.rows import ContentRow, DeliverableRow
from milepost_collector.controller.store.interface import Find
from milepost_collector.errors import ConflictError, NotFoundError, ValueTooLargeError
from tests.controller.engine.house import House, Worker

pytestmark = pytest.mark.parametrize("place", ["memory", "postgresql"], indirect=True)
QUOTA = 1_000


def attach(house: House, owner: Owner | str, name: str = "a", sha256: str = "aa", **more: Any) -> Attached:
    """Attach a content that is stored."""
    given = {
        "type": "file",
        "content_type": "text/plain",
        "size_bytes": 10,
        "key": f"key of {sha256} {len(more)}",
    } | more
    whose = Owner(task_id=owner) if isinstance(owner, str) else owner
    arrival = Arrival(owner=whose, name=name, sha256=sha256, **given)
    return house.do(lambda engine, tx: engine.attach(tx, arrival, QUOTA))


def contents(house: House) -> dict[str, str]:
    """Return the keys of contents by digest."""
    return {row.sha256: row.key for row in house.store.read(lambda tx: tx.find(ContentRow, Find()))}


def test_an_attempt_with_a_lease_attaches(house: House, worker: Worker) -> None:
    """Its run and agent stand with the deliverable, and its task's history tells of it."""
    task_id = house.create()
    lease = worker.take()
    made = attach(house, task_id, attempt=lease.attempt)
    assert (made.row.version, made.row.run_id, made.row.agent, made.made) == (1, lease.run_id, "a", True)
    assert house.events(task_id)[-1] == "attached"
    assert house.effects.changed


def test_an_attempt_without_a_lease_changes_nothing(house: House, worker: Worker) -> None:
    """Neither when it is lost, nor when it has ended."""
    task_id = house.create()
    lease = worker.take()
    house.pass_time(60_000)
    with pytest.raises(ConflictError, match="attempt 1"):
        attach(house, task_id, attempt=lease.attempt)
    again = worker.take()
    attach(house, task_id, attempt=again.attempt)
    worker.complete(again)
    with pytest.raises(ConflictError):
        attach(house, task_id, "b", "bb", attempt=again.attempt)
    assert [one.name for one in house.task(task_id).deliverables] == ["a"]
    assert contents(house) == {"aa": "key of aa 1"}


def test_people_attach_at_any_time(house: House, worker: Worker) -> None:
    """Also to a finished task; to none that there is not."""
    task_id = house.create()
    worker.complete(worker.take())
    assert attach(house, task_id, by="ann").row.by == "ann"
    with pytest.raises(NotFoundError):
        attach(house, "nobody")


def test_the_same_content_is_kept_once(house: House) -> None:
    """The second copy is spare; so is a copy of what is attached already."""
    first, second = house.create(), house.create()
    assert attach(house, first, key="k1").spare_key is None
    assert attach(house, second, key="k2").spare_key == "k2"
    repeated = attach(house, first, key="k3")
    assert (repeated.made, repeated.spare_key, repeated.row.version) == (False, "k3", 1)
    assert attach(house, first, key="k4", type="report").row.version == 2
    assert contents(house) == {"aa": "k1"}


def test_the_same_arrival_twice_keeps_its_content(house: House) -> None:
    """A transaction may be done again after its answer was lost."""
    task_id = house.create()
    assert [attach(house, task_id, key="k1").spare_key for _ in range(2)] == [None, None]
    assert contents(house) == {"aa": "k1"}


def test_there_is_room_for_so_much(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """In bytes, and in number."""
    task_id = house.create()
    attach(house, task_id, size_bytes=QUOTA - 1)
    with pytest.raises(ValueTooLargeError, match="max_task_deliverables_bytes"):
        attach(house, task_id, "b", "bb", size_bytes=2)
    monkeypatch.setattr("milepost_collector.controller.engine.deliverables.MAX_VERSIONS", 2)
    attach(house, task_id, "b", "bb", size_bytes=1)
    with pytest.raises(ConflictError, match="2 are allowed"):
        attach(house, task_id, "c", "cc", size_bytes=0)
    assert MAX_VERSIONS >= 2


def test_contents_are_forgotten_once_nothing_refers_to_them(house: House) -> None:
    """And the grace is over; not before, and none that is referred to again."""
    first, second = house.create(), house.create()
    attach(house, first)
    attach(house, second, "b", "bb")
    attach(house, second, "c", "aa")
    house.delete(second)
    forget = lambda: house.do(lambda engine, tx: engine.forget_contents(tx, 1_000, 10))  # noqa: E731
    assert forget() == []
    house.pass_time(1_001)
    assert [row.sha256 for row in forget()] == ["bb"]
    house.delete(first)
    assert [row.sha256 for row in forget()] == ["aa"]
    assert contents(house) == {}
    assert house.store.read(lambda tx: tx.count(DeliverableRow, Find())) == 0


def test_retention_takes_deliverables_along(house: House, worker: Worker) -> None:
    """With the task that they belong to."""
    task_id = house.create()
    attach(house, task_id)
    worker.complete(worker.take())
    house.pass_time(31 * 86_400_000)
    house.pass_time(61_000)
    assert house.store.read(lambda tx: tx.count(DeliverableRow, Find())) == 0


def test_what_is_missing_fails_the_attempt(house: House, worker: Worker) -> None:
    """As any failure does: it is retried, unless its type is not to be."""
    expected = [ExpectedDeliverable(type="report")]
    once = house.create(deliverables=expected, settings={"non_retryable_errors": ("MissingDeliverables",)})
    worker.complete(worker.take())
    assert house.status(once) == "failed"
    assert house.task(once).error_message == "type report: not attached"
    again = house.create(deliverables=expected)
    worker.complete(worker.take())
    assert house.status(again) == "pending"
    house.pass_time(5_000)
    attach(house, again, type="report")
    worker.complete(worker.take())
    assert house.status(again) == "completed"


def test_the_last_of_several_agents_answers_for_all(house: House) -> None:
    """An agent that is done before the others may leave it to them."""
    expected = [ExpectedDeliverable(name="a", max_bytes=10)]
    task_id = house.create(agents=["x", "y"], deliverables=expected)
    x, y = house.worker("x"), house.worker("y")
    x.complete(x.take())
    lease = y.take()
    assert [one.name for one in lease.deliverables] == ["a"]
    attach(house, task_id, attempt=lease.attempt, size_bytes=11)
    y.complete(lease)
    assert house.attempts(task_id)[-1].error_message == "a: a has 11 bytes, 10 are allowed"
    house.pass_time(5_000)
    attach(house, task_id, "a", "bb")
    y.complete(y.take())
    assert house.status(task_id) == "completed"


def test_expectations_can_be_changed(house: House, worker: Worker) -> None:
    """As the rest of a definition."""
    task_id = house.create(deliverables=[ExpectedDeliverable(type="report")])
    house.update(task_id, deliverables=[])
    assert house.task(task_id).expected_deliverables == []
    worker.complete(worker.take())
    assert house.status(task_id) == "completed"


def test_every_attached_version_is_followed_once(house: House) -> None:
    """In the order of commits, from any position on."""
    task_id = house.create()
    attach(house, task_id)
    first, position = house.store.read(lambda tx: tx.deliverables_after("", 10))
    attach(house, Owner(run_id="ab" * 16), "b")
    second, _ = house.store.read(lambda tx: tx.deliverables_after(position, 10))
    assert [(row.owner, row.name) for row in (*first, *second)] == [(task_id, "a"), (f"run:{'ab' * 16}", "b")]


def test_versions_are_listed_the_newest_first(house: House) -> None:
    """All, or the newest of each name."""
    task_id = house.create()
    for name, sha256 in (("b", "1"), ("a", "2"), ("b", "3")):
        attach(house, task_id, name, sha256)
    owner = Owner(task_id=task_id)
    every = house.store.read(lambda tx: views.deliverables(tx, owner, all_versions=True))
    newest = house.store.read(lambda tx: views.deliverables(tx, owner, all_versions=False))
    assert [(one.name, one.version) for one in every.deliverables] == [("a", 1), ("b", 2), ("b", 1)]
    assert [(one.name, one.version) for one in newest.deliverables] == [("a", 1), ("b", 2)]
    assert every.total_bytes == 30
