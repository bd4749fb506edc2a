"""Attempts ask people: the task waits in review, and the next attempt is told what they said."""

from __future__ import annotations

import pytest

from milepost.wire.attempts import Transition
from milepost_collector.controller import views
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


def transitions(house: House, task_id: str) -> list[Transition]:
    """Return what has happened to a task."""
    return house.store.read(lambda tx: views.transitions(tx, task_id)).transitions


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


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_decision_and_its_consequence_are_one(house: House, worker: Worker, decision: str) -> None:
    task_id, ask_id = asked(house, worker)
    house.decide(ask_id, decision, by="ann")
    assert house.events(task_id)[-1] == "answered"
    assert (None, None) in house.effects.ready
    assert house.effects.asks == {ask_id}
    (transition,) = [one for one in transitions(house, task_id) if one.event == "answered"]
    assert (transition.by, transition.from_status, transition.to_status) == ("ann", "review", "pending")


def test_same_ask_again_opens_no_other(house: House, worker: Worker) -> None:
    task_id, ask_id = asked(house, worker, action=SPEND)
    house.decide(ask_id)
    worker.fail(worker.take())
    house.pass_time(10_000)
    lease = worker.take()
    assert worker.ask(lease, action=SPEND) == "applied"  # code that did not look at its answers
    assert house.status(task_id) == "pending"
    assert len(house.asks(task_id=task_id)) == 1
    assert [answer.status for answer in worker.take().answers] == ["approved"]


def test_report_sent_again_is_known(house: House, worker: Worker) -> None:
    house.create()
    lease = worker.take()
    assert worker.ask(lease) == "applied"
    assert worker.ask(lease) == "repeated"
    assert len(house.asks()) == 1


def test_changed_action_invalidates_what_was_approved(house: House, worker: Worker) -> None:
    task_id, first = asked(house, worker, action=SPEND)
    house.decide(first)
    worker.ask(worker.take(), action=SPEND | {"amount": 200})
    second, old = house.asks(task_id=task_id)
    assert (second.status, old.id, old.status) == ("open", first, "invalidated")
    assert house.status(task_id) == "review"
    house.decide(second.id)
    (answer,) = worker.take().answers
    assert (answer.ask_id, answer.action["amount"]) == (second.id, 200)


def test_pause_waits_for_the_answer_and_goes_on_with_it(house: House, worker: Worker) -> None:
    task_id, ask_id = asked(house, worker)
    house.pause(task_id)
    house.resume(task_id)
    assert house.status(task_id) == "review"
    house.pause(task_id)
    house.decide(ask_id)
    assert house.status(task_id) == "paused"
    assert worker.poll().leases == []
    house.resume(task_id)
    assert [answer.ask_id for answer in worker.take().answers] == [ask_id]


def test_asking_while_being_paused_or_cancelled(house: House, worker: Worker) -> None:
    task_id = house.create()
    lease = worker.take()
    house.pause(task_id)
    worker.ask(lease)
    assert (house.status(task_id), house.asks()[0].status) == ("paused", "open")
    other = house.create()
    lease = worker.take()
    house.cancel(other)
    worker.ask(lease)
    assert house.status(other) == "cancelled"
    assert house.asks(task_id=other) == []


@pytest.mark.parametrize("end", ["cancel", "complete", "delete", "deadline"])
def test_end_of_a_task_cancels_what_it_asks(house: House, worker: Worker, end: str) -> None:
    task_id = house.create(deadline=house.at(60_000))
    worker.ask(worker.take())
    (ask,) = house.asks()
    if end == "deadline":
        house.pass_time(60_000)
    else:
        getattr(house, end)(task_id)
    assert house.ask_events(ask.id) == ["opened", "cancelled"]
    remaining = [(one.id, one.status) for one in house.asks()]
    assert remaining == ([] if end == "delete" else [(ask.id, "cancelled")])


def test_task_opened_anew_asks_anew(house: House, worker: Worker) -> None:
    task_id, first = asked(house, worker)
    house.decide(first)
    worker.complete(worker.take())
    house.run(task_id)
    lease = worker.take()
    assert lease.answers == []
    worker.ask(lease)
    (second,) = house.asks(status=["open"])
    assert second.id != first
    assert house.ask(first).status == "approved"


def test_each_of_several_agents_asks_for_itself(house: House) -> None:
    task_id = house.create(agents=["a", "b"])
    a, b = house.worker("a"), house.worker("b")
    of_a, of_b = a.take(), b.take()
    a.ask(of_a)
    assert house.status(task_id) in ("assigned", "in_progress")
    b.ask(of_b)
    assert house.status(task_id) == "review"
    first, second = house.asks()
    house.decide(first.id)
    assert house.status(task_id) == "pending"
    a.complete(a.take())
    assert house.status(task_id) == "review"
    house.decide(second.id)
    b.complete(b.take())
    assert house.status(task_id) == "completed"


def test_redirecting_several_agents_lets_the_new_one_ask_itself(house: House) -> None:
    task_id = house.create(agents=["a", "b"])
    a, b, c = house.worker("a"), house.worker("b"), house.worker("c")
    a.ask(a.take())
    b.ask(b.take())
    house.update(task_id, agent="c")
    assert house.status(task_id) == "pending"
    assert {one.status for one in house.asks()} == {"cancelled"}
    assert c.take().answers == []


def test_dependencies_cannot_change_under_an_ask(house: House, worker: Worker) -> None:
    task_id, _ = asked(house, worker)
    other = house.create()
    with pytest.raises(ConflictError, match="waits for an answer"):
        house.update(task_id, dependencies=[other])
