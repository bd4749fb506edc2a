"""Matching records of calls one to one by time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush

from milepost_collector.protocol.usage.models import may_be_same_model
from milepost_collector.protocol.usage.shapes import UsageSpan
from milepost_collector.protocol.usage.tree import Node

ADJACENT_NS = 10_000_000  # recorded as soon as the call was over, or with a clock of milliseconds
TRIES = 4  # records that are running when another one starts and are compared with it


class Group:
    """Records of one call, those of the earliest instrumentation first."""

    __slots__ = ("nodes",)

    def __init__(self, node: Node) -> None:
        self.nodes = [node]


def place_of(group: Group) -> tuple[int, int, str]:
    """Return what groups are sorted by: the place in time of their first node."""
    span = group.nodes[0].span
    return span.start_time, span.end_time, span.span_id


def match(hosts: Sequence[Group], guests: Sequence[Group], *, within_scope: bool = False) -> list[Group]:
    """Let every host take at most one guest that may record the same call; return the guests left over.

    hosts, guests: sorted by `place_of`. within_scope: they are of one instrumentation and must differ by name or kind,
    else by scope.
    """
    pairs = list(_pairs(hosts, guests, within_scope))
    matched = {id(group) for pair in pairs for group in pair}
    left = [guest for guest in guests if id(guest) not in matched]
    if left and len(pairs) < len(hosts):
        free = [host for host in hosts if id(host) not in matched]
        pairs += [(host, guest) for guest, host in _pairs(left, free, within_scope)]
        matched = {id(group) for pair in pairs for group in pair}
        left = [guest for guest in left if id(guest) not in matched]
    for host, guest in pairs:
        host.nodes += guest.nodes
    return left


def _pairs(outer: Sequence[Group], inner: Sequence[Group], within_scope: bool) -> Iterator[tuple[Group, Group]]:
    """Give each inner record that starts while outer ones run the one that ends first.

    With that choice as many find a partner as can (earliest deadline first).
    """
    running: list[tuple[int, int]] = []  # end, place
    coming = 0
    for group in inner:
        start = group.nodes[0].span.start_time
        while coming < len(outer) and outer[coming].nodes[0].span.start_time <= start + ADJACENT_NS:
            heappush(running, (outer[coming].nodes[0].span.end_time, coming))
            coming += 1
        while running and running[0][0] < start - ADJACENT_NS:
            heappop(running)
        tried: list[tuple[int, int]] = []
        while running and len(tried) < TRIES:
            first = heappop(running)
            if _may_join(outer[first[1]], group, within_scope):
                yield outer[first[1]], group
                break
            tried.append(first)
        for one in tried:
            heappush(running, one)


def _may_join(host: Group, guest: Group, within_scope: bool) -> bool:
    return all(_may_be_one(one.span, other.span, within_scope) for one in host.nodes for other in guest.nodes)


def _may_be_one(one: UsageSpan, other: UsageSpan, within_scope: bool) -> bool:
    """Tell whether spans of equal counts and time may record one call: of one model, and not two responses."""
    if one.response_id and other.response_id:  # equal ones have been dealt with
        return False
    apart = (one.name, one.kind) != (other.name, other.kind) if within_scope else one.scope != other.scope
    return apart and may_be_same_model(one.model, other.model)
