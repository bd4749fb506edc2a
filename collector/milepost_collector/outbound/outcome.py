"""What came of a request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of a request. status: None if no answer came; then `error` says why, in words for its owner.

    is_refused: it was not sent, for it must not go there. retry_after: the header of that name.
    """

    status: int | None = None
    error: str = ""
    is_refused: bool = False
    retry_after: str | None = None
