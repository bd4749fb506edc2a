"""Webhooks and their deliveries as clients see them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from milepost.wire.webhooks import (
    EVENT_TYPES,
    Delivery,
    DeliveryDetail,
    DeliveryList,
    DeliveryTry,
    EventType,
    EventTypeList,
    Webhook,
    WebhookEvent,
    WebhookList,
)
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.rows import DeliveryRow, DeliveryTryRow, WebhookRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.errors import InvalidParameterError, NotFoundError
from milepost_collector.protocol.cursor import Cursor, decode_cursor, encode_cursor, scope_of

MAX_WEBHOOKS = 100
MAX_TRIES_SHOWN = 100

_decode_texts = msgspec.json.Decoder(list[str]).decode


def webhooks(tx: Tx) -> WebhookList:
    """Return every webhook, by name."""
    return WebhookList(webhooks=[webhook(tx, row) for row in tx.find(WebhookRow, Find(order=("name",)))])


def find_webhook(tx: Tx, which: str, *, lock: bool = False) -> WebhookRow:
    """Return a webhook by its id or name.

    Raises:
        NotFoundError: there is none.
    """
    for column in ("id", "name"):
        found = tx.find(WebhookRow, Find(equal={column: which}), lock=lock)
        if found:
            return found[0]
    raise NotFoundError("webhook", which)


def webhook(tx: Tx, row: WebhookRow) -> Webhook:
    """Return a webhook as it stands."""
    rotating = row.old_secret_until is not None and row.old_secret_until > tx.now
    throttled = row.throttled_until is not None and row.throttled_until > tx.now
    return Webhook(
        id=row.id,
        name=row.name,
        url=row.url,
        format=row.format,  # type: ignore[arg-type]  # what was written was checked
        events=_decode_texts(row.events),
        description=row.description,
        agents=_decode_texts(row.agents),
        names=_decode_texts(row.names),
        tags=_decode_texts(row.tags),
        status=row.status,  # type: ignore[arg-type]
        reason=row.reason,
        created_at=to_datetime(row.created_at),
        updated_at=to_datetime(row.updated_at),
        waiting_count=tx.count(DeliveryRow, Find(equal={"webhook_id": row.id}, since={"next_at": 0})),
        delivered_count=row.delivered_count,
        failed_count=row.failed_count,
        changed_by=row.changed_by,
        old_secret_until=to_datetime(row.old_secret_until if rotating else None),
        failing_since=to_datetime(row.failing_since),
        throttled_until=to_datetime(row.throttled_until if throttled else None),
        last_success_at=to_datetime(row.last_success_at),
        last_failure_at=to_datetime(row.last_failure_at),
        last_error=row.last_error,
    )


def deliveries(
    tx: Tx, which: str, *, statuses: Sequence[str], kind: str | None, cursor: str | None, limit: int
) -> DeliveryList:
    """Return a page of a webhook's deliveries, the newest first. kind: of one type of event only.

    Raises:
        InvalidParameterError: the cursor is not one of this list.
        NotFoundError: there is no such webhook.
    """
    row = find_webhook(tx, which)
    scope = scope_of(row.id, tuple(statuses), kind)
    found = tx.find(
        DeliveryRow,
        Find(
            equal={"webhook_id": row.id, **({"type": kind} if kind else {})},
            one_of={"status": statuses} if statuses else {},
            order=("created_at", "id"),
            descending=True,
            after=_after(cursor, scope),
            limit=limit + 1,
        ),
    )
    page = found[:limit]
    last = page[-1] if len(found) > limit else None
    next_cursor = encode_cursor(Cursor(scope, last.created_at, last.id)) if last else None
    return DeliveryList(deliveries=[delivery(one) for one in page], next_cursor=next_cursor)


def find_delivery(tx: Tx, which: str, delivery_id: str, *, lock: bool = False) -> DeliveryRow:
    """Return a webhook's delivery.

    Raises:
        NotFoundError: there is no such webhook or delivery.
    """
    row = find_webhook(tx, which)
    found = tx.find(DeliveryRow, Find(equal={"id": delivery_id, "webhook_id": row.id}), lock=lock)
    if not found:
        raise NotFoundError("delivery", delivery_id)
    return found[0]


def delivery_detail(tx: Tx, which: str, delivery_id: str) -> DeliveryDetail:
    """Return a delivery with what is sent and every try.

    Raises:
        NotFoundError: there is no such webhook or delivery.
    """
    row = find_delivery(tx, which, delivery_id)
    tries = Find(equal={"delivery_id": row.id}, order=("number",), descending=True, limit=MAX_TRIES_SHOWN)
    return DeliveryDetail(
        delivery=delivery(row),
        event=msgspec.json.decode(row.payload, type=WebhookEvent),
        tries=[_try(one) for one in reversed(tx.find(DeliveryTryRow, tries))],
    )


def delivery(row: DeliveryRow) -> Delivery:
    """Return a delivery without what is sent."""
    return Delivery(
        id=row.id,
        webhook_id=row.webhook_id,
        event_id=row.event_id,
        type=row.type,
        status=row.status,  # type: ignore[arg-type]  # what was written was checked
        subject=row.subject,
        time=to_datetime(row.time),
        created_at=to_datetime(row.created_at),
        tries=row.tries,
        next_at=to_datetime(row.next_at),
        finished_at=to_datetime(row.finished_at),
        last_status=row.last_status,
        last_error=row.last_error,
    )


def event_types() -> EventTypeList:
    """Return every type of event there is."""
    return EventTypeList(types=[EventType(type=kind, text=text) for kind, text in EVENT_TYPES.items()])


def _try(row: DeliveryTryRow) -> DeliveryTry:
    return DeliveryTry(
        number=row.number, at=to_datetime(row.at), duration_ms=row.duration_ms, status=row.status, error=row.error
    )


def _after(cursor: str | None, scope: str) -> tuple[object, ...] | None:
    if cursor is None:
        return None
    try:
        found = decode_cursor(cursor, scope)
    except ValueError as error:
        raise InvalidParameterError("cursor", cursor, "use the next_cursor of the page before") from error
    return found.key, found.tie
