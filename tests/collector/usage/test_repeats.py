"""The same call recorded beside itself, and calls that only look alike."""

from __future__ import annotations

from typing import Any

import pytest

from tests.collector.usage.builders import judge, left_out, span, sums, total


def test_same_response_anywhere_is_the_same_call() -> None:
    found = judge(
        [span("a", "x", response_id="r", at=(0, 10)), span("b", "y", (131, 43, 64), response_id="r", at=(900, 990))]
    )
    assert (found["a"].reason, found["a"].of_span_id) == ("the same call: same response id", "b")


def test_same_response_with_a_token_more_counts_the_record_within() -> None:
    spans = [
        span("outer", "agent", (105, 24, 40, 20), response_id="m", scope="a", at=(0, 100)),
        span("inner", "agent", (105, 23, 40, 20), response_id="m", scope="b", at=(1, 99)),
    ]
    assert left_out(spans) == {"outer"}


def test_equal_counts_at_one_time_by_two_instrumentations_are_one_call() -> None:
    found = judge([span("a", "agent", scope="a", at=(0, 100)), span("b", "agent", scope="b", at=(1, 99))])
    assert (found["a"].reason, found["a"].of_span_id) == ("the same call: same counts at the same time", "b")


def test_a_token_more_of_output_is_still_one_call() -> None:
    spans = [span("a", None, (131, 44), scope="a", at=(0, 100)), span("b", None, (131, 43), scope="b", at=(1, 99))]
    assert left_out(spans) == {"a"}


@pytest.mark.parametrize("counts", [(131, 45), (131, 41), (132, 43), (130, 43)])
def test_other_counts_are_another_call(counts: tuple[int, int]) -> None:
    assert left_out([span("a", None, counts, scope="a"), span("b", None, (131, 43), scope="b")]) == set()


def test_equal_counts_at_another_time_are_another_call() -> None:
    assert left_out([span("a", scope="a", at=(0, 100)), span("b", scope="b", at=(150, 250))]) == set()


def test_equal_counts_of_another_model_are_another_call() -> None:
    assert left_out([span("a", scope="a", model="gpt-4o-mini"), span("b", scope="b", model="claude-opus-4")]) == set()


@pytest.mark.parametrize("model", ["gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini", "GPT-4o-mini", None])
def test_spellings_of_a_model_are_one(model: str | None) -> None:
    assert len(left_out([span("a", scope="a", model="gpt-4o-mini"), span("b", scope="b", model=model)])) == 1


def test_other_responses_are_other_calls_whatever_their_counts() -> None:
    assert left_out([span("a", scope="a", response_id="1"), span("b", scope="b", response_id="2")]) == set()


def test_identical_calls_of_one_instrumentation_all_count() -> None:
    assert left_out([span(f"s{n}", "agent", at=(n, 100 + n)) for n in range(50)]) == set()


def test_identical_calls_recorded_by_two_instrumentations_count_once_each() -> None:
    spans = [span(f"{scope}{n}", "agent", scope=scope, at=(n, 100 + n)) for n in range(50) for scope in "ab"]
    assert sums(spans) == (50 * 131, 50 * 43)


def test_instrumentation_that_misses_calls_does_not_hide_them() -> None:
    spans = [span(f"a{n}", "agent", scope="a", at=(n, 100)) for n in range(9)]
    spans += [span(f"b{n}", "agent", scope="b", at=(n, 100)) for n in range(5)]
    assert sums(spans) == (9 * 131, 9 * 43)


def test_three_records_of_a_call_count_once() -> None:
    found = judge([span(scope, "agent", scope=scope, at=(n, 100 - n)) for n, scope in enumerate("abc")])
    assert {one: found[one].of_span_id for one in found} == {"a": "c", "b": "c"}


def test_note_beside_a_call_is_not_another_call() -> None:
    spans = [span("call", "agent", name="chat"), span("note", "agent", name="record_usage", at=(100, 100))]
    assert left_out(spans) == {"note"}


def test_same_instant_under_another_name_is_the_same_call() -> None:
    spans = [span("a", "x", (131, 43, 64), name="request"), span("b", "x", (131, 43), name="raw_request")]
    assert left_out(spans) == {"b"}


def test_parallel_calls_under_other_names_are_calls() -> None:
    assert left_out([span("a", name="draft", at=(0, 90)), span("b", name="review", at=(5, 80))]) == set()


def test_total_beside_the_only_call_is_not_counted() -> None:
    spans = [total("agent", None, (131, 43), at=(0, 100)), span("call", None, (131, 43), at=(5, 95))]
    assert left_out(spans) == {"agent"}


def test_zeros_repeat_nothing() -> None:
    assert left_out([span("a", None, (0, 0), scope="a"), span("b", None, (0, 0), scope="b")]) == set()


def test_total_above_a_call_recorded_twice_speaks_of_one_call() -> None:
    found = judge([total("agent"), span("a", "agent", scope="a"), span("b", "agent", scope="b", at=(1, 99))])
    assert found["agent"].reason == "total of the call below"


def test_empty_record_of_a_response_does_not_decide_between_others() -> None:
    spans = [span("a", None, (2, None), response_id="r"), span("b", None, (2, None, 0), response_id="r")]
    assert left_out([*spans, span("empty", None, (0, 0), response_id="r")]) - {"empty"} == left_out(spans) == {"a"}


def test_empty_repeat_is_not_among_the_calls_a_total_speaks_of() -> None:
    calls = [span("a", "agent", response_id="r"), span("b", "agent", (7, 7), at=(200, 300))]
    found = judge([total("agent"), *calls, span("empty", "agent", (0, 0), response_id="r")])
    assert found["agent"].reason == "total of the 2 calls below"


def test_a_stream_told_by_a_note_is_the_call_that_began_it() -> None:
    spans = [
        span("begun", "root", (), name="Chat Completion with 'm'", at=(0, 14), model="m"),
        span("note", "root", (11, 15), name="streaming response from 'm' took 0.03s", at=(46, 46), model="m-2024"),
    ]
    found = judge(spans)
    assert {name: (why.reason, why.of_span_id) for name, why in found.items()} == {
        "begun": ("the same call: a note after it has its counts", "note")
    }


def test_each_note_has_one_call_and_the_rest_are_calls_of_their_own() -> None:
    begun = [span(f"c{n}", "root", (), name="call", at=(n * 10, n * 10 + 5)) for n in range(4)]
    notes = [span(f"n{n}", "root", (1, n), name="note", at=(n * 10 + 8, n * 10 + 8)) for n in (0, 2, 3)]
    assert left_out([*begun, *notes]) == {"c0", "c2", "c3"}


@pytest.mark.parametrize(
    "values",
    [{"model": "claude-opus-4"}, {"scope": "other"}, {"parent": "elsewhere"}, {"at": (40, 90)}, {"name": "llm"}],
)
def test_a_note_of_something_else_leaves_a_call_alone(values: dict[str, Any]) -> None:
    begun = span("begun", "root", (), name="llm", at=(30, 39), model="gpt-4o-mini")
    given = {"parent": "root", "at": (46, 46), "name": "note", "model": "gpt-4o-mini", **values}
    assert left_out([begun, span("note", counts=(11, 15), **given)]) == set()
