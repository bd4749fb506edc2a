"""Recording in memory: what a test or agent records is read back instead of sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from milepost import _client, wire
from milepost._codec import Codec
from milepost._config import Config
from milepost._context import OWN_KEY, SPAN_KEY, Context, attach, get_current
from milepost._ids import IdGenerator
from milepost._producer import Producer
from milepost._scrub import Scrubber

__all__ = ["Captured", "CapturedEvent", "CapturedSpan", "FixedClock", "SequentialIds", "SteppingClock", "capture"]

_START_NS = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
_ENDLESS = 2**40


@dataclass(frozen=True, kw_only=True)
class CapturedEvent:
    """Something that happened at one instant of a span; body: a checkpoint's state, a log's fields."""

    kind: str
    run_id: str
    span_id: str | None
    time: int
    name: str | None = None
    severity: str | None = None
    message: str | None = None
    fraction: float | None = None
    body: Any = None
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CapturedSpan:
    """A run or task (or a span that came through OpenTelemetry) as the collector would have received it.

    Times are nanoseconds since the Unix epoch; end_time: None while it runs. input, output: JSON values.
    """

    name: str
    kind: str
    status: str
    run_id: str
    span_id: str
    parent_span_id: str | None
    start_time: int
    end_time: int | None
    input: Any = None
    output: Any = None
    attributes: dict[str, Any] = field(default_factory=dict)
    usage: list[dict[str, Any]] = field(default_factory=list)
    agent: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    tags: list[str] = field(default_factory=list)
    task_id: str | None = None
    attempt: int | None = None
    error_type: str | None = None
    error_message: str | None = None
    error_stack: str | None = None
    reason: str | None = None
    links: list[dict[str, Any]] = field(default_factory=list)
    scope: str | None = None


class Captured:
    """What was recorded since `capture` began. May be read at any time, also while spans are open."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._codec = Codec(Scrubber(producer.config.scrub), producer.config.max_value_bytes)
        self._lock = threading.Lock()
        self._spans: dict[str, CapturedSpan] = {}
        self._events: list[CapturedEvent] = []

    @property
    def spans(self) -> list[CapturedSpan]:
        """All spans in the order of their start."""
        self._read()
        return list(self._spans.values())

    @property
    def runs(self) -> list[CapturedSpan]:
        """The spans of kind `agent`."""
        return [span for span in self.spans if span.kind == "agent"]

    @property
    def tasks(self) -> list[CapturedSpan]:
        """The spans of kind `task`."""
        return [span for span in self.spans if span.kind == "task"]

    @property
    def events(self) -> list[CapturedEvent]:
        """Checkpoints, logs, exceptions, progress, in their order."""
        self._read()
        return list(self._events)

    def span(self, name: str) -> CapturedSpan:
        """Return the only span of this name.

        Raises:
            LookupError: there is none, or more than one.
        """
        found = [span for span in self.spans if span.name == name]
        if len(found) != 1:
            names = ", ".join(sorted({span.name for span in self.spans})) or "none"
            raise LookupError(f"{len(found)} spans are named {name!r}, expected 1; recorded are {names}")
        return found[0]

    def children(self, parent: CapturedSpan) -> list[CapturedSpan]:
        """Return the spans directly under one, in the order of their start."""
        return [span for span in self.spans if span.parent_span_id == parent.span_id and span.run_id == parent.run_id]

    def events_of(self, span: CapturedSpan) -> list[CapturedEvent]:
        """Return what happened in one span, in its order."""
        return [event for event in self.events if event.span_id == span.span_id]

    def clear(self) -> None:
        """Forget everything so far."""
        self._read()
        self._spans.clear()
        self._events.clear()

    def _read(self) -> None:
        with self._lock:
            for entry in self._producer.buffer.take(_ENDLESS, _ENDLESS):
                event = entry.export(self._codec)
                if isinstance(event, wire.Event):
                    self._events.append(_event(event))
                elif isinstance(event, (wire.SpanStarted, wire.SpanEnded)):
                    span = _span(event)
                    self._spans[span.span_id] = span


class FixedClock:
    """A clock that stands still until it is told to go on; call it for nanoseconds since the Unix epoch."""

    def __init__(self, start_ns: int = _START_NS) -> None:
        self._now = start_ns

    def __call__(self) -> int:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move it forward."""
        self._now += round(seconds * 1e9)


class SteppingClock(FixedClock):
    """A clock that moves forward by one step every time it is read; step_ns: 1 ms by default."""

    def __init__(self, start_ns: int = _START_NS, step_ns: int = 1_000_000) -> None:
        super().__init__(start_ns - step_ns)
        self._step_ns = step_ns

    def __call__(self) -> int:
        self._now += self._step_ns
        return self._now


class SequentialIds:
    """Ids that count up from 1, runs and spans apart."""

    def __init__(self) -> None:
        self._runs = self._spans = 0

    def new_run_id(self) -> int:
        self._runs += 1
        return self._runs

    def new_span_id(self) -> int:
        self._spans += 1
        return self._spans


@contextmanager
def capture(
    *, clock: Callable[[], int] | None = None, ids: IdGenerator | None = None, **settings: Any
) -> Iterator[Captured]:
    """Keep what is recorded in the block in memory, whichever client it is recorded with.

    clock, ids: for example a `FixedClock` and `SequentialIds`. settings: as for `milepost.init`, for example
    `capture=False` or `scrub=hook`. The environment is not read. The block begins outside of any current span.
    """
    given = {"max_queue_events": 10_000_000, "max_queue_bytes": 2**34} | settings
    producer = _MemoryProducer(Config(**given), **{} if clock is None else {"clock": clock}, ids=ids)
    outer = get_current()
    attach(Context({key: value for key, value in outer.items() if key not in (SPAN_KEY, OWN_KEY)}))
    before = _client.redirect(producer)
    try:
        yield Captured(producer)
    finally:
        _client.redirect(before)
        attach(outer)


class _NoExporter:
    """Leaves everything in the queue."""

    is_idle = True
    has_given_up = False

    def is_done(self) -> bool:
        return False

    def signal(self, urgent: bool) -> None: ...

    def urge(self) -> None: ...

    def close(self, timeout_s: float) -> bool:
        return True


class _MemoryProducer(Producer):
    """A producer whose queue is read by the test instead of an exporter."""

    def _make_exporter(self) -> _NoExporter:
        return _NoExporter()

    def flush(self, timeout_s: float) -> bool:
        return True


def _event(event: wire.Event) -> CapturedEvent:
    values: dict[str, Any] = msgspec.structs.asdict(event)
    text = values.pop("body_json")
    values["body"] = None if text is None else msgspec.json.decode(text)
    values["attributes"] = values["attributes"] or {}
    return CapturedEvent(**values)


def _span(event: wire.SpanStarted | wire.SpanEnded) -> CapturedSpan:
    values: dict[str, Any] = {"status": "running", "end_time": None} | msgspec.structs.asdict(event)
    for name in ("input", "output"):
        text = values.pop(f"{name}_json", None)
        values[name] = None if text is None else msgspec.json.decode(text)
    for name in ("usage", "links"):
        values[name] = [msgspec.to_builtins(item) for item in values.get(name) or ()]
    values["attributes"] = values["attributes"] or {}
    values["tags"] = values["tags"] or []
    return CapturedSpan(**values)
