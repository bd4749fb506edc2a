"""What is served first, and by whom."""

from __future__ import annotations

import pytest

from milepost.wire.tasks import PRIORITIES
from tests.controller.engine.house import House, Worker

pytestmark = pytest.mark.parametrize("place", ["memory", "postgresql"], indirect=True)


def order(worker: Worker) -> list[str]:
    """Take everything, one task at a time, and return the names."""
    names = []
    while leases := worker.poll().leases:
        names += [lease.name for lease in leases]
        for lease in leases:
            worker.complete(lease)
    return names


def test_higher_priority_is_served_first(house: House) -> None:
    for priority in PRIORITIES:
        house.create(priority, priority=priority)
    assert order(house.worker(concurrency=1)) == list(reversed(PRIORITIES))


def test_same_priority_is_served_in_order_of_creation(house: House) -> None:
    names = [f"task-{number}" for number in range(5)]
    for name in names:
        house.create(name)
    assert order(house.worker(concurrency=2)) == names


@pytest.mark.parametrize(("waited_ms", "first"), [(3_599_000, "new"), (3_601_000, "old")])
def test_old_low_task_is_not_starved_by_urgent_ones(house: House, waited_ms: int, first: str) -> None:
    house.create("old", priority="low")
    house.pass_time(waited_ms)
    house.create("new", priority="urgent")
    assert order(house.worker(concurrency=1))[0] == first


def test_changed_priority_counts_from_when_the_task_became_ready(house: House) -> None:
    house.create("first")
    changed = house.create("second")
    house.pass_time(1_000)
    house.update(changed, priority="high")
    house.update(changed, priority="medium")
    house.create("third")
    assert order(house.worker(concurrency=1)) == ["first", "second", "third"]


def test_update_keeps_a_tasks_place(house: House) -> None:
    first = house.create("first")
    house.pass_time(1_000)
    house.create("second")
    house.update(first, tags=["x"], description="d")
    house.run(first)
    assert order(house.worker(concurrency=1)) == ["first", "second"]


def test_lost_attempt_keeps_its_place(house: House) -> None:
    house.create("first", settings={"heartbeat_ms": 1_000})
    house.worker().poll()
    house.pass_time(500)
    house.create("second")
    house.pass_time(1_000)
    assert order(house.worker(concurrency=1)) == ["first", "second"]


def test_task_is_for_its_agent_its_team_or_anybody(house: House) -> None:
    house.create("mine", agent="a")
    house.create("ours", team="red")
    house.create("anybodys")
    house.create("theirs", agent="b")
    house.create("blue", team="blue")
    assert order(house.worker("a", teams=["red"])) == ["mine", "ours", "anybodys"]


def test_worker_gets_only_the_names_it_handles(house: House) -> None:
    house.create("parse")
    other = house.create("load")
    assert order(house.worker(tasks=["parse"])) == ["parse"]
    assert house.why(other) == ("not_handled", "no worker of any agent handles 'load'")


def test_worker_gets_no_more_than_its_slots(house: House) -> None:
    for _ in range(5):
        house.create()
    worker = house.worker(concurrency=2)
    first, _ = worker.poll().leases
    assert worker.names() == []
    worker.complete(first)
    assert worker.names() == ["work"]


def test_draining_worker_gets_nothing(house: House, worker: Worker) -> None:
    made = house.create()
    assert worker.poll(draining=True).leases == []
    assert house.why(made)[0] == "no_worker"


def test_agents_do_not_wait_for_each_others_queues(house: House) -> None:
    for number in range(50):
        house.create(f"b-{number}", agent="b", priority="urgent")
    house.create("mine", agent="a", priority="low")
    assert house.worker("a", concurrency=1).names() == ["mine"]


def test_reassigned_task_goes_to_another_agent(house: House) -> None:
    made = house.create(settings={"max_retries": 0})
    a, b = house.worker("a"), house.worker("b")
    a.fail(a.take())
    house.retry(made, reassign=True)
    assert a.names() == []
    assert b.names() == ["work"]


def test_moved_start_moves_a_tasks_place(house: House, worker: Worker) -> None:
    made = house.create()
    house.update(made, run_at=house.at(5_000))
    assert worker.names() == []
    house.update(made, run_at=None)
    assert worker.names() == ["work"]


def test_run_starts_a_delayed_task_at_once(house: House, worker: Worker) -> None:
    made = house.create(run_at=house.at(60_000))
    house.run(made)
    assert worker.take().task_id == made
