"""From spans to the rows of a text timeline. Pure: values in, values out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from milepost_collector.protocol.api import SpanSkeleton

EIGHTHS = " ▏▎▍▌▋▊▉█"  # a cell filled from the left by 0/8 … 8/8


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the timeline. guide: the tree lines before the name."""

    span: SpanSkeleton
    guide: str


def tree_rows(spans: Sequence[SpanSkeleton]) -> list[Row]:
    """Order spans as a tree, each exactly once, siblings by start.

    A span whose parent is not among them is a root of its own, and so is one of a parent cycle.
    """
    by_start = sorted(spans, key=lambda span: (span.start_ns, span.span_id))
    known = {span.span_id for span in by_start}
    children: defaultdict[str | None, list[SpanSkeleton]] = defaultdict(list)
    for span in by_start:
        children[span.parent_span_id if span.parent_span_id in known else None].append(span)
    rows: dict[str, Row] = {}
    # After the true roots every span not reached yet: only members of cycles are left by then.
    for root in [*children[None], *by_start]:
        for row in _walk(root, children, rows):
            rows[row.span.span_id] = row
    return list(rows.values())


def _walk(
    root: SpanSkeleton, children: defaultdict[str | None, list[SpanSkeleton]], seen: dict[str, Row]
) -> Iterator[Row]:
    stack = [(root, "", "")]
    while stack:  # a stack, not recursion: runs may nest deeper than Python's limit
        span, guide, below = stack.pop()
        if span.span_id in seen:
            continue
        yield Row(span, guide)
        kids = children[span.span_id]
        for index in range(len(kids) - 1, -1, -1):
            last = index == len(kids) - 1
            stack.append((kids[index], below + ("└─" if last else "├─"), below + ("  " if last else "│ ")))


def extent_ns(spans: Iterable[SpanSkeleton]) -> int:
    """Return the length of the time axis: the latest known instant after the origin, nanoseconds, at least 1."""
    return max((max(span.start_ns, span.end_ns or 0) for span in spans), default=0) or 1


def bar(start_ns: int, end_ns: int | None, *, extent: int, width: int) -> str:
    """Draw a span on an axis of `width` cells that stands for `extent` nanoseconds.

    Returns exactly `width` characters. A span too short to see gets an eighth of a cell; one without end runs to the
    right edge and fades out.
    """
    first = min(start_ns * width * 8 // extent, width * 8 - 1)  # in eighths of a cell
    if end_ns is None:
        cell = first // 8
        return " " * cell + "▒" * (width - cell)
    cells, offset = divmod(first, 8)
    length = max(1, -(-min(end_ns, extent) * width * 8 // extent) - first)
    # Blocks fill from the left only, so a bar that starts within a cell takes the cell's start when it is long enough.
    length = length + offset if length >= 8 else length
    full, part = divmod(min(length, (width - cells) * 8), 8)
    return (" " * cells + "█" * full + (EIGHTHS[part] if part else "")).ljust(width)
