"""Facts made by hand, and a database with a writer that they are recorded in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from milepost_collector.config import CollectorConfig
from milepost_collector.protocol.managed import (
    AskFact,
    At,
    AttemptFact,
    InstantFact,
    Recorded,
    TaskFact,
    TransitionFact,
)
from milepost_collector.storage import Database
from milepost_collector.traces.ingest import Ingest

MIB = 1024 * 1024
NOON = 1_790_000_000_000


@dataclass(slots=True)
class House:
    """What keeps the record: a database and its ingest."""

    database: Database
    ingest: Ingest
    position: str | None = None
    records: int = field(default=0)

    @classmethod
    def open(cls, folder: Path) -> House:
        """Open the database of a folder. To be called on the event loop."""
        config = CollectorConfig(data_dir=folder)
        database = Database(config.database_path, memory_limit_bytes=512 * MIB)
        ingest = Ingest(database, config)
        ingest.start()
        return cls(database, ingest)

    async def close(self) -> None:
        """Stop the writer and close the file."""
        await self.ingest.stop()
        await asyncio.to_thread(self.database.close)

    async def record(self, **facts: Any) -> None:
        """Record facts after those before; it must succeed."""
        self.records += 1
        position = f"place {self.records}"
        changes = Recorded(after=self.position, position=position, **facts)
        assert await self.ingest.recorder.record(changes) == position
        self.position = position

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self.database.reader() as connection:
            return connection.execute(sql).fetchall()

    def row(self, sql: str) -> dict[str, Any]:
        """Return the one row of a query by its columns."""
        with self.database.reader() as connection:
            result = connection.execute(sql)
            names = [column[0] for column in result.description]
            (values,) = result.fetchall()
        return dict(zip(names, values, strict=True))


def transition(sequence: int, task_id: str = "t1", **fields: Any) -> TransitionFact:
    """Return a transition; by default the creation of a task."""
    values = dict.fromkeys(TransitionFact._fields) | {"event": "created", "to_status": "pending", "time": NOON}
    return TransitionFact(**{**values, "sequence": sequence, "task_id": task_id, **fields})


def task(task_id: str = "t1", **fields: Any) -> TaskFact:
    """Return a task; by default one that has just been created."""
    values = dict.fromkeys(TaskFact._fields) | {
        "name": "Extract", "type": "manual", "status": "pending", "priority": "medium", "tags": [], "attempt": 0,
        "failures": 0, "losses": 0, "created_at": At(NOON),
    }  # fmt: skip
    return TaskFact(**{**values, "task_id": task_id, **fields})


def attempt(task_id: str = "t1", number: int = 1, **fields: Any) -> AttemptFact:
    """Return an attempt; by default one that has just been leased."""
    values = dict.fromkeys(AttemptFact._fields) | {
        "run_id": "ab" * 16, "worker_id": "w1", "status": "running", "leased_at": At(NOON), "steps_reused": 0,
        "checkpoint_count": 0,
    }  # fmt: skip
    return AttemptFact(**{**values, "task_id": task_id, "attempt": number, **fields})


def ask_event(number: int) -> AskFact:
    """Return the opening of the ask of a number."""
    return AskFact(f"a{number}", "opened", At(NOON + number), None, "ab" * 16, None, "")


def instant(nominal: int = NOON, status: str = "fired", **fields: Any) -> InstantFact:
    """Return an instant of the schedule `nightly`."""
    values = {"schedule_id": "s1", "schedule_name": "nightly", "task_id": None, "reason": None, **fields}
    return InstantFact(nominal=At(nominal), status=status, recorded_at=At(NOON + 5), **values)
