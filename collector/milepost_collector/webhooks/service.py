"""The door: webhooks followed, delivered and asked about."""

from __future__ import annotations

import asyncio
import random
import secrets as system_secrets
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import anyio.to_thread

from milepost.wire.webhooks import (
    DeliveryDetail,
    ReplayAnswer,
    ReplayRequest,
    RotateRequest,
    Webhook,
    WebhookCreate,
    WebhookHold,
    WebhookSecret,
    WebhookUpdate,
)
from milepost_collector.controller.service import Controller
from milepost_collector.controller.service.ids import Ids
from milepost_collector.controller.store.interface import Tx
from milepost_collector.outbound.policy import OutboundPolicy
from milepost_collector.secrets import Secrets
from milepost_collector.traces.queries import QueryPool
from milepost_collector.webhooks import upkeep, views
from milepost_collector.webhooks.dispatcher import Dispatcher
from milepost_collector.webhooks.follower import Follower
from milepost_collector.webhooks.registry import Registry
from milepost_collector.webhooks.runs import source_of
from milepost_collector.webhooks.settling import release
from milepost_collector.webhooks.tellers import LogTeller, RunTeller

if TYPE_CHECKING:
    from milepost_collector.outbound.client import OutboundClient
    from milepost_collector.outbound.guard import Resolve

T = TypeVar("T")

LOOK_AGAIN_S = 1.0  # what other collectors commit to the same store, and runs, are told nobody
RUNS_BREAK_S = 0.25
BREAK_S = 0.02  # between stretches of the logs, so that what happens together is dealt with together
UPKEEP_S = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookSettings:
    """data_dir: the collector's. base_url: where people reach the viewer. tls, resolve: None: the system's."""

    data_dir: Path
    policy: OutboundPolicy
    base_url: str
    retention_days: int = 30
    tls: ssl.SSLContext | None = None
    resolve: Resolve | None = None
    jitter: Callable[[], float] = random.random


class SharedIds:
    """Makes ids that rise, for any thread."""

    def __init__(self) -> None:
        self._ids = Ids(random.Random())
        self._lock = threading.Lock()

    def __call__(self, now: int) -> str:
        """Return an id for an instant, milliseconds since the Unix epoch."""
        with self._lock:
            return self._ids(now)


