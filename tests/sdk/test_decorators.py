"""`@run` and `@task` on every kind of function."""

from __future__ import annotations

import asyncio
import functools
import inspect

import pytest

import milepost

pytestmark = pytest.mark.usefixtures("captured")


def test_arguments_are_recorded_by_name_and_the_result_as_output(captured):
    @milepost.task
    def parse(path, *rest, pages=1, **options):
        return {"path": path}

    assert parse("a.pdf", "b", "c", pages=2, dpi=300) == {"path": "a.pdf"}
    span = captured.span("parse")
    assert span.input == {"path": "a.pdf", "rest": ["b", "c"], "pages": 2, "dpi": 300}
    assert (span.output, span.status, span.kind) == ({"path": "a.pdf"}, "completed", "task")


def test_decorator_takes_settings(captured):
    @milepost.task(name="call", kind="llm", attributes={"a": 1}, capture_input=False, capture_output=False)
    def call(prompt):
        return "answer"

    assert call("private") == "answer"
    span = captured.span("call")
    assert (span.kind, span.attributes, span.input, span.output) == ("llm", {"a": 1}, None, None)


def test_run_decorator_makes_a_run_and_its_tasks_nest(captured):
    @milepost.task
    def step(n):
        return n + 1

    @milepost.run(name="report", agent="writer", session_id="s", user_id="u", tags=["x"])
    def report(n):
        return step(n)

    assert report(1) == 2
    run = captured.span("report")
    assert (run.kind, run.agent, run.session_id, run.user_id, run.tags) == ("agent", "writer", "s", "u", ["x"])
    assert [span.name for span in captured.children(run)] == ["step"]


def test_bare_run_decorator_names_the_run_after_the_function(captured):
    @milepost.run
    def crawl():
        return None

    crawl()
    assert (captured.span("crawl").input, captured.span("crawl").output) == (None, None)


def test_methods_leave_self_and_cls_out(captured):
    class Agent:
        @milepost.task
        def method(self, a):
            return a

        @milepost.task
        @classmethod
        def on_class(cls, b):
            return b

        @staticmethod
        @milepost.task
        def static(c):
            return c

    assert (Agent().method(1), Agent.on_class(2), Agent.static(3)) == (1, 2, 3)
    assert [span.input for span in captured.spans] == [{"a": 1}, {"b": 2}, {"c": 3}]


def test_wrapped_function_keeps_its_name_signature_and_kind():
    @milepost.task
    async def fetch(url: str, *, retries: int = 1) -> bytes:
        """Fetch it."""
        return b""

    assert (fetch.__name__, fetch.__doc__) == ("fetch", "Fetch it.")
    assert list(inspect.signature(fetch).parameters) == ["url", "retries"]
    assert inspect.iscoroutinefunction(fetch)


def test_exception_fails_the_task_and_is_raised_unchanged(captured):
    error = ValueError("bad")

    @milepost.task
    def step():
        raise error

    with pytest.raises(ValueError, match="bad") as caught:
        step()
    assert caught.value is error
    span = captured.span("step")
    assert (span.status, span.error_type, span.error_message) == ("failed", "ValueError", "bad")


def test_skip_returns_none_to_the_caller(captured):
    @milepost.task
    def step():
        raise milepost.Skip("cached")

    assert step() is None
    assert (captured.span("step").status, captured.span("step").reason) == ("skipped", "cached")


def test_function_may_end_its_own_task(captured):
    @milepost.task
    def step():
        milepost.current_task().fail(error_message="soft failure")
        return 1

    assert step() == 1
    assert (captured.span("step").status, captured.span("step").output) == ("failed", None)


def test_partial_and_callable_objects_are_named(captured):
    class Caller:
        def __call__(self, a):
            return a

    assert milepost.task(functools.partial(max, 1))(2) == 2
    assert milepost.task(Caller())(3) == 3
    assert [span.name for span in captured.spans] == ["partial", "Caller"]


@pytest.mark.parametrize("thing", ["name", 5, int])
def test_what_is_not_a_function_is_refused_when_decorating(thing):
    with pytest.raises(TypeError, match="a function can be decorated"):
        milepost.task(thing)


async def test_coroutine_is_current_in_its_own_task_only(captured):
    @milepost.task
    async def step(n):
        await asyncio.sleep(0)
        milepost.log(f"in {n}")
        return n

    @milepost.run
    async def flow():
        return await asyncio.gather(*(step(n) for n in range(3)))

    assert await flow() == [0, 1, 2]
    assert milepost.current_run() is None
    assert {span.parent_span_id for span in captured.tasks} == {captured.span("flow").span_id}
    assert {event.span_id for event in captured.events} == {span.span_id for span in captured.tasks}


