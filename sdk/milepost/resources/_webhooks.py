"""Operations on webhooks: functions that say what is asked, and ask nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from types import NoneType

from msgspec import UNSET, UnsetType

from milepost.resources._operation import Operation, path_of, query_of
from milepost.resources._pages import Listing
from milepost.resources._values import build, given_only, text_list, to_id
from milepost.wire.webhooks import (
    Delivery,
    DeliveryDetail,
    DeliveryList,
    DeliveryStatus,
    EventTypeList,
    ReplayAnswer,
    ReplayRequest,
    RotateRequest,
    Webhook,
    WebhookCreate,
    WebhookFormat,
    WebhookHold,
    WebhookList,
    WebhookSecret,
    WebhookUpdate,
)

__all__ = [
    "create",
    "delete",
    "deliveries",
    "delivery",
    "event_types",
    "get",
    "listing",
    "pause",
    "replay",
    "replay_delivery",
    "resume",
    "rotate",
    "test",
    "update",
]


def create(
    name: str,
    *,
    url: str,
    events: str | Sequence[str],
    format: WebhookFormat = "standard",
    description: str = "",
    agents: str | Sequence[str] = (),
    names: str | Sequence[str] = (),
    tags: str | Sequence[str] = (),
    secret: str | None = None,
    paused: bool = False,
    by: str | None = None,
) -> Operation[WebhookSecret]:
    """Make a webhook and return it with its secret, which is not shown again.

    name: unique. events: types or patterns: `task.failed`, `task.*`, `*`. format: `standard`, or `slack` for an
    incoming webhook of Slack. agents, names, tags: only of these; none: all. secret: `whsec_…`; None: one is made.

    Raises:
        InvalidRequestError: the URL leads where none may, or a field is malformed.
        ConflictError: there is a webhook of that name.
    """
    fields = {
        "name": name,
        "url": url,
        "events": text_list(events),
        "format": format,
        "description": description,
        "agents": text_list(agents),
        "names": text_list(names),
        "tags": text_list(tags),
        "secret": secret,
        "paused": paused,
        "by": by,
    }
    body = build(WebhookCreate, given_only(fields))
    return Operation(method="POST", path=path_of("webhooks"), answer=WebhookSecret, body=body)


def get(webhook: Webhook | str) -> Operation[Webhook]:
    """Return a webhook by its id or name, and how it does.

    Raises:
        NotFoundError: there is no such webhook.
    """
    return Operation(method="GET", path=_path(webhook), answer=Webhook, repeatable=True)


def listing() -> Operation[WebhookList]:
    """Return every webhook, by name."""
    return Operation(method="GET", path=path_of("webhooks"), answer=WebhookList, repeatable=True)


def event_types() -> Operation[EventTypeList]:
    """Return every type of event there is."""
    return Operation(method="GET", path=path_of("webhooks", "events"), answer=EventTypeList, repeatable=True)


def update(
    webhook: Webhook | str,
    *,
    name: str | UnsetType = UNSET,
    url: str | UnsetType = UNSET,
    events: str | Sequence[str] | UnsetType = UNSET,
    format: WebhookFormat | UnsetType = UNSET,
    description: str | UnsetType = UNSET,
    agents: str | Sequence[str] | UnsetType = UNSET,
    names: str | Sequence[str] | UnsetType = UNSET,
    tags: str | Sequence[str] | UnsetType = UNSET,
) -> Operation[Webhook]:
    """Change what is given and return the webhook; lists replace the whole of what was there.

    Raises:
        InvalidRequestError: the URL leads where none may, or a field is malformed.
        ConflictError: there is another webhook of that name.
        NotFoundError: there is no such webhook.
    """
    fields = {
        "name": name,
        "url": url,
        "events": text_list(events),
        "format": format,
        "description": description,
        "agents": text_list(agents),
        "names": text_list(names),
        "tags": text_list(tags),
    }
    body = build(WebhookUpdate, {field: value for field, value in fields.items() if value is not UNSET})
    return Operation(method="PATCH", path=_path(webhook), answer=Webhook, body=body, repeatable=True)


def delete(webhook: Webhook | str) -> Operation[None]:
    """Delete a webhook with its deliveries.

    Raises:
        NotFoundError: there is no such webhook.
    """
    return Operation(method="DELETE", path=_path(webhook), answer=NoneType, repeatable=True)


def pause(webhook: Webhook | str, *, reason: str = "", by: str | None = None) -> Operation[Webhook]:
    """Keep what happens for later.

    Raises:
        ConflictError: it is disabled.
        NotFoundError: there is no such webhook.
    """
    return _hold(webhook, "pause", reason, by)


def resume(webhook: Webhook | str, *, reason: str = "", by: str | None = None) -> Operation[Webhook]:
    """Deliver again, what waits included; after it was disabled, what happens from now on.

    Raises:
        NotFoundError: there is no such webhook.
    """
    return _hold(webhook, "resume", reason, by)


def rotate(
    webhook: Webhook | str, *, overlap_ms: int = 86_400_000, secret: str | None = None
) -> Operation[WebhookSecret]:
    """Give a webhook another secret and return it; it is not shown again.

    overlap_ms: how long deliveries are signed with the one before, too. secret: None: one is made.

    Raises:
        InvalidRequestError: the secret is malformed.
        NotFoundError: there is no such webhook.
    """
    body = build(RotateRequest, given_only({"overlap_ms": overlap_ms, "secret": secret}))
    return Operation(method="POST", path=_path(webhook, "rotate"), answer=WebhookSecret, body=body)


def test(webhook: Webhook | str) -> Operation[DeliveryDetail]:
    """Send `webhook.test` now, once, and return what came of it.

    Raises:
        NotFoundError: there is no such webhook.
    """
    return Operation(method="POST", path=_path(webhook, "test"), answer=DeliveryDetail)


def deliveries(
    webhook: Webhook | str,
    *,
    status: DeliveryStatus | Sequence[DeliveryStatus] = (),
    type: str | None = None,
    page_size: int = 100,
    cursor: str | None = None,
) -> Listing[DeliveryList, Delivery]:
    """Return a webhook's deliveries, the newest first. type: of one type of event."""
    query = query_of({"status": text_list(status), "type": type, "limit": page_size, "cursor": cursor})
    operation = Operation(
        method="GET", path=_path(webhook, "deliveries"), answer=DeliveryList, query=query, repeatable=True
    )
    return Listing(operation, lambda page: page.deliveries)


