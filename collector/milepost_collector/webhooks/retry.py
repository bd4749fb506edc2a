"""What an answer means for a delivery and for its webhook. Pure.

Follows "Operational considerations" of Standard Webhooks 1.0: only 2xx is success, 3xx is not followed, 410 ends it,
429, 502 and 504 and whoever says `Retry-After` are given time, and some ten tries are made over some three days.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

# After each failure but the last: 3.15 days in all, lengthened by up to a fifth.
DELAYS_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
MAX_TRIES = len(DELAYS_S) + 1
JITTER = 0.2
THROTTLED = frozenset((429, 502, 503, 504))
THROTTLE_S = 30.0  # without a Retry-After
LONGEST_THROTTLE_S = 86_400.0
DISABLE_AFTER_MS = 3 * 86_400_000  # of nothing but failures; the delivery that gives up then takes the webhook with it

Kind = Literal["delivered", "again", "given_up", "gone"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What becomes of a delivery. gone: it is over, and the webhook too. delay_ms: until the next try. throttle_ms: for
    so long the webhook gets nothing at all."""

    kind: Kind
    delay_ms: int = 0
    throttle_ms: int = 0


def decide(status: int | None, retry_after_s: float | None, *, tries: int, jitter: float, max_tries: int) -> Verdict:
    """Decide what follows a try.

    status: of the answer, None without one. tries: including this one, from 1. jitter: in [0, 1).
    """
    if status is not None and 200 <= status < 300:
        return Verdict(kind="delivered")
    if status == 410:
        return Verdict(kind="gone")
    throttle_ms = _throttle_ms(status, retry_after_s)
    if tries >= max_tries:
        return Verdict(kind="given_up", throttle_ms=throttle_ms)
    delay_ms = round(DELAYS_S[min(tries, len(DELAYS_S)) - 1] * (1 + JITTER * jitter) * 1000)
    return Verdict(kind="again", delay_ms=max(delay_ms, throttle_ms), throttle_ms=throttle_ms)


def _throttle_ms(status: int | None, retry_after_s: float | None) -> int:
    if status is None or (retry_after_s is None and status not in THROTTLED):
        return 0
    asked = THROTTLE_S if retry_after_s is None else retry_after_s
    return round(min(max(asked, 1.0), LONGEST_THROTTLE_S) * 1000)


def parse_retry_after(text: str | None, now_ms: int) -> float | None:
    """Return the seconds that a `Retry-After` header asks for (RFC 9110), at least 0; None: none, or malformed."""
    if not text:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(parsedate_to_datetime(text).timestamp() - now_ms / 1000, 0.0)
    except (TypeError, ValueError, OverflowError):
        return None
