"""Chrome's trace events, which Perfetto opens. Source: the document "Trace Event Format"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from typing import Any

import msgspec

from milepost_collector.protocol.exports.lanes import Lanes
from milepost_collector.protocol.exports.timed import SpanLink, TimedSpan

AT_ONCE = 1000  # events in a piece
PROCESS = 1

_encode = msgspec.json.Encoder().encode
Event = dict[str, Any]


def chrome_trace(
    name: str, origin: str, spans: Iterable[TimedSpan], *, extent_ns: int, linked: Set[str] = frozenset()
) -> Iterator[bytes]:
    """Yield a trace of one process piece by piece; overlapping siblings get threads of their own, links get arrows.

    name: the run's. origin: when time 0 is. spans: by start. extent_ns: to where running spans reach. linked: ids of
    spans of this run that others link to.
    """
    head = _encode({"displayTimeUnit": "ms", "otherData": {"run": name, "origin": origin}})
    yield head[:-1] + b',"traceEvents":['
    separator, waiting = b"", []
    for event in _events(name, spans, extent_ns, linked):
        waiting.append(event)
        if len(waiting) == AT_ONCE:
            yield separator + _encode(waiting)[1:-1]
            separator, waiting = b",", []
    yield separator + _encode(waiting)[1:-1] + b"]}"


def _events(name: str, spans: Iterable[TimedSpan], extent_ns: int, linked: Set[str]) -> Iterator[Event]:
    yield {"ph": "M", "name": "process_name", "pid": PROCESS, "tid": 0, "args": {"name": name}}
    lanes, arrows = Lanes(), _Arrows(linked)
    for span in spans:
        end_ns = span.end_by(extent_ns)
        before = lanes.count
        lane, _ = lanes.place(span, end_ns)
        if lanes.count > before:
            yield _thread(lane)
        event = _slice(span, lane, end_ns)
        yield event
        arrows.add(span, event)
    yield from arrows.events()


def _thread(lane: int) -> Event:
    return {"ph": "M", "name": "thread_name", "pid": PROCESS, "tid": lane + 1, "args": {"name": f"lane {lane + 1}"}}


def _slice(span: TimedSpan, lane: int, end_ns: int) -> Event:
    return {
        "ph": "X",
        "name": span.name,
        "cat": span.kind,
        "pid": PROCESS,
        "tid": lane + 1,
        "ts": _us(span.start_ns),
        "dur": _us(end_ns - span.start_ns),
        "args": _arguments(span),
    }


def _arguments(span: TimedSpan) -> Event:
    told = {
        "span_id": span.span_id,
        "status": span.status,
        "agent": span.agent,
        "model": span.model,
        "input_tokens": span.input_tokens,
        "output_tokens": span.output_tokens,
        "cost_usd": span.cost_usd,
        "error": ": ".join(filter(None, (span.error_type, span.error_message))) or None,
        "links": [f"{link.run_id}/{link.span_id}" for link in span.links] or None,
    }
    return {key: value for key, value in told.items() if value is not None}


class _Arrows:
    """Flows between slices of one run: from the span that is linked to, to the one that links."""

    def __init__(self, linked: Set[str]) -> None:
        self._linked = linked
        self._places: dict[str, Event] = {}
        self._links: list[tuple[SpanLink, Event]] = []

    def add(self, span: TimedSpan, event: Event) -> None:
        """Note a slice, and where its links go."""
        if span.span_id in self._linked:
            self._places[span.span_id] = event
        self._links += [(link, event) for link in span.links if link.run_id == span.run_id]

    def events(self) -> Iterator[Event]:
        """Yield the two ends of every arrow."""
        known = [(self._places[link.span_id], end) for link, end in self._links if link.span_id in self._places]
        for number, (source, end) in enumerate(known, 1):
            yield {"ph": "s", **_end(source, number)}
            yield {"ph": "f", "bp": "e", **_end(end, number)}


def _end(event: Event, number: int) -> Event:
    return {"id": number, "name": "link", "cat": "link", "pid": PROCESS, "tid": event["tid"], "ts": event["ts"]}


def _us(nanoseconds: int) -> float:
    return nanoseconds / 1000
