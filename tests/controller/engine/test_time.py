"""What time does: timeouts, deadlines, estimates, retention."""

from __future__ import annotations

import pytest

from tests.controller.engine.house import House, Worker

DAY_MS = 86_400_000


def complete_one(house: House, worker: Worker, duration_ms: int) -> None:
    """Let a task named `work` take so long."""
    house.create(settings={"heartbeat_ms": 3_600_000})
    lease = worker.take()
    house.pass_time(duration_ms)
    worker.complete(lease)


def test_attempt_that_takes_too_long_has_failed(house: House, worker: Worker) -> None:
    made = house.create(settings={"timeout_ms": 5_000, "max_retries": 0})
    lease = worker.take()
    house.pass_time(4_999)
    assert house.status(made) == "assigned"
    house.pass_time(1)
    task = house.task(made)
    assert (task.status, task.error_type) == ("failed", "AttemptTimeout")
    assert worker.commands() == ["lost"]
    assert worker.complete(lease) == "stale"


def test_worker_that_was_silent_before_its_timeout_is_lost(house: House, worker: Worker) -> None:
    made = house.create(settings={"timeout_ms": 5_000, "heartbeat_ms": 3_000})
    worker.take()
    house.pass_time(60_000)  # nobody looked meanwhile
    assert house.ends(made) == ["lost"]


@pytest.mark.parametrize("stage", ["pending", "blocked", "paused", "assigned"])
def test_task_fails_at_its_deadline_wherever_it_is(house: House, stage: str) -> None:
    first = house.create(agent="z")
    blocking = [first] if stage == "blocked" else []
    made = house.create(deadline=house.at(5_000), agent="a", dependencies=blocking)
    if stage == "paused":
        house.pause(made)
    if stage == "assigned":
        house.worker("a").take()
    assert house.status(made) == stage
    house.pass_time(5_000)
    task = house.task(made)
    assert (task.status, task.error_type, task.reason) == ("failed", "DeadlineExceeded", "its deadline has passed")


def test_task_opened_after_its_deadline_has_none(house: House) -> None:
    made = house.create(deadline=house.at(5_000))
    house.pass_time(5_000)
    house.retry(made)
    house.pass_time(5_000)
    assert (house.status(made), house.task(made).deadline) == ("pending", None)


def test_deadline_that_will_be_missed_is_reported_early(house: House, worker: Worker) -> None:
    for _ in range(5):
        complete_one(house, worker, 60_000)
    late = house.create(deadline=house.at(50_000))
    fine = house.create(deadline=house.at(90_000))
    delayed = house.create(deadline=house.at(90_000), run_at=house.at(40_000))
    house.pass_time(5_000)
    assert [house.task(made).deadline_at_risk for made in (late, fine, delayed)] == [True, False, True]
    assert house.events(late) == ["created", "at_risk"]
    house.update(late, deadline=house.at(500_000))
    assert not house.task(late).deadline_at_risk


def test_completion_is_estimated_from_the_names_own_history(house: House, worker: Worker) -> None:
    for duration_ms in (10_000, 20_000, 20_000, 80_000, 90_000):
        complete_one(house, worker, duration_ms)
    made, other = house.create(run_at=house.at(5_000)), house.create("other")
    assert house.task(made).estimated_completion == house.at(25_000)
    assert house.task(other).estimated_completion is None
    house.pass_time(5_000)
    worker.poll()
    lease_began = house.at(0)
    house.pass_time(3_000)
    worker.held = dict.fromkeys(worker.held, True)
    worker.poll()
    assert house.task(made).estimated_completion == lease_began + (house.at(20_000) - house.at(0))


def test_time_before_a_task_was_opened_again_is_no_part_of_its_duration(house: House, worker: Worker) -> None:
    for _ in range(4):
        complete_one(house, worker, 1_000)
    made = house.create(settings={"max_retries": 0})
    worker.fail(worker.take())
    house.pass_time(DAY_MS)
    house.retry(made)
    worker.register()
    lease = worker.take()
    house.pass_time(1_000)
    worker.complete(lease)
    estimate = house.task(house.create()).estimate
    assert estimate is not None
    assert (estimate.median_ms, estimate.p90_ms) == (1_000, 1_000)


def test_finished_tasks_are_forgotten_after_their_retention(house: House, worker: Worker) -> None:
    made, live = house.create(idempotency_key="k"), house.create("live", agent="z")
    worker.complete(worker.take())
    house.pass_time(30 * DAY_MS)
    house.status(made)
    house.pass_time(120_000)
    kept = house.store.read(lambda tx: [*tx.tasks((made, live)), *tx.finished((made, live))])
    assert kept == [live]
    gone = house.store.read(lambda tx: (tx.transitions(made), tx.attempts((made,)), tx.payloads((made,))))
    assert gone == ([], {}, {})
    assert house.store.read(lambda tx: tx.idempotency(("k",))) == {}
