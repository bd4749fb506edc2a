"""What could not be stored, and why."""

from __future__ import annotations

from dataclasses import dataclass

MAX_REJECTED_TEXT = 65_536  # characters kept of an event that could not be stored


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """An event that cannot be stored. text: as JSON, cut at MAX_REJECTED_TEXT."""

    index: int
    reason: str
    text: str
