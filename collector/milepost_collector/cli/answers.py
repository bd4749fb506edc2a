"""The parts of the API's answers that the commands use, where the API's own types cannot be decoded.

Those carry values as raw JSON or nothing, which msgspec writes but does not read.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Event(Struct, kw_only=True):
    """A checkpoint, log record, progress report or other event; see `EventItem`."""

    time: str
    kind: str
    span_id: str | None = None
    name: str | None = None
    severity: str | None = None
    message: str | None = None
    fraction: float | None = None
    body: Any = None


class EventPage(Struct, kw_only=True):
    """Events of a run in time order; see `EventList`."""

    events: list[Event]
    next_cursor: str | None
