"""Several agents do one task in parallel; it is done when all, any or n of them are."""

from __future__ import annotations

from typing import Any

import pytest

from milepost.wire.tasks import PauseRequest
from tests.controller.engine.house import House

AGENTS = ["a", "b", "c"]


def workers(house: House) -> dict[str, Any]:
    """Return a worker of each agent, with its attempt."""
    found = {}
    for agent in AGENTS:
        worker = house.worker(agent)
        found[agent] = (worker, worker.take())
    return found


@pytest.mark.parametrize(("completion", "needed"), [("all", 3), ("any", 1), (2, 2)])
def test_task_completes_when_enough_agents_have(house: House, completion: Any, needed: int) -> None:
    made = house.create(agents=AGENTS, settings={"completion": completion})
    at_work = workers(house)
    for done, (worker, lease) in enumerate(list(at_work.values())[:needed], 1):
        worker.complete(lease, done)
        assert house.status(made) == ("completed" if done == needed else "assigned")
    assert house.task(made).result == dict(zip(AGENTS, range(1, needed + 1), strict=False))


def test_each_attempt_has_its_own_number_and_run(house: House) -> None:
    house.create(agents=AGENTS)
    leases = [lease for _, lease in workers(house).values()]
    assert [lease.attempt for lease in leases] == [1, 2, 3]
    assert len({lease.run_id for lease in leases}) == 3


def test_agents_that_are_not_needed_any_more_are_told(house: House) -> None:
    made = house.create(agents=AGENTS, settings={"completion": "any"})
    at_work = workers(house)
    worker, lease = at_work["a"]
    worker.complete(lease)
    assert at_work["b"][0].commands() == ["lost"]
    assert at_work["b"][0].complete(at_work["b"][1]) == "stale"
    assert house.ends(made) == ["completed", "cancelled", "cancelled"]


def test_task_fails_when_too_few_agents_are_left(house: House) -> None:
    made = house.create(agents=AGENTS, settings={"completion": 2, "max_retries": 0})
    at_work = workers(house)
    for agent, status in (("a", "assigned"), ("b", "failed")):
        worker, lease = at_work[agent]
        worker.fail(lease)
        assert house.status(made) == status


def test_failures_of_one_agent_do_not_use_up_the_retries_of_another(house: House) -> None:
    made = house.create(agents=["a", "b"], settings={"max_retries": 1, "retry_delay_ms": 0})
    a, b = house.worker("a"), house.worker("b")
    a.fail(a.take())
    b.fail(b.take())
    assert house.status(made) == "pending"
    a.complete(a.take())
    b.complete(b.take())
    assert house.task(made).failures == 2


def test_exhausted_agent_pauses_the_task_once_the_others_are_done(house: House) -> None:
    made = house.create(agents=["a", "b"], settings={"max_retries": 0, "on_exhausted": "pause"})
    a, b = house.worker("a"), house.worker("b")
    first, second = a.take(), b.take()
    a.fail(first)
    assert house.status(made) == "assigned"
    b.complete(second, 2)
    assert house.status(made) == "paused"
    house.resume(made)
    a.complete(a.take(), 1)
    assert house.task(made).result == {"a": 1, "b": 2}


def test_pause_lets_each_agent_stop_and_holds_those_in_the_queue(house: House) -> None:
    made = house.create(agents=AGENTS)
    a, b, c = (house.worker(agent) for agent in AGENTS)
    first, second = a.take(), b.take()
    house.pause(made)
    assert c.names() == []
    b.complete(second)
    assert house.status(made) == "assigned"
    house.do(lambda engine, tx: engine.unregister(tx, a.id))
    assert house.status(made) == "paused"
    house.resume(made)
    assert [agent.status for agent in house.task(made).agents] == ["ready", "completed", "ready"]
    assert first.attempt == 1


def test_executors_are_changed_for_one_agent(house: House) -> None:
    made = house.create(agents=AGENTS)
    house.update(made, agent="d")
    assert [agent.agent for agent in house.task(made).agents] == ["d"]
    worker = house.worker("d")
    worker.complete(worker.take(), 1)
    assert (house.status(made), house.task(made).result) == ("completed", 1)


def test_paused_task_of_several_is_reassigned_to_one(house: House) -> None:
    made = house.create(agents=AGENTS)
    house.pause(made)
    house.retry(made, reassign="d")
    worker = house.worker("d")
    worker.complete(worker.take(), 1)
    assert house.status(made) == "completed"


def test_results_of_an_earlier_opening_do_not_count(house: House) -> None:
    made = house.create(agents=["a", "b"], settings={"completion": "any"})
    a, b = house.worker("a"), house.worker("b")
    b.complete(b.take(), "old")
    house.pass_time(1_000)
    house.run(made)
    a.complete(a.take(), "new")
    assert house.task(made).result == {"a": "new"}


def test_paused_agent_gets_nothing_until_it_is_resumed(house: House) -> None:
    made = house.create(agent="a")
    worker = house.worker("a")
    house.do(lambda engine, tx: engine.pause_agent(tx, "a", PauseRequest(by="ann")))
    assert worker.names() == []
    assert house.why(made) == ("agent_paused", "agent a is paused by ann")
    house.do(lambda engine, tx: engine.resume_agent(tx, "a", PauseRequest()))
    assert worker.names() == ["work"]
