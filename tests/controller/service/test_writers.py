"""Works that wait together are one transaction, each stands for itself, and a full queue says so."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from milepost.wire.tasks import TaskCreate, TaskFilter, TaskSettings
from milepost_collector.controller import views
from milepost_collector.controller.engine import Effects
from milepost_collector.controller.service import Controller
from milepost_collector.controller.service.writers import Writers
from milepost_collector.controller.store import open_store
from milepost_collector.controller.store.interface import Tx
from milepost_collector.controller.store.sqlite import SQLiteStore
from milepost_collector.errors import ConflictError, ControllerBusyError, InvalidParameterError, StorageUnavailableError
from tests.controller.service.conftest import create, new_engine, running


class HeldStore(SQLiteStore):
    """A store that waits with every group until it may go on, and counts them. failing: raised instead."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.may_go_on = threading.Event()
        self.groups: list[int] = []
        self.failing: Exception | None = None

    def run_each(self, works: Sequence[Callable[[Tx], Any]]) -> list[Any | Exception]:
        """Do several things in one transaction."""
        self.may_go_on.wait(10)
        self.groups.append(len(works))
        if self.failing is not None:
            raise self.failing
        return super().run_each(works)


@pytest.fixture
def store(tmp_path: Path) -> HeldStore:
    return HeldStore(tmp_path / "held.sqlite")


def writers_of(store: HeldStore, *, max_waiting: int = 100) -> tuple[Writers, list[Effects]]:
    told: list[Effects] = []
    started = Writers(store, new_engine, threads=1, on_commit=told.append, max_waiting=max_waiting)
    started.start()
    return started, told


async def stop(writers: Writers, store: HeldStore) -> None:
    store.may_go_on.set()
    await asyncio.to_thread(writers.stop)
    store.close()


async def test_creates_that_wait_together_are_one_work_of_one_transaction(store: HeldStore) -> None:
    writers, told = writers_of(store)
    first = writers.submit(lambda engine, tx: None)
    creates = [writers.submit(TaskCreate(name=f"task {number}")) for number in range(20)]
    store.may_go_on.set()
    made = await asyncio.gather(first, *creates)
    assert [task.name for _, task in made[1:]] == [f"task {number}" for number in range(20)]
    assert sum(store.groups) <= 3
    assert any(effects.ready for effects in told)
    await stop(writers, store)


async def test_refusal_concerns_nobody_else_in_the_transaction(store: HeldStore) -> None:
    writers, _ = writers_of(store)
    wrong = writers.submit(TaskCreate(name="wrong", dependencies=["nobody"]))
    right = writers.submit(TaskCreate(name="right"))
    refused = writers.submit(lambda engine, tx: engine.delete(tx, "nobody"))
    store.may_go_on.set()
    results = await asyncio.gather(wrong, right, refused, return_exceptions=True)
    assert isinstance(results[0], InvalidParameterError)
    assert results[1][1].status == "pending"
    assert isinstance(results[2], LookupError)
    await stop(writers, store)


async def test_value_that_the_database_refuses_concerns_nobody_else(postgres_url: str) -> None:
    async with running(open_store(postgres_url)) as controller:
        asked = [controller.create(TaskCreate(name=name)) for name in ("one", "t\0wo", "three")]
        results = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(results[1], InvalidParameterError)
    assert [result[0].name for result in (results[0], results[2])] == ["one", "three"]  # type: ignore[index]


async def test_full_queue_is_told_at_once(store: HeldStore) -> None:
    writers, _ = writers_of(store, max_waiting=3)
    waiting = [writers.submit(lambda engine, tx: None) for _ in range(3)]
    with pytest.raises(ControllerBusyError, match="3 requests wait for the controller, 3 are allowed to"):
        writers.submit(lambda engine, tx: None)
    store.may_go_on.set()
    await asyncio.gather(*waiting)
    await writers.submit(lambda engine, tx: None)
    await stop(writers, store)


async def test_failing_store_is_told_to_everyone_and_used_again(store: HeldStore) -> None:
    writers, _ = writers_of(store)
    store.failing = StorageUnavailableError("here", "disk full")
    store.may_go_on.set()
    with pytest.raises(StorageUnavailableError, match="disk full"):
        await writers.submit(TaskCreate(name="lost"))
    assert not writers.available
    store.failing = None
    await writers.submit(TaskCreate(name="kept"))
    assert writers.available
    await stop(writers, store)


async def test_what_is_queued_is_done_before_the_end(store: HeldStore) -> None:
    writers, _ = writers_of(store)
    waiting = [writers.submit(TaskCreate(name="late")) for _ in range(5)]
    stopping = asyncio.create_task(asyncio.to_thread(writers.stop))
    store.may_go_on.set()
    assert len(await asyncio.gather(*waiting)) == 5
    await stopping
    with pytest.raises(ControllerBusyError):
        writers.submit(TaskCreate(name="too late"))
    store.close()


async def test_asking_and_going_away_leaves_the_work_to_be_done(controller: Controller) -> None:
    asked = asyncio.create_task(controller.create(TaskCreate(name="Load")))
    await asyncio.sleep(0)
    asked.cancel()
    await create(controller)
    assert (await controller.read(lambda tx: views.counts(tx, TaskFilter(), group_by="name"))).total == 2


async def test_many_clients_at_once_get_what_they_asked_for(any_controller: Controller) -> None:
    settings = TaskSettings(max_retries=0)
    wanted = [TaskCreate(name=f"task {number}", settings=settings) for number in range(100)]
    made = await asyncio.gather(*(any_controller.create(task) for task in wanted))
    assert [task.name for task, _ in made] == [task.name for task in wanted]
    assert len({task.id for task, _ in made}) == 100


async def test_idempotency_key_makes_one_task_however_often_it_is_sent(any_controller: Controller) -> None:
    request = TaskCreate(name="once", idempotency_key="k")
    made = await asyncio.gather(*(any_controller.create(request) for _ in range(10)))
    assert len({task.id for task, _ in made}) == 1
    assert [is_new for _, is_new in made].count(True) == 1
    with pytest.raises(ConflictError, match="idempotency key 'k'"):
        await any_controller.create(TaskCreate(name="other", idempotency_key="k"))


async def test_listeners_hear_of_commits_that_changed_something(tmp_path: Path) -> None:
    heard: list[int] = []
    async with running(SQLiteStore(tmp_path / "controller.sqlite")) as controller:
        controller.on_change(lambda: heard.append(1))
        await controller.write(lambda engine, tx: None)
        assert heard == []
        await create(controller)
        assert heard == [1]