def delivery(webhook: Webhook | str, delivery: Delivery | str) -> Operation[DeliveryDetail]:
    """Return a delivery, what is sent, and every try.

    Raises:
        NotFoundError: there is no such webhook or delivery.
    """
    path = _path(webhook, "deliveries", to_id(delivery))
    return Operation(method="GET", path=path, answer=DeliveryDetail, repeatable=True)


def replay(webhook: Webhook | str, *, since: datetime | str) -> Operation[ReplayAnswer]:
    """Deliver once more what failed of the events since a time, and return how many these are.

    Raises:
        NotFoundError: there is no such webhook.
    """
    body = build(ReplayRequest, {"since": since})
    return Operation(method="POST", path=_path(webhook, "replay"), answer=ReplayAnswer, body=body)


def replay_delivery(webhook: Webhook | str, delivery: Delivery | str) -> Operation[DeliveryDetail]:
    """Deliver once more, with the same `webhook-id`.

    Raises:
        ConflictError: it is being made.
        NotFoundError: there is no such webhook or delivery.
    """
    return Operation(method="POST", path=_path(webhook, "deliveries", to_id(delivery), "replay"), answer=DeliveryDetail)


def _hold(webhook: Webhook | str, command: str, reason: str, by: str | None) -> Operation[Webhook]:
    body = build(WebhookHold, given_only({"reason": reason, "by": by}))
    return Operation(method="POST", path=_path(webhook, command), answer=Webhook, body=body)


def _path(webhook: Webhook | str, *more: str) -> str:
    return path_of("webhooks", to_id(webhook), *more)
