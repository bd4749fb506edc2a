"""Deliveries taken to be sent, and what each try leads to, as operations on an open transaction.

A delivery is taken for a while (a lease): who dies with it leaves it to others after that. `claim` is the fencing
token: whoever comes back late with an older one changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

import msgspec

from milepost_collector.controller.rows import DeliveryRow, DeliveryTryRow, WebhookRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.webhooks.events import of_webhook
from milepost_collector.webhooks.outbox import NewId, deliveries, subscriptions
from milepost_collector.webhooks.retry import DISABLE_AFTER_MS, MAX_TRIES, Verdict, decide, parse_retry_after

LEASE_MS = 60_000  # three times as long as a try may take
TEST = "webhook.test"
GONE = "it answered 410 Gone"


class Taken(NamedTuple):
    """A delivery to send now, and to whom."""

    delivery: DeliveryRow
    webhook: WebhookRow


class Due(NamedTuple):
    """What is due. next_ms: until something else is, None: nothing is known to be."""

    ids: list[str]
    next_ms: int | None


class Try(NamedTuple):
    """A try that is over. status: of the answer. error: why there was none, or what was wrong with it."""

    began_at: int
    duration_ms: int
    status: int | None
    error: str
    retry_after: str | None


def find_due(tx: Tx, free: Callable[[str], int], total: int) -> Due:
    """Return deliveries that may be sent now: of a webhook as many as it has places free, of all at most `total`."""
    ids: list[list[str]] = []
    next_at: list[int] = []
    for webhook in tx.find(WebhookRow, Find(equal={"status": "active"}, order=("id",))):
        if (webhook.throttled_until or 0) > tx.now:
            next_at.append(webhook.throttled_until or 0)
            continue
        places = free(webhook.id)
        coming = Find(
            equal={"webhook_id": webhook.id}, since={"next_at": 0}, order=("next_at", "id"), limit=max(places, 1)
        )
        rows = tx.find(DeliveryRow, coming)
        ids.append([row.id for row in rows if row.next_at is not None and row.next_at <= tx.now][:places])
        next_at += [row.next_at for row in rows if row.next_at is not None and row.next_at > tx.now]
    fair = [one for turn in range(max(map(len, ids), default=0)) for each in ids for one in each[turn : turn + 1]]
    return Due(fair[:total], min(next_at) - tx.now if next_at else None)


def take(tx: Tx, ids: Collection[str]) -> list[Taken]:
    """Take deliveries that are still due, if their webhook is still active."""
    rows = tx.find(DeliveryRow, Find(one_of={"id": ids}, order=("id",)), lock=True)
    webhooks = {row.id: row for row in tx.find(WebhookRow, Find(one_of={"id": {row.webhook_id for row in rows}}))}
    taken = []
    for row in rows:
        webhook = webhooks.get(row.webhook_id)
        if webhook is None or webhook.status != "active" or row.next_at is None or row.next_at > tx.now:
            continue
        hold(row, tx.now)
        taken.append(Taken(row, webhook))
    tx.update([one.delivery for one in taken])
    return taken


def hold(row: DeliveryRow, now: int) -> None:
    """Take a delivery for a while."""
    row.claim += 1
    row.claimed_at, row.next_at = now, now + LEASE_MS


def release(tx: Tx) -> int:
    """Make everything due that was taken by a process that is gone; only for who knows that no other is left."""
    rows = tx.find(DeliveryRow, Find(since={"claimed_at": 0}, order=("claimed_at",), limit=10_000))
    for row in rows:
        row.claimed_at, row.next_at = None, tx.now
    tx.update(rows)
    return len(rows)


def settle(tx: Tx, taken: Taken, made: Try, new_id: NewId, jitter: float) -> DeliveryRow | None:
    """Write down a try and what follows from it; return the delivery, None if somebody else has it by now."""
    webhooks = tx.find(WebhookRow, Find(equal={"id": taken.webhook.id}), lock=True)
    found = tx.find(DeliveryRow, Find(equal={"id": taken.delivery.id}), lock=True)
    if not webhooks or not found or found[0].claim != taken.delivery.claim or found[0].claimed_at is None:
        return None
    webhook, row = webhooks[0], found[0]
    was = webhook.status
    row.tries += 1
    row.claimed_at, row.last_status, row.last_error = None, made.status, made.error or None
    retry_after_s = parse_retry_after(made.retry_after, tx.now)
    most = 1 if row.type == TEST else MAX_TRIES
    verdict = decide(made.status, retry_after_s, tries=row.tries - row.tries_before, jitter=jitter, max_tries=most)
    _settle_delivery(row, verdict, tx.now)
    if row.type != TEST or verdict.kind == "delivered":
        _note(webhook, row, verdict, tx.now)
    number = DeliveryTryRow(
        delivery_id=row.id, number=row.tries, at=made.began_at, duration_ms=made.duration_ms, status=made.status,
        error=made.error or None,
    )  # fmt: skip
    with tx.together():
        tx.update([row, webhook])
        tx.insert([number])
    if webhook.status == "disabled" != was:
        tell_disabled(tx, webhook, new_id)
    return row


def tell_disabled(tx: Tx, webhook: WebhookRow, new_id: NewId) -> None:
    """Tell the others that want to know that a webhook was disabled."""
    happening = of_webhook("disabled", tx.now, webhook.id, webhook.name, reason=webhook.reason)
    others = [one for one in subscriptions(tx) if one.webhook_id != webhook.id]
    tx.insert(list(deliveries([happening], others, tx.now, new_id)))


def disable(webhook: WebhookRow, reason: str, now: int) -> None:
    """Deliver to a webhook no more, until somebody resumes it."""
    webhook.status, webhook.reason, webhook.changed_by, webhook.updated_at = "disabled", reason, None, now


def event_of(row: DeliveryRow) -> dict[str, object]:
    """Return what a delivery says."""
    event: dict[str, object] = msgspec.json.decode(row.payload)
    return event


def _settle_delivery(row: DeliveryRow, verdict: Verdict, now: int) -> None:
    if verdict.kind == "again":
        row.next_at = now + verdict.delay_ms
        return
    row.next_at, row.finished_at = None, now
    row.status = "delivered" if verdict.kind == "delivered" else "failed"


def _note(webhook: WebhookRow, row: DeliveryRow, verdict: Verdict, now: int) -> None:
    """Note how a webhook does, and disable it when it is gone or has failed for too long."""
    if verdict.throttle_ms:
        webhook.throttled_until = max(now + verdict.throttle_ms, webhook.throttled_until or 0)
    if verdict.kind == "delivered":
        webhook.delivered_count += 1
        webhook.last_success_at, webhook.failing_since, webhook.last_error = now, None, None
        return
    webhook.last_failure_at = now
    webhook.failing_since = webhook.failing_since or now
    webhook.last_error = row.last_error
    if verdict.kind == "again":
        return
    webhook.failed_count += 1
    if verdict.kind == "gone":
        disable(webhook, GONE, now)
    elif now - webhook.failing_since >= DISABLE_AFTER_MS:
        days = (now - webhook.failing_since) / 86_400_000
        disable(webhook, f"nothing has arrived for {days:.1f} days: {webhook.last_error}", now)
