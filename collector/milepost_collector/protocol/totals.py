"""What a run used, all in all: told by the recorded traces to whoever counts it."""

from __future__ import annotations

from msgspec import Struct


class RunTotals(Struct, kw_only=True, frozen=True):
    """All that is recorded of a run by now, each call counted once. usd: of what has a price. tokens: input and
    output. ended: its end is recorded, and so is all before it."""

    run_id: str
    usd: float = 0.0
    tokens: int = 0
    tool_calls: int = 0
    ended: bool = False
