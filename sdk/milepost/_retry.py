"""Whether a batch is tried again, and when. Pure: the exporter does the waiting."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

__all__ = ["Answer", "Decision", "decide", "parse_retry_after"]

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 5.0
_LONGEST_UNREACHED_S = 1.0  # a connection that is refused costs nobody anything, and a collector restarts in a second
_LONGEST_RETRY_AFTER_S = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What became of one attempt.

    status: the HTTP status; None: no answer came. reached: a connection was made. detail: for the log.
    """

    status: int | None
    reached: bool = True
    retry_after_s: float | None = None
    detail: str = ""
    rejected: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """acknowledged: it is stored. refused: it never will be. retry: try again after delay_s."""

    verdict: Literal["acknowledged", "refused", "retry"]
    delay_s: float = 0.0


def decide(answer: Answer, failures: int, *, jitter: float) -> Decision:
    """Decide what becomes of a batch.

    failures: attempts that failed before this one. jitter: in [0, 1); the wait is that share of an exponentially
    growing limit ("full jitter"), so that producers do not come back in step: of at most 5 s, or 1 s while nobody
    listens. A wait that the collector asks for is kept, up to 60 s, and lengthened by up to a quarter.
    """
    status = answer.status
    if status is not None and 200 <= status < 300:
        return Decision(verdict="acknowledged")
    if status is not None and status < 500 and status not in (408, 425, 429):
        return Decision(verdict="refused")
    if answer.retry_after_s is not None:
        asked = min(answer.retry_after_s, _LONGEST_RETRY_AFTER_S)
        return Decision(verdict="retry", delay_s=asked * (1 + jitter / 4))
    longest_s = _LONGEST_DELAY_S if answer.reached else _LONGEST_UNREACHED_S
    limit = min(_FIRST_DELAY_S * 2.0 ** min(failures, 16), longest_s)
    return Decision(verdict="retry", delay_s=limit * jitter)


def parse_retry_after(text: str | None, now_unix_s: float) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, at least 0; None: none or malformed."""
    if not text:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - now_unix_s, 0.0)
    except (TypeError, ValueError, OverflowError):
        return None
