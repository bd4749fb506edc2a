"""What differs between the encodings, so that the meaning of a record is written down once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from milepost_collector.protocol.foreign import Attributes
from milepost_collector.protocol.otlp.export import Signal
from milepost_collector.protocol.otlp.resources import Producer


@dataclass(frozen=True, slots=True)
class Form:
    """How to read the parts of a record in one encoding. Records have OTLP's field names as attributes.

    ids: trace and span id of a record as hexadecimal; identity: one id of so many bytes. Both tell the list what they
    had to undo and raise `RefusedError`.
    attributes: a record's attributes; tells the list what it could not read.
    describe: a refused record as text. signal_of: what a record is by its looks, None if it does not show.
    """

    ids: Callable[[Any, list[str]], tuple[str, str]]
    identity: Callable[[Any, int, list[str]], str]
    text: Callable[[Any], str]
    attributes: Callable[[Any, list[str]], Attributes]
    value: Callable[[Any], Any]
    status: Callable[[Any], tuple[int, str]]
    describe: Callable[[Any], str]
    signal_of: Callable[[Any], Signal | None]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that does not decode. raw: what `Form.describe` and `Form.signal_of` take."""

    reason: str
    raw: Any


@dataclass(slots=True)
class Group:
    """Records of one instrumentation scope of one producer; some may be `Unreadable`."""

    producer: Producer
    scope: str
    scope_version: str
    records: Iterable[Any] = field(default_factory=list)
