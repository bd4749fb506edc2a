"""How much may run at once, and how often attempts may begin."""

from __future__ import annotations

from typing import Any

import pytest

from milepost_collector.errors import InvalidParameterError, NotFoundError
from tests.controller.engine.house import House, Worker

pytestmark = pytest.mark.parametrize("place", ["memory", "postgresql"], indirect=True)


@pytest.mark.parametrize(
    ("scope", "value"), [("agent", "a"), ("agent", "*"), ("name", "work"), ("name", "*"), ("key", "k"), ("key", "*")]
)
def test_concurrency_is_limited_by_agent_name_and_key(house: House, worker: Worker, scope: str, value: str) -> None:
    for _ in range(5):
        house.create(key="k")
    house.limit(scope, value, concurrency=2)
    first, _ = worker.poll().leases
    assert worker.names() == []
    worker.complete(first)
    assert len(worker.names()) == 1


def test_limit_of_each_is_counted_for_each(house: House, worker: Worker) -> None:
    house.limit("key", "*", concurrency=1)
    house.limit("key", "wide", concurrency=2)
    for key in ("k1", "k1", "k2", "k2", "wide", "wide", "wide", None, None):
        house.create(key or "none", key=key)
    assert sorted(lease.name for lease in worker.poll().leases) == ["k1", "k2", "none", "none", "wide", "wide"]


def test_saturated_keys_hide_nothing_however_many_they_are(house: House) -> None:
    house.limit("key", "*", concurrency=1)
    busy = house.worker("busy", concurrency=60)
    for number in range(60):
        house.create(agent="busy", key=f"k{number}")
    assert len(busy.names()) == 60
    for number in range(60):
        house.create(key=f"k{number}", priority="urgent")
    house.create("free", priority="low")
    assert house.worker("a", concurrency=1).names() == ["free"]


def test_limits_count_the_leases_of_all_agents(house: House) -> None:
    house.limit("name", "work", concurrency=1)
    house.create()
    house.create()
    a, b = house.worker("a"), house.worker("b")
    lease = a.take()
    assert b.names() == []
    a.complete(lease)
    assert b.names() == ["work"]


def test_lost_attempt_frees_its_place(house: House, worker: Worker) -> None:
    house.limit("name", "work", concurrency=1)
    house.create(settings={"heartbeat_ms": 1_000})
    worker.take()
    house.pass_time(1_000)
    assert house.worker("b").names() == ["work"]


def test_rate_is_kept_in_every_stretch_of_its_length(house: House, worker: Worker) -> None:
    house.limit("name", "*", rate=3, per_ms=6_400)
    for _ in range(8):
        house.create()
    begun = []
    for _ in range(200):
        begun += [house.clock.now] * len(worker.names())
        house.pass_time(100)
    assert len(begun) == 8
    assert max(sum(at < other + 6_400 for at in begun if at >= other) for other in begun) == 3


def test_large_rate_is_kept_with_little_to_remember(house: House) -> None:
    house.limit("name", "*", rate=500, per_ms=10_000)
    worker = house.worker(concurrency=1_000)
    for _ in range(600):
        house.create()
    assert len(worker.names()) == 500
    (row,) = house.store.read(lambda tx: tx.rates())
    assert len(row.begun) < 100
    house.pass_time(10_000)
    assert len(worker.names()) == 100


def test_rate_says_when_it_admits_the_next(house: House, worker: Worker) -> None:
    house.limit("key", "k", rate=1, per_ms=30_000)
    house.create(key="k")
    made = house.create(key="k")
    worker.poll()
    house.pass_time(1_000)
    assert worker.names() == []
    assert house.effects.due == house.clock.now + 29_000
    assert house.why(made) == ("rate", "key 'k' is at its rate of 1 in 30 s, next in 29 s")


def test_unused_rates_are_forgotten(house: House, worker: Worker) -> None:
    house.limit("key", "*", rate=1, per_ms=1_000)
    house.create(key="k")
    worker.complete(worker.take())
    house.pass_time(100_000)
    assert house.store.read(lambda tx: tx.rates()) == []


def test_removed_limit_limits_no_more(house: House, worker: Worker) -> None:
    house.limit("name", "work", concurrency=0)
    made = house.create()
    assert worker.names() == []
    assert house.why(made) == ("limit", "name 'work' is at its limit of 0 at once")
    house.do(lambda engine, tx: engine.delete_limit(tx, "name", "work"))
    assert worker.names() == ["work"]
    with pytest.raises(NotFoundError):
        house.do(lambda engine, tx: engine.delete_limit(tx, "name", "work"))


@pytest.mark.parametrize("amounts", [{}, {"rate": 1}, {"per_ms": 1}])
def test_half_a_limit_is_refused(house: House, amounts: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError):
        house.limit("name", "work", **amounts)
