"""Runs and tasks: identity, nesting, outcomes, what they record, and OpenTelemetry's interface."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import logging
import threading

import pytest
from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import milepost
from milepost.testing import FixedClock, SequentialIds, SteppingClock, capture

REMOTE = f"00-{'a' * 32}-{'b' * 16}-01"


def test_root_run_is_an_agent_without_a_parent(captured):
    with milepost.start_run("report", input={"file": "a.pdf"}) as run:
        assert run.status == "running"
        run.complete(output={"pages": 3})
    span = captured.span("report")
    assert (span.kind, span.parent_span_id, span.status) == ("agent", None, "completed")
    assert (span.input, span.output) == ({"file": "a.pdf"}, {"pages": 3})
    assert (span.run_id, span.span_id) == (run.run_id, run.span_id)
    assert span.end_time > span.start_time


def test_tasks_nest_under_what_is_current(captured):
    with milepost.start_run("run") as run:
        with milepost.start_task("outer") as outer, milepost.start_task("inner"):
            pass
        with milepost.start_task("next"):
            pass
    assert captured.span("outer").parent_span_id == run.span_id
    assert captured.span("inner").parent_span_id == outer.span_id
    assert captured.span("next").parent_span_id == run.span_id
    assert {span.run_id for span in captured.spans} == {run.run_id}


def test_plain_objects_do_not_become_current(captured):
    run = milepost.start_run("run")
    assert milepost.current_run() is None
    task = milepost.start_task("elsewhere")
    assert task.run_id != run.run_id
    assert run.start_task("here").run_id == run.run_id


def test_task_outside_of_a_run_begins_one(captured):
    milepost.start_task("alone").complete()
    span = captured.span("alone")
    assert (span.kind, span.parent_span_id, span.status) == ("task", None, "completed")


def test_run_inside_a_run_is_a_nested_agent(captured):
    with milepost.start_run("outer") as outer, milepost.start_run("inner", agent="helper") as inner:
        assert milepost.current_run() is inner
        inner.start_task("step").complete()
    assert captured.span("inner").parent_span_id == outer.span_id
    assert captured.span("inner").run_id == outer.run_id
    assert captured.span("step").agent == "helper"


def test_objects_end_in_any_order(captured):
    run = milepost.Client().start_run("run")
    first, second = run.start_task("first"), run.start_task("second", kind="tool")
    run.complete()
    second.skip(reason="cache hit")
    first.fail(error_message="Connection refused")
    assert (captured.span("first").status, captured.span("first").error_message) == ("failed", "Connection refused")
    assert (captured.span("second").status, captured.span("second").reason) == ("skipped", "cache hit")
    assert captured.span("second").kind == "tool"


def test_task_left_open_stays_running(captured):
    run = milepost.start_run("run")
    run.start_task("left open")
    run.complete()
    assert captured.span("left open").status == "running"
    assert captured.span("left open").end_time is None


@pytest.mark.parametrize("second", ["complete", "fail", "skip", "cancel", "end"])
def test_second_end_is_a_warning_and_the_first_stands(captured, caplog, second):
    task = milepost.start_task("once")
    task.complete(output=1)
    with caplog.at_level(logging.WARNING):
        getattr(task, second)()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "'once' ignored: it has ended as completed already" in caplog.text
    assert (captured.span("once").status, captured.span("once").output) == ("completed", 1)


def test_exception_fails_the_block_and_goes_on(captured):
    with pytest.raises(KeyError), milepost.start_run("run"), milepost.start_task("step"):
        raise KeyError("missing")
    for span in captured.spans:
        assert (span.status, span.error_type, span.error_message) == ("failed", "KeyError", "'missing'")
        assert "raise KeyError" in span.error_stack


def test_fail_takes_an_exception_with_its_module(captured):
    task = milepost.start_task("step")
    task.fail(milepost.MilepostError("late"))
    assert captured.span("step").error_type == "milepost.errors.MilepostError"
    assert captured.span("step").error_message == "late"
    assert captured.span("step").error_stack is None


def test_skip_ends_the_block_and_the_code_behind_it_runs(captured):
    with milepost.start_run("run") as run:
        with milepost.start_task("step"):
            raise milepost.Skip("cache hit")
        run.log("behind")
    assert (captured.span("step").status, captured.span("step").reason) == ("skipped", "cache hit")
    assert captured.span("run").status == "completed"
    assert captured.events[0].message == "behind"


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (asyncio.CancelledError("stop"), "cancelled", "stop"),
        (concurrent.futures.CancelledError(), "cancelled", "cancelled"),
        (KeyboardInterrupt(), "cancelled", "interrupted from the keyboard"),
        (GeneratorExit(), "cancelled", "closed by its consumer"),
        (SystemExit(0), "cancelled", "the program exits"),
        (SystemExit(2), "failed", None),
    ],
)
def test_being_stopped_is_not_failing(captured, error, status, reason):
    with pytest.raises(type(error)), milepost.start_task("step"):
        raise error
    assert (captured.span("step").status, captured.span("step").reason) == (status, reason)


async def test_async_with_blocks_nest_per_asyncio_task(captured):
    async def work(name, run):
        async with milepost.start_task(name) as task:
            await asyncio.sleep(0)
            assert milepost.current_task() is task
            assert milepost.current_run() is run

    async with milepost.start_run("run") as run:
        await asyncio.gather(*(work(f"step {index}", run) for index in range(5)))
    assert [span.parent_span_id for span in captured.tasks] == [run.span_id] * 5


def test_threads_use_the_objects_they_are_given(captured):
    with milepost.start_run("run") as run:
        threads = [threading.Thread(target=lambda: run.start_task("step").complete()) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [span.parent_span_id for span in captured.tasks] == [run.span_id] * 8


def test_everything_about_a_span_is_recorded(captured):
    with milepost.start_run(
        "run", session_id="s", user_id="u", tags=["a"], attributes={"x": 1}, task_id="t", attempt=2, agent="me"
    ) as run:
        run.add_tags("b", "a")
        run.set_attribute("list", [1, (2,)])
        run.set_attributes({"nan": float("nan"), "huge": 2**70, 5: "odd key"})
    span = captured.span("run")
    assert (span.session_id, span.user_id, span.tags, span.agent) == ("s", "u", ["a", "b"], "me")
    assert (span.task_id, span.attempt) == ("t", 2)
    assert span.attributes == {"x": 1, "list": [1, [2]], "nan": None, "huge": str(2**70), "5": "odd key"}


def test_session_and_user_may_be_known_later(captured):
    with milepost.start_run("run", tags="single") as run:
        run.set_session("s2")
        run.set_user("u2")
    span = captured.span("run")
    assert (span.session_id, span.user_id, span.tags) == ("s2", "u2", ["single"])


def test_module_functions_act_on_the_current_task(captured):
    with milepost.start_run("run"), milepost.start_task("step") as task:
        milepost.checkpoint({"page": 12}, name="pages")
        milepost.log("parsed", severity="warning", pages=3)
        milepost.progress(1.5, "parsing")
        milepost.progress(phase="done")
        milepost.record_usage(model="gpt", provider="openai", input_tokens=10, output_tokens=2, cost_usd=0.5)
        milepost.record_usage(model="gpt", provider="openai", input_tokens=1, reasoning_tokens=1)
    checkpoint, log, progress, phase = captured.events
    assert {event.span_id for event in captured.events} == {task.span_id}
    assert (checkpoint.kind, checkpoint.name, checkpoint.body) == ("checkpoint", "pages", {"page": 12})
    assert (log.message, log.severity, log.body) == ("parsed", "warn", {"pages": 3})
    assert (progress.fraction, progress.name, phase.fraction, phase.name) == (1.0, "parsing", None, "done")
    assert captured.span("step").usage == [
        {
            "model": "gpt",
            "provider": "openai",
            "input_tokens": 11,
            "output_tokens": 2,
            "reasoning_tokens": 1,
            "cost_usd": 0.5,
        }
    ]


def test_module_functions_outside_of_everything_say_so_at_debug(captured, caplog):
    with caplog.at_level(logging.DEBUG, "milepost"):
        milepost.checkpoint({})
        milepost.log("x")
        milepost.progress(0.5)
        milepost.record_usage(input_tokens=1)
    assert [record.levelname for record in caplog.records] == ["DEBUG"] * 4
    assert captured.events == []


def test_nonsense_is_logged_and_never_raised(captured, caplog):
    with caplog.at_level(logging.WARNING), milepost.start_task("step") as task:
        task.record_usage(input_tokens="many")
        task.progress("half")
        task.set_attributes(7)
        task.add_link(None)
        task.update_name(object())
        task.set_status("bad")
        task.fail(error_message=object())
    assert captured.span(captured.spans[0].name).status == "failed"


def test_wrong_signature_is_still_a_type_error(captured):
    with milepost.start_task("step") as task, pytest.raises(TypeError):
        task.checkpoint()


def test_open_telemetry_finds_our_span(captured):
    with milepost.start_run("run"), milepost.start_task("step") as task:
        current = trace.get_current_span()
        assert current is task
        assert isinstance(current, trace.Span)
        context = current.get_span_context()
        assert (f"{context.trace_id:032x}", f"{context.span_id:016x}") == (task.run_id, task.span_id)
        assert context.trace_flags.sampled
        assert current.is_recording()
    assert not task.is_recording()
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_context_goes_out_by_w3c_headers(captured):
    assert milepost.traceparent() is None
    headers: dict[str, str] = {}
    with milepost.start_run("run") as run:
        TraceContextTextMapPropagator().inject(headers)
        assert headers["traceparent"] == milepost.traceparent() == run.traceparent


def test_context_comes_in_by_traceparent(captured):
    with milepost.start_run("joined", traceparent=REMOTE):
        pass
    assert (captured.span("joined").run_id, captured.span("joined").parent_span_id) == ("a" * 32, "b" * 16)


def test_context_comes_in_by_open_telemetrys_propagator(captured):
    carrier = {"traceparent": REMOTE, "tracestate": "vendor=1"}
    context = TraceContextTextMapPropagator().extract(carrier)
    remote = trace.get_current_span(context)
    with trace.use_span(remote), milepost.start_run("joined"), milepost.start_task("step") as task:
        assert task.get_span_context().trace_state.get("vendor") == "1"
    assert captured.span("joined").parent_span_id == "b" * 16


def test_malformed_traceparent_is_ignored_with_a_warning(captured, caplog):
    with caplog.at_level(logging.WARNING):
        milepost.start_run("alone", traceparent="nonsense").complete()
    assert captured.span("alone").parent_span_id is None
    assert "traceparent ignored: 'nonsense'" in caplog.text


def test_use_span_of_open_telemetry_reports_errors(captured):
    task = milepost.start_task("step")
    with pytest.raises(ValueError, match="bad"), trace.use_span(task, end_on_exit=True):
        raise ValueError("bad")
    span = captured.span("step")
    assert (span.status, span.error_type, span.error_message) == ("failed", "ValueError", "bad")
    assert [event.kind for event in captured.events] == ["exception"]


def test_status_set_by_an_instrumentation_decides_the_implied_end(captured):
    with milepost.start_task("bad") as task:
        task.set_status(Status(StatusCode.ERROR, "HTTP 500"))
    with milepost.start_task("good") as task:
        task.set_status(StatusCode.OK)
        task.set_status(StatusCode.ERROR, "too late")
    assert (captured.span("bad").status, captured.span("bad").error_message) == ("failed", "HTTP 500")
    assert captured.span("good").status == "completed"


def test_events_links_and_names_of_open_telemetry_are_kept(captured):
    with milepost.start_task("other") as other:
        pass
    with milepost.start_task("step") as task:
        task.add_event("cache.miss", {"key": "k"}, timestamp=5)
        task.add_link(other.get_span_context(), {"why": "after"})
        task.update_name("renamed")
        task.record_exception(ValueError("seen"), {"n": 1})
    span = captured.span("renamed")
    assert span.links == [{"run_id": other.run_id, "span_id": other.span_id, "attributes": {"why": "after"}}]
    event, exception = captured.events
    assert (event.kind, event.name, event.time, event.attributes) == ("event", "cache.miss", 5, {"key": "k"})
    assert (exception.kind, exception.name, exception.message) == ("exception", "ValueError", "seen")
    assert span.status == "completed"


def test_clock_stepping_back_does_not_make_a_negative_duration():
    clock = FixedClock()
    with capture(clock=clock) as captured:
        task = milepost.start_task("step")
        clock.advance(-60)
        task.complete()
    assert captured.span("step").end_time == captured.span("step").start_time


def test_capture_off_keeps_structure_and_leaves_values_out():
    with capture(capture=False) as captured:

        @milepost.task
        def step(secret_text):
            milepost.checkpoint({"state": 1})
            milepost.log("line", field=2)
            return "result"

        step("private")
    span = captured.span("step")
    assert (span.input, span.output, span.status) == (None, None, "completed")
    assert [event.body for event in captured.events] == [None, None]


def test_disabled_records_nothing_and_leaves_the_context_alone():
    with capture(disabled=True) as captured, milepost.start_run("run") as run:
        assert trace.get_current_span() is trace.INVALID_SPAN
        assert milepost.traceparent() is None
        assert not run.is_recording()
        with milepost.start_task("step") as task:
            task.checkpoint({"a": 1})
            task.complete(output=2)
    assert (captured.spans, captured.events) == ([], [])


def test_recording_leaves_no_reference_cycles(captured):
    with milepost.start_run("run"):
        gc.collect()
        gc.disable()
        try:
            for _ in range(100):
                with milepost.start_task("step", input={"a": 1}):
                    pass
            captured.clear()
            assert gc.collect() < 50
        finally:
            gc.enable()


def test_ids_and_times_are_reproducible():
    def record():
        with capture(clock=SteppingClock(), ids=SequentialIds()) as captured, milepost.start_run("run"):
            milepost.start_task("step", input={"a": 1}).complete()
        return captured.spans

    assert record() == record()


def test_hostile_names_and_labels_are_recorded_somehow(captured):
    class Hostile:
        def __repr__(self):
            raise RuntimeError("no")

    with milepost.start_run(Hostile(), session_id=5, tags=[Hostile(), 3], user_id="\ud800", attempt=-1):
        milepost.start_task("x" * 5_000, kind=None).complete()
    run, task = captured.spans
    assert (run.session_id, run.user_id, run.tags[1], run.attempt) == ("5", "\ufffd", "3", None)
    assert len(task.name) <= 1_000


def test_scores_and_feedback_are_events(captured):
    with milepost.start_run("judged") as run:
        milepost.score("relevance", 0.9, label="good", explanation="to the point", source="llm", by="judge")
    run.feedback(7, "fine", issues="slow", by="ann")
    run.score("unknown", float("nan"))
    score, feedback, unknown = captured.events
    assert (score.kind, score.name, score.message, score.span_id) == ("score", "relevance", "to the point", run.span_id)
    assert score.attributes == {
        "gen_ai.evaluation.name": "relevance",
        "gen_ai.evaluation.score.value": 0.9,
        "gen_ai.evaluation.score.label": "good",
        "milepost.score.source": "llm",
        "milepost.by": "judge",
    }
    assert (feedback.kind, feedback.message) == ("feedback", "fine")
    assert feedback.attributes == {
        "milepost.feedback.rating": 5,
        "milepost.feedback.issues": ["slow"],
        "milepost.by": "ann",
    }
    assert "gen_ai.evaluation.score.value" not in unknown.attributes
