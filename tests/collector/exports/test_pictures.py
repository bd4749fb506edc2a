"""Chrome's trace events, speedscope's files and Markdown pages are what their readers expect, for any run."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost_collector.protocol.api import RunSummary
from milepost_collector.protocol.exports import MarkdownRun, TimedSpan, chrome_trace, markdown, speedscope
from tests.collector.exports.pictures import RUN, check_nesting, check_profile, extent_of, timed_runs

quick = settings(max_examples=60, deadline=None)


def chrome(spans: list[TimedSpan]) -> list[dict[str, Any]]:
    linked = {link.span_id for span in spans for link in span.links}
    pieces = chrome_trace("run", "2026", spans, extent_ns=extent_of(spans), linked=linked)
    events: list[dict[str, Any]] = json.loads(b"".join(pieces))["traceEvents"]
    return events


def summary(**told: Any) -> RunSummary:
    facts: dict[str, Any] = dict.fromkeys(RunSummary.__struct_fields__)
    counts = ("span_count", "live_span_count", "task_count", "llm_call_count", "tool_call_count", "error_count")
    facts |= dict.fromkeys((*counts, "unpriced_count", "part_count"), 0)
    facts |= {"run_id": RUN, "name": "report", "status": "completed", "start_time": "2026", "tags": [], "models": []}
    return RunSummary(**{**facts, **told})


@quick
@given(spans=timed_runs())
def test_every_span_is_one_slice_with_its_times(spans: list[TimedSpan]) -> None:
    slices = [event for event in chrome(spans) if event["ph"] == "X"]
    extent = extent_of(spans)
    assert [(event["args"]["span_id"], event["ts"], event["dur"]) for event in slices] == [
        (span.span_id, span.start_ns / 1000, (span.end_by(extent) - span.start_ns) / 1000) for span in spans
    ]


@quick
@given(spans=timed_runs())
def test_slices_of_a_thread_nest_and_threads_are_named(spans: list[TimedSpan]) -> None:
    events = chrome(spans)
    threads: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            start = round(event["ts"] * 1000)
            threads[event["tid"]].append((start, start + round(event["dur"] * 1000)))
    for slices in threads.values():
        check_nesting(slices)
    assert threads.keys() == {event["tid"] for event in events if event["name"] == "thread_name"}


@quick
@given(spans=timed_runs())
def test_every_link_within_the_run_is_an_arrow_with_two_ends(spans: list[TimedSpan]) -> None:
    known = {span.span_id for span in spans}
    links = sum(link.span_id in known for span in spans for link in span.links)
    ends = [event for event in chrome(spans) if event["ph"] in "sf"]
    assert [event["ph"] for event in ends] == ["s", "f"] * links
    assert [event["id"] for event in ends] == [number for number in range(1, links + 1) for _ in "sf"]


@quick
@given(spans=timed_runs())
def test_speedscope_file_keeps_the_rules_of_its_format(spans: list[TimedSpan]) -> None:
    file = json.loads(b"".join(speedscope("run", spans, exporter="test", extent_ns=extent_of(spans))))
    frames = file["shared"]["frames"]
    assert {frame["name"] for frame in frames} == {span.name for span in spans}
    assert sum(check_profile(profile, len(frames)) for profile in file["profiles"]) == len(spans)
    assert {profile["unit"] for profile in file["profiles"]} == {"nanoseconds"}


def test_siblings_one_after_another_share_their_parents_thread() -> None:
    times = [(0, 10), (1, 4), (4, 9)]
    spans = [
        TimedSpan(run_id=RUN, span_id=str(number), parent_span_id="0" if number else None, name="x", kind="task",
                  status="completed", start_ns=start, end_ns=end)
        for number, (start, end) in enumerate(times)
    ]  # fmt: skip
    assert {event["tid"] for event in chrome(spans) if event["ph"] == "X"} == {1}


@quick
@given(spans=timed_runs(), budget=st.integers(1000, 4000), output=st.none() | st.text(max_size=3000))
def test_markdown_stays_within_its_budget_and_counts_what_it_leaves_out(
    spans: list[TimedSpan], budget: int, output: str | None
) -> None:
    page = markdown(MarkdownRun(run=summary(), spans=spans, output=output, omitted=3), budget=budget)
    assert len(page.encode()) <= budget
    assert page.startswith("# report\n")
    assert "spans are not shown" in page


def test_markdown_folds_equal_steps_and_tells_what_failed() -> None:
    spans = [
        TimedSpan(run_id=RUN, span_id=str(number), parent_span_id="0" if number else None, name="page" if number else
                  "report", kind="task", status="failed" if number == 4 else "completed", start_ns=number,
                  end_ns=number + 2_000_000, cost_usd=0.25, error_type="OSError" if number == 4 else None)
        for number in range(5)
    ]  # fmt: skip
    page = markdown(MarkdownRun(run=summary(cost_usd=1.25), spans=spans, output='"done"'), budget=4000)
    assert "- report (task, 2 ms, $0.25)\n  - page × 3 (task, 6 ms, $0.75)\n  - page (task, failed, 2 ms" in page
    assert "- **page**: OSError" in page
    assert '```json\n"done"\n```' in page


def test_markdown_refuses_a_page_that_is_too_small() -> None:
    with pytest.raises(ValueError, match="a page of 999 bytes is too small; use 1000 or more"):
        markdown(MarkdownRun(run=summary(), spans=[]), budget=999)
