"""What is forgotten: payloads when their time is over, and old lines of the log."""

from __future__ import annotations

from typing import Any

from milepost_collector.controller.rows import TriggerEventRow, TriggerPayloadRow, TriggerRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.triggers.registry import every

EVERY_S = 60.0
DAY_MS = 86_400_000
KEPT_MS = 30 * DAY_MS  # lines of the log, and so for how long a delivery is known when it comes again
MAX_PAYLOADS = 5_000  # of one trigger; beyond it the oldest are forgotten
AT_ONCE = 1_000


def forget(tx: Tx) -> bool:
    """Remove what is over, a bounded amount of it; tell whether there is more to remove at once."""
    more = _remove(tx, TriggerPayloadRow, Find(before={"expires_at": tx.now}, limit=AT_ONCE))
    more |= _remove(tx, TriggerEventRow, Find(before={"at": tx.now - KEPT_MS}, limit=AT_ONCE))
    for row in every(tx):
        more |= _forget_payloads(tx, row)
    return more


def _forget_payloads(tx: Tx, row: TriggerRow) -> bool:
    of_trigger = Find(equal={"trigger_id": row.id}, order=("event_id",), limit=AT_ONCE)
    surplus = tx.count(TriggerPayloadRow, of_trigger) - MAX_PAYLOADS
    if surplus <= 0:
        return False
    tx.delete(tx.find(TriggerPayloadRow, of_trigger)[:surplus])
    return surplus > AT_ONCE


def _remove(tx: Tx, kind: type[Any], query: Find) -> bool:
    found = tx.find(kind, query)
    tx.delete(found)
    return len(found) == AT_ONCE
