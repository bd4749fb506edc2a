"""What comes out of an OTLP body: records by who sent them, and those that could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from milepost.wire import Resource
from milepost_collector.protocol.foreign import ForeignLog, ForeignPoint, ForeignSpan
from milepost_collector.protocol.rejected import RejectedEvent

Signal = Literal["traces", "logs", "metrics"]


class RefusedError(ValueError):
    """A record cannot be stored; the text says why. It costs only itself."""


@dataclass(slots=True)
class Origin:
    """What one resource sent. producer_id: "otlp-" and a digest of the resource, the same in every request."""

    producer_id: str
    resource: Resource
    spans: list[ForeignSpan] = field(default_factory=list)
    logs: list[ForeignLog] = field(default_factory=list)
    points: list[ForeignPoint] = field(default_factory=list)


@dataclass(slots=True)
class Export:
    """One request. digest: of signal and body, 32 hexadecimal digits. size: of the body, bytes.

    rejected: their indexes count the records of the request (spans, log records, metrics) in the order of the body.
    """

    signal: Signal
    digest: str
    size: int
    origins: list[Origin] = field(default_factory=list)
    rejected: list[RejectedEvent] = field(default_factory=list)


def digest_of(signal: str, body: bytes) -> str:
    """Return what identifies a request: the same bytes for the same signal are the same request."""
    hasher = sha256(signal.encode())  # of what the standard library has, the one that processors help with
    hasher.update(body)
    return hasher.hexdigest()[:32]


def summary(rejected: Sequence[RejectedEvent], *, limit: int = 5) -> str:
    """Return one text for the sender: the distinct reasons with their counts, at most `limit` of them."""
    counts: dict[str, int] = {}
    for event in rejected:
        counts[event.reason] = counts.get(event.reason, 0) + 1
    told = [
        f"{count} × {reason[:300]}" if count > 1 else reason[:300] for reason, count in list(counts.items())[:limit]
    ]
    rest = len(counts) - len(told)
    return "; ".join([*told, f"and {rest} other reasons"] if rest else told)
