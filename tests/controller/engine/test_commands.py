"""Tasks are changed, removed, and all of this many at a time."""

from __future__ import annotations

from functools import partial

import pytest

from milepost.wire.tasks import BulkAction, TaskCreate
from milepost_collector.controller.engine import Engine
from milepost_collector.errors import ConflictError, InvalidParameterError, NotFoundError
from tests.controller.engine.house import House, Worker


def test_update_changes_what_is_given(house: House) -> None:
    made = house.create("old", description="d", agents=["a", "b"], tags=["x"], settings={"max_retries": 7})
    house.pass_time(1_000)
    house.update(made, name="new", agent="c", priority="low", tags=["y"], input=1, key="k", settings={"timeout_ms": 5})
    task = house.task(made)
    assert (task.name, task.agent, task.priority, task.tags, task.input) == ("new", "c", "low", ["y"], 1)
    assert (task.description, task.settings.max_retries, task.settings.timeout_ms) == ("d", 7, 5)
    assert task.updated_at == house.at(0)


def test_only_tags_and_priority_change_under_an_attempt(house: House, worker: Worker) -> None:
    made = house.create()
    worker.take()
    house.update(made, tags=["x"], priority="urgent")
    with pytest.raises(ConflictError, match="input cannot change under an attempt; pause it first"):
        house.update(made, input=1, tags=["y"])
    assert (house.task(made).tags, house.task(made).input) == (["x"], None)


@pytest.mark.parametrize("settings", [{"max_retries": -1}, {"max_retires": 1}, {"completion": 2}])
def test_settings_that_do_not_fit_are_refused(house: House, settings: dict[str, int]) -> None:
    made = house.create()
    with pytest.raises(InvalidParameterError, match="settings"):
        house.update(made, settings=settings)


def test_agent_that_was_to_be_avoided_may_be_named_after_all(house: House) -> None:
    made = house.create(settings={"max_retries": 0})
    worker = house.worker("a")
    worker.fail(worker.take())
    house.retry(made, reassign=True)
    house.update(made, agent="a")
    assert worker.names() == ["work"]


def test_deleted_task_is_gone_with_its_attempts(house: House, worker: Worker) -> None:
    made = house.create()
    worker.complete(worker.take())
    house.delete(made)
    with pytest.raises(NotFoundError):
        house.task(made)
    assert house.store.read(lambda tx: tx.attempts((made,))) == {}
    assert house.events(made)[-1] == "deleted"


def test_running_task_cannot_be_deleted(house: House, worker: Worker) -> None:
    made = house.create()
    worker.take()
    with pytest.raises(ConflictError, match="delete is not possible; possible now: update, cancel, pause, resume"):
        house.delete(made)


@pytest.mark.parametrize("dry_run", [True, False])
def test_bulk_tells_of_each_task_whether_it_was_refused(house: House, worker: Worker, dry_run: bool) -> None:
    done, queued = house.create("done"), house.create("queued", agent="z")
    worker.complete(worker.take())
    ids = [done, queued, "nowhere"]
    refusals = house.do(lambda engine, tx: engine.bulk(tx, "cancel", ids, {"reason": "all"}, dry_run=dry_run))
    assert [refusal is None for refusal in refusals] == [False, True, False]
    assert house.status(queued) == ("pending" if dry_run else "cancelled")
    assert house.task(queued).reason == (None if dry_run else "all")


@pytest.mark.parametrize(
    ("action", "arguments", "status"),
    [
        ("pause", {}, "paused"),
        ("run", {"input": 1}, "pending"),
        ("update", {"priority": "low"}, "pending"),
        ("cancel", {}, "cancelled"),
    ],
)
def test_bulk_does_what_each_command_does(house: House, action: str, arguments: dict[str, object], status: str) -> None:
    ids = [house.create() for _ in range(3)]
    refusals = house.do(lambda engine, tx: engine.bulk(tx, action, ids, arguments, dry_run=False))  # type: ignore[arg-type]
    assert refusals == [None] * 3
    assert {house.status(made) for made in ids} == {status}


def test_bulk_undoes_what_others_did(house: House) -> None:
    ids = [house.create() for _ in range(3)]
    actions: tuple[BulkAction, ...] = ("pause", "resume", "cancel", "retry", "cancel", "delete")
    for action in actions:
        done = partial(Engine.bulk, action=action, task_ids=ids, arguments={}, dry_run=False)
        assert house.do(done) == [None] * 3
    assert house.store.read(lambda tx: tx.finished(ids)) == {}


def test_bulk_with_wrong_arguments_is_refused(house: House) -> None:
    with pytest.raises(InvalidParameterError, match="arguments"):
        house.do(lambda engine, tx: engine.bulk(tx, "cancel", ["x"], {"raeson": 1}, dry_run=True))


def test_created_by_falls_back_to_who_asked(house: House) -> None:
    (made,) = house.do(lambda engine, tx: engine.create_all(tx, [TaskCreate(name="work")], by="ann"))
    assert house.task(made.task_id).created_by == "ann"
