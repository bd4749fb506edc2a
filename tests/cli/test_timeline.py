"""The pure part of the text timeline: tree order and bars."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.cli.timeline import bar, extent_ns, tree_rows
from milepost_collector.protocol.api import SpanSkeleton


def span(span_id: str, start: int = 0, end: int | None = None, parent: str | None = None) -> SpanSkeleton:
    return SpanSkeleton(
        span_id=span_id,
        name=span_id,
        kind="task",
        status="completed",
        start_ns=start,
        end_ns=end,
        parent_span_id=parent,
    )


names = st.sampled_from("abcdefgh")
forests = st.lists(
    st.builds(span, names, st.integers(0, 10**12), st.none(), st.none() | names | st.just("elsewhere")),
    unique_by=lambda made: made.span_id,
)


def test_tree_puts_children_below_their_parent_in_order_of_start():
    spans = [
        span("late", 9, parent="root"),
        span("early", 3, parent="root"),
        span("leaf", 4, parent="early"),
        span("root"),
    ]
    drawn = [(row.guide, row.span.name) for row in tree_rows(spans)]
    assert drawn == [("", "root"), ("├─", "early"), ("│ └─", "leaf"), ("└─", "late")]


@given(forests)
def test_tree_shows_every_span_once_whatever_the_parents(spans: list[SpanSkeleton]):
    shown = [row.span.span_id for row in tree_rows(spans)]
    assert sorted(shown) == sorted(made.span_id for made in spans)


def test_tree_survives_nesting_deeper_than_recursion_allows():
    spans = [span(f"{depth:05}", depth, parent=f"{depth - 1:05}") for depth in range(5000)]
    assert [row.span for row in tree_rows(spans)] == spans


def test_extent_of_nothing_is_not_zero():
    assert extent_ns([]) == 1


@given(st.integers(0, 10**15), st.integers(0, 10**15) | st.none(), st.integers(1, 200))
def test_bar_has_the_width_of_the_axis_and_shows_every_span(start: int, length: int | None, width: int):
    end = None if length is None else start + length
    extent = max(1, start, end or 0)
    drawn = bar(start, end, extent=extent, width=width)
    assert len(drawn) == width
    assert drawn.strip()


def test_bar_lies_where_the_span_lies():
    assert bar(0, 100, extent=100, width=10) == "█" * 10
    assert bar(50, 100, extent=100, width=10) == " " * 5 + "█" * 5
    assert bar(0, 25, extent=100, width=10) == "██▌" + " " * 7


def test_bar_of_a_running_span_reaches_the_edge_without_claiming_an_end():
    assert bar(50, None, extent=100, width=10) == " " * 5 + "▒" * 5
