"""`milepost.testing` and the pytest plugin, as users use them."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

import milepost
from milepost.testing import FixedClock, SequentialIds, SteppingClock, capture

pytest_plugins = ["pytester"]


def test_capture_sees_every_client_and_restores_them(client, sink):
    with capture() as captured:
        client.start_task("captured").complete()
        milepost.start_task("default").complete()
        assert milepost.flush()
    client.start_task("sent").complete()
    assert client.flush()
    assert [span.name for span in captured.spans] == ["captured", "default"]
    assert sink.ended_names() == ["sent"]


def test_captures_nest(captured):
    milepost.start_task("outer").complete()
    with capture() as inner:
        milepost.start_task("inner").complete()
    milepost.start_task("outer again").complete()
    assert [span.name for span in inner.spans] == ["inner"]
    assert [span.name for span in captured.spans] == ["outer", "outer again"]


def test_capture_begins_outside_of_the_current_run(captured):
    with milepost.start_run("around"), capture() as inner:
        milepost.start_run("root").complete()
        assert inner.span("root").parent_span_id is None


def test_span_names_what_there_is_when_it_finds_none_or_many(captured):
    with pytest.raises(LookupError, match="0 spans are named 'x', expected 1; recorded are none"):
        captured.span("x")
    for _ in range(2):
        milepost.start_task("twin").complete()
    with pytest.raises(LookupError, match="2 spans are named 'twin', expected 1; recorded are twin"):
        captured.span("twin")


def test_finders_follow_the_tree(captured):
    with milepost.start_run("run"), milepost.start_task("a"):
        milepost.log("in a")
        milepost.start_task("b", kind="tool").complete()
    run, a, b = captured.spans
    assert (captured.runs, captured.tasks) == ([run], [a])
    assert (captured.children(run), captured.children(a)) == ([a], [b])
    assert [event.message for event in captured.events_of(a)] == ["in a"]
    captured.clear()
    assert (captured.spans, captured.events) == ([], [])


def test_clocks_and_ids_are_exact():
    clock = FixedClock(start_ns=1_000)
    with capture(clock=clock, ids=SequentialIds()) as captured:
        task = milepost.start_task("step")
        clock.advance(0.5)
        task.complete()
    span = captured.span("step")
    assert (span.run_id, span.span_id) == (f"{1:032x}", f"{1:016x}")
    assert (span.start_time, span.end_time) == (1_000, 500_001_000)
    stepping = SteppingClock(start_ns=10, step_ns=5)
    assert [stepping(), stepping(), stepping()] == [10, 15, 20]


def test_plugin_offers_the_fixture(pytester):
    pytester.makepyfile(
        """
        import milepost
        def test_it(milepost_capture):
            milepost.start_task("step").complete()
            assert milepost_capture.span("step").status == "completed"
        def test_it_starts_empty(milepost_capture):
            assert milepost_capture.spans == []
        """
    )
    # A process of its own loads the plugin as users have it, by the distribution's entry point.
    pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:asyncio").assert_outcomes(passed=2)


trees = st.recursive(st.just([]), lambda inner: st.lists(inner, max_size=3), max_leaves=12)


def _expected(tree, parent, path, found):
    for index, below in enumerate(tree):
        name = f"{path}/{index}"
        found[name] = parent
        _expected(below, name, name, found)
    return found


@given(trees, trees, st.lists(st.booleans(), min_size=40, max_size=40))
def test_children_find_their_parents_under_any_interleaving(left, right, turns):
    """Two asyncio tasks build their trees step by step, in an order that hypothesis picks."""

    async def build(tree, path, gate):
        for index, below in enumerate(tree):
            async with milepost.start_task(f"{path}/{index}"):
                await gate()
                await build(below, f"{path}/{index}", gate)
            await gate()

    async def flow():
        order = iter(turns)

        async def gate():
            if next(order, False):
                await asyncio.sleep(0)

        async with milepost.start_run("root"):
            await asyncio.gather(build(left, "l", gate), build(right, "r", gate))

    with capture() as captured:
        asyncio.run(flow())
    names = {span.span_id: span.name for span in captured.spans}
    actual = {span.name: names[span.parent_span_id] for span in captured.tasks}
    assert actual == _expected(left, "root", "l", {}) | _expected(right, "root", "r", {})
    assert len({span.run_id for span in captured.spans}) == 1


plans = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30)


@given(plans)
def test_plain_objects_may_start_and_end_in_any_order(plan):
    """Each step starts a task under a random earlier one, then ends a random one that is open."""
    with capture() as captured:
        run = milepost.start_run("run")
        spans, parents, ended = [run], {}, set()
        for parent_at, end_at in plan:
            parent = spans[parent_at % len(spans)]
            child = parent.start_task(f"task {len(spans)}")
            parents[child.span_id] = parent.span_id
            spans.append(child)
            ending = spans[end_at % len(spans)]
            if ending.span_id not in ended:
                ending.complete()
                ended.add(ending.span_id)
    assert {span.span_id: span.parent_span_id for span in captured.tasks} == parents
    assert {span.span_id for span in captured.spans if span.status == "completed"} == ended
