"""Who takes over what agents do not get done, on both databases."""

from __future__ import annotations

import pytest

from milepost.wire.asks import Ask
from milepost.wire.tasks import Fallback
from milepost.wire.teams import TeamCreate, TeamUpdate
from milepost_collector.errors import InvalidParameterError
from tests.controller.engine.house import House, Worker

pytestmark = pytest.mark.parametrize("place", ["memory", "postgresql"], indirect=True)
AT_ONCE = {"retry_delay_ms": 0, "jitter": 0}


def names(worker: Worker) -> list[str]:
    """Return the tasks that a worker gets."""
    return [lease.task_id for lease in worker.poll().leases]


def open_ask(house: House) -> Ask:
    """Return the one open ask."""
    (found,) = house.asks(status=["open"])
    return found


def test_retry_of_a_task_for_anybody_avoids_the_agent_that_failed(house: House) -> None:
    first, second = house.worker("a"), house.worker("b")
    made = house.create(settings=AT_ONCE)
    first.fail(first.take())
    assert names(first) == []
    assert names(second) == [made]


def test_agent_that_failed_is_better_than_none(house: House) -> None:
    alone = house.worker("a")
    made = house.create(settings=AT_ONCE)
    alone.fail(alone.take())
    assert names(alone) == [made]


def test_agent_that_failed_may_try_again_when_the_others_do_not_come(house: House) -> None:
    first, _ = house.worker("a"), house.worker("b")
    made = house.create(settings=AT_ONCE)
    first.fail(first.take())
    house.pass_time(20_000)
    assert names(first) == []
    house.pass_time(10_000)
    assert names(first) == [made]


def test_retry_of_a_named_agents_task_stays_with_it(house: House) -> None:
    first, _ = house.worker("a"), house.worker("b")
    made = house.create(agent="a", settings=AT_ONCE)
    first.fail(first.take())
    assert names(first) == [made]


def test_team_takes_over_after_so_many_failures(house: House) -> None:
    worker = house.worker("a")
    made = house.create(agent="a", settings=AT_ONCE, fallback=Fallback(team="ops", after_failures=2))
    for _ in range(2):
        worker.fail(worker.take())
    task = house.task(made)
    assert (task.status, task.agent, task.team) == ("pending", None, "ops")
    assert "reassigned" in house.events(made)
    other = house.worker("b", teams=["ops"])
    assert names(worker) == []
    assert names(other) == [made]


def test_fallback_has_all_retries_and_is_used_once(house: House) -> None:
    first, second = house.worker("a"), house.worker("b")
    made = house.create(agent="a", settings=AT_ONCE | {"max_retries": 1}, fallback=Fallback(agent="b"))
    for worker in (first, first, second, second):
        assert house.status(made) == "pending"
        worker.fail(worker.take())
    assert house.status(made) == "failed"


def test_error_that_is_not_retryable_ends_the_task_all_the_same(house: House, worker: Worker) -> None:
    made = house.create(fallback=Fallback(agent="b"))
    worker.fail(worker.take(), retryable=False)
    assert house.status(made) == "failed"


def test_fallback_of_a_team_holds_for_tasks_without_their_own(house: House) -> None:
    house.do(lambda engine, tx: engine.create_team(tx, TeamCreate(name="ops", fallback=Fallback(agent="b"))))
    worker = house.worker("a", teams=["ops"])
    made = house.create(team="ops", settings={"max_retries": 0})
    worker.fail(worker.take())
    assert house.task(made).agent == "b"


def test_fallback_takes_over_when_no_worker_polls_for_so_long(house: House) -> None:
    made = house.create(agent="a", fallback=Fallback(agent="b", after_ms=60_000))
    house.pass_time(59_000)
    assert house.task(made).agent == "a"
    house.pass_time(6_000)
    assert house.task(made).agent == "b"


def test_fallback_of_a_team_takes_over_when_none_of_its_workers_polls(house: House) -> None:
    house.do(lambda engine, tx: engine.create_team(tx, TeamCreate(name="ops")))
    fallback = TeamUpdate(fallback=Fallback(agent="b", after_ms=60_000))
    house.do(lambda engine, tx: engine.update_team(tx, "ops", fallback))
    made = house.create(team="ops")
    house.pass_time(65_000)
    assert house.task(made).agent == "b"


def test_task_that_waits_for_a_busy_worker_is_not_given_away(house: House) -> None:
    worker = house.worker("a", concurrency=1)
    house.create(agent="a")
    worker.take()
    made = house.create(agent="a", fallback=Fallback(agent="b", after_ms=60_000))
    for _ in range(20):
        worker.poll()
        house.pass_time(4_000)
    assert house.task(made).agent == "a"


def test_person_is_asked_and_the_task_waits_without_a_lease(house: House, worker: Worker) -> None:
    made = house.create(settings={"max_retries": 0}, fallback=Fallback(person="ann"))
    worker.fail(worker.take())
    ask = open_ask(house)
    assert (house.status(made), ask.task_id, ask.approvers) == ("review", made, ["ann"])
    assert "failed 1 times" in ask.details
    assert names(worker) == []


def test_person_may_let_it_be_tried_again_with_all_retries(house: House, worker: Worker) -> None:
    made = house.create(settings=AT_ONCE | {"max_retries": 1}, fallback=Fallback(person="ann", after_failures=1))
    worker.fail(worker.take())
    house.decide(open_ask(house).id, option="try again", by="ann")
    worker.fail(worker.take())
    worker.complete(worker.take())
    assert house.status(made) == "completed"


def test_person_may_give_up(house: House, worker: Worker) -> None:
    made = house.create(settings={"max_retries": 0}, fallback=Fallback(person="ann"))
    worker.fail(worker.take())
    house.decide(open_ask(house).id, "reject", by="ann", reason="not worth it")
    task = house.task(made)
    assert (task.status, task.error_type, task.error_message) == ("failed", "GivenUp", "not worth it")


def test_person_may_do_it_by_hand(house: House, worker: Worker) -> None:
    made = house.create(settings={"max_retries": 0}, fallback=Fallback(person="ann"))
    worker.fail(worker.take())
    house.complete(made, result={"by": "hand"}, by="ann")
    assert (house.status(made), house.asks(status=["open"])) == ("completed", [])


def test_person_is_asked_when_no_worker_polls(house: House) -> None:
    made = house.create(agent="a", fallback=Fallback(person="ann", after_ms=60_000))
    house.pass_time(65_000)
    assert (house.status(made), open_ask(house).task_id) == ("review", made)


def test_fallback_names_exactly_one(house: House) -> None:
    with pytest.raises(InvalidParameterError, match="name one of agent, team and person"):
        house.create(fallback=Fallback(agent="a", person="ann"))
    with pytest.raises(InvalidParameterError, match="name another team"):
        house.create(team="ops", fallback=Fallback(team="ops"))
