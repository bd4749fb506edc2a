"""What time does happens by itself; bulk actions end; ids rise; another collector's work is heard of."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from milepost.wire.tasks import BulkRequest, TaskCreate, TaskFilter
from milepost_collector.controller import views
from milepost_collector.controller.service import Controller, bulk
from milepost_collector.controller.service import controller as service_controller
from milepost_collector.controller.service.ids import LENGTH, Ids
from milepost_collector.controller.store import open_store
from tests.collector.server import Server
from tests.controller.conftest import ManualClock
from tests.controller.service.conftest import Worker, create, running
from tests.controller.service.test_polls import LONG_MS, SOON_S, waiting


async def test_delayed_task_is_handed_over_when_it_is_due(controller: Controller) -> None:
    worker = await Worker.register(controller)
    run_at = datetime.now(UTC) + timedelta(milliseconds=200)
    await controller.create(TaskCreate(name="Load", agent="etl", run_at=run_at))
    answer = await asyncio.wait_for(worker.poll(LONG_MS), SOON_S)
    assert len(answer.leases) == 1
    assert datetime.now(UTC) >= run_at


async def test_bulk_action_takes_chunks_and_leaves_newer_tasks_alone(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 10)
    tasks = [TaskCreate(name="Load") for _ in range(25)]
    await controller.write(lambda engine, tx: engine.create_all(tx, tasks))
    request = BulkRequest(action="cancel", filter=TaskFilter(name=["Load"]), dry_run=True)
    assert (await controller.bulk(request)).changed == 25
    request.dry_run = False
    answer = await controller.bulk(request)
    assert (answer.matched, answer.changed, answer.refused) == (25, 25, 0)
    again = await controller.bulk(request)
    assert (again.matched, again.changed, again.refused, len(again.refusals)) == (25, 0, 25, 25)


async def test_numbers_tell_what_waits_and_runs(controller: Controller) -> None:
    worker = await Worker.register(controller)
    for _ in range(3):
        await create(controller)
    await worker.poll()
    found = await controller.numbers()
    assert (found.ready, found.leased, found.workers, found.waiting_polls) == (2, 1, 1, 0)


async def test_ids_rise_within_a_millisecond_and_when_the_clock_is_set_back() -> None:
    make = Ids(random.Random(1))
    made = [make(now) for now in (5, 5, 5, 4, 6, 7_000_000_000_000)]
    assert made == sorted(set(made))
    assert {len(one) for one in made} == {LENGTH}


async def test_work_that_another_collector_takes_in_is_heard_of(postgres_url: str) -> None:
    async with running(open_store(postgres_url)) as here, running(open_store(postgres_url)) as there:
        worker = await Worker.register(here)
        poll = asyncio.create_task(worker.poll(LONG_MS))
        await waiting(here, 1)
        await create(there)
        assert len((await asyncio.wait_for(poll, SOON_S)).leases) == 1


async def test_restart_knows_workers_and_tasks(store_place: str) -> None:
    async with running(open_store(store_place)) as before:
        worker = await Worker.register(before)
        task_id = await create(before)
    async with running(open_store(store_place)) as after:
        worker.controller = after
        assert [lease.task_id for lease in (await worker.poll(LONG_MS)).leases] == [task_id]
        await worker.complete()
        assert (await after.read(lambda tx: views.task(tx, task_id))).status == "completed"


async def test_worker_that_returns_after_a_long_outage_keeps_its_lease(tmp_path: Path, clock: ManualClock) -> None:
    async with running(open_store(tmp_path / "controller.sqlite", clock=clock)) as before:
        worker = await Worker.register(before)
        task_id = await create(before)
        await worker.poll()
    clock.advance(3_600_000)
    async with running(open_store(tmp_path / "controller.sqlite", clock=clock)) as after:
        worker.controller = after
        assert (await worker.poll()).commands == []
        await worker.complete()
        found = await after.read(lambda tx: views.task(tx, task_id))
    assert (found.status, found.attempt, found.losses) == ("completed", 1, 0)


async def test_lease_of_a_worker_that_does_not_return_is_lost(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_controller, "RETURN_S", 0.01)
    async with running(open_store(tmp_path / "controller.sqlite", clock=clock)) as before:
        worker = await Worker.register(before)
        task_id = await create(before)
        await worker.poll()
    clock.advance(3_600_000)
    async with running(open_store(tmp_path / "controller.sqlite", clock=clock)) as after:
        worker = await Worker.register(after)
        poll = asyncio.create_task(worker.poll(LONG_MS))
        clock.advance(1_000)  # beyond the pause before it is tried again
        [lease] = (await asyncio.wait_for(poll, SOON_S)).leases
    assert (lease.task_id, lease.attempt) == (task_id, 2)


def test_collector_on_postgresql_keeps_tasks_there(tmp_path: Path, postgres_url: str) -> None:
    server = Server.start(tmp_path, controller_url=postgres_url)
    try:
        made = server.client.post("/api/tasks", json={"name": "Load"}).json()
        assert server.get(f"/api/tasks/{made['id']}")["name"] == "Load"
        assert not (tmp_path / "controller.sqlite").exists()
    finally:
        server.stop()
