"""Calls and totals above and below each other."""

from __future__ import annotations

from tests.collector.usage.builders import judge, left_out, span, sums, total


def test_total_above_calls_is_not_counted_and_says_how_many() -> None:
    found = judge([total("agent"), span("a", "agent", (131, 43)), span("b", "agent", (200, 27), at=(100, 200))])
    assert (found["agent"].reason, found["agent"].of_span_id) == ("total of the 2 calls below", None)
    assert set(found) == {"agent"}


def test_total_above_one_call_names_the_call() -> None:
    found = judge([total("agent"), span("a", "agent")])
    assert (found["agent"].reason, found["agent"].of_span_id) == ("total of the call below", "a")


def test_calls_are_found_below_spans_without_usage_and_other_totals() -> None:
    spans = [total("agent"), total("inner", "tool"), span("call", "step")]
    assert left_out(spans, tool="agent", step="inner") == {"agent", "inner"}


def test_total_without_calls_below_counts() -> None:
    assert sums([total("agent"), span("elsewhere", None, (7, 7), at=(500, 600))]) == (338, 77)


def test_total_with_output_is_not_explained_by_embeddings() -> None:
    spans = [total("agent", None, (331, 70)), span("embedding", "agent", (6, None), kind="embedding")]
    assert left_out(spans) == set()


def test_total_of_embeddings_is_not_counted_above_them() -> None:
    assert left_out([total("many", None, (6,)), span("one", "many", (6,), kind="embedding")]) == {"many"}


def test_total_that_contains_the_totals_below_counts_in_their_place() -> None:
    found = judge([total("crew", None, (500, 90)), total("a", "crew", (200, 40)), total("b", "crew", (130, 30))])
    assert {one: found[one].of_span_id for one in found} == {"a": "crew", "b": "crew"}


def test_total_smaller_than_those_below_is_beside_them() -> None:
    assert left_out([total("writer", None, (319, 55)), total("researcher", "writer", (328, 40))]) == set()


def test_equal_totals_above_each_other_count_once() -> None:
    assert left_out([total("run"), total("agent", "run", kind="chain"), total("task", "agent", kind="task")]) == {
        "run",
        "agent",
    }


def test_call_recorded_by_the_library_below_too_counts_below() -> None:
    found = judge([span("outer", None, scope="a"), span("inner", "outer", scope="b", response_id="msg_1")])
    assert (found["outer"].reason, found["outer"].of_span_id) == ("the same call as the one below", "inner")


def test_outer_record_with_more_buckets_counts_instead_of_the_inner() -> None:
    found = judge([span("outer", None, (131, 43, 64, 0, 12), scope="a"), span("inner", "outer", (131, 43), scope="b")])
    assert (found["inner"].reason, found["inner"].of_span_id) == ("the same call as the one above", "outer")


def test_inner_record_is_right_where_they_differ() -> None:
    assert left_out([span("outer", None, (131, 55, 64, 0, 12)), span("inner", "outer", (131, 43))]) == {"outer"}


def test_inner_record_without_output_does_not_count_instead_of_a_whole_one() -> None:
    assert left_out([span("outer", None, (131, 43)), span("inner", "outer", (131, None))]) == {"inner"}


def test_inner_record_of_zeros_does_not_displace() -> None:
    assert left_out([span("outer", None, (131, 43)), span("inner", "outer", (0, 0))]) == {"inner"}


def test_call_made_of_several_calls_is_their_total() -> None:
    spans = [span("outer", None, (331, 70)), span("a", "outer", (131, 43)), span("b", "outer", (200, 27))]
    assert judge(spans)["outer"].reason == "total of the 2 calls below"


def test_call_with_the_last_step_s_counts_is_not_counted_above_its_steps() -> None:
    assert sums([span("outer", None, (200, 27)), span("a", "outer", (131, 43)), span("b", "outer", (200, 27))]) == (
        331,
        70,
    )


def test_call_of_another_model_by_a_tool_that_a_call_runs_counts_beside_it() -> None:
    spans = [
        span("outer", None, (900, 90), model="gemini-2.5-pro", response_id="r1"),
        span("inner", "tool", (50, 5), model="gpt-4o-mini", response_id="r2"),
    ]
    assert left_out(spans, tool="outer") == set()


def test_embedding_below_a_call_counts_beside_it() -> None:
    assert left_out([span("outer", None, (331, 70)), span("e", "outer", (6,), kind="embedding")]) == set()


def test_chain_of_records_of_one_call_counts_the_innermost() -> None:
    spans = [span("a"), span("b", "a"), span("c", "b"), span("d", "c")]
    found = judge(spans)
    assert set(found) == {"a", "b", "c"}
    assert {one.of_span_id for one in found.values()} == {"d"}


def test_cost_alone_above_counted_calls_is_not_counted() -> None:
    spans = [total("agent", None, (), cost_usd=0.5), span("a", "agent", cost_usd=0.2), span("b", "agent", (200, 27))]
    assert left_out(spans) == {"agent"}


def test_cost_alone_below_a_total_is_part_of_it() -> None:
    found = judge([total("agent", cost_usd=0.5), span("a", "agent", (), cost_usd=0.2)])
    assert (found["a"].reason, found["a"].of_span_id) == ("part of the total above", "agent")


def test_what_people_record_on_tasks_counts_beside_calls_below() -> None:
    own = span("task", None, (500, 50), kind="task", scope=None, model="gpt-4o")
    assert left_out([own, span("call", "task", (131, 43))]) == set()


def test_what_people_record_on_tasks_is_not_counted_when_it_is_the_calls_below() -> None:
    own = span("task", None, (331, 70), kind="task", scope=None, model="gpt-4o")
    assert left_out([own, span("a", "task", (131, 43)), span("b", "task", (200, 27))]) == {"task"}


def test_nested_tasks_with_recorded_usage_all_count() -> None:
    spans = [span("outer", None, kind="task", scope=None), span("inner", "outer", kind="task", scope=None)]
    assert left_out([*spans, span("other", None, (1, 1), at=(900, 950))]) == set()


def test_agent_s_total_above_recorded_usage_is_not_counted() -> None:
    assert left_out([total("agent"), span("task", "agent", kind="task", scope=None)]) == {"agent"}


def test_cycles_and_missing_parents_leave_calls_counted() -> None:
    spans = [span("a", "b", (1, 2)), span("b", "a", (3, 4)), span("c", "c", (5, 6)), span("d", "gone", (7, 8))]
    assert sums(spans, x="y", y="x") == (16, 20)


def test_usage_below_a_cycle_of_other_spans_counts() -> None:
    assert sums([span("a", "x", (1, 2)), span("b", "y", (3, 4))], x="y", y="x") == (4, 6)
