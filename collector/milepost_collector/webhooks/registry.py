"""What is asked of webhooks, as operations on an open transaction: made, changed, held, removed, replayed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET

from milepost.wire.webhooks import DELIVERY_STATUSES, RotateRequest, WebhookCreate, WebhookHold, WebhookUpdate
from milepost_collector.controller.rows import DeliveryRow, DeliveryTryRow, WebhookRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.errors import ConflictError, InvalidParameterError
from milepost_collector.outbound.policy import DestinationRefusedError, OutboundPolicy
from milepost_collector.secrets import Secrets
from milepost_collector.webhooks.events import of_webhook
from milepost_collector.webhooks.message import check_secret, make_secret
from milepost_collector.webhooks.outbox import NewId, begin
from milepost_collector.webhooks.runs import begin_runs
from milepost_collector.webhooks.settling import TEST, Taken, hold
from milepost_collector.webhooks.subscriptions import delivery
from milepost_collector.webhooks.views import MAX_WEBHOOKS, find_delivery, find_webhook

AT_ONCE = 1_000


class RunsNow(NamedTuple):
    """How far runs have been recorded: the newest commit, and the runs that are running."""

    source: str
    newest: int
    running: Sequence[str]


class Registry:
    """Operations on webhooks. May be used from any thread.

    random_bytes: as `secrets.token_bytes`.
    """

    def __init__(
        self, secrets: Secrets, policy: OutboundPolicy, new_id: NewId, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._secrets = secrets
        self._policy = policy
        self._new_id = new_id
        self._random_bytes = random_bytes

    def create(self, tx: Tx, wanted: WebhookCreate, runs: RunsNow) -> tuple[WebhookRow, str]:
        """Make a webhook and return it with its secret; it is told what happens from now on.

        Raises:
            ConflictError: there is one of that name, or there are too many.
            InvalidParameterError: its URL or secret is not one that can be used.
        """
        self._check_url(wanted.url)
        self._check_name(tx, wanted.name)
        if (count := tx.count(WebhookRow, Find())) >= MAX_WEBHOOKS:
            raise ConflictError(
                f"there are {count} webhooks, {MAX_WEBHOOKS} are allowed; delete one that is not needed"
            )
        secret = self._secret(wanted.secret)
        self._follow(tx, runs)
        row = WebhookRow(
            id=f"whk_{self._new_id(tx.now)}",
            name=wanted.name,
            format=wanted.format,
            url=shown_url(wanted.url, wanted.format),
            sealed_url=self._secrets.seal(wanted.url),
            sealed_secret=self._secrets.seal(secret),
            events=_list(wanted.events),
            status="paused" if wanted.paused else "active",
            created_at=tx.now,
            updated_at=tx.now,
            description=wanted.description,
            agents=_list(wanted.agents),
            names=_list(wanted.names),
            tags=_list(wanted.tags),
            changed_by=wanted.by,
        )
        tx.insert([row])
        return row, secret

    def update(self, tx: Tx, which: str, wanted: WebhookUpdate, runs: RunsNow) -> WebhookRow:
        """Change a webhook.

        Raises:
            ConflictError: there is another one of that name.
            InvalidParameterError: its URL is not one that can be used.
            NotFoundError: there is no such webhook.
        """
        row = find_webhook(tx, which, lock=True)
        if wanted.name is not UNSET and wanted.name != row.name:
            self._check_name(tx, wanted.name)
        url = self._secrets.open(row.sealed_url)
        if wanted.url is not UNSET:
            self._check_url(wanted.url)
            url = wanted.url
            row.sealed_url = self._secrets.seal(url)
        self._follow(tx, runs)
        for field in ("name", "description", "format"):
            if (value := getattr(wanted, field)) is not UNSET:
                setattr(row, field, value)
        for field in ("events", "agents", "names", "tags"):
            if (value := getattr(wanted, field)) is not UNSET:
                setattr(row, field, _list(value))
        row.url, row.updated_at = shown_url(url, row.format), tx.now
        tx.update([row])
        return row

    def pause(self, tx: Tx, which: str, wanted: WebhookHold) -> WebhookRow:
        """Keep what happens for later.

        Raises:
            ConflictError: it is disabled.
            NotFoundError: there is no such webhook.
        """
        row = find_webhook(tx, which, lock=True)
        if row.status == "disabled":
            raise ConflictError(f"webhook {row.name!r} is disabled ({row.reason}); resume it first", legal=["resume"])
        return _held(tx, row, "paused", wanted)

    def resume(self, tx: Tx, which: str, wanted: WebhookHold, runs: RunsNow) -> WebhookRow:
        """Deliver again, what waits included. After it was disabled: what happens from now on.

        Raises:
            NotFoundError: there is no such webhook.
        """
        row = find_webhook(tx, which, lock=True)
        if row.status == "disabled":
            self._follow(tx, runs)
            row.failing_since = row.throttled_until = None
        return _held(tx, row, "active", wanted)

    def delete(self, tx: Tx, which: str) -> None:
        """Remove a webhook; its deliveries go later, a few at a time.

        Raises:
            NotFoundError: there is no such webhook.
        """
        tx.delete([find_webhook(tx, which, lock=True)])

    def rotate(self, tx: Tx, which: str, wanted: RotateRequest) -> tuple[WebhookRow, str]:
        """Give a webhook another secret and return it; for a time deliveries are signed with both.

        Raises:
            InvalidParameterError: the secret is not one that can be used.
            NotFoundError: there is no such webhook.
        """
        row = find_webhook(tx, which, lock=True)
        secret = self._secret(wanted.secret)
        with_old = wanted.overlap_ms > 0
        row.sealed_old_secret = row.sealed_secret if with_old else None
        row.old_secret_until = tx.now + wanted.overlap_ms if with_old else None
        row.sealed_secret, row.updated_at = self._secrets.seal(secret), tx.now
        tx.update([row])
        return row, secret

    def test(self, tx: Tx, which: str) -> Taken:
        """Make a delivery that says nothing, taken to be sent by the caller, once.

        Raises:
            NotFoundError: there is no such webhook.
        """
        webhook = find_webhook(tx, which)
        happening = of_webhook("test", tx.now, webhook.id, webhook.name)
        row = delivery(self._new_id(tx.now), f"evt_{self._new_id(tx.now)}", webhook.id, happening, tx.now)
        hold(row, tx.now)
        tx.insert([row])
        return Taken(row, webhook)

    def replay(self, tx: Tx, which: str, delivery_id: str) -> DeliveryRow:
        """Deliver once more, with the same `webhook-id`, with all tries ahead of it.

        Raises:
            ConflictError: it is on its way.
            NotFoundError: there is no such webhook or delivery.
        """
        row = find_delivery(tx, which, delivery_id, lock=True)
        if row.status == DELIVERY_STATUSES[0] and row.claimed_at is not None:
            raise ConflictError(f"delivery {row.id} is being made; wait for its outcome")
        _again(row, tx.now)
        tx.update([row])
        return row

    def replay_failed(self, tx: Tx, which: str, since: int, after: tuple[int, str]) -> list[DeliveryRow]:
        """Deliver once more what failed of events from an instant on; a part of it: go on after the last one's
        (created_at, id) until there is none."""
        webhook = find_webhook(tx, which)
        rows = tx.find(
            DeliveryRow,
            Find(
                equal={"webhook_id": webhook.id, "status": "failed"},
                since={"time": since},
                order=("created_at", "id"),
                after=after,
                limit=AT_ONCE,
            ),
            lock=True,
        )
        for row in rows:
            _again(row, tx.now)
        tx.update(rows)
        return rows

    def _follow(self, tx: Tx, runs: RunsNow) -> None:
        begin(tx)
        begin_runs(tx, runs.source, runs.newest, runs.running)

    def _secret(self, given: str | None) -> str:
        if given is None:
            return make_secret(self._random_bytes(32))
        check_secret(given)
        return given

    def _check_url(self, url: str) -> None:
        try:
            self._policy.target(url)
        except DestinationRefusedError as error:
            raise InvalidParameterError("url", "…", str(error)) from error

    def _check_name(self, tx: Tx, name: str) -> None:
        if tx.find(WebhookRow, Find(equal={"name": name})):
            raise ConflictError(f"there is a webhook {name!r} already; change it, or choose another name")


def shown_url(url: str, kind: str) -> str:
    """Return a URL as it may be shown: of Slack's the path is the secret, of others what a query says may be."""
    parts = urlsplit(url)
    if kind == "slack":
        head = "/".join(parts.path.split("/")[:3]) if parts.path.startswith("/services/") else ""
        return f"{parts.scheme}://{parts.netloc}{head}/…"
    query = "?…" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}{query}"


def forget(tx: Tx, deliveries: Sequence[DeliveryRow]) -> None:
    """Remove deliveries with their tries."""
    ids = [row.id for row in deliveries]
    if ids:
        tx.delete(tx.find(DeliveryTryRow, Find(one_of={"delivery_id": ids}, limit=100 * len(ids))))
        tx.delete(deliveries)


def _held(tx: Tx, row: WebhookRow, status: str, wanted: WebhookHold) -> WebhookRow:
    row.status, row.reason, row.changed_by, row.updated_at = status, wanted.reason, wanted.by, tx.now
    tx.update([row])
    return row


def _again(row: DeliveryRow, now: int) -> None:
    row.status, row.next_at, row.claimed_at, row.finished_at = DELIVERY_STATUSES[0], now, None, None
    row.claim, row.tries_before = row.claim + 1, row.tries


def _list(texts: Sequence[str]) -> str:
    return msgspec.json.encode(list(dict.fromkeys(texts))).decode()


__all__ = ["AT_ONCE", "TEST", "Registry", "RunsNow", "forget", "shown_url"]
