"""Random runs as pictures draw them, and what is true of the pictures."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from milepost_collector.protocol.exports import SpanLink, TimedSpan

RUN = "c0ffee00" * 4


@st.composite
def timed_runs(draw: st.DrawFn) -> list[TimedSpan]:
    """Draw the spans of a run, by start; some overlap, overhang their parents, run still, or hang on nothing."""
    spans: list[TimedSpan] = []
    for number in range(draw(st.integers(1, 14))):
        start = draw(st.integers(0, 40))
        parent = draw(st.integers(-1, number))
        links = draw(st.lists(st.integers(0, 15), max_size=2))
        spans.append(
            TimedSpan(
                run_id=RUN,
                span_id=f"{number:016x}",
                parent_span_id=None if parent < 0 or not number else f"{parent:016x}",
                name=draw(st.sampled_from(("ask", "fetch `x`", "read\nthis"))),
                kind=draw(st.sampled_from(("llm", "tool"))),
                status=draw(st.sampled_from(("completed", "failed"))),
                start_ns=start,
                end_ns=draw(st.none() | st.integers(start, 60)),
                cost_usd=draw(st.none() | st.floats(0, 9)),
                error_message=draw(st.none() | st.text(max_size=30)),
                links=[SpanLink(RUN, f"{to:016x}") for to in links],
            )
        )
    return sorted(spans, key=lambda span: (span.start_ns, span.span_id))


def extent_of(spans: list[TimedSpan]) -> int:
    """Return the latest instant that is known."""
    return max(max(span.start_ns, span.end_ns or 0) for span in spans)


def check_nesting(slices: list[tuple[int, int]]) -> None:
    """Assert that intervals, in the order they were drawn, nest as a profile's frames do."""
    open_ends: list[int] = []
    for start, end in slices:
        while open_ends and open_ends[-1] <= start:
            open_ends.pop()
        assert not open_ends or end <= open_ends[-1]
        open_ends.append(end)


def check_profile(profile: dict[str, Any], frame_count: int) -> int:
    """Assert speedscope's rules for an evented profile; return how many frames it opens."""
    stack: list[int] = []
    at = profile["startValue"]
    for event in profile["events"]:
        assert at <= event["at"] <= profile["endValue"]
        assert 0 <= event["frame"] < frame_count
        at = event["at"]
        if event["type"] == "O":
            stack.append(event["frame"])
        else:
            assert event["type"] == "C"
            assert stack.pop() == event["frame"]
    assert not stack
    return len(profile["events"]) // 2
