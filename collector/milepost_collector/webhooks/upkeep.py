"""What has to be done now and then: old deliveries go, and who takes nothing is not kept for without end."""

from __future__ import annotations

import logging

from milepost_collector.controller.rows import DeliveryRow, StartedRunRow, WebhookRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.webhooks.outbox import FOLLOWED, NewId
from milepost_collector.webhooks.registry import forget
from milepost_collector.webhooks.settling import disable, tell_disabled

logger = logging.getLogger("milepost.webhooks")

MAX_WAITING = 100_000  # deliveries of one webhook; some 100 MB
AT_ONCE = 500
STARTS_KEPT_MS = 30 * 86_400_000  # a run that goes on for longer may be told to have started twice


def prune(tx: Tx, retention_ms: int) -> bool:
    """Remove deliveries that are older than the retention, delivered or not; return whether there may be more."""
    old = Find(before={"created_at": tx.now - retention_ms}, order=("created_at", "id"), limit=AT_ONCE)
    rows = tx.find(DeliveryRow, old)
    forget(tx, rows)
    starts = tx.find(StartedRunRow, Find(before={"told_at": tx.now - STARTS_KEPT_MS}, limit=AT_ONCE))
    if starts:
        tx.delete(starts)
    return AT_ONCE in (len(rows), len(starts))


def forget_deliveries_of(tx: Tx, webhook_id: str) -> bool:
    """Remove deliveries of a webhook that is gone; return whether there may be more."""
    rows = tx.find(DeliveryRow, Find(equal={"webhook_id": webhook_id}, order=("created_at", "id"), limit=AT_ONCE))
    forget(tx, rows)
    return len(rows) == AT_ONCE


def overfull(tx: Tx) -> list[str]:
    """Return the webhooks for which more waits than is kept."""
    rows = tx.find(WebhookRow, Find(one_of={"status": FOLLOWED}, order=("id",)))
    return [row.id for row in rows if _waiting(tx, row) > MAX_WAITING]


def disable_overfull(tx: Tx, webhook_id: str, new_id: NewId) -> None:
    """Disable a webhook for which more waits than is kept; what waits stays."""
    for row in tx.find(WebhookRow, Find(equal={"id": webhook_id}, one_of={"status": FOLLOWED}), lock=True):
        disable(row, f"{_waiting(tx, row):,} deliveries wait for it, {MAX_WAITING:,} are kept", tx.now)
        tx.update([row])
        tell_disabled(tx, row, new_id)
        logger.warning("webhook %s is disabled: %s", row.name, row.reason)


def _waiting(tx: Tx, row: WebhookRow) -> int:
    return tx.count(DeliveryRow, Find(equal={"webhook_id": row.id}, since={"next_at": 0}))
