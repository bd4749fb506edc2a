"""Tasks are created: once, whole, or not at all."""

from __future__ import annotations

from datetime import datetime

import pytest

from milepost.wire.tasks import TaskCreate, TaskSettings
from milepost_collector.controller.engine import Created
from milepost_collector.errors import ConflictError, InvalidParameterError, NotFoundError, ValueTooLargeError
from tests.controller.engine.house import House, Worker


def test_created_task_is_read_back_whole(house: House) -> None:
    made = house.create(
        "Extract", agent="etl", input={"n": 1}, context=[2], priority="urgent", tags=["x"], app="shop", key="k",
        description="d", created_by="ann", traceparent=f"00-{'a' * 32}-{'b' * 16}-01", deadline=house.at(60_000),
    )  # fmt: skip
    task = house.task(made)
    assert (task.name, task.agent, task.input, task.context) == ("Extract", "etl", {"n": 1}, [2])
    assert (task.priority, task.tags, task.app, task.key, task.created_by) == ("urgent", ["x"], "shop", "k", "ann")
    assert (task.origin_run_id, task.origin_span_id) == ("a" * 32, "b" * 16)
    assert (task.status, task.attempt, task.deadline, task.created_at) == ("pending", 0, house.at(60_000), house.at(0))


@pytest.mark.parametrize("traceparent", ["", "x", "00-12-34-01"])
def test_traceparent_that_is_none_leaves_no_origin(house: House, traceparent: str) -> None:
    assert house.task(house.create(traceparent=traceparent)).origin_run_id is None


def test_same_key_and_request_stand_for_one_task(house: House) -> None:
    request = TaskCreate(name="work", input={"b": 1, "a": 2}, idempotency_key="k")
    again = TaskCreate(
        name="work", input={"a": 2, "b": 1}, idempotency_key="k", traceparent=f"00-{'a' * 32}-{'b' * 16}-01"
    )
    first = house.offer(request)
    assert isinstance(first, Created)
    assert first.made
    assert house.offer(again) == Created(first.task_id, made=False)


def test_same_key_twice_in_one_transaction_stands_for_one_task(house: House) -> None:
    request = TaskCreate(name="work", idempotency_key="k")
    first, second = house.do(lambda engine, tx: engine.create(tx, [request, request]))
    assert isinstance(first, Created)
    assert second == Created(first.task_id, made=False)


def test_same_key_with_other_content_is_refused(house: House) -> None:
    house.offer(TaskCreate(name="work", idempotency_key="k"))
    refusal = house.offer(TaskCreate(name="other", idempotency_key="k"))
    assert isinstance(refusal, ConflictError)
    assert "idempotency key 'k' has made task" in str(refusal)


def test_key_of_a_deleted_task_makes_a_new_one(house: House) -> None:
    request = TaskCreate(name="work", idempotency_key="k")
    first = house.offer(request)
    assert isinstance(first, Created)
    house.delete(first.task_id)
    second = house.offer(request)
    assert isinstance(second, Created)
    assert second.made


def test_refused_task_leaves_the_others_alone(house: House) -> None:
    bad = TaskCreate(name="bad", dependencies=["nowhere"])
    results = house.do(lambda engine, tx: engine.create(tx, [TaskCreate(name="one"), bad, TaskCreate(name="two")]))
    assert [isinstance(result, Created) for result in results] == [True, False, True]
    assert isinstance(results[1], InvalidParameterError)


def test_batch_is_made_whole_or_not_at_all(house: House) -> None:
    requests = [TaskCreate(name="one", idempotency_key="k"), TaskCreate(name="bad", dependencies=["nowhere"])]
    with pytest.raises(InvalidParameterError, match="there is no such task"):
        house.do(lambda engine, tx: engine.create_all(tx, requests))
    assert house.store.read(lambda tx: tx.idempotency(("k",))) == {}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"agent": "a", "team": "t"}, "team"),
        ({"agent": "a", "agents": ["b"]}, "agents"),
        ({"agents": ["a", "a"]}, "agents"),
        ({"agents": ["a"], "settings": TaskSettings(completion=2)}, "settings.completion"),
        ({"settings": TaskSettings(completion=2)}, "settings.completion"),
        ({"deadline": datetime(2026, 1, 1)}, "deadline"),
        ({"run_at": datetime(2026, 1, 1)}, "run_at"),
    ],
)
def test_contradictory_request_is_refused_with_the_field(house: House, fields: dict[str, object], named: str) -> None:
    refusal = house.offer(TaskCreate(name="work", **fields))  # type: ignore[arg-type]
    assert isinstance(refusal, InvalidParameterError)
    assert refusal.field == named


@pytest.mark.parametrize("field", ["input", "context"])
def test_value_over_the_limit_is_refused(house: House, field: str) -> None:
    refusal = house.offer(TaskCreate(name="work", **{field: "x" * 1024 * 1024}))  # type: ignore[arg-type]
    assert isinstance(refusal, ValueTooLargeError)


def test_unknown_task_is_not_found(house: House) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        house.cancel("nowhere")


def test_task_waits_for_its_instant(house: House, worker: Worker) -> None:
    made = house.create(run_at=house.at(5_000))
    assert house.task(made).next_run_at == house.at(5_000)
    assert worker.names() == []
    house.pass_time(5_000)
    assert worker.take().task_id == made


def test_completed_task_has_its_result_and_times(house: House, worker: Worker) -> None:
    made = house.create()
    lease = worker.take()
    house.pass_time(1_000)
    worker.start(lease)
    house.pass_time(1_000)
    assert worker.complete(lease, {"rows": 3}) == "applied"
    task = house.task(made)
    assert (task.status, task.result, task.progress) == ("completed", {"rows": 3}, 1.0)
    assert (task.started_at, task.finished_at) == (house.at(-2_000), house.at(0))
    assert house.events(made) == ["created", "leased", "started", "completed"]
