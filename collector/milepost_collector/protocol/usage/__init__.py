"""Which spans' usage a run counts, so that every call of a model is counted once.

Instrumentations record one call several times: on the call, on the agents above it as totals, and again by the library
below or beside. What is the same call is told from structure, response ids, counts and times, never from who recorded.

Read `shapes` (what goes in and out), then the two steps: `nesting` (calls and totals above and below each other) and
`repeats` (the same call elsewhere in the run); `models` (whether two names may mean one model).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from milepost_collector.protocol.usage.nesting import Verdict, Verdicts, settle_tree
from milepost_collector.protocol.usage.repeats import BESIDE, find_repeats
from milepost_collector.protocol.usage.shapes import Uncounted, UsageSpan
from milepost_collector.protocol.usage.tree import Node, plant

__all__ = ["Uncounted", "UsageSpan", "count_once"]


def count_once(spans: Sequence[UsageSpan], parents: Mapping[str, str | None]) -> list[Uncounted]:
    """Return the spans of one run that its sums leave out, by span id.

    spans: those that carry usage, in any order. parents: the parent of every known span of the run; parents may be
    missing and cycles occur. The result does not depend on the order of either, a span in it names its reason, and
    of_span_id is always a span that is counted. Takes some O(n log n).
    """
    if len(spans) < 2:
        return []
    tree = plant(spans, parents)
    verdicts = settle_tree(tree.nodes) if tree.is_nested else {}
    find_repeats([node for node in tree.nodes if node not in verdicts], parents, verdicts)
    if not verdicts:
        return []
    _count_down(verdicts)
    return sorted(_uncounted(node, verdict, verdicts) for node, verdict in verdicts.items())


def _count_down(verdicts: Verdicts) -> None:
    """Leave repeats beside a call out of the numbers that totals above name."""
    for node, verdict in verdicts.items():
        above = node.above if verdict.reason in BESIDE else None
        while above is not None:
            total = verdicts.get(above)
            if total is not None and total.number > 1 and total.is_of(node):
                total.number -= 1
            above = above.above


def _uncounted(node: Node, verdict: Verdict, verdicts: Mapping[Node, Verdict]) -> Uncounted:
    of = verdict.of
    while of is not None and of in verdicts:
        of = verdicts[of].of
    return Uncounted(node.span.span_id, verdict.text(), of.span.span_id if of else None)
