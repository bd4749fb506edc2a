"""One-time links by which one person decides one ask, without an account or anything installed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from milepost.wire.tasks import Name

__all__ = ["Link", "LinkRequest"]


class LinkRequest(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Make a link. to: in whose name it decides: an approver, or `team:NAME` where the ask is for that team.
    expires_in_ms: from 1 s to 30 days. base_url: where that person reaches the collector, if not as the request does,
    such as a proxy's address. by: who makes it."""

    to: Name
    expires_in_ms: Annotated[int, Meta(ge=1_000, le=2_592_000_000)] = 86_400_000
    base_url: Annotated[str, Meta(max_length=500, pattern=r"^https?://[^\s/?#]+[^\s?#]*$")] | None = None
    by: Name | None = None


class Link(Struct, kw_only=True):
    """A link. url: with a token that is told only now; the collector keeps its digest."""

    id: str
    ask_id: str
    to: str
    url: str
    created_at: datetime
    expires_at: datetime
