"""What people do to tasks that agents are at: edit, give to somebody else, complete by hand."""

from __future__ import annotations

from typing import Any

import pytest

from milepost.wire.tasks import Dependency
from milepost.wire.worker import AttemptPaused, CheckpointSaved
from milepost_collector.errors import ConflictError, InvalidParameterError, NotFoundError, ValueTooLargeError
from tests.controller.engine.house import House, Worker


def ask_for_review(house: House, made: str) -> None:
    """Let a task wait for a person, without an ask."""

    def review(_: Any, tx: Any) -> None:
        task, (assignment,) = tx.tasks((made,))[made], tx.assignments((made,))[made]
        task.status, assignment.state = "review", "waiting"
        tx.update([task, assignment])

    house.do(review)


# Edits.


def test_edit_of_a_running_task_lets_it_yield_and_go_on_with_the_change(house: House, worker: Worker) -> None:
    made = house.create(input={"day": 1})
    lease = worker.take()
    worker.report(CheckpointSaved, lease, sequence=1, state={"page": 3})
    house.update(made, input={"day": 2}, interrupt=True, reason="wrong day", by="ann")
    assert house.task(made).yield_requested
    (command,) = worker.poll().commands
    assert (command.kind, command.reason) == ("pause", "input changed: wrong day")
    assert worker.report(AttemptPaused, lease) == "applied"
    again = worker.take()
    assert (again.input, again.attempt, again.checkpoint) == ({"day": 2}, 2, {"page": 3})
    task = house.task(made)
    assert (task.yield_requested, task.failures, task.losses, house.ends(made)) == (False, 0, 0, ["paused", "running"])


def test_edit_is_told_with_who_and_why(house: House) -> None:
    made = house.create()
    house.update(made, context={"hint": 1}, by="ann", reason="page 12 is empty")
    house.update(made, description="no news")
    told = house.transitions(made)[-1]
    assert (told.event, told.by, told.reason) == ("edited", "ann", "context changed: page 12 is empty")


@pytest.mark.parametrize("change", [{"run_at": None}, {"name": "n"}, {"key": "k"}, {"dependencies": []}])
def test_what_limits_and_queue_count_by_changes_only_when_nothing_runs(
    house: House, worker: Worker, change: dict[str, Any]
) -> None:
    made = house.create()
    worker.take()
    with pytest.raises(ConflictError, match=f"{next(iter(change))} cannot change under an attempt; pause it first"):
        house.update(made, **change, input=2, interrupt=True)
    assert (house.task(made).input, house.task(made).yield_requested) == (None, False)


def test_refused_edit_says_that_it_may_interrupt(house: House, worker: Worker) -> None:
    made = house.create()
    worker.take()
    with pytest.raises(ConflictError, match="input cannot change under an attempt; pause it first, or interrupt it"):
        house.update(made, input=1)


def test_edit_of_tags_and_priority_interrupts_nobody(house: House, worker: Worker) -> None:
    made = house.create()
    worker.take()
    house.update(made, tags=["x"], priority="urgent", interrupt=True)
    assert not house.task(made).yield_requested


def test_attempt_that_does_not_yield_is_cut_off_and_its_task_goes_on(house: House, worker: Worker) -> None:
    made = house.create(settings={"cancel_grace_ms": 5_000})
    lease = worker.take()
    house.update(made, input=2, interrupt=True)
    house.pass_time(4_999)
    assert house.ends(made) == ["running"]
    house.pass_time(1)
    assert (house.status(made), house.ends(made), worker.complete(lease)) == ("pending", ["cancelled"], "stale")
    assert worker.take().input == 2


def test_attempt_that_ends_before_it_yields_has_ended(house: House, worker: Worker) -> None:
    made = house.create()
    lease = worker.take()
    house.update(made, input=2, interrupt=True)
    assert worker.complete(lease, "old") == "applied"
    assert (house.status(made), house.task(made).result) == ("completed", "old")


def test_pause_while_it_yields_pauses_it_and_resume_lets_it_yield(house: House, worker: Worker) -> None:
    paused, resumed = house.create(), house.create()
    leases = {lease.task_id: lease for lease in worker.poll().leases}
    for made in (paused, resumed):
        house.update(made, input=2, interrupt=True)
        house.pause(made)
    house.resume(resumed)
    assert house.task(resumed).yield_requested
    for lease in leases.values():
        worker.report(AttemptPaused, lease)
    assert (house.status(paused), house.status(resumed)) == ("paused", "pending")


@pytest.mark.parametrize("status", ["pending", "delayed", "blocked", "paused", "review"])
def test_task_that_does_not_run_is_edited_where_it_stands(house: House, worker: Worker, status: str) -> None:
    waits: dict[str, Any] = {"delayed": {"run_at": house.at(9_000)}, "blocked": {"dependencies": [house.create("up")]}}
    made = house.create(**waits.get(status, {}))
    if status == "paused":
        house.pause(made)
    elif status == "review":
        ask_for_review(house, made)
    before = house.status(made)
    house.update(made, input=1, context=2)
    assert (house.status(made), house.task(made).input, house.task(made).context) == (before, 1, 2)


