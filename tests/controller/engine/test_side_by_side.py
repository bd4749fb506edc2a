"""Several engines use one store at the same time."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from milepost.wire.tasks import TaskCreate, TaskUpdate
from milepost.wire.worker import PollAnswer, PollRequest
from milepost_collector.controller.engine import Engine
from milepost_collector.controller.service.ids import Ids
from milepost_collector.controller.store.interface import Tx
from milepost_collector.errors import ConflictError
from tests.controller.engine.house import House, Worker

pytestmark = pytest.mark.parametrize("place", ["memory", "postgresql"], indirect=True)

ENGINES = 3


def at_once(house: House, work: Callable[[Engine, Tx, int], Any]) -> list[Any]:
    """Do something with several engines at the same time, each in its transaction."""
    barrier = Barrier(ENGINES)

    def one(number: int) -> Any:
        chance = random.Random(house.clock.now + number)
        engine = Engine(new_id=Ids(chance), chance=chance)
        barrier.wait(timeout=30)
        return house.store.run(lambda tx: work(engine, tx, number))

    with ThreadPoolExecutor(ENGINES) as threads:
        return list(threads.map(one, range(ENGINES)))


def poll_all(house: House, workers: list[Worker]) -> list[PollAnswer]:
    """Let all workers poll at the same time; they have not got any answer before."""
    requests = [PollRequest(worker_id=worker.id) for worker in workers]
    return at_once(house, lambda engine, tx, number: engine.poll(tx, requests[number]))


def test_instants_fire_once(house: House) -> None:
    made = house.schedule(overlap="allow")
    for _ in range(5):
        house.clock.advance(60_000)
        at_once(house, lambda engine, tx, _: engine.tick(tx))
    assert house.lines(made) == ["fired"] * 5
    assert len(house.store.read(lambda tx: tx.unfinished_of(made))) == 5


def test_a_key_makes_one_task(house: House) -> None:
    for number in range(5):
        house.clock.advance(1_000)
        request = TaskCreate(name="once", idempotency_key=f"key {number}")
        made = at_once(house, lambda engine, tx, _, request=request: engine.create_all(tx, [request])[0])
        assert len({created.task_id for created in made}) == 1
        assert sorted(created.made for created in made) == [False, False, True]


def test_polls_of_one_worker_respect_its_slots(house: House) -> None:
    for _ in range(6):
        house.create()
    worker = house.worker(concurrency=2)
    answers = poll_all(house, [worker] * ENGINES)
    assert len({(lease.task_id, lease.attempt) for answer in answers for lease in answer.leases}) == 2


def test_changes_of_dependencies_never_close_a_cycle(house: House) -> None:
    for _ in range(5):
        house.clock.advance(1_000)
        ids = [house.create() for _ in range(2 * ENGINES)]  # pairs: the first of each waits for the second
        for first, second in zip(ids[::2], ids[1::2], strict=True):
            house.do(lambda engine, tx, a=first, b=second: engine.update(tx, a, TaskUpdate(dependencies=[b])))

        def close(engine: Engine, tx: Tx, number: int, ids: list[str] = ids) -> bool:
            """Let the second of a pair wait for the first of the next: all of them together make a circle."""
            try:
                engine.update(tx, ids[2 * number + 1], TaskUpdate(dependencies=[ids[(2 * number + 2) % len(ids)]]))
            except ConflictError as error:
                return "make a cycle" not in str(error)
            return True

        assert sorted(at_once(house, close)) == [False, True, True]


def test_workers_share_the_queue(house: House) -> None:
    ids = [house.create() for _ in range(12)]
    workers = [house.worker(concurrency=4) for _ in range(ENGINES)]
    for _ in range(2):  # what one has locked, another leaves out, and finds when it looks again
        poll_all(house, workers)
    leased = [(lease.task_id, lease.attempt) for answer in poll_all(house, workers) for lease in answer.leases]
    assert sorted(leased) == sorted((task_id, 1) for task_id in ids)


def test_limits_hold_among_them(house: House) -> None:
    house.limit("name", "work", concurrency=2)
    for _ in range(9):
        house.create()
    workers = [house.worker() for _ in range(ENGINES)]
    assert sum(len(answer.leases) for answer in poll_all(house, workers)) == 2


def test_lost_leases_are_ended_once(house: House) -> None:
    ids = [house.create(settings={"heartbeat_ms": 1_000}) for _ in range(8)]
    house.worker().poll()
    house.clock.advance(1_000)
    at_once(house, lambda engine, tx, _: engine.tick(tx))
    assert [house.task(task_id).losses for task_id in ids] == [1] * 8
