"""A controller over a real store, followed into a real database, and recorders that fail."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from milepost.wire.tasks import TaskCreate
from milepost.wire.worker import PollRequest, RegisterRequest, Report, ReportsRequest, TaskLease
from milepost_collector.controller.follower import Follower
from milepost_collector.controller.recorder import Recorder
from milepost_collector.controller.service import Controller
from milepost_collector.controller.service.opening import open_controller
from milepost_collector.errors import StorageUnavailableError
from milepost_collector.protocol.managed import Recorded

TIMEOUT_S = 10


@dataclass(slots=True)
class Watched:
    """A recorder that says when something was recorded."""

    recorder: Recorder
    transitions: int = 0
    recorded: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def position(self) -> str | None:
        """Return the recorder's position."""
        return await self.recorder.position()

    async def record(self, changes: Recorded) -> str | None:
        """Record, then tell."""
        position = await self.recorder.record(changes)
        async with self.recorded:
            self.transitions += len(changes.transitions)
            self.recorded.notify_all()
        return position

    async def until(self, transitions: int) -> None:
        """Wait until so many transitions were recorded."""
        async with self.recorded:
            enough = self.recorded.wait_for(lambda: self.transitions >= transitions)
            await asyncio.wait_for(enough, TIMEOUT_S)


@dataclass(slots=True)
class Faulty:
    """A recorder that fails at random: before it has recorded, or afterwards, without saying so."""

    recorder: Recorder
    chance: random.Random
    failures: int = 0

    async def position(self) -> str | None:
        """Return the recorder's position, or fail."""
        self._fail(0.2)
        return await self.recorder.position()

    async def record(self, changes: Recorded) -> str | None:
        """Record and answer, or fail."""
        self._fail(0.2)
        position = await self.recorder.record(changes)
        self._fail(0.3)
        return position

    def _fail(self, share: float) -> None:
        if self.chance.random() < share:
            self.failures += 1
            raise StorageUnavailableError(Path("record"), "chance would have it")


@dataclass(slots=True)
class Control:
    """A controller and one worker that takes everything."""

    controller: Controller
    agent: str = "etl"
    worker_id: str = ""

    @classmethod
    async def open(cls, folder: Path, url: str | None = None) -> Control:
        """Open the store of a folder, or a PostgreSQL database, and start."""
        await asyncio.to_thread(folder.mkdir, exist_ok=True)
        controller = await open_controller(folder, url=url)
        controller.start()
        return cls(controller)

    async def create(self, **fields: Any) -> str:
        """Create a task and return its id."""
        wanted = TaskCreate(**{"name": "Extract", **fields})
        (created,) = await self.do(lambda engine, tx: engine.create_all(tx, [wanted]))
        return str(created.task_id)

    async def leases(self) -> list[TaskLease]:
        """Return the attempts that the worker is handed, all that are ready."""
        if not self.worker_id:
            register = RegisterRequest(agent=self.agent, concurrency=100, any=True)
            self.worker_id = (await self.do(lambda engine, tx: engine.register(tx, register))).worker_id
        return (await self.controller.poll(PollRequest(worker_id=self.worker_id))).leases

    async def report(self, *reports: Report) -> None:
        """Report; everything must be applied."""
        answer = await self.controller.report(ReportsRequest(worker_id=self.worker_id, reports=list(reports)))
        assert [result.outcome for result in answer.results] == ["applied"] * len(reports)

    async def do(self, work: Callable[[Any, Any], Any]) -> Any:
        """Return what a work on the engine does."""
        return await self.controller.write(work)

    async def follow(self, recorder: Recorder) -> None:
        """Follow the store for a moment: until everything is told once, or that failed."""
        follower = Follower(self.controller.read, recorder)
        follower.start()
        await follower.stop()

    async def transitions(self, task_ids: list[str]) -> list[tuple[int, str, str]]:
        """Return (sequence, task, event) of all transitions of tasks."""
        rows = await self.controller.read(lambda tx: [row for task_id in task_ids for row in tx.transitions(task_id)])
        return sorted((row.sequence, row.task_id, row.event) for row in rows)
