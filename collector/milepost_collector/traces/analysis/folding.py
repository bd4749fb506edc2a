"""Spans folded by path: one pass over columns of numbers. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

TOP = -1  # the parent of what has none


class Spans(NamedTuple):
    """Columns of spans, by run and start. parents: places without circles, TOP for none. keys: numbers of names.

    starts, ends: Unix ns. amounts: what each span itself has of a metric that is no time.
    """

    parents: Sequence[int]
    keys: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]
    amounts: Sequence[float]


@dataclass(slots=True)
class Folded:
    """Nodes of the folded tree, parents before children. firsts: the place of a span of each."""

    parents: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)

    def add(self, parent: int, key: int, first: int) -> int:
        """Add a node that has nothing yet, and return it."""
        self.parents.append(parent)
        self.keys.append(key)
        self.counts.append(0)
        self.own.append(0.0)
        self.firsts.append(first)
        return len(self.keys) - 1

    def values(self) -> list[float]:
        """Return what each node has with everything below it."""
        values = list(self.own)
        for place in range(len(values) - 1, -1, -1):
            if self.parents[place] != TOP:
                values[self.parents[place]] += values[place]
        return values


def fold(spans: Spans, own: Sequence[float]) -> Folded:
    """Fold spans by the path of their keys. own: what each span adds to its node."""
    folded = Folded()
    nodes: dict[tuple[int, int], int] = {}
    node_of = [TOP] * len(own)
    for place in in_order(spans.parents):
        above = spans.parents[place]
        path = (TOP if above == TOP else node_of[above], spans.keys[place])
        node = nodes.get(path)
        if node is None:
            node = nodes[path] = folded.add(*path, place)
        node_of[place] = node
        folded.counts[node] += 1
        folded.own[node] += own[place]
    return folded


def in_order(parents: Sequence[int]) -> list[int]:
    """Return the places so that parents come before children; of circles nothing."""
    order: list[int] = []
    done = bytearray(len(parents))
    late: defaultdict[int, list[int]] = defaultdict(list)
    for place, above in enumerate(parents):
        if above != TOP and not done[above]:
            late[above].append(place)  # it began before its parent: clocks differ
            continue
        waiting = [place]
        while waiting:
            one = waiting.pop()
            done[one] = 1
            order.append(one)
            if late:
                waiting += reversed(late.pop(one, ()))
    return order


def without_circles(parents: list[int]) -> list[int]:
    """Return the parents with circles cut where they are met first."""
    while len(reached := in_order(parents)) < len(parents):
        known = set(reached)
        parents = list(parents)
        parents[next(place for place in range(len(parents)) if place not in known)] = TOP
    return parents


def self_times(spans: Spans) -> list[float]:
    """Return for each span the time, ns, in which none of its children ran."""
    own = [float(max(end - start, 0)) for start, end in zip(spans.starts, spans.ends, strict=True)]
    covered = list(spans.starts)
    for place, above in enumerate(spans.parents):  # siblings are in the order of their starts
        if above == TOP:
            continue
        start = max(spans.starts[place], covered[above])
        end = min(spans.ends[place], spans.ends[above])
        if end > start:
            own[above] -= end - start
            covered[above] = end
    return own


def wall_times(spans: Spans) -> list[float]:
    """Return for each span the time, ns, that is its alone when every instant of a root counts once.

    Of siblings that overlap the one that began first has the time; so a span has one stretch, cut at both ends.
    """
    own = [0.0] * len(spans.parents)
    lows, highs, covered = list(spans.starts), list(spans.ends), list(spans.starts)
    for place in in_order(spans.parents):
        above = spans.parents[place]
        if above != TOP:
            lows[place] = max(lows[place], covered[above])
            highs[place] = min(highs[place], highs[above])
        covered[place] = lows[place]
        length = highs[place] - lows[place]
        if length <= 0:
            highs[place] = lows[place]
            continue
        own[place] += length
        if above != TOP:
            own[above] -= length
            covered[above] = highs[place]
    return own
