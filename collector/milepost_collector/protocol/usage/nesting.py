"""Calls and totals above and below each other: from the leaves up, which of them stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from milepost_collector.protocol.usage.models import may_be_same_model
from milepost_collector.protocol.usage.shapes import (
    COST_ONLY,
    COUNTS,
    GENERATING,
    LOOKUP,
    NOTHING,
    TOTAL,
    UsageSpan,
    fullness,
    known_counts,
    near_counts,
    same_counts,
)
from milepost_collector.protocol.usage.tree import Node


@dataclass(slots=True, eq=False)
class Verdict:
    """Why a span is not counted. of: what counts instead, if it is one. number: of calls or spans a total is of.

    role: of these calls.
    """

    reason: str
    of: Node | None
    number: int = 1
    role: int = TOTAL

    def is_of(self, node: Node) -> bool:
        """Tell whether a span below is one of the calls that `number` counts."""
        own = node.role == TOTAL and node.span.scope is None
        return self.reason == CALLS_BELOW and node.level == COUNTS and (node.role == self.role or own)

    def text(self) -> str:
        """Return the reason for people."""
        return self.reason if self.number == 1 else _PLURALS[self.reason].format(self.number)


Verdicts = dict[Node, Verdict]

CALLS_BELOW = "total of the call below"
TOTALS_BELOW = "total of the span below"
SAME_BELOW = "the same call as the one below"
SAME_ABOVE = "the same call as the one above"
PART_OF_ABOVE = "part of the total above"
_PLURALS = {CALLS_BELOW: "total of the {} calls below", TOTALS_BELOW: "total of the {} spans below"}


class Calls:
    """Calls of one role that stand so far. only: one of them, the one if there is one."""

    __slots__ = ("count", "input_tokens", "models", "only", "output_tokens", "role")

    def __init__(self, role: int) -> None:
        self.role = role
        self.count = self.input_tokens = self.output_tokens = 0
        self.only: Node | None = None
        self.models: set[str | None] = set()

    def add(self, node: Node) -> None:
        self.count += 1
        self.only = node
        self.input_tokens += node.span.input_tokens or 0
        self.output_tokens += node.span.output_tokens or 0
        self.models.add(node.span.model)

    def merge(self, other: Calls) -> None:
        self.count += other.count
        self.only = other.only or self.only
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        if len(other.models) > len(self.models):
            self.models, other.models = other.models, self.models
        self.models |= other.models

    def sum_is(self, span: UsageSpan) -> bool:
        """Tell whether a span states their sum; each may be one token off."""
        apart = (span.output_tokens or 0) - self.output_tokens
        return (span.input_tokens or 0) == self.input_tokens and -self.count <= apart <= self.count


_NO_CALLS = Calls(TOTAL)


class Standing:
    """What stands below a span so far.

    calls: by role, and last what people recorded on tasks through Milepost's own API. totals: with no call below.
    costs: spans with nothing but a cost. empty: calls without usage.
    """

    __slots__ = ("calls", "costs", "empty", "totals")

    def __init__(self) -> None:
        self.calls: dict[int, Calls] = {}
        self.totals: list[Node] = []
        self.costs: list[Node] = []
        self.empty: list[Node] = []

    def add(self, node: Node) -> None:
        if node.level == COUNTS:
            if node.role != TOTAL or node.span.scope is None:
                calls = self.calls.get(node.role)
                if calls is None:
                    calls = self.calls[node.role] = Calls(node.role)
                calls.add(node)
            else:
                self.totals.append(node)
        elif node.level == COST_ONLY:
            self.costs.append(node)
        elif node.role != TOTAL:
            self.empty.append(node)

    def merge(self, other: Standing) -> None:
        for role, theirs in other.calls.items():
            mine = self.calls.get(role)
            if mine is None:
                self.calls[role] = theirs
            else:
                mine.merge(theirs)
        self.totals = _joined(self.totals, other.totals)
        self.costs = _joined(self.costs, other.costs)
        self.empty = _joined(self.empty, other.empty)

    def explaining(self, span: UsageSpan) -> Calls:
        """Return the calls whose total the span may be: what has output is no total of embeddings."""
        generating = self.of(GENERATING)
        return generating if generating.count or span.output_tokens else self.of(LOOKUP)

    def of(self, role: int) -> Calls:
        """Return the calls of a role; not to be changed."""
        return self.calls.get(role, _NO_CALLS)


def settle_tree(nodes: Sequence[Node]) -> Verdicts:
    """Decide for every span that has others below which of them stand."""
    verdicts: Verdicts = {}
    below: dict[Node, Standing] = {}
    for node in _leaves_first(nodes):
        above = node.above
        standing = below.pop(node, None)
        stands = standing is None or _stands(node, standing, verdicts)
        if above is None:
            continue
        there = below.get(above)
        if there is None:
            there = below[above] = Standing() if standing is None else standing
        elif standing is not None:
            there.merge(standing)
        if stands:
            there.add(node)
    return verdicts


def _leaves_first(nodes: Sequence[Node]) -> Iterator[Node]:
    """Yield every node after those below it; nodes of cycles last, cut loose from each other."""
    ready = [node for node in nodes if not node.below]
    done = 0
    while ready:
        node = ready.pop()
        done += 1
        yield node
        above = node.above
        if above is not None:
            above.below -= 1
            if not above.below:
                ready.append(above)
    if done == len(nodes):
        return
    circling = [node for node in nodes if node.below]
    for node in circling:
        node.above = None
    yield from circling


def _stands(node: Node, below: Standing, verdicts: Verdicts) -> bool:
    if node.level == NOTHING and node.role == TOTAL:
        return True
    if node.role != TOTAL:
        verdict = _judge_call(node, below, verdicts)
    elif node.span.scope is None:
        verdict = _judge_own(node, below)
    else:
        verdict = _judge_total(node, below, verdicts)
    if verdict is None:
        return True
    verdicts[node] = verdict
    return False


def _judge_own(node: Node, below: Standing) -> Verdict | None:
    """Judge what people recorded through Milepost's own API: a call they made, unless it is what stands below."""
    calls = below.explaining(node.span)
    return _total_of(calls) if calls.count and calls.sum_is(node.span) else None


