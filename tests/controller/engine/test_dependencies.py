"""Tasks wait for others, and are released in the transaction that ends what they wait for."""

from __future__ import annotations

import pytest

from milepost.wire.tasks import Dependency, TaskCreate, TaskSettings
from milepost_collector.controller.engine import Engine
from milepost_collector.controller.store.interface import Tx
from milepost_collector.errors import ConflictError, InvalidParameterError
from tests.controller.engine.house import House, Worker

pytestmark = pytest.mark.parametrize("place", ["memory", "postgresql"], indirect=True)


def finish(worker: Worker, house: House, result: object = None) -> str:
    """Complete the one task that is ready, return its id."""
    lease = worker.take()
    worker.complete(lease, result)
    return lease.task_id


def break_(house: House, task_id: str) -> None:
    """Let a task end without having completed."""
    house.cancel(task_id, reason="no more")


def test_dependent_is_released_when_the_last_upstream_completes(house: House, worker: Worker) -> None:
    first, second = house.create("first", priority="urgent"), house.create("second")
    waiting = house.create("third", dependencies=[first, second])
    assert house.status(waiting) == "blocked"
    lease, other = worker.poll().leases
    worker.complete(lease)
    assert house.why(waiting) == ("dependency", f"waiting for task {second} (second, assigned)")
    worker.complete(other)
    assert house.status(waiting) == "pending"
    assert house.events(waiting) == ["created", "released"]


def test_dependent_of_finished_tasks_is_ready_at_once(house: House, worker: Worker) -> None:
    first = house.create()
    finish(worker, house)
    assert house.status(house.create(dependencies=[first])) == "pending"


def test_unknown_upstream_is_refused(house: House) -> None:
    with pytest.raises(InvalidParameterError, match="'nowhere' is not valid; there is no such task"):
        house.create(dependencies=["nowhere"])


def test_output_goes_into_the_input(house: House, worker: Worker) -> None:
    first = house.create()
    waiting = house.create(input={"n": 1}, dependencies=[Dependency(task_id=first, output_as="rows")])
    finish(worker, house, [1, 2])
    assert house.task(waiting).input == {"n": 1, "rows": [1, 2]}
    assert worker.take().input == house.task(waiting).input


def test_output_of_an_earlier_transaction_goes_into_the_input(house: House, worker: Worker) -> None:
    first = house.create()
    finish(worker, house, 7)
    waiting = house.create(input=[3], dependencies=[Dependency(task_id=first, output_as="x")])
    assert house.task(waiting).input == {"input": [3], "x": 7}


def test_output_of_several_agents_is_by_agent_whenever_it_is_taken(house: House) -> None:
    first = house.create(agents=["a", "b"], settings={"completion": "any"})
    second = house.create("second", agent="a")
    waiting = house.create(dependencies=[Dependency(task_id=first, output_as="x"), second], agent="c")
    worker = house.worker("a")
    one, two = worker.poll().leases
    worker.complete(one if one.task_id == first else two, 1)
    worker.complete(two if one.task_id == first else one)
    assert house.task(waiting).input == {"x": {"a": 1}}


@pytest.mark.parametrize(("policy", "status"), [("block", "blocked"), ("skip", "cancelled"), ("run", "pending")])
def test_failed_upstream_is_treated_by_policy(house: House, policy: str, status: str) -> None:
    first = house.create()
    waiting = house.create(settings={"on_upstream_failure": policy}, dependencies=[first])
    break_(house, first)
    assert house.status(waiting) == status


@pytest.mark.parametrize(("policy", "status"), [("block", "blocked"), ("skip", "cancelled"), ("run", "pending")])
def test_upstream_that_had_failed_before_is_treated_alike(house: House, policy: str, status: str) -> None:
    first = house.create()
    break_(house, first)
    waiting = house.create(settings={"on_upstream_failure": policy}, dependencies=[first])
    assert house.status(waiting) == status


def test_output_of_a_failed_upstream_is_null(house: House) -> None:
    first = house.create()
    edge = Dependency(task_id=first, output_as="x")
    waiting = house.create(settings={"on_upstream_failure": "run"}, dependencies=[edge])
    break_(house, first)
    assert house.task(waiting).input == {"x": None}


def test_blocked_dependent_says_which_upstream_failed(house: House) -> None:
    first = house.create("first")
    waiting = house.create(dependencies=[first])
    break_(house, first)
    text = f"task {first} (first), which it depends on, is cancelled"
    assert house.why(waiting) == ("upstream_failed", text)


