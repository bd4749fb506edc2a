"""Checkpoints and steps: durable, limited in size, and given to later attempts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from milepost.wire.attempts import CheckpointList
from milepost.wire.worker import (
    AttemptCompleted,
    AttemptFailed,
    AttemptPaused,
    CheckpointSaved,
    StepCompleted,
    StepReused,
)
from milepost_collector.controller import views
from milepost_collector.errors import InvalidParameterError
from tests.controller.engine.house import House, Worker


def saved(house: House, task_id: str) -> CheckpointList:
    """Return what a task's attempts saved, as clients read it."""
    found = house.store.read(lambda tx: views.checkpoints(tx, task_id))
    return msgspec.json.decode(msgspec.json.encode(found), type=CheckpointList)


def again(worker: Worker, lease: object) -> object:
    """Hand an attempt back and take the next."""
    worker.report(AttemptPaused, lease, released=True)  # type: ignore[arg-type]
    worker.held.clear()
    return worker.take()


def test_later_attempt_gets_the_newest_checkpoint(house: House, worker: Worker) -> None:
    made = house.create()
    lease = worker.take()
    for sequence in (1, 2):
        assert worker.report(CheckpointSaved, lease, sequence=sequence, state={"page": sequence}) == "applied"
    second = again(worker, lease)
    assert (second.checkpoint, second.checkpoint_sequence) == ({"page": 2}, 2)  # type: ignore[attr-defined]
    assert [item.state for item in saved(house, made).checkpoints] == [{"page": 1}, {"page": 2}]
    assert house.attempts(made)[0].checkpoint_count == 2


def failed_after(house: House, worker: Worker, checkpoints: int, **task: Any) -> str:
    """Have a task save checkpoints and fail for good."""
    made = house.create(**task)
    lease = worker.take()
    for sequence in range(1, checkpoints + 1):
        worker.report(CheckpointSaved, lease, sequence=sequence, state={"page": sequence}, name=f"page {sequence}")
    worker.report(AttemptFailed, lease, error_type="Broken", error_message="no more", retryable=False)
    worker.held.clear()
    return made


def test_retry_goes_on_from_the_checkpoint_that_was_chosen(house: House, worker: Worker) -> None:
    made = failed_after(house, worker, 3)
    house.retry(made, checkpoint=1)
    lease = worker.take()
    assert (lease.checkpoint, lease.checkpoint_sequence) == ({"page": 1}, 4)
    kept = [(item.sequence, item.state, item.name, item.copy_of) for item in saved(house, made).checkpoints]
    assert kept[0] == (1, {"page": 1}, "page 1", None)
    assert kept[3] == (4, {"page": 1}, "page 1", 1)
    worker.report(CheckpointSaved, lease, sequence=1, state={"page": "new"})
    assert again(worker, lease).checkpoint == {"page": "new"}  # type: ignore[attr-defined]


def test_copy_of_a_copy_names_the_original_and_the_newest_is_not_copied(house: House, worker: Worker) -> None:
    made = failed_after(house, worker, 2)
    for chosen in (1, 3, 1):  # 3 is the copy of 1, and the newest
        house.retry(made, checkpoint=chosen)
        lease = worker.take()
        assert lease.checkpoint == {"page": 1}
        worker.report(AttemptFailed, lease, error_type="Broken", error_message="no more", retryable=False)
        worker.held.clear()
    assert [item.copy_of for item in saved(house, made).checkpoints] == [None, None, 1, 1]


def test_checkpoint_that_is_not_there_is_refused_with_those_that_are(house: House, worker: Worker) -> None:
    made = failed_after(house, worker, 2)
    with pytest.raises(InvalidParameterError, match=f"task {made} has checkpoints 1 to 2"):
        house.retry(made, checkpoint=7)
    assert house.task(made).status == "failed"


def test_repeated_checkpoint_is_saved_once(house: House, worker: Worker) -> None:
    made = house.create()
    lease = worker.take()
    outcomes = [worker.report(CheckpointSaved, lease, sequence=1, state=state) for state in (1, 2)]
    assert outcomes == ["applied", "repeated"]
    assert [item.state for item in saved(house, made).checkpoints] == [1]


def test_steps_are_remembered_and_their_use_is_noted(house: House, worker: Worker) -> None:
    made = house.create()
    lease = worker.take()
    worker.report(StepCompleted, lease, name="fetch", input_digest="ab", result=[1])
    second = again(worker, lease)
    (step,) = second.steps  # type: ignore[attr-defined]
    assert (step.name, step.input_digest, step.attempt, step.result) == ("fetch", "ab", 1, [1])
    outcomes = [worker.report(StepReused, second, name="fetch", input_digest="ab") for _ in range(2)]  # type: ignore[arg-type]
    assert outcomes == ["applied", "repeated"]
    assert saved(house, made).steps[0].reused_by == [2]
    assert house.attempts(made)[1].steps_reused == 1


def test_unknown_step_cannot_be_reused(house: House, worker: Worker) -> None:
    house.create()
    assert worker.report(StepReused, worker.take(), name="fetch", input_digest="ab") == "refused"


def test_task_without_memory_begins_anew(house: House, worker: Worker) -> None:
    house.create(settings={"memory": False})
    lease = worker.take()
    worker.report(CheckpointSaved, lease, sequence=1, state=1)
    worker.report(StepCompleted, lease, name="fetch", input_digest="ab", result=1)
    second = again(worker, lease)
    assert (second.checkpoint, second.steps) == (None, [])  # type: ignore[attr-defined]


def test_each_agent_has_a_memory_of_its_own(house: House) -> None:
    house.create(agents=["a", "b"])
    a, b = house.worker("a"), house.worker("b")
    a.report(CheckpointSaved, a.take(), sequence=1, state="of a")
    lease = b.take()
    assert again(b, lease).checkpoint is None  # type: ignore[attr-defined]


def test_values_over_the_limit_are_refused_and_change_nothing(house: House, worker: Worker) -> None:
    made = house.create()
    lease, large = worker.take(), "x" * 1024 * 1024
    assert worker.report(CheckpointSaved, lease, sequence=1, state=large) == "refused"
    assert worker.report(StepCompleted, lease, name="s", input_digest="0", result=large) == "refused"
    assert worker.report(AttemptCompleted, lease, result=large) == "refused"
    assert saved(house, made) == CheckpointList(checkpoints=[], steps=[])
    assert house.ends(made) == ["running"]
