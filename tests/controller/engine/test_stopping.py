"""Cancel and pause, in every status, and what becomes of those that do not stop."""

from __future__ import annotations

import pytest

from milepost.wire.worker import AttemptCancelled, AttemptPaused
from milepost_collector.errors import ConflictError
from tests.controller.engine.house import House, Worker


def test_queued_task_is_cancelled_at_once(house: House, worker: Worker) -> None:
    for made in (house.create(), house.create(run_at=house.at(9_000)), house.create(dependencies=[house.create()])):
        house.cancel(made, reason="no need", by="ann")
        task = house.task(made)
        assert (task.status, task.reason, task.finished_at) == ("cancelled", "no need", house.at(0))
    assert worker.names() == ["work"]


def test_running_task_is_cancelled_when_its_worker_has_stopped(house: House, worker: Worker) -> None:
    made = house.create()
    lease = worker.take()
    worker.start(lease)
    house.cancel(made, reason="no need", by="ann")
    assert house.effects.workers == {worker.id}
    assert house.task(made).cancel_requested
    assert worker.poll().commands[0].reason == "no need"
    assert worker.report(AttemptCancelled, lease) == "applied"
    task = house.task(made)
    assert (task.status, task.reason, house.ends(made)) == ("cancelled", "no need", ["cancelled"])


def test_attempt_that_does_not_stop_is_cut_off_after_its_grace(house: House, worker: Worker) -> None:
    made = house.create(settings={"cancel_grace_ms": 5_000})
    lease = worker.take()
    house.cancel(made)
    house.pass_time(4_999)
    assert house.status(made) == "assigned"
    assert house.do(lambda engine, tx: tx.next_due()) == house.clock.now + 1
    house.pass_time(1)
    assert (house.status(made), house.ends(made)) == ("cancelled", ["cancelled"])
    assert worker.commands() == ["lost"]
    assert worker.complete(lease) == "stale"


def test_completion_before_the_cancel_arrives_counts(house: House, worker: Worker) -> None:
    made = house.create()
    lease = worker.take()
    house.cancel(made)
    assert worker.complete(lease, 1) == "applied"
    assert house.status(made) == "completed"


@pytest.mark.parametrize("lost", [True, False])
def test_cancelled_task_is_not_tried_again_whatever_becomes_of_its_attempt(
    house: House, worker: Worker, lost: bool
) -> None:
    made = house.create(settings={"heartbeat_ms": 1_000})
    lease = worker.take()
    house.cancel(made)
    if lost:
        house.pass_time(1_000)
    else:
        worker.fail(lease)
    assert (house.status(made), house.ends(made)) == ("cancelled", ["lost" if lost else "failed"])


def test_queued_task_is_held_and_goes_on(house: House, worker: Worker) -> None:
    made = house.create()
    house.pause(made, by="ann")
    assert house.why(made) == ("paused", "paused by ann")
    assert worker.names() == []
    house.resume(made)
    assert worker.names() == ["work"]


def test_running_task_yields_and_goes_on(house: House, worker: Worker) -> None:
    made = house.create(settings={"max_retries": 0, "max_losses": 0})
    lease = worker.take()
    house.pause(made, by="ann")
    assert house.task(made).pause_requested
    assert worker.commands() == ["pause"]
    worker.report(AttemptPaused, lease)
    worker.held.clear()
    assert (house.status(made), house.task(made).failures) == ("paused", 0)
    house.resume(made)
    assert worker.take().attempt == 2


def test_pause_that_was_asked_for_is_taken_back(house: House, worker: Worker) -> None:
    made = house.create()
    lease = worker.take()
    house.pause(made)
    house.resume(made)
    assert worker.commands() == []
    assert worker.complete(lease) == "applied"
    assert house.events(made) == ["created", "leased", "completed"]


def test_resume_of_what_was_not_asked_to_pause_is_refused(house: House, worker: Worker) -> None:
    made = house.create()
    worker.take()
    with pytest.raises(ConflictError, match="was not asked to pause"):
        house.resume(made)


def test_pause_of_a_task_that_is_being_cancelled_is_refused(house: House, worker: Worker) -> None:
    made = house.create()
    worker.take()
    house.cancel(made)
    with pytest.raises(ConflictError, match="is being cancelled"):
        house.pause(made)


def test_cancel_overrides_a_pause(house: House, worker: Worker) -> None:
    made = house.create()
    lease = worker.take()
    house.pause(made)
    house.cancel(made)
    assert worker.commands() == ["cancel"]
    worker.report(AttemptCancelled, lease)
    assert house.status(made) == "cancelled"


@pytest.mark.parametrize(("error", "status"), [("Flaky", "paused"), ("Fatal", "failed")])
def test_failure_while_pausing_pauses_unless_it_is_for_good(
    house: House, worker: Worker, error: str, status: str
) -> None:
    made = house.create(settings={"non_retryable_errors": ("Fatal",)})
    lease = worker.take()
    house.pause(made)
    worker.fail(lease, error)
    assert house.status(made) == status


def test_lost_worker_of_a_pausing_task_leaves_it_paused(house: House, worker: Worker) -> None:
    made = house.create(settings={"heartbeat_ms": 1_000})
    worker.take()
    house.pause(made)
    house.pass_time(1_000)
    assert (house.status(made), house.ends(made)) == ("paused", ["lost"])


def test_worker_that_cancels_unasked_hands_its_lease_back(house: House, worker: Worker) -> None:
    made = house.create()
    worker.report(AttemptCancelled, worker.take())
    assert (house.status(made), house.events(made)[-1]) == ("pending", "yielded")
