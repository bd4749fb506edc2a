"""Attempts are leased, numbered and fenced; what dies is lost and tried again."""

from __future__ import annotations

import pytest

from milepost.wire.worker import AttemptCancelled, AttemptFailed, AttemptPaused, ProgressMade
from milepost_collector.errors import NotFoundError
from tests.controller.engine.house import House, Worker

pytestmark = pytest.mark.parametrize("place", ["memory", "postgresql"], indirect=True)


def test_polls_renew_leases(house: House, worker: Worker) -> None:
    made = house.create(settings={"heartbeat_ms": 3_000})
    worker.take()
    for _ in range(10):
        house.pass_time(2_000)
        assert worker.poll().commands == []
    assert house.ends(made) == ["running"]


def test_worker_is_told_to_poll_within_a_third_of_its_shortest_lease(house: House, worker: Worker) -> None:
    assert worker.poll().poll_within_ms == 20_000
    house.create(settings={"heartbeat_ms": 30_000})
    house.create(settings={"heartbeat_ms": 3_000})
    assert worker.poll().poll_within_ms == 1_000


def test_silent_workers_attempt_is_lost_and_tried_again_at_once(house: House, worker: Worker) -> None:
    made = house.create(settings={"heartbeat_ms": 3_000})
    worker.take()
    house.pass_time(2_999)
    assert house.status(made) == "assigned"
    house.pass_time(1)
    assert (house.status(made), house.ends(made)) == ("pending", ["lost"])
    assert (house.task(made).losses, house.task(made).failures) == (1, 0)
    assert house.worker().take().attempt == 2


def test_only_what_is_named_is_renewed(house: House, worker: Worker) -> None:
    made = house.create(settings={"heartbeat_ms": 3_000})
    worker.poll(loses_answer=True)
    house.pass_time(2_000)
    worker.poll(loses_answer=True)
    house.pass_time(1_000)
    assert house.ends(made) == ["lost"]


def test_lost_answer_is_answered_again(house: House, worker: Worker) -> None:
    house.create(input={"n": 1})
    (lost,) = worker.poll(loses_answer=True).leases
    assert worker.take() == lost
    assert worker.names() == []


def test_worker_that_woke_up_late_is_told_and_refused(house: House, worker: Worker) -> None:
    made = house.create(settings={"heartbeat_ms": 1_000})
    lease = worker.take()
    house.pass_time(1_000)
    other = house.worker()
    second = other.take()
    for kind, given in ((ProgressMade, {"progress": 0.9}), (AttemptFailed, {"error_type": "E"}), (AttemptPaused, {})):
        assert worker.report(kind, lease, **given) == "stale"
    assert worker.commands() == ["lost"]
    assert worker.complete(lease) == "stale"
    assert other.complete(second, "mine") == "applied"
    assert (house.task(made).result, house.ends(made)) == ("mine", ["lost", "completed"])


def test_repeated_end_changes_nothing(house: House, worker: Worker) -> None:
    made = house.create()
    lease = worker.take()
    assert [worker.complete(lease, 1), worker.complete(lease, 2)] == ["applied", "repeated"]
    assert worker.report(AttemptCancelled, lease) == "stale"
    assert (house.task(made).result, house.events(made).count("completed")) == (1, 1)


def test_process_that_registers_anew_keeps_its_attempts(house: House, worker: Worker) -> None:
    made = house.create(settings={"heartbeat_ms": 3_000})
    lease = worker.take()
    worker.register()
    house.pass_time(2_000)
    assert worker.poll().commands == []
    house.pass_time(2_000)
    assert worker.complete(lease) == "applied"
    assert house.ends(made) == ["completed"]


def test_adopted_attempts_take_slots(house: House) -> None:
    worker = house.worker(concurrency=1)
    house.create()
    worker.take()
    house.create()
    worker.register()
    assert worker.names() == []


def test_unregistered_worker_hands_its_attempts_back(house: House, worker: Worker) -> None:
    made = house.create()
    worker.take()
    house.do(lambda engine, tx: engine.unregister(tx, worker.id))
    assert (house.status(made), house.ends(made)) == ("pending", ["paused"])
    assert (house.task(made).losses, house.task(made).failures) == (0, 0)
    with pytest.raises(NotFoundError, match=worker.id):
        worker.poll()


def test_handed_back_attempt_counts_as_nothing(house: House, worker: Worker) -> None:
    made = house.create(settings={"max_retries": 0, "max_losses": 0})
    for _ in range(3):
        worker.report(AttemptPaused, worker.take(), released=True)
        worker.held.clear()
    assert (house.status(made), house.ends(made)) == ("pending", ["paused"] * 3)


@pytest.mark.parametrize("losses", [0, 2])
def test_task_fails_when_too_many_workers_are_lost(house: House, losses: int) -> None:
    made = house.create(settings={"heartbeat_ms": 1_000, "max_losses": losses, "max_retries": 9})
    for _ in range(losses + 1):
        house.worker().take()
        house.pass_time(1_000)
    assert (house.status(made), house.task(made).error_type) == ("failed", "WorkerLost")
    assert house.ends(made) == ["lost"] * (losses + 1)


def test_progress_is_shown_while_it_runs(house: House, worker: Worker) -> None:
    made = house.create()
    lease = worker.take()
    worker.start(lease)
    worker.report(ProgressMade, lease, progress=0.25, phase="parse")
    task = house.task(made)
    assert (task.status, task.progress, task.phase) == ("in_progress", 0.25, "parse")


def test_start_is_learnt_from_a_poll_too(house: House, worker: Worker) -> None:
    made = house.create()
    lease = worker.take()
    worker.held[lease.task_id, lease.attempt] = True
    worker.poll()
    assert house.status(made) == "in_progress"
    assert worker.start(lease) == "repeated"


def test_workers_that_are_gone_are_forgotten(house: House, worker: Worker) -> None:
    house.pass_time(2 * 3_600_000)
    assert house.store.read(lambda tx: tx.workers()) == []