# Another executor.


@pytest.mark.parametrize(
    ("to", "whom"), [({"agent": "b"}, "agent b"), ({"team": "night"}, "team night"), ({}, "any that handles it")]
)
def test_running_task_is_taken_over_by_another(house: House, to: dict[str, str], whom: str) -> None:
    mine, other = house.worker("a"), house.worker("b", teams=["night"])
    made = house.create(agent="a")
    lease = mine.take()
    mine.report(CheckpointSaved, lease, sequence=1, state={"page": 3})
    house.redirect(made, **to, reason="a is slow", by="ann")
    assert other.names() == []
    mine.report(AttemptPaused, lease)
    taken = other.take()
    assert (taken.attempt, taken.checkpoint) == (2, {"page": 3})
    told = next(row for row in house.transitions(made) if row.event == "edited")
    assert (told.by, told.reason) == ("ann", f"given to {whom}: a is slow")


def test_queued_task_goes_to_another_at_once(house: House) -> None:
    other = house.worker("b")
    made = house.create(agent="a")
    house.redirect(made, agent="b")
    assert (house.task(made).agent, other.names()) == ("b", ["work"])


def test_paused_task_of_several_agents_becomes_one_agents(house: House) -> None:
    made = house.create(agents=["a", "b"])
    house.pause(made)
    house.redirect(made, agent="c")
    house.resume(made)
    assert [one.agent for one in house.task(made).agents] == ["c"]
    assert house.worker("c").names() == ["work"]


def test_redirection_is_refused_where_it_cannot_be(house: House, worker: Worker) -> None:
    several, cancelled, done = house.create(agents=["a", "b"]), house.create("c"), house.create("d")
    leases = {lease.task_id: lease for lease in worker.poll().leases}
    house.cancel(cancelled)
    worker.complete(leases[done])
    for made, why in ((several, "several agents"), (cancelled, "is being cancelled"), (done, "possible now: run")):
        with pytest.raises(ConflictError, match=why):
            house.redirect(made, agent="z")
    with pytest.raises(InvalidParameterError, match="agent is given too"):
        house.redirect(house.create(), agent="z", team="t")


# By hand.


def test_running_task_is_completed_by_hand_and_its_attempt_cut_off(house: House, worker: Worker) -> None:
    made = house.create()
    waiting = house.create("after", agent="z", dependencies=[Dependency(task_id=made, output_as="found")])
    lease = worker.take()
    house.complete(made, result={"pages": 3}, reason="counted them", by="ann")
    task, told = house.task(made), house.transitions(made)[-1]
    assert (task.status, task.result, task.progress) == ("completed", {"pages": 3}, 1.0)
    assert (told.event, told.by, told.reason) == ("completed", "ann", "completed by hand by ann: counted them")
    assert (house.ends(made), worker.commands(), worker.complete(lease)) == (["cancelled"], ["lost"], "stale")
    assert (house.status(waiting), house.task(waiting).input) == ("pending", {"found": {"pages": 3}})


@pytest.mark.parametrize("status", ["pending", "blocked", "paused", "review"])
def test_waiting_task_is_completed_by_hand(house: House, status: str) -> None:
    made = house.create(dependencies=[house.create("up")] if status == "blocked" else [])
    if status == "paused":
        house.pause(made)
    elif status == "review":
        ask_for_review(house, made)
    house.complete(made)
    assert (house.status(made), house.task(made).reason) == ("completed", "completed by hand")


def test_completion_by_hand_without_result_keeps_what_agents_completed(house: House) -> None:
    made = house.create(agents=["a", "b"])
    worker = house.worker("a")
    worker.complete(worker.take(), 1)
    house.complete(made)
    assert house.task(made).result == {"a": 1}


def test_result_given_by_hand_is_gone_when_the_task_runs_again(house: House, worker: Worker) -> None:
    made = house.create()
    house.complete(made, result="mine")
    house.run(made)
    assert house.task(made).result is None
    worker.complete(worker.take(), "its own")
    assert (house.task(made).result, house.task(made).reason) == ("its own", None)


def test_completion_by_hand_is_refused_twice_and_when_too_large(house: House) -> None:
    made = house.create()
    with pytest.raises(ValueTooLargeError):
        house.complete(made, result="x" * 2_000_000)
    house.complete(made)
    with pytest.raises(ConflictError, match="is completed: complete is not possible; possible now: run, delete"):
        house.complete(made)
    with pytest.raises(NotFoundError):
        house.complete("nowhere")


def test_many_are_completed_and_given_away_at_once(house: House) -> None:
    ids = [house.create(agent="z"), house.create(agent="z")]
    given = {"agent": "b", "reason": "z is away"}
    assert house.do(lambda engine, tx: engine.bulk(tx, "redirect", ids, given, dry_run=False)) == [None, None]
    assert {house.task(made).agent for made in ids} == {"b"}
    assert house.do(lambda engine, tx: engine.bulk(tx, "complete", ids, {"by": "ann"}, dry_run=False)) == [None, None]
    assert {house.status(made) for made in ids} == {"completed"}
