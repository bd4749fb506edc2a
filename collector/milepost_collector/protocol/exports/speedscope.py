"""speedscope's own format: an evented profile per lane, opened and closed in order. Source: its file-format-spec.ts."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

import msgspec

from milepost_collector.protocol.exports.lanes import Lanes
from milepost_collector.protocol.exports.timed import TimedSpan

SCHEMA = "https://www.speedscope.app/file-format-schema.json"
AT_ONCE = 4096  # events in a piece

_encode = msgspec.json.Encoder().encode


def speedscope(name: str, spans: Iterable[TimedSpan], *, exporter: str, extent_ns: int) -> Iterator[bytes]:
    """Yield a file piece by piece: spans that overlap are on profiles of their own, the first holds the root.

    spans: by start. exporter: program and version. extent_ns: to where running spans reach. 25 bytes a span are held.
    """
    frames: dict[tuple[str, str], int] = {}
    lanes, profiles = Lanes(), list[_Profile]()
    for span in spans:
        end_ns = span.end_by(extent_ns)
        lane, closed = lanes.place(span, end_ns)
        if lane == len(profiles):
            profiles.append(_Profile())
        profiles[lane].close(closed)
        profiles[lane].open(span.start_ns, frames.setdefault((span.name, span.kind), len(frames)))
    for lane, ends in lanes.rest():
        profiles[lane].close(ends)
    yield _encode({"$schema": SCHEMA, "name": name, "exporter": exporter, "activeProfileIndex": 0})[:-1]
    yield b',"profiles":['
    for number, profile in enumerate(profiles):
        yield b"," if number else b""
        yield from profile.document(f"{name}, lane {number + 1}" if number else name)
    listed = [{"name": frame, "file": kind} for frame, kind in frames]
    yield b'],"shared":{"frames":' + _encode(listed) + b"}}"


class _Profile:
    """The events of one lane, packed: times, frames, and whether it opens."""

    def __init__(self) -> None:
        self._times = array("q")
        self._frames = array("l")  # of an opening; -1 closes the innermost one
        self._latest = 0

    def open(self, at_ns: int, frame: int) -> None:
        """Open a frame."""
        self._add(at_ns, frame)

    def close(self, ends_ns: Iterable[int]) -> None:
        """Close the innermost frames."""
        for end_ns in ends_ns:
            self._add(end_ns, -1)

    def document(self, name: str) -> Iterator[bytes]:
        """Yield the profile as JSON."""
        start = self._times[0] if self._times else 0
        head = {"type": "evented", "name": name, "unit": "nanoseconds", "startValue": start, "endValue": self._latest}
        yield _encode(head)[:-1] + b',"events":['
        separator = b""
        for piece in self._pieces():
            yield separator + _encode(piece)[1:-1]
            separator = b","
        yield b"]}"

    def _add(self, at_ns: int, frame: int) -> None:
        self._times.append(at_ns)
        self._frames.append(frame)
        self._latest = max(self._latest, at_ns)

    def _pieces(self) -> Iterator[list[dict[str, str | int]]]:
        opened: list[int] = []
        piece: list[dict[str, str | int]] = []
        for at, frame in zip(self._times, self._frames, strict=True):
            if frame >= 0:
                opened.append(frame)
            closed = frame < 0
            piece.append({"type": "C" if closed else "O", "frame": opened.pop() if closed else frame, "at": at})
            if len(piece) == AT_ONCE:
                yield piece
                piece = []
        if piece:
            yield piece
