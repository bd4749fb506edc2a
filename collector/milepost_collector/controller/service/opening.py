"""A controller made from the collector's settings."""

from __future__ import annotations

import random
from pathlib import Path

import anyio.to_thread

from milepost_collector.controller.engine import Engine
from milepost_collector.controller.engine.choosing import Costs
from milepost_collector.controller.service.controller import Controller
from milepost_collector.controller.service.ids import Ids
from milepost_collector.controller.store.interface import Store

FILE_NAME = "controller.sqlite"
DAY_MS = 86_400_000


async def open_controller(
    data_dir: Path,
    *,
    url: str | None = None,
    retention_days: int = 30,
    max_value_bytes: int = 1024 * 1024,
    ask_alarm_ms: int = 300_000,
    costs: Costs | None = None,
) -> Controller:
    """Return a controller that has been opened but not started.

    url: of a PostgreSQL database; None: a SQLite file in data_dir. retention_days: how long finished tasks are kept.
    max_value_bytes: of an input, a result, a checkpoint. ask_alarm_ms: how long nobody may have received an ask. costs:
    of attempts, by which agents are chosen.

    Raises:
        StorageError: the database cannot be opened.
    """

    def new_engine() -> Engine:
        chance = random.Random()
        return Engine(
            new_id=Ids(chance),
            chance=chance,
            max_value_bytes=max_value_bytes,
            retention_ms=retention_days * DAY_MS,
            ask_alarm_ms=ask_alarm_ms,
            costs=costs,
        )

    return Controller(await anyio.to_thread.run_sync(_open, url or data_dir / FILE_NAME), new_engine)


def _open(where: str | Path) -> Store:
    # Imported here: with SQLAlchemy it takes most of what the controller adds to the start of a process.
    from milepost_collector.controller.store import open_store

    if isinstance(where, Path):
        where.parent.mkdir(parents=True, exist_ok=True)
    return open_store(where)
