"""Queue entries that are not spans: things that happened at one instant, and signs of life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from milepost import wire
from milepost._capture import Snapshot, text_of, weight_of
from milepost._ids import run_text, span_text

if TYPE_CHECKING:
    from milepost._codec import Codec

__all__ = ["LATEST_TIME", "EventRecord"]

LATEST_TIME = 2**63 - 1  # nanoseconds, in the year 2262: the last that the wire can express

_EVENT_BYTES = 400  # what an event takes beside its texts
_MAX_MESSAGE = 16_000


class EventRecord:
    """An event of a span, waiting to be sent."""

    __slots__ = ("_attributes", "_body", "_fraction", "_kind", "_message", "_name", "_run_id", "_severity", "_span_id",
                 "_time")  # fmt: skip

    def __init__(
        self,
        run_id: int,
        span_id: int,
        time: int,
        kind: wire.EventKind,
        *,
        name: object = None,
        severity: str | None = None,
        message: object = None,
        fraction: float | None = None,
        body: Snapshot | None = None,
        attributes: dict[str, Any] | None = None,
    ) -> None:
        self._run_id = run_id
        self._span_id = span_id
        self._time = time
        self._kind = kind
        self._name = name
        self._severity = severity
        self._message = None if message is None else text_of(message, _MAX_MESSAGE)  # as it is now: it may change
        self._fraction = fraction
        self._body = body
        self._attributes = attributes

    @property
    def size(self) -> int:
        """About how many bytes it keeps."""
        texts = sum(len(part) for part in (self._name, self._body, self._message) if isinstance(part, (str, bytes)))
        return _EVENT_BYTES + texts + (weight_of(self._attributes) if self._attributes else 0)

    def export(self, codec: Codec) -> wire.Event:
        return wire.Event(
            run_id=run_text(self._run_id),
            span_id=span_text(self._span_id),
            time=max(self._time, 0),
            kind=self._kind,
            name=codec.optional_name(self._name),
            severity=self._severity,
            message=codec.message(self._message),
            fraction=self._fraction,
            body_json=codec.json(self._body, "body"),
            attributes=codec.attributes(self._attributes),
        )