def _judge_total(node: Node, below: Standing, verdicts: Verdicts) -> Verdict | None:
    calls, own = below.explaining(node.span), below.of(TOTAL)
    if calls.count and own.count:
        calls.merge(below.calls.pop(TOTAL))
    if calls.count or own.count:
        return _total_of(calls if calls.count else own)
    if node.level == COST_ONLY:
        return _total_of_anything(below)
    verdict = _judge_total_of_totals(node, below, verdicts)
    if verdict is None:
        _take_in(node, below.costs, verdicts)
    return verdict


def _judge_total_of_totals(node: Node, below: Standing, verdicts: Verdicts) -> Verdict | None:
    """Judge a total above totals where nobody recorded calls: one as large as theirs together contains them."""
    totals = below.totals
    if not totals:
        return None
    inputs = (node.span.input_tokens or 0) - sum(total.span.input_tokens or 0 for total in totals)
    outputs = (node.span.output_tokens or 0) - sum(total.span.output_tokens or 0 for total in totals)
    if inputs == outputs == 0:
        return Verdict(TOTALS_BELOW, _only(totals), len(totals))
    if inputs >= 0 and outputs >= 0:
        _take_in(node, totals, verdicts)
    return None


def _judge_call(node: Node, below: Standing, verdicts: Verdicts) -> Verdict | None:
    calls = below.of(node.role)
    if node.level != COUNTS:
        return _judge_poor_call(node, below)
    if calls.count > 1:
        return _total_of(calls) if _wraps(node.span, calls) else None
    if not calls.count:
        calls = below.of(LOOKUP if node.role == GENERATING else GENERATING)
        if calls.count != 1 or calls.only is None or not same_counts(node.span, calls.only.span):
            _take_in_poor(node, below, verdicts)
            return None
    inner = calls.only
    if inner is None or not _is_same_call(node.span, inner.span):
        return None
    if not _is_better(node.span, inner.span):
        return Verdict(SAME_BELOW, inner)
    verdicts[inner] = Verdict(SAME_ABOVE, node)
    del below.calls[inner.role]
    return None


def _judge_poor_call(node: Node, below: Standing) -> Verdict | None:
    """Judge a call that states no tokens: whatever stands below says more."""
    calls = below.of(node.role)
    if calls.count == 1:
        return Verdict(SAME_BELOW, calls.only)
    if calls.count:
        return _total_of(calls)
    return Verdict(SAME_BELOW, _only(below.costs)) if below.costs else None


def _take_in_poor(node: Node, below: Standing, verdicts: Verdicts) -> None:
    """Let a call with tokens stand for costs below, and for the one call below that states nothing."""
    _take_in(node, below.costs, verdicts)
    if len(below.empty) == 1 and below.empty[0].role == node.role:
        verdicts[below.empty.pop()] = Verdict(SAME_ABOVE, node)


def _take_in(node: Node, parts: list[Node], verdicts: Verdicts) -> None:
    for part in parts:
        verdicts[part] = Verdict(PART_OF_ABOVE, node)
    parts.clear()


def _total_of(calls: Calls) -> Verdict:
    return Verdict(CALLS_BELOW, calls.only if calls.count == 1 else None, calls.count, calls.role)


def _total_of_anything(below: Standing) -> Verdict | None:
    calls = below.of(GENERATING) if below.of(GENERATING).count else below.of(LOOKUP)
    if calls.count:
        return _total_of(calls)
    parts = below.totals + below.costs
    return Verdict(TOTALS_BELOW, _only(parts), len(parts)) if parts else None


def _is_same_call(outer: UsageSpan, inner: UsageSpan) -> bool:
    """Tell whether a call and the only one below are one; a tool that a call runs may make another call."""
    if near_counts(outer, inner) or inner.parent_span_id == outer.span_id:
        return True
    if outer.response_id and inner.response_id:
        return outer.response_id == inner.response_id
    return may_be_same_model(outer.model, inner.model)


def _wraps(outer: UsageSpan, calls: Calls) -> bool:
    """Tell whether a call is made of those below: it is, unless it is of another model and not their sum."""
    return calls.sum_is(outer) or any(may_be_same_model(outer.model, model) for model in calls.models)


def _is_better(outer: UsageSpan, inner: UsageSpan) -> bool:
    """Tell whether the outer span says more. Where they differ the inner one is right: it is nearer to the answer."""
    if fullness(outer) != fullness(inner):
        return fullness(outer) > fullness(inner)
    return same_counts(outer, inner) and known_counts(outer) > known_counts(inner)


def _only(nodes: Sequence[Node]) -> Node | None:
    return nodes[0] if len(nodes) == 1 else None


def _joined(some: list[Node], others: list[Node]) -> list[Node]:
    """Add the shorter list to the longer one, so that deep trees stay cheap."""
    if len(some) < len(others):
        some, others = others, some
    some += others
    return some
