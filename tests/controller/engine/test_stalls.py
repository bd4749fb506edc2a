"""Attempts that keep still for unusually long, on both databases."""

from __future__ import annotations

import pytest

from milepost.wire.worker import ProgressMade, StepCompleted, TaskLease
from milepost_collector.controller.engine import stalls
from tests.controller.engine.house import House, Worker

pytestmark = pytest.mark.parametrize("place", ["memory", "postgresql"], indirect=True)


def teach(house: House, worker: Worker, gap_ms: int, count: int = 20) -> None:
    """Let tasks be completed that kept still for so long."""
    for _ in range(count):
        house.create()
        lease = worker.take()
        worker.start(lease)
        house.clock.advance(gap_ms)
        worker.report(ProgressMade, lease, progress=0.5)
        worker.complete(lease)


def look(house: House, seen_at: dict[str, int] | None = None) -> None:
    """Look for what keeps still, as the service does."""
    found = house.store.read(lambda tx: stalls.still(tx, stalls.Usual(), kept_ms=0))
    house.do(lambda engine, tx: engine.judge_stalls(tx, found, seen_at or {}))


def begun(house: House, worker: Worker) -> TaskLease:
    """Return an attempt that runs and may be silent for long."""
    house.create(settings={"heartbeat_ms": 3_600_000})
    lease = worker.take()
    worker.start(lease)
    return lease


@pytest.fixture
def taught(house: House, worker: Worker) -> Worker:
    """Return a worker whose attempts go without a sign of progress for 11 seconds."""
    worker.request.concurrency = 100
    teach(house, worker, 11_000)
    return worker


def test_attempt_is_stalled_once_it_keeps_still_for_longer_than_its_like(house: House, taught: Worker) -> None:
    lease = begun(house, taught)
    house.clock.advance(11_000)
    look(house)
    assert house.task(lease.task_id).stalled_since is None
    house.clock.advance(1_000)
    look(house)
    look(house)
    assert house.task(lease.task_id).stalled_since == house.at(0)
    assert house.events(lease.task_id).count("stalled") == 1
    told = house.transitions(lease.task_id)[-1].reason
    assert told == "no sign of progress for 12 s; 99 of 100 like it move within 11 s"


def test_progress_ends_the_stall(house: House, taught: Worker) -> None:
    lease = begun(house, taught)
    house.clock.advance(20_000)
    look(house)
    taught.report(StepCompleted, lease, name="s", input_digest="d")
    assert house.task(lease.task_id).stalled_since is None
    assert house.events(lease.task_id)[-2:] == ["stalled", "recovered"]


def test_what_is_recorded_of_the_run_is_a_sign_too(house: House, taught: Worker) -> None:
    lease = begun(house, taught)
    house.clock.advance(20_000)
    look(house, {lease.run_id: house.clock.now - 5_000})
    assert house.task(lease.task_id).stalled_since is None
    house.clock.advance(15_000)
    look(house)
    assert house.task(lease.task_id).stalled_since is not None
    house.clock.advance(1_000)
    look(house, {lease.run_id: house.clock.now})
    assert house.task(lease.task_id).stalled_since is None


def test_end_of_the_attempt_ends_the_stall(house: House, taught: Worker) -> None:
    lease = begun(house, taught)
    house.clock.advance(20_000)
    look(house)
    taught.fail(lease)
    assert house.task(lease.task_id).stalled_since is None


def test_nothing_is_stalled_of_which_too_little_is_known(house: House, worker: Worker) -> None:
    teach(house, worker, 11_000, count=19)
    lease = begun(house, worker)
    house.clock.advance(3_000_000)
    look(house)
    assert house.task(lease.task_id).stalled_since is None
