"""The spans with usage as a tree of their own: each under the nearest one above it in the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from milepost_collector.protocol.usage.shapes import COUNTS, UsageSpan, level_of, role_of


class Node:
    """A span with usage. above: the nearest one that it lies under. below: how many have it so, not yet settled."""

    __slots__ = ("above", "below", "level", "role", "span")

    def __init__(self, span: UsageSpan) -> None:
        self.span = span
        self.role = role_of(span)
        # Both counts are there in nearly every span.
        self.level = COUNTS if span[10] or span[11] else level_of(span)
        self.above: Node | None = None
        self.below = 0


class Tree(NamedTuple):
    """All nodes. is_nested: some lie under others."""

    nodes: list[Node]
    is_nested: bool


def plant(spans: Sequence[UsageSpan], parents: Mapping[str, str | None]) -> Tree:
    """Return the spans with usage as a tree."""
    by_id = {span.span_id: Node(span) for span in spans}
    nearest: dict[str, Node | None] = {}
    is_nested = False
    for node in by_id.values():
        parent = node.span.parent_span_id
        if parent is None:
            continue
        above = by_id.get(parent)
        if above is None:
            above = nearest[parent] if parent in nearest else _climb(parent, by_id, parents, nearest)
        if above is not None and above is not node:
            node.above = above
            above.below += 1
            is_nested = True
    return Tree(list(by_id.values()), is_nested)


def _climb(
    start: str, by_id: Mapping[str, Node], parents: Mapping[str, str | None], nearest: dict[str, Node | None]
) -> Node | None:
    """Find the first span with usage above one without, and note it for everything on the way."""
    path = []
    at: str | None = start
    found = None
    while at is not None:
        found = by_id.get(at)
        if found is not None:
            break
        if at in nearest:
            found = nearest[at]
            break
        nearest[at] = None  # met again on this way, it is a cycle without usage
        path.append(at)
        at = parents.get(at)
    for passed in path:
        nearest[passed] = found
    return found
