"""Runs side by side: every span on one row, equal runs without a difference, swapped runs the same rows swapped."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.wire import SpanEnded, Usage
from milepost_collector.traces.analysis.alignment import Node, align, longest_common
from tests.collector.server import Server

BASE_NS = 1_790_000_000_000_000_000
A, B = "a" * 32, "b" * 32
names = st.lists(st.sampled_from("abc"), max_size=9)
quick = settings(max_examples=150, deadline=None)


@st.composite
def trees(draw: st.DrawFn) -> list[Node]:
    """Draw a run's spans; some hang on nothing known, on later ones, or on each other in a circle."""
    count = draw(st.integers(0, 9))
    parents = [draw(st.none() | st.integers(0, count)) for _ in range(count)]
    drawn = [draw(st.sampled_from("abc")) for _ in range(count)]
    return [
        Node(number, str(number), None if parent is None else str(parent), name)
        for number, (parent, name) in enumerate(zip(parents, drawn, strict=True))
    ]


@quick
@given(a=trees(), b=trees())
def test_every_span_is_on_one_row(a: list[Node], b: list[Node]) -> None:
    rows = align(a, b).rows
    assert sorted(row.a for row in rows if row.a is not None) == list(range(len(a)))
    assert sorted(row.b for row in rows if row.b is not None) == list(range(len(b)))
    assert all(row.a is not None or row.b is not None for row in rows)


@quick
@given(a=trees(), b=trees())
def test_swapped_runs_give_swapped_rows(a: list[Node], b: list[Node]) -> None:
    forth, back = align(a, b).rows, align(b, a).rows
    pairs = {(row.a, row.b, row.depth) for row in forth}
    assert pairs == {(row.b, row.a, row.depth) for row in back}


@quick
@given(a=trees())
def test_run_is_equal_to_itself(a: list[Node]) -> None:
    assert all(row.a == row.b for row in align(a, a).rows)


@quick
@given(a=names, b=names)
def test_common_subsequence_is_a_longest_one(a: list[str], b: list[str]) -> None:
    found = longest_common(a, b)
    assert [a[one] for one, _ in found] == [b[other] for _, other in found]
    assert all(one < two and other < another for (one, other), (two, another) in pairwise(found))
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, j in product(range(len(a)), range(len(b))):
        table[i + 1][j + 1] = table[i][j] + 1 if a[i] == b[j] else max(table[i][j + 1], table[i + 1][j])
    assert len(found) == table[-1][-1]


def test_long_lists_are_aligned_in_parts_and_say_so() -> None:
    a = [Node(number, str(number), None, f"{number % 7}") for number in range(10_500)]
    b = [Node(number, str(number), None, f"{(number + 3) % 7}") for number in range(10_500)]
    aligned = align(a, b)
    assert aligned.approximate
    assert sum(row.a is not None and row.b is not None for row in aligned.rows) > 10_000


def run_of(run_id: str, steps: dict[str, Any]) -> list[SpanEnded]:
    """Return a run with these steps and what they returned; the run returns the last of it."""
    root = SpanEnded(
        run_id=run_id, span_id="f" * 16, name="report", kind="agent", start_time=BASE_NS, input={"page": 1},
        end_time=BASE_NS + 1_000_000 * len(steps), output=list(steps.values())[-1],
    )  # fmt: skip
    return [root, *(
        SpanEnded(run_id=run_id, span_id=f"{place + 1:016x}", parent_span_id="f" * 16, name=name, kind="tool",
                  start_time=BASE_NS + 1_000_000 * place, end_time=BASE_NS + 1_000_000 * (place + 1),
                  output=output, usage=[Usage(model="m", input_tokens=10, cost_usd=0.5)])
        for place, (name, output) in enumerate(steps.items())
    )]  # fmt: skip


@pytest.fixture(scope="module")
def recorded(server: Server) -> Server:
    """Give a server with two runs that part at the second step."""
    server.send(run_of(A, {"plan": 1, "fetch": "old", "write": "x"}))
    server.send(run_of(B, {"plan": 1, "fetch": "new", "check": True, "write": "y"}))
    return server


def test_runs_are_aligned_and_their_first_difference_is_told(recorded: Server) -> None:
    found = recorded.get("/api/compare", a=A, b=B)
    assert [(row["name"], row["match"], row.get("differs", [])) for row in found["rows"]] == [
        ("report", "both", ["output"]), ("plan", "both", []), ("fetch", "both", ["output"]),
        ("check", "b", ["structure"]), ("write", "both", ["output"]),
    ]  # fmt: skip
    assert found["divergence"] == {"row": 2, "aspect": "output"}
    assert found["counts"] == {"same": 1, "different": 3, "only_a": 0, "only_b": 1}
    assert found["delta"] == {"duration_ms": 1.0, "cost_usd": 0.5, "input_tokens": 10}


def test_run_compared_with_itself_has_no_difference(recorded: Server) -> None:
    found = recorded.get("/api/compare", a=A, b=A.upper())
    assert (found["divergence"], found["counts"]["same"]) == (None, 4)


def test_another_model_is_a_difference(recorded: Server) -> None:
    for run_id, model in (("c" * 32, "old"), ("d" * 32, "new")):
        usage = [Usage(model=model, input_tokens=1)]
        recorded.send([SpanEnded(run_id=run_id, span_id="1" * 16, name="ask", kind="llm", start_time=BASE_NS,
                                 end_time=BASE_NS + 1, usage=usage)])  # fmt: skip
    found = recorded.get("/api/compare", a="c" * 32, b="d" * 32)
    assert found["divergence"] == {"row": 0, "aspect": "model"}
    assert [found["rows"][0][side]["model"] for side in "ab"] == ["old", "new"]


def test_bodies_of_a_row_are_fetched_and_cut(recorded: Server) -> None:
    found = recorded.get("/api/compare/span", a=f"{A}/{2:016x}", b=f"{B}/{2:016x}", limit=3)
    assert (found["a"]["output"], found["b"]["output"]) == ({"bytes": 5, "head": '"ol'}, {"bytes": 5, "head": '"ne'})
    assert recorded.get("/api/compare/span", b=f"{B}/{3:016x}")["a"] is None


@pytest.mark.parametrize(
    ("path", "status"),
    [(f"?a={A}", 400), (f"?a={A}&b={'9' * 32}", 404), (f"/span?a={A}", 400), (f"/span?a={A}/{9:016x}", 404)],
)
def test_what_cannot_be_compared_is_refused(recorded: Server, path: str, status: int) -> None:
    assert recorded.client.get(f"/api/compare{path}").status_code == status
