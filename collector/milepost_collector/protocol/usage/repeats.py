"""The same call recorded elsewhere in the run: by response id, or by equal counts at the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from milepost_collector.protocol.usage.matching import Group, match, place_of
from milepost_collector.protocol.usage.models import may_be_same_model
from milepost_collector.protocol.usage.nesting import Verdict, Verdicts
from milepost_collector.protocol.usage.shapes import (
    COUNTS,
    GENERATING,
    NOTHING,
    TOTAL,
    UsageSpan,
    fullness,
    known_counts,
    same_counts,
)
from milepost_collector.protocol.usage.tree import Node

SAME_RESPONSE = "the same call: same response id"
SAME_COUNTS = "the same call: same counts at the same time"
NOTED_AFTER = "the same call: a note after it has its counts"
BESIDE = (SAME_RESPONSE, SAME_COUNTS)

NOTE_NS = 1_000_000  # a span as short as this beside a longer one is a note about it, not a call
MAX_RECORDS = 8  # more instrumentations than this do not watch one call

Counts = tuple[int, int]


def find_repeats(nodes: Sequence[Node], parents: Mapping[str, str | None], verdicts: Verdicts) -> None:
    """Add verdicts for the spans of `nodes` that record a call which another of them records too."""
    left = _merge_responses(nodes, parents, verdicts)
    _merge_notes(left, verdicts)
    by_counts: dict[Counts, list[Node]] = {}
    for node in left:
        if node.level == COUNTS:
            span = node.span
            by_counts.setdefault((span.input_tokens or 0, span.output_tokens or 0), []).append(node)
    if all(len(alike) == 1 and (given, output + 1) not in by_counts for (given, output), alike in by_counts.items()):
        return
    groups = {counts: _group(alike) for counts, alike in by_counts.items()}
    for counts in sorted(groups):
        more = groups.get((counts[0], counts[1] + 1))
        if more is not None:
            _match_one_more(groups[counts], more)
    for found in groups.values():
        for group in found:
            if len(group.nodes) > 1:
                _keep_best(group.nodes, SAME_COUNTS, parents, verdicts)


def _merge_responses(nodes: Sequence[Node], parents: Mapping[str, str | None], verdicts: Verdicts) -> Sequence[Node]:
    by_response: dict[str, list[Node]] = {}
    for node in nodes:
        if node.span.response_id:
            by_response.setdefault(node.span.response_id, []).append(node)
    repeated = [alike for alike in by_response.values() if len(alike) > 1]
    if not repeated:
        return nodes
    for alike in repeated:
        _keep_best(alike, SAME_RESPONSE, parents, verdicts)
    return [node for node in nodes if node not in verdicts]


def _merge_notes(nodes: Sequence[Node], verdicts: Verdicts) -> None:
    """Join calls that ended before their stream did, and so state nothing, with the notes that state it afterwards."""
    notes = [node for node in nodes if _is_note(node.span) and node.level == COUNTS and node.role == GENERATING]
    if not notes:
        return
    begun: dict[tuple[str | None, str | None], list[Node]] = {}
    for node in sorted(nodes, key=_start_of):
        if node.level == NOTHING and node.role == GENERATING and not _is_note(node.span):
            begun.setdefault((node.span.scope, node.span.parent_span_id), []).append(node)
    for note in sorted(notes, key=_start_of):
        beside = begun.get((note.span.scope, note.span.parent_span_id), [])
        call = next((node for node in reversed(beside) if _is_noted(node.span, note.span)), None)
        if call is not None:
            beside.remove(call)
            verdicts[call] = Verdict(NOTED_AFTER, note)


def _is_noted(call: UsageSpan, note: UsageSpan) -> bool:
    is_before = call.start_time <= note.start_time
    return is_before and call.name != note.name and may_be_same_model(call.model, note.model)


def _is_note(span: UsageSpan) -> bool:
    return span.end_time - span.start_time <= NOTE_NS


def _start_of(node: Node) -> tuple[int, str]:
    return node.span.start_time, node.span.span_id


def _keep_best(alike: Sequence[Node], reason: str, parents: Mapping[str, str | None], verdicts: Verdicts) -> None:
    best = choose(alike, parents)
    if best.level == NOTHING:
        return
    for node in alike:
        if node is not best:
            verdicts[node] = Verdict(reason, best)


def choose(alike: Sequence[Node], parents: Mapping[str, str | None]) -> Node:
    """Return the span whose usage counts among records of one call.

    The most complete one; where their counts differ, the innermost, for it is nearest to the answer. Ties go to the
    shorter, the earlier, the lower span id.
    """
    most = max(node.level for node in alike)
    alike = [node for node in alike if node.level == most]
    agree = all(same_counts(alike[0].span, node.span) for node in alike)

    def rank(node: Node) -> tuple[int | str, ...]:
        span = node.span
        return (
            node.role == TOTAL,
            -fullness(span),
            span.end_time - span.start_time <= 0,  # a call takes time; what takes none is a note about it
            -known_counts(span) if agree else 0,
            -_depth(span, parents),
            span.end_time - span.start_time,
            span.start_time,
            span.span_id,
        )

    return min(alike, key=rank)


def _depth(span: UsageSpan, parents: Mapping[str, str | None]) -> int:
    """Return how many spans are above a span, as far as they are known and no cycle."""
    passed = {span.span_id}
    at = span.parent_span_id
    while at is not None and at not in passed:
        passed.add(at)
        at = parents.get(at)
    return len(passed)


def _group(alike: list[Node]) -> list[Group]:
    """Group spans of equal counts by the call they record. N alike of one instrumentation are N calls."""
    if len(alike) == 1:
        return [Group(alike[0])]
    by_scope: dict[str | None, list[Node]] = {}
    for node in alike:
        by_scope.setdefault(node.span.scope, []).append(node)
    streams = sorted(map(_within_scope, by_scope.values()), key=lambda stream: place_of(stream[0]))
    groups = streams[0]
    for place, stream in enumerate(streams[1:]):
        more = match(groups, stream) if place < MAX_RECORDS else stream
        groups = sorted(groups + more, key=place_of) if place < MAX_RECORDS else groups + more
    return groups


def _within_scope(alike: list[Node]) -> list[Group]:
    """Group what one instrumentation recorded twice: as a total, as a note, or again under another name."""
    groups = sorted(map(Group, alike), key=place_of)
    # What people record through Milepost's own API counts as they say.
    if (
        len(groups) == 1
        or alike[0].span.scope is None
        or len({(node.span.name, node.span.kind) for node in alike}) == 1
    ):
        return groups
    calls: list[Group] = []
    others: list[Group] = []
    for group in groups:
        is_other = _is_beside_a_call(group.nodes[0], calls[-1].nodes[0].span if calls else None)
        (others if is_other else calls).append(group)
    return sorted(calls + match(calls, others, within_scope=True), key=place_of)


def _is_beside_a_call(node: Node, last: UsageSpan | None) -> bool:
    span = node.span
    if node.role == TOTAL or _is_note(span):
        return True
    same_time = last is not None and (last.start_time, last.end_time) == (span.start_time, span.end_time)
    return same_time and last is not None and last.name != span.name


def _match_one_more(groups: list[Group], more: list[Group]) -> None:
    """Join records that differ by one output token, of different instrumentations: some count a stream's too high."""
    more[:] = match(groups, more)
