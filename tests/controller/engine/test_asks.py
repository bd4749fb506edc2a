"""Attempts ask people: the task waits in review, and the next attempt is told what they said."""

from __future__ import annotations

import pytest

from milepost_collector.errors import ConflictError
from tests.controller.engine.house import House, Worker

pytestmark = pytest.mark.parametrize("place", ["memory", "postgresql"], indirect=True)
SPEND = {"tool": "pay", "amount": 100}


def asked(house: House, worker: Worker, **given: object) -> tuple[str, str]:
    """Return a task whose attempt has asked, and the ask."""
    task_id = house.create()
    lease = worker.take()
    worker.start(lease)
    assert worker.ask(lease, **given) == "applied"  # type: ignore[arg-type]
    (ask,) = house.asks(task_id=task_id, status=["open"])
    return task_id, ask.id


def test_asking_ends_the_attempt_and_holds_nothing(house: House, worker: Worker) -> None:
    task_id, ask_id = asked(house, worker, action=SPEND, timeout_ms=60_000)
    task, ask = house.task(task_id), house.ask(ask_id)
    assert task.status == "review"
    assert [(one.status, one.worker_id) for one in task.agents] == [("waiting", None)]
    assert house.ends(task_id) == ["paused"]
    assert (ask.status, ask.attempt, ask.agent, ask.task_name) == ("open", 1, "a", "work")
    assert ask.run_id == house.attempts(task_id)[0].run_id
    assert task.why_not_running is not None
    assert task.why_not_running.ask_id == ask_id
    assert task.why_not_running.until == house.at(60_000)
    house.pass_time(50_000)
    assert worker.poll().leases == []
    assert house.status(task_id) == "review"


def test_the_answer_comes_with_the_next_lease_and_all_after_it(house: House, worker: Worker) -> None:
    task_id, ask_id = asked(house, worker, action=SPEND)
    house.decide(ask_id, by="ann", reason="fine")
    assert house.status(task_id) == "pending"
    lease = worker.take()
    (answer,) = lease.answers
    assert (answer.key, answer.status, answer.by, answer.reason) == ("k", "approved", "ann", "fine")
    assert (answer.action, answer.edited) == (SPEND, False)
    assert house.ask(ask_id).consumed_by == lease.attempt == 2
    worker.fail(lease)
    house.pass_time(10_000)
    again = worker.take()
    assert [answer.ask_id for answer in again.answers] == [ask_id]
    assert house.ask(ask_id).consumed_by == 2
    worker.complete(again)
    assert house.events(task_id) == [
        "created", "leased", "started", "asked", "answered", "leased", "requeued", "leased", "completed",
    ]  # fmt: skip
    assert house.ask_events(ask_id) == ["opened", "received", "approved"]


def test_a_second_decision_is_refused_naming_the_first(house: House, worker: Worker) -> None:
    _, ask_id = asked(house, worker)
    house.decide(ask_id, "reject", by="ann", via="cli")
    with pytest.raises(ConflictError, match=r"is rejected by ann since 2026-01-01T00:00:00Z via cli"):
        house.decide(ask_id, by="bob")
    assert house.ask(ask_id).status == "rejected"
