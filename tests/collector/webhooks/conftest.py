"""Webhooks at work over real stores whose time the test moves, real traces, and a real receiver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from milepost.wire.tasks import TaskCreate
from milepost.wire.webhooks import WebhookCreate, WebhookSecret
from milepost_collector.controller.rows import DeliveryRow, DeliveryTryRow, WebhookRow
from milepost_collector.controller.service import Controller
from milepost_collector.controller.store import open_store
from milepost_collector.controller.store.interface import Find
from milepost_collector.outbound.policy import OutboundPolicy
from milepost_collector.secrets import Secrets
from milepost_collector.storage import Database
from milepost_collector.traces.queries import QueryPool
from milepost_collector.webhooks.service import Webhooks, WebhookSettings
from tests.collector.webhooks.sink import Sink, running_sink
from tests.controller.conftest import ManualClock, postgres_server, postgres_url, store_place
from tests.controller.service.conftest import new_engine

__all__ = ["postgres_server", "postgres_url", "store_place"]  # fixtures of the controller's tests that these use too


@pytest.fixture
def clock() -> ManualClock:
    """Return the store's clock, which the test moves."""
    return ManualClock()


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Return a receiver."""
    with running_sink() as running:
        yield running


@pytest.fixture
def other_sink() -> Iterator[Sink]:
    """Return another receiver."""
    with running_sink() as running:
        yield running


@dataclass
class House:
    """A controller with webhooks, without anything around them."""

    controller: Controller
    webhooks: Webhooks
    clock: ManualClock
    sink: Sink

    async def webhook(self, name: str = "ops", **given: Any) -> WebhookSecret:
        """Make a webhook that leads to the sink."""
        values = {"url": self.sink.url, "events": ["*"], **given}
        return await self.webhooks.create(WebhookCreate(name=name, **values))

    async def task(self, name: str = "Load", **given: Any) -> str:
        """Create a task and return its id."""
        task, _ = await self.controller.create(TaskCreate(name=name, **given))
        return task.id

    async def pass_time(self, milliseconds: int) -> None:
        """Let time pass, and everybody see it."""
        self.clock.advance(milliseconds)
        self.webhooks.wake()

    async def received(self, count: int) -> list[Any]:
        """Return what the sink has received once it is so many."""
        return await asyncio.to_thread(self.sink.wait, count)

    async def deliveries(self) -> list[DeliveryRow]:
        """Return every delivery, the oldest first."""
        return await self.controller.read(lambda tx: tx.find(DeliveryRow, Find(order=("created_at", "id"))))

    async def tries(self) -> list[DeliveryTryRow]:
        """Return every try."""
        return await self.controller.read(lambda tx: tx.find(DeliveryTryRow, Find(order=("delivery_id", "number"))))

    async def row(self, name: str = "ops") -> WebhookRow:
        """Return a webhook."""
        (row,) = await self.controller.read(lambda tx: tx.find(WebhookRow, Find(equal={"name": name})))
        return row

    async def until(self, condition: Callable[[list[DeliveryRow]], bool]) -> list[DeliveryRow]:
        """Return every delivery once they are as wanted."""
        async with asyncio.timeout(20):
            while not condition(rows := await self.deliveries()):  # noqa: ASYNC110 # the store tells nobody
                await asyncio.sleep(0.005)
        return rows

    async def settled(self, tries: int = 1) -> DeliveryRow:
        """Return the only delivery once it has been tried so many times."""
        rows = await self.until(lambda rows: len(rows) == 1 and rows[0].tries >= tries and rows[0].claimed_at is None)
        return rows[0]


MakeHouse = Callable[..., Any]


@pytest_asyncio.fixture
async def make_house(tmp_path: Path, clock: ManualClock, sink: Sink, other_sink: Sink) -> AsyncIterator[MakeHouse]:
    """Return a function that opens houses, each with a folder of its own; all are closed in the end."""
    opened: list[tuple[Webhooks, Controller, Database]] = []

    async def make(place: str | None = None, **settings: Any) -> House:
        folder = tmp_path / f"house{len(opened)}"
        folder.mkdir()
        controller = Controller(open_store(place or folder / "controller.sqlite", clock=clock), new_engine)
        controller.start()
        database = Database(folder / "milepost.duckdb", memory_limit_bytes=256 * 2**20)
        queries = QueryPool(database, threads=2, timeout_s=10)
        given = {
            "data_dir": folder,
            "policy": OutboundPolicy(allow_hosts=[sink.host, other_sink.host]),
            "base_url": "http://viewer.example",
            "jitter": lambda: 0.0,
        }
        webhooks = Webhooks(controller, queries, Secrets(tmp_path, None), WebhookSettings(**{**given, **settings}))
        await webhooks.start()
        opened.append((webhooks, controller, database))
        return House(controller, webhooks, clock, sink)

    yield make
    sink.released.set()
    for webhooks, controller, database in opened:
        await webhooks.stop()
        await controller.stop()
        database.close()


@pytest_asyncio.fixture
async def house(make_house: MakeHouse) -> House:
    """Return a house on SQLite."""
    opened: House = await make_house()
    return opened


@pytest_asyncio.fixture
async def any_house(make_house: MakeHouse, store_place: str) -> House:
    """Return a house on SQLite, and one on PostgreSQL."""
    opened: House = await make_house(store_place)
    return opened