def test_blocked_dependent_is_released_when_the_upstream_completes_after_all(house: House, worker: Worker) -> None:
    first = house.create()
    waiting = house.create(dependencies=[first])
    break_(house, first)
    house.retry(first)
    finish(worker, house)
    assert house.status(waiting) == "pending"


def test_chain_of_any_length_is_skipped(house: House) -> None:
    settings = TaskSettings(on_upstream_failure="skip")

    def chain(engine: Engine, tx: Tx) -> str:
        last = first
        for _ in range(350):  # three frames of Python for each would be too many
            (made,) = engine.create_all(tx, [TaskCreate(name="work", settings=settings, dependencies=[last])])
            last = made.task_id
        return last

    first = house.create()
    last = house.do(chain)
    break_(house, first)
    assert house.status(last) == "cancelled"
    assert house.events(last) == ["created", "skipped"]


def test_cycle_is_refused_with_its_path(house: House) -> None:
    first = house.create("first")
    second = house.create("second", dependencies=[first])
    third = house.create("third", dependencies=[second])
    with pytest.raises(ConflictError, match=f"make a cycle: {first} → {third} → {second} → {first}"):
        house.update(first, dependencies=[third])
    with pytest.raises(ConflictError, match=f"make a cycle: {first} → {first}"):
        house.update(first, dependencies=[first])
    assert house.status(first) == "pending"


def test_refused_dependencies_leave_the_rest_of_the_update_undone(house: House) -> None:
    first = house.create(input=1)
    (refusal,) = house.do(
        lambda engine, tx: engine.bulk(tx, "update", [first], {"input": 2, "dependencies": [first]}, dry_run=False)
    )
    assert refusal is not None
    assert house.task(first).input == 1


def test_new_dependencies_hold_a_queued_task(house: House, worker: Worker) -> None:
    first, second = house.create("first", agent="z"), house.create("second")
    house.update(second, dependencies=[first])
    assert house.status(second) == "blocked"
    assert worker.names() == []
    house.update(second, dependencies=[])
    assert worker.names() == ["second"]


def test_new_policy_counts_for_what_has_failed_already(house: House) -> None:
    first = house.create()
    waiting = house.create(dependencies=[first])
    skipped = house.create(dependencies=[first])
    break_(house, first)
    house.update(waiting, settings={"on_upstream_failure": "run"})
    house.update(skipped, settings={"on_upstream_failure": "skip"})
    assert (house.status(waiting), house.status(skipped)) == ("pending", "cancelled")


def test_paused_dependent_is_released_once_it_is_resumed(house: House, worker: Worker) -> None:
    first = house.create("first")
    waiting = house.create("second", dependencies=[Dependency(task_id=first, output_as="x")])
    house.pause(waiting)
    finish(worker, house, 5)
    assert house.status(waiting) == "paused"
    house.resume(waiting)
    assert worker.take().input == {"x": 5}


def test_reopened_dependent_does_not_wait_for_what_ended_meanwhile(house: House, worker: Worker) -> None:
    first = house.create()
    waiting = house.create(dependencies=[Dependency(task_id=first, output_as="x")])
    house.cancel(waiting)
    finish(worker, house, 5)
    house.run(waiting)
    assert house.task(waiting).input == {"x": 5}
    assert house.status(waiting) == "pending"


def test_reopened_dependent_does_not_wait_for_what_is_gone(house: House) -> None:
    first = house.create()
    waiting = house.create(dependencies=[first])
    house.cancel(waiting)
    house.delete(first)
    house.run(waiting)
    assert house.status(waiting) == "pending"


def test_reopened_dependent_still_waits_for_what_runs(house: House) -> None:
    first = house.create()
    waiting = house.create(dependencies=[first])
    house.cancel(waiting)
    house.run(waiting)
    assert house.status(waiting) == "blocked"


def test_upstream_of_a_waiting_task_cannot_be_deleted(house: House) -> None:
    first = house.create()
    waiting = house.create(dependencies=[first])
    with pytest.raises(ConflictError, match=f"1 tasks wait for it \\({waiting}\\)"):
        house.delete(first)
    house.cancel(waiting)
    house.delete(first)
    assert house.task(waiting).dependencies[0].status == "deleted"
