"""Spans on lanes: on one lane they nest properly, as the threads of a profile do; what overlaps is side by side."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from milepost_collector.protocol.exports.timed import TimedSpan


class Lanes:
    """Gives each span a lane, for spans in the order of their starts. Remembers open spans only.

    A span goes onto its parent's lane when nothing else stands there and it ends within its parent, else onto the first
    free lane.
    """

    def __init__(self) -> None:
        self._stacks: list[list[tuple[str, int]]] = []  # per lane: open spans and their ends, the innermost last
        self._lane_of: dict[str, int] = {}
        self._busy: list[tuple[int, int]] = []  # (end of the outermost span, lane)
        self._free: list[int] = []

    @property
    def count(self) -> int:
        """Lanes so far."""
        return len(self._stacks)

    def place(self, span: TimedSpan, end_ns: int) -> tuple[int, list[int]]:
        """Return the span's lane, and the ends of spans there that close before it begins, in order."""
        lane = self._beside_parent(span, end_ns)
        closed = self._close(lane, span.start_ns) if lane is not None else []
        if lane is None:
            lane = self._free_lane(span.start_ns)
            closed = self._close(lane, span.start_ns)
            heappush(self._busy, (end_ns, lane))
        self._stacks[lane].append((span.span_id, end_ns))
        self._lane_of[span.span_id] = lane
        return lane, closed

    def rest(self) -> Iterator[tuple[int, list[int]]]:
        """Yield each lane and the ends of the spans still open on it, the innermost first."""
        for lane, stack in enumerate(self._stacks):
            yield lane, [end for _, end in reversed(stack)]

    def _beside_parent(self, span: TimedSpan, end_ns: int) -> int | None:
        lane = self._lane_of.get(span.parent_span_id or "")
        if lane is None:
            return None
        for name, end in reversed(self._stacks[lane]):
            if name == span.parent_span_id:
                return lane if end_ns <= end else None
            if end > span.start_ns:  # a sibling, or something below it, is still there
                return None
        return None

    def _free_lane(self, start_ns: int) -> int:
        while self._busy and self._busy[0][0] <= start_ns:
            heappush(self._free, heappop(self._busy)[1])
        if self._free:
            return heappop(self._free)
        self._stacks.append([])
        return len(self._stacks) - 1

    def _close(self, lane: int, start_ns: int) -> list[int]:
        stack, closed = self._stacks[lane], []
        while stack and stack[-1][1] <= start_ns:
            name, end = stack.pop()
            if self._lane_of.get(name) == lane:
                del self._lane_of[name]
            closed.append(end)
        return closed
