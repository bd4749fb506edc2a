"""What holds for every run, however its spans lie to each other."""

from __future__ import annotations

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.protocol.usage import UsageSpan, count_once
from milepost_collector.protocol.usage.shapes import NOTHING, level_of
from tests.collector.usage.builders import judge, left_out, span, total

COUNT = st.none() | st.integers(0, 3)
IDS = [f"s{n}" for n in range(9)]
BARE = ["x", "y", "z"]


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[UsageSpan], dict[str, str | None]]:
    """Return spans with usage that are easily confused, and the parents of others; cycles and gaps occur."""
    parent = st.sampled_from([None, "gone", *BARE, *IDS])
    spans = [
        span(
            span_id,
            draw(parent),
            draw(st.tuples(COUNT, COUNT, COUNT)),
            kind=draw(st.sampled_from(["llm", "llm", "agent", "embedding", "tool", "span"])),
            at=(start := draw(st.sampled_from([0, 5, 60])), start + draw(st.sampled_from([0, 40, 50]))),
            name=draw(st.sampled_from(["a", "b"])),
            scope=draw(st.sampled_from([None, "one", "two", "three"])),
            model=draw(st.sampled_from([None, "gpt-4o", "gpt-4o-2024-08-06", "o3"])),
            response_id=draw(st.sampled_from([None, None, "r1", "r2"])),
            cost_usd=draw(st.sampled_from([None, None, 0.5])),
        )
        for span_id in IDS[: draw(st.integers(2, len(IDS)))]
    ]
    return spans, {bare: draw(parent) for bare in BARE}


@given(run=runs(), seed=st.integers(0, 1000))
def test_order_of_spans_does_not_matter(run: tuple[list[UsageSpan], dict[str, str | None]], seed: int) -> None:
    spans, bare = run
    shuffled = random.Random(seed).sample(spans, len(spans))
    assert judge(shuffled, **dict(reversed(bare.items()))) == judge(spans, **bare)


@given(run=runs())
def test_what_is_not_counted_names_its_reason_and_something_that_is(
    run: tuple[list[UsageSpan], dict[str, str | None]],
) -> None:
    spans, bare = run
    found = judge(spans, **bare)
    assert all(one.reason for one in found.values())
    assert not {one.of_span_id for one in found.values()} & set(found)


@given(run=runs())
def test_something_counts_in_every_run_with_usage(run: tuple[list[UsageSpan], dict[str, str | None]]) -> None:
    spans, bare = run
    counted = [one for one in spans if one.span_id not in left_out(spans, **bare)]
    assert max(map(level_of, counted), default=-1) == max(map(level_of, spans))


@given(run=runs(), parent=st.sampled_from([None, *BARE, *IDS]))
def test_span_without_usage_changes_nothing_for_spans_with_usage(
    run: tuple[list[UsageSpan], dict[str, str | None]], parent: str | None
) -> None:
    spans, bare = run
    some = {one.span_id for one in spans if level_of(one) > NOTHING}
    with_extra = judge([*spans, span("extra", parent, (0, None), response_id="r1", scope="four")], **bare)
    before = judge(spans, **bare)
    assert {one: with_extra[one] for one in some & set(with_extra)} == {one: before[one] for one in some & set(before)}


@given(run=runs())
def test_zeros_never_count_instead_of_others(run: tuple[list[UsageSpan], dict[str, str | None]]) -> None:
    spans, bare = run
    empty = {one.span_id for one in spans if level_of(one) == NOTHING}
    assert not {one.of_span_id for one in judge(spans, **bare).values()} & empty


@given(
    counts=st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), min_size=1, max_size=12),
    overlapping=st.booleans(),
)
def test_independent_calls_of_an_agent_are_fully_counted(counts: list[tuple[int, int]], overlapping: bool) -> None:
    step = 1 if overlapping else 200
    calls = [span(f"c{n}", "agent", pair, at=(n * step, n * step + 100)) for n, pair in enumerate(counts)]
    stated = (sum(given for given, _ in counts), sum(output for _, output in counts))
    assert left_out([total("agent", None, stated), *calls]) == {"agent"}


@given(
    starts=st.lists(st.integers(0, 300), min_size=1, max_size=12),
    lengths=st.lists(st.integers(5, 200), min_size=12, max_size=12),
)
def test_calls_recorded_inside_and_outside_by_others_count_once_each(starts: list[int], lengths: list[int]) -> None:
    spans = []
    for n, (start, length) in enumerate(zip(starts, lengths, strict=False)):
        spans.append(span(f"outer{n}", "agent", scope="lib", at=(start, start + length)))
        spans.append(span(f"inner{n}", "agent", scope="sdk", at=(start + 1, start + length - 1)))
    assert len(left_out(spans)) == len(starts)


def test_run_of_20_000_calls_recorded_twice_is_judged_quickly() -> None:
    spans = [
        span(f"{scope}{n}", "agent", scope=scope, at=(n % 500, n % 500 + 90)) for n in range(10_000) for scope in "ab"
    ]
    began = time.perf_counter()
    found = count_once(spans, {"agent": None})
    assert len(found) == 10_000
    assert time.perf_counter() - began < 5  # measured 0.13 s; comparing each with each would take minutes
