"""Sending what is due: many at once, to one webhook a few, so that a slow one holds nobody else. One event loop."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from milepost.errors import MilepostError
from milepost.wire.asks import ReceivedRequest
from milepost_collector.controller.engine import Engine
from milepost_collector.controller.rows import AskRow, DeliveryRow, WebhookRow
from milepost_collector.controller.service import Controller
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.outbound.outcome import Outcome
from milepost_collector.secrets import Secrets
from milepost_collector.webhooks import message, slack
from milepost_collector.webhooks.outbox import NewId
from milepost_collector.webhooks.settling import Taken, Try, find_due, settle, take

if TYPE_CHECKING:
    from milepost_collector.outbound.client import OutboundClient

logger = logging.getLogger("milepost.webhooks")

T = TypeVar("T")

ASKED = "ask.opened"
MAX_NAME = 200
AT_ONCE = 32
AT_ONCE_TO_ONE = 4
TIMEOUT_S = 20.0
PAUSE_S = 2.0  # without being woken: what other collectors leave behind, and a clock that jumps
SOONEST_S = 0.005
FAILED_S = 2.0
STOP_S = 2.0  # for what is under way; what is not answered then is delivered again


class Dispatcher:
    """Takes due deliveries and sends them.

    client: opened when something is first sent. base_url: where people reach the viewer. jitter: in [0, 1).
    """

    def __init__(
        self,
        controller: Controller,
        client: Callable[[], OutboundClient],
        secrets: Secrets,
        new_id: NewId,
        *,
        base_url: str,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._controller = controller
        self._client = client
        self._secrets = secrets
        self._new_id = new_id
        self._base_url = base_url
        self._jitter = jitter
        self._woken = asyncio.Event()
        self._sending: dict[asyncio.Task[None], str] = {}
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._woken.set()
        self._loop = asyncio.get_running_loop().create_task(self._run(), name="milepost-webhooks-dispatcher")

    def wake(self) -> None:
        """Look at once: something may be due."""
        self._woken.set()

    async def stop(self) -> None:
        """Take nothing more, and wait a little for what is under way. Safe to call twice."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            self._loop = None
        if self._sending:
            _, late = await asyncio.wait(self._sending, timeout=STOP_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def send(self, taken: Taken) -> DeliveryRow | None:
        """Send a delivery that was taken and settle it; None if somebody else has it by now.

        Raises:
            MilepostError: what came of it cannot be written; it is sent again when its lease is over.
        """
        began_at, began_s = taken.delivery.claimed_at or 0, asyncio.get_running_loop().time()
        outcome = await self._send(taken)
        duration_ms = round((asyncio.get_running_loop().time() - began_s) * 1000)
        made = Try(began_at, duration_ms, outcome.status, _words(outcome), outcome.retry_after)
        jitter = self._jitter()

        def work(engine: Engine, tx: Tx) -> DeliveryRow | None:
            row = settle(tx, taken, made, self._new_id, jitter)
            if row is not None and row.type == ASKED and row.status == "delivered":
                _receive(engine, tx, row.subject, taken.webhook.name)
            return row

        return await self._controller.write(work)

    async def _run(self) -> None:
        pause_s = 0.0
        while True:
            with suppress(TimeoutError):  # see Follower
                async with asyncio.timeout(max(pause_s, SOONEST_S)):
                    await self._woken.wait()
            self._woken.clear()
            try:
                pause_s = await self._look()
            except MilepostError as error:
                logger.info("webhooks: deliveries wait: %s", error)
                pause_s = FAILED_S
            except Exception:  # sending must outlive a defect
                logger.exception("webhooks: deliveries wait")
                pause_s = FAILED_S

    async def _look(self) -> float:
        """Begin to send what is due; return how long there is nothing else to do."""
        busy = Counter(self._sending.values())
        total = AT_ONCE - len(self._sending)
        due = await self._controller.read(lambda tx: find_due(tx, lambda one: AT_ONCE_TO_ONE - busy[one], total))
        if due.ids and total > 0:
            for taken in await self._write(lambda tx: take(tx, due.ids)):
                task = asyncio.create_task(self._deliver(taken))
                self._sending[task] = taken.webhook.id
                task.add_done_callback(self._done)
        return PAUSE_S if due.next_ms is None else min(due.next_ms / 1000, PAUSE_S)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._sending[task]
        self._woken.set()  # its place is free

    async def _deliver(self, taken: Taken) -> None:
        try:
            await self.send(taken)
        except MilepostError as error:
            logger.warning("delivery %s is made again, what came of it cannot be kept: %s", taken.delivery.id, error)
        except Exception:  # one delivery must not stop the others; its lease ends
            logger.exception("delivery %s is made again", taken.delivery.id)

    async def _send(self, taken: Taken) -> Outcome:
        webhook, row = taken.webhook, taken.delivery
        try:
            url = self._secrets.open(webhook.sealed_url)
            secrets = [self._secrets.open(sealed) for sealed in _sealed_secrets(webhook, row.claimed_at or 0)]
        except MilepostError as error:
            return Outcome(error=str(error))
        body = slack.message(row.payload, self._base_url) if webhook.format == "slack" else row.payload.encode()
        headers = message.headers(row.event_id, row.claimed_at or 0, body, secrets)
        return await self._client().post(url, headers, body, timeout_s=TIMEOUT_S)

    async def _write(self, work: Callable[[Tx], T]) -> T:
        return await self._controller.write(lambda _, tx: work(tx))


def _receive(engine: Engine, tx: Tx, ask_id: str, webhook: str) -> None:
    """Note that an ask has reached somebody, if it is still there."""
    if tx.count(AskRow, Find(equal={"id": ask_id, "received_at": None})):
        engine.receive_ask(tx, ask_id, ReceivedRequest(by=f"webhook {webhook}"[:MAX_NAME]))


def _sealed_secrets(webhook: WebhookRow, now: int) -> list[str]:
    old = webhook.sealed_old_secret
    with_old = old is not None and webhook.old_secret_until is not None and now < webhook.old_secret_until
    return [webhook.sealed_secret, old] if with_old and old is not None else [webhook.sealed_secret]


def _words(outcome: Outcome) -> str:
    """Return what went wrong; nothing if nothing did."""
    status = outcome.status
    if status is None or 200 <= status < 300:
        return outcome.error
    if 300 <= status < 400:
        return f"answered {status}; redirects are not followed"
    return f"answered {status}"