async def test_cancelled_coroutine_ends_as_cancelled(captured):
    entered = asyncio.Event()

    @milepost.task
    async def step():
        entered.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(step())
    await entered.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert captured.span("step").status == "cancelled"


@milepost.task
def count(n):
    """Yield numbers, each inside a block that stays open while the consumer has it."""
    for index in range(n):
        with milepost.start_task(f"item {index}"):
            received = yield index
            milepost.log(f"received {received}")
    return "done"


def test_generator_spans_from_first_item_to_exhaustion(captured):
    numbers = count(3)
    assert captured.spans == []
    assert list(numbers) == [0, 1, 2]
    span = captured.span("count")
    assert (span.status, span.input, span.output) == ("completed", {"n": 3}, [0, 1, 2])
    assert [child.parent_span_id for child in captured.tasks[1:]] == [span.span_id] * 3


def test_generator_is_not_current_in_its_consumer(captured):
    with milepost.start_run("consumer") as run:
        for _ in count(2):
            assert milepost.current_task() is None
            with milepost.start_task("consume"):
                pass
    consumed = [span for span in captured.spans if span.name == "consume"]
    assert [span.parent_span_id for span in consumed] == [run.span_id] * 2


def test_two_generators_taken_in_turns_keep_their_own_context(captured):
    assert list(zip(count(2), count(2), strict=True)) == [(0, 0), (1, 1)]
    owners = [span.span_id for span in captured.spans if span.name == "count"]
    assert len(owners) == 2
    assert all(len(captured.children(span)) == 2 for span in captured.spans if span.span_id in owners)


def test_values_sent_in_and_returned_pass_through(captured):
    def consume():
        return (yield from count(1))

    outer = consume()
    assert next(outer) == 0
    with pytest.raises(StopIteration) as stop:
        outer.send("hello")
    assert stop.value.value == "done"
    assert captured.events[0].message == "received hello"


def test_exception_thrown_in_reaches_the_body(captured):
    numbers = count(2)
    next(numbers)
    with pytest.raises(KeyError):
        numbers.throw(KeyError("thrown"))
    assert captured.span("count").status == "failed"
    assert captured.span("item 0").status == "failed"


def test_generator_closed_early_is_cancelled_with_its_count(captured):
    for _ in count(5):
        break
    span = captured.span("count")
    assert (span.status, span.reason) == ("cancelled", "closed by its consumer")
    assert span.attributes == {"milepost.items": 1}


def test_generator_that_skips_just_stops(captured):
    @milepost.task
    def nothing():
        yield 1
        raise milepost.Skip("enough")

    assert list(nothing()) == [1]
    assert captured.span("nothing").status == "skipped"


def test_many_items_are_counted_and_the_first_are_kept(captured):
    @milepost.task
    def stream():
        yield from range(5_000)

    assert sum(stream()) == sum(range(5_000))
    output = captured.span("stream").output
    assert output["items"] == 5_000
    assert output["first"] == list(range(1_000))


@milepost.task
async def acount(n):
    for index in range(n):
        async with milepost.start_task(f"item {index}"):
            await asyncio.sleep(0)
            yield index


async def test_async_generator_spans_to_exhaustion_without_leaking(captured):
    async for _ in acount(2):
        assert milepost.current_task() is None
    span = captured.span("acount")
    assert (span.status, span.output) == ("completed", [0, 1])
    assert len(captured.children(span)) == 2


async def test_async_generator_closed_early_is_cancelled(captured):
    numbers = acount(3)
    assert await anext(numbers) == 0
    await numbers.aclose()
    assert captured.span("acount").status == "cancelled"
    assert captured.span("item 0").status == "cancelled"


async def test_async_generator_failure_is_recorded_and_raised(captured):
    @milepost.task
    async def broken():
        yield 1
        raise ValueError("bad")

    with pytest.raises(ValueError, match="bad"):
        async for _ in broken():
            pass
    assert captured.span("broken").status == "failed"


async def test_cleanup_of_an_async_generator_may_await(captured):
    @milepost.task
    async def careful():
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            milepost.log("cleaned")

    numbers = careful()
    await anext(numbers)
    await numbers.aclose()
    assert [event.message for event in captured.events] == ["cleaned"]
    assert captured.events[0].span_id == captured.span("careful").span_id
