"""Why a task is not running, in words."""

from __future__ import annotations

from milepost.wire.tasks import PauseRequest
from tests.controller.engine.house import House, Worker


def test_task_that_nobody_polls_for_says_so(house: House) -> None:
    assert house.why(house.create(agent="etl")) == ("no_worker", "no worker of agent etl is polling")
    assert house.why(house.create(team="red")) == ("no_worker", "no worker of team red is polling")
    assert house.why(house.create()) == ("no_worker", "no worker of any agent is polling")


def test_silent_worker_does_not_count_as_polling(house: House, worker: Worker) -> None:
    made = house.create(agent="a")
    assert house.why(made)[0] == "soon"
    house.pass_time(30_000)
    assert house.why(made)[0] == "no_worker"


def test_task_behind_a_full_worker_says_so(house: House) -> None:
    worker = house.worker(concurrency=1)
    house.create()
    made = house.create()
    worker.poll()
    assert house.why(made) == ("busy", "all 1 slots of any agent are busy")


def test_delayed_task_says_when_it_starts(house: House, worker: Worker) -> None:
    assert house.why(house.create(run_at=house.at(90_000))) == ("scheduled", "starts in 1 min 30 s")


def test_task_whose_every_agent_is_paused_says_so(house: House, worker: Worker) -> None:
    made = house.create()
    house.do(lambda engine, tx: engine.pause_agent(tx, "a", PauseRequest()))
    assert house.why(made) == ("agent_paused", "every worker of any agent serves a paused agent")


def test_limit_is_named_by_what_it_limits(house: House, worker: Worker) -> None:
    house.limit("agent", "*", concurrency=1)
    house.create()
    made = house.create()
    worker.poll()
    assert house.why(made) == ("limit", "agent 'a' is at its limit of 1 at once")


def test_running_and_finished_tasks_need_no_reason(house: House, worker: Worker) -> None:
    made = house.create()
    lease = worker.take()
    assert house.task(made).why_not_running is None
    worker.complete(lease)
    assert house.task(made).why_not_running is None
