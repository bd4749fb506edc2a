"""Who wants which events. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from milepost_collector.controller.rows import DeliveryRow, WebhookRow
from milepost_collector.webhooks.events import Happening

_decode = msgspec.json.Decoder(list[str]).decode


class Subscription(NamedTuple):
    """What a webhook is told: events whose type fits a pattern, since its creation, of certain agents, names, tags."""

    webhook_id: str
    created_at: int
    patterns: tuple[str, ...]
    agents: frozenset[str]
    names: frozenset[str]
    tags: frozenset[str]

    @classmethod
    def of(cls, row: WebhookRow) -> Subscription:
        """Return a webhook's subscription."""
        filters = (frozenset(_decode(text)) for text in (row.agents, row.names, row.tags))
        return cls(row.id, row.created_at, tuple(_decode(row.events)), *filters)

    def wants_type(self, kind: str) -> bool:
        """Tell whether events of a type may be wanted."""
        return fits_any(kind, self.patterns)

    def wants(self, happening: Happening) -> bool:
        """Tell whether an event is wanted. A filter leaves out what does not have what it is about."""
        known_at = happening.time if happening.known_at is None else happening.known_at
        if known_at < self.created_at or not self.wants_type(happening.type):
            return False
        return self.lets_through(happening)

    def lets_through(self, happening: Happening) -> bool:
        """Tell whether the filters let an event through."""
        return (
            (not self.agents or happening.agent in self.agents)
            and (not self.names or happening.name in self.names)
            and (not self.tags or not self.tags.isdisjoint(happening.tags))
        )


@lru_cache(maxsize=2_000)  # there are few types and few patterns, and thousands of events a second
def fits_any(kind: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a type of event is one of these: `task.failed`, every one of a family (`task.*`), or any (`*`)."""
    family = f"{kind.partition('.')[0]}.*"
    return any(pattern in ("*", family, kind) for pattern in patterns)


def delivery(delivery_id: str, event_id: str, webhook_id: str, happening: Happening, now: int) -> DeliveryRow:
    """Return an event's delivery to one webhook, due at once."""
    return DeliveryRow(
        id=delivery_id,
        webhook_id=webhook_id,
        event_id=event_id,
        type=happening.type,
        status="waiting",
        time=happening.time,
        created_at=now,
        payload=happening.payload(),
        subject=happening.subject,
        next_at=now,
    )


def wanted_types(subscriptions: Sequence[Subscription], kind: str) -> bool:
    """Tell whether anybody may want events of a type."""
    return any(subscription.wants_type(kind) for subscription in subscriptions)