class Webhooks:
    """Tells webhooks what happens, and does what is asked of them. Belongs to one event loop."""

    def __init__(self, controller: Controller, queries: QueryPool, secrets: Secrets, settings: WebhookSettings) -> None:
        self._controller = controller
        self._settings = settings
        self._ids = SharedIds()
        self._registry = Registry(secrets, settings.policy, self._ids, system_secrets.token_bytes)
        self._client: OutboundClient | None = None
        self._dispatcher = Dispatcher(
            controller, self._open_client, secrets, self._ids, base_url=settings.base_url, jitter=settings.jitter
        )
        self._log_teller = LogTeller(controller, self._ids, self._dispatcher.wake)
        self._run_teller = RunTeller(controller, queries, self._ids, self._dispatcher.wake)
        self._logs = Follower("what happens to tasks", self._log_teller.tell, pause_s=LOOK_AGAIN_S, break_s=BREAK_S)
        self._runs = Follower("what happens to runs", self._run_teller.tell, pause_s=LOOK_AGAIN_S, break_s=RUNS_BREAK_S)
        self._upkeep = Follower("upkeep", self._keep, pause_s=UPKEEP_S, break_s=UPKEEP_S)

    async def start(self) -> None:
        """Begin to follow and to deliver."""
        self._run_teller.source = await anyio.to_thread.run_sync(source_of, self._settings.data_dir)
        if self._controller.is_alone:  # whoever had taken deliveries is gone
            await self._write(release)
        for part in (self._logs, self._runs, self._upkeep):
            part.start()
        self._dispatcher.start()
        self._controller.on_change(self._logs.wake)

    async def stop(self) -> None:
        """Stop; what is not told or delivered is after the next start. Safe to call twice."""
        await asyncio.gather(self._logs.stop(), self._runs.stop(), self._upkeep.stop())
        await self._dispatcher.stop()
        if self._client is not None:
            await self._client.close()
            self._client = None

    def wake(self) -> None:
        """Look at once at everything: the clock may have jumped."""
        self._logs.wake()
        self._runs.wake()
        self._dispatcher.wake()

    @property
    def is_level(self) -> bool:
        """Whether everything that the controller logged had been told when that was last looked at."""
        return self._logs.is_level

    # --- what is asked

    async def create(self, wanted: WebhookCreate) -> WebhookSecret:
        """Make a webhook. Raises: see `Registry.create`."""
        runs = await self._run_teller.now()

        def work(tx: Tx) -> WebhookSecret:
            row, secret = self._registry.create(tx, wanted, runs)
            return WebhookSecret(webhook=views.webhook(tx, row), secret=secret)

        return await self._change(work)

    async def update(self, which: str, wanted: WebhookUpdate) -> Webhook:
        """Change a webhook. Raises: see `Registry.update`."""
        runs = await self._run_teller.now()
        return await self._change(lambda tx: views.webhook(tx, self._registry.update(tx, which, wanted, runs)))

    async def pause(self, which: str, wanted: WebhookHold) -> Webhook:
        """Hold a webhook. Raises: see `Registry.pause`."""
        return await self._change(lambda tx: views.webhook(tx, self._registry.pause(tx, which, wanted)))

    async def resume(self, which: str, wanted: WebhookHold) -> Webhook:
        """Let a webhook go on. Raises: see `Registry.resume`."""
        runs = await self._run_teller.now()
        return await self._change(lambda tx: views.webhook(tx, self._registry.resume(tx, which, wanted, runs)))

    async def rotate(self, which: str, wanted: RotateRequest) -> WebhookSecret:
        """Give a webhook another secret. Raises: see `Registry.rotate`."""

        def work(tx: Tx) -> WebhookSecret:
            row, secret = self._registry.rotate(tx, which, wanted)
            return WebhookSecret(webhook=views.webhook(tx, row), secret=secret)

        return await self._change(work)

    async def delete(self, which: str) -> None:
        """Remove a webhook with its deliveries. Raises: see `Registry.delete`."""
        row = await self._controller.read(lambda tx: views.find_webhook(tx, which))
        await self._change(lambda tx: self._registry.delete(tx, row.id))
        while await self._write(lambda tx: upkeep.forget_deliveries_of(tx, row.id)):
            pass

    async def test(self, which: str) -> DeliveryDetail:
        """Try a webhook out, paused or disabled too, and return what came of it. Raises: see `Registry.test`."""
        taken = await self._write(lambda tx: self._registry.test(tx, which))
        await self._dispatcher.send(taken)
        return await self._controller.read(lambda tx: views.delivery_detail(tx, taken.webhook.id, taken.delivery.id))

    async def replay(self, which: str, delivery_id: str) -> DeliveryDetail:
        """Deliver once more. Raises: see `Registry.replay`."""

        def work(tx: Tx) -> DeliveryDetail:
            self._registry.replay(tx, which, delivery_id)
            return views.delivery_detail(tx, which, delivery_id)

        return await self._change(work)

    async def replay_failed(self, which: str, wanted: ReplayRequest) -> ReplayAnswer:
        """Deliver once more what failed of events from an instant on. Raises: see `Registry.replay_failed`."""
        since, replayed, after = round(wanted.since.timestamp() * 1000), 0, (-1, "")
        while rows := await self._replay_some(which, since, after):
            replayed += len(rows)
            after = rows[-1]
        return ReplayAnswer(replayed=replayed)

    async def _replay_some(self, which: str, since: int, after: tuple[int, str]) -> list[tuple[int, str]]:
        rows = await self._change(lambda tx: self._registry.replay_failed(tx, which, since, after))
        return [(row.created_at, row.id) for row in rows]

    async def _keep(self) -> bool:
        for webhook_id in await self._controller.read(upkeep.overfull):
            await self._write(partial(upkeep.disable_overfull, webhook_id=webhook_id, new_id=self._ids))
        retention_ms = self._settings.retention_days * 86_400_000
        return await self._write(lambda tx: upkeep.prune(tx, retention_ms))

    # --- plumbing

    def _open_client(self) -> OutboundClient:
        if self._client is None:
            from milepost_collector.outbound.client import OutboundClient  # 40 ms, for those who have webhooks
            from milepost_collector.outbound.guard import resolve

            self._client = OutboundClient(
                self._settings.policy, resolve=self._settings.resolve or resolve, tls=self._settings.tls
            )
        return self._client

    async def _change(self, work: Callable[[Tx], T]) -> T:
        answer = await self._write(work)
        self._log_teller.look()
        self.wake()
        return answer

    async def _write(self, work: Callable[[Tx], T]) -> T:
        return await self._controller.write(lambda _, tx: work(tx))
