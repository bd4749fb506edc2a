"""Tasks that need something of their agent, on both databases: who may take them, and who should."""

from __future__ import annotations

import pytest

from milepost.wire.agents import AgentUpdate
from milepost.wire.tasks import Need
from milepost.wire.teams import Match, MemberRequest, TeamCreate
from milepost_collector.controller import views
from milepost_collector.errors import ConflictError, NotFoundError
from tests.controller.engine.house import House, Worker

pytestmark = pytest.mark.parametrize("place", ["memory", "postgresql"], indirect=True)


def match(house: House, task_id: str) -> Match:
    """Return how agents suit a task."""
    return house.store.read(lambda tx: views.match(tx, task_id, {}))


def names(worker: Worker) -> list[str]:
    """Return the tasks that a worker gets."""
    return [lease.task_id for lease in worker.poll().leases]


def fail_all(house: House, worker: Worker, count: int) -> None:
    """Let a worker fail tasks for good."""
    for _ in range(count):
        house.create(agent=worker.agent, settings={"max_retries": 0})
        worker.fail(worker.take())


def complete_all(house: House, worker: Worker, count: int) -> None:
    """Let a worker complete tasks."""
    for _ in range(count):
        house.create(agent=worker.agent)
        worker.complete(worker.take())


def test_only_an_agent_with_what_is_required_gets_a_task(house: House) -> None:
    made = house.create(needs=["sql", "region=eu"])
    plain = house.worker("a", capabilities=["sql"])
    able = house.worker("b", capabilities=["sql", "docs"], labels={"region": "eu"})
    assert names(plain) == []
    assert names(able) == [made]


def test_needs_hold_for_a_named_agent_and_a_team_too(house: House) -> None:
    named, teamed = house.create(agent="a", needs=["gpu"]), house.create(team="x", needs=["gpu"])
    assert names(house.worker("a", teams=["x"])) == []
    assert house.why(named) == ("not_capable", "agent a has no capability 'gpu'")
    assert house.why(teamed) == ("not_capable", "no agent of team x has capability 'gpu'")


def test_why_names_what_no_agent_has(house: House) -> None:
    made = house.create(needs=["gpu", "region=eu"])
    house.worker("a", capabilities=["gpu"])
    assert house.why(made) == ("not_capable", "no agent has label region=eu")
    house.worker("b", labels={"region": "eu"})
    assert house.why(made) == ("not_capable", "no agent has all of capability 'gpu', label region=eu")


def test_what_people_say_of_an_agent_holds_at_once_and_until_it_is_taken_back(house: House) -> None:
    made = house.create(needs=["gpu"])
    worker = house.worker("a", capabilities=["sql"])
    house.do(lambda engine, tx: engine.update_agent(tx, "a", AgentUpdate(capabilities=["gpu"])))
    assert house.effects.regrouped
    assert names(worker) == [made]
    again = house.worker("a", capabilities=["sql"])
    other = house.create(needs=["sql"])
    assert names(again) == []
    house.do(lambda engine, tx: engine.update_agent(tx, "a", AgentUpdate(capabilities=None)))
    assert names(again) == [other]


def test_members_of_a_team_get_its_tasks_until_they_leave(house: House) -> None:
    worker = house.worker("a")
    house.do(lambda engine, tx: engine.create_team(tx, TeamCreate(name="ops", members=["a", "unseen"])))
    first = house.create(team="ops")
    assert names(worker) == [first]
    house.do(lambda engine, tx: engine.remove_members(tx, "ops", MemberRequest(agents=["a"])))
    second = house.create(team="ops")
    assert names(worker) == []
    house.do(lambda engine, tx: engine.add_members(tx, "ops", MemberRequest(agents=["a"])))
    assert names(worker) == [second]


def test_what_code_says_of_teams_cannot_be_taken_back_from_outside(house: House) -> None:
    house.worker("a", teams=["ops"])
    with pytest.raises(ConflictError, match="workers of a say that they belong to team 'ops'"):
        house.do(lambda engine, tx: engine.remove_members(tx, "ops", MemberRequest(agents=["a"])))
    found = house.store.read(lambda tx: views.team(tx, "ops"))
    assert (found.members, found.declared, found.alive) == (["a"], ["a"], ["a"])


def test_team_is_made_once_and_gone_when_it_is_deleted(house: House) -> None:
    house.do(lambda engine, tx: engine.create_team(tx, TeamCreate(name="ops", members=["a"])))
    with pytest.raises(ConflictError, match="there is a team 'ops'"):
        house.do(lambda engine, tx: engine.create_team(tx, TeamCreate(name="ops")))
    house.do(lambda engine, tx: engine.delete_team(tx, "ops"))
    with pytest.raises(NotFoundError, match="ops"):
        house.store.read(lambda tx: views.team(tx, "ops"))


def test_agent_that_is_preferred_and_free_goes_first_for_a_second(house: House) -> None:
    plain, preferred = house.worker("a"), house.worker("b", capabilities=["gpu"])
    made = house.create(needs=[Need(what="gpu", weight=1)])
    assert names(plain) == []
    assert house.effects.look_again_ms == 100
    assert names(preferred) == [made]


def test_task_is_not_kept_for_ever_for_an_agent_that_does_not_come(house: House) -> None:
    plain = house.worker("a")
    house.worker("b", capabilities=["gpu"])
    made = house.create(needs=[Need(what="gpu", weight=1)])
    assert names(plain) == []
    house.pass_time(1_000)
    assert names(plain) == [made]


def test_task_is_not_kept_for_an_agent_whose_slots_are_busy(house: House) -> None:
    plain, preferred = house.worker("a"), house.worker("b", capabilities=["gpu"], concurrency=1)
    house.create(agent="b")
    preferred.take()
    made = house.create(needs=[Need(what="gpu", weight=1)])
    assert names(plain) == [made]


def test_what_stands_behind_a_task_that_is_kept_is_taken_at_once(house: House) -> None:
    plain = house.worker("a", concurrency=1)
    house.worker("b", capabilities=["gpu"])
    house.create(needs=[Need(what="gpu", weight=1)])
    behind = house.create()
    assert names(plain) == [behind]


def test_agent_that_succeeds_more_often_goes_first_where_a_task_may_wait(house: House) -> None:
    bad, good = house.worker("a"), house.worker("b")
    fail_all(house, bad, 12)
    complete_all(house, good, 12)
    first_come = house.create()
    assert names(bad) == [first_come]
    waits = house.create(settings={"match_wait_ms": 500})
    assert names(bad) == []
    assert names(good) == [waits]


def test_match_explains_every_agent(house: House) -> None:
    able, other = house.worker("a", capabilities=["sql"], concurrency=4), house.worker("b", tasks=["else"])
    complete_all(house, able, 3)
    house.worker("c")
    made = house.create(needs=["sql", Need(what="gpu", weight=2)])
    found = match(house, made)
    assert other.agent == "b"
    assert [(one.agent, one.obstacle) for one in found.candidates] == [
        ("a", None),
        ("b", "it does not handle tasks of this name"),
        ("c", "it lacks capability 'sql'"),
    ]
    best = found.candidates[0]
    assert (found.best, best.attempts, best.successes, best.met, best.preference) == ("a", 3, 3, ["sql"], 0)
    assert found.match_wait_ms == 1_000


def test_agents_that_do_not_poll_are_among_the_candidates(house: House) -> None:
    house.worker("a")
    made = house.create()
    house.pass_time(60_000)
    assert [(one.agent, one.obstacle) for one in match(house, made).candidates] == [("a", "no worker of it polls")]
