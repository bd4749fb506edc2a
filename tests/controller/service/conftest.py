"""Controllers over real stores, and workers that speak to them directly."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest_asyncio

from milepost.wire.tasks import TaskCreate
from milepost.wire.worker import (
    AttemptCompleted,
    Held,
    PollAnswer,
    PollRequest,
    RegisterRequest,
    ReportsAnswer,
    ReportsRequest,
)
from milepost_collector.controller.engine import Engine
from milepost_collector.controller.service import Controller
from milepost_collector.controller.service.ids import Ids
from milepost_collector.controller.store import open_store
from milepost_collector.controller.store.interface import Store


def new_engine() -> Engine:
    """Return an engine as the collector has it."""
    chance = random.Random()
    return Engine(new_id=Ids(chance), chance=chance)


@asynccontextmanager
async def running(store: Store) -> AsyncIterator[Controller]:
    """Start a controller, and stop it in the end."""
    started = Controller(store, new_engine)
    started.start()
    try:
        yield started
    finally:
        await started.stop()


@pytest_asyncio.fixture
async def controller(tmp_path: Path) -> AsyncIterator[Controller]:
    """Return a started controller on SQLite."""
    async with running(open_store(tmp_path / "controller.sqlite")) as started:
        yield started


@pytest_asyncio.fixture
async def any_controller(store_place: str) -> AsyncIterator[Controller]:
    """Return a started controller, once on SQLite and once on PostgreSQL."""
    async with running(open_store(store_place)) as started:
        yield started


@dataclass
class Worker:
    """A worker of a controller."""

    controller: Controller
    id: str
    held: list[Held] = field(default_factory=list)

    @classmethod
    async def register(
        cls, controller: Controller, agent: str = "etl", *, slots: int = 1, tasks: tuple[str, ...] = ("Load",)
    ) -> Worker:
        """Begin a worker."""
        request = RegisterRequest(agent=agent, concurrency=slots, tasks=list(tasks))
        answer = await controller.write(lambda engine, tx: engine.register(tx, request))
        return cls(controller, answer.worker_id)

    async def poll(self, wait_ms: int = 0) -> PollAnswer:
        """Poll, and hold what comes."""
        request = PollRequest(worker_id=self.id, held=list(self.held), wait_ms=wait_ms)
        answer = await self.controller.poll(request)
        self.held += [Held(lease.task_id, lease.attempt) for lease in answer.leases]
        return answer

    async def complete(self) -> ReportsAnswer:
        """Report that everything it holds is done."""
        reports = [AttemptCompleted(task_id=held.task_id, attempt=held.attempt) for held in self.held]
        self.held.clear()
        return await self.controller.report(ReportsRequest(worker_id=self.id, reports=reports))


async def create(controller: Controller, name: str = "Load", agent: str | None = "etl") -> str:
    """Create a task and return its id."""
    task, _ = await controller.create(TaskCreate(name=name, agent=agent))
    return task.id
