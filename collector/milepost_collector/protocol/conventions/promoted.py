"""Columns that the attributes of a span of Milepost's own API state: such a span has its kind, name and status."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from milepost_collector.protocol.conventions.engine import Conventions
from milepost_collector.protocol.conventions.usage import STATED, usage_of

_COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")


class Promoted(NamedTuple):
    """What a span's attributes say about its columns; None where they say nothing."""

    kind: str | None = None
    agent: str | None = None
    model: str | None = None
    provider: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    counts: Mapping[str, int] = {}


def promote_by(conventions: Conventions) -> Callable[[Mapping[str, Any]], Promoted]:
    """Return the function from attributes to columns, by a table."""

    def promote(attributes: Mapping[str, Any]) -> Promoted:
        """Return the columns that the attributes state under any known name."""
        values = conventions.gather(dict(attributes))
        get = values.get
        counts: dict[str, int] = {}
        if not STATED.isdisjoint(values):
            usage = usage_of(values, "llm", None, None, [])
            counts = {name: count for name in _COUNTS if (count := getattr(usage, name)) is not None}
        return Promoted(
            kind=get("kind") or get("protocol"),
            agent=get("agent"),
            model=get("response_model") or get("model") or get("request_model"),
            provider=get("provider"),
            session_id=get("session_id"),
            user_id=get("user_id"),
            counts=counts,
        )

    return promote
