"""One-time links to asks."""

from __future__ import annotations

from msgspec import Struct


class LinkRow(Struct, kw_only=True, array_like=True, gc=False):
    """Table `ask_links`, key id. token_digest: SHA-256 of the token, which nobody keeps; unique. approver: in whose
    name it decides. used_at: when it did."""

    id: str
    ask_id: str
    approver: str
    token_digest: str
    created_at: int
    expires_at: int
    created_by: str | None = None
    used_at: int | None = None
