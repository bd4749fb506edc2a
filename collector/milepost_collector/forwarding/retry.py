"""What an answer of a destination means for the body it answers. Pure: the sender does the waiting.

Which statuses are tried again follows the OTLP specification, "OTLP/HTTP Response": 429, 502, 503 and 504, and
connections that fail. Other 5xx, which it calls permanent, get a few more tries: a proxy in front of a backend that is
being restarted answers 500 too. Everything else is final.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
LONGEST_RETRY_AFTER_S = 600.0
TRIES_OF_SERVER_ERRORS = 4
RETRYABLE = frozenset((429, 502, 503, 504))


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What became of one attempt. status: None if no answer came. detail: for the log, without anything secret."""

    status: int | None
    retry_after_s: float | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """sent: the destination has it. refused: it never will. retry: try again after delay_s."""

    verdict: Literal["sent", "refused", "retry"]
    delay_s: float = 0.0


def decide(answer: Answer, failures: int, *, jitter: float) -> Decision:
    """Decide what becomes of a body.

    failures: attempts that failed before this one. jitter: in [0, 1); the wait lies between half of an exponentially
    growing limit and the limit, of at most 30 s. A wait that the destination asks for is kept, up to 10 minutes, and
    lengthened by up to a tenth.
    """
    status = answer.status
    if status is not None and 200 <= status < 300:
        return Decision(verdict="sent")
    if status is not None and status not in RETRYABLE and (status < 500 or failures + 1 >= TRIES_OF_SERVER_ERRORS):
        return Decision(verdict="refused")
    if answer.retry_after_s is not None:
        asked = min(answer.retry_after_s, LONGEST_RETRY_AFTER_S)
        return Decision(verdict="retry", delay_s=asked * (1 + jitter / 10))
    limit = min(FIRST_DELAY_S * 2.0 ** min(failures, 16), LONGEST_DELAY_S)
    return Decision(verdict="retry", delay_s=limit * (0.5 + jitter / 2))


def parse_retry_after(text: str | None, now_unix_s: float) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, at least 0; None: none or malformed."""
    if not text:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - now_unix_s, 0.0)
    except (TypeError, ValueError, OverflowError):
        return None
