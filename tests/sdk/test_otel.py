"""Spans of the OpenTelemetry SDK: nesting in both directions and forwarding, live."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

import milepost
from milepost.otel import SpanProcessor, kind_of
from sdk.sink import wait_for


@pytest.fixture
def tracer(captured):
    provider = TracerProvider()
    provider.add_span_processor(SpanProcessor())
    return provider.get_tracer("library", "1.0")


def test_foreign_span_nests_under_a_task_and_a_task_under_it(captured, tracer):
    with milepost.start_run("run") as run, milepost.start_task("task") as task:
        with tracer.start_as_current_span("query"), milepost.start_task("inner"):
            assert milepost.current_task().name == "inner"
        assert milepost.current_task() is task
    query = captured.span("query")
    assert (query.parent_span_id, query.run_id) == (task.span_id, run.run_id)
    assert captured.span("inner").parent_span_id == query.span_id


def test_inside_a_foreign_span_the_enclosing_task_is_still_current(captured, tracer):
    with milepost.start_run("run") as run, milepost.start_task("task") as task, tracer.start_as_current_span("query"):
        assert milepost.current_task() is task
        assert milepost.current_run() is run
        milepost.log("here")
    assert captured.events[0].span_id == task.span_id


def test_run_inside_a_foreign_trace_joins_it(captured, tracer):
    with tracer.start_as_current_span("request"):
        milepost.start_run("run").complete()
    assert captured.span("run").parent_span_id == captured.span("request").span_id
    assert captured.span("run").run_id == captured.span("request").run_id


def test_attributes_links_and_scope_are_passed_through(captured, tracer):
    with tracer.start_as_current_span("other") as other:
        pass
    link = Link(other.get_span_context(), {"why": "after"})
    attributes = {"gen_ai.operation.name": "chat", "n": 1, "list": ("a", "b"), "api_key": "k"}
    with tracer.start_as_current_span("chat", attributes=attributes, links=[link]):
        pass
    span = captured.span("chat")
    assert (span.kind, span.scope, span.status) == ("llm", "library", "completed")
    assert span.attributes == attributes | {"list": ["a", "b"], "api_key": "[scrubbed]"}
    assert span.links[0]["attributes"] == {"why": "after"}


def test_exception_becomes_an_event_and_the_error_fields(captured, tracer):
    with pytest.raises(ValueError, match="bad"), tracer.start_as_current_span("query"):
        raise ValueError("bad")
    span = captured.span("query")
    assert (span.status, span.error_type, span.error_message) == ("failed", "ValueError", "bad")
    assert "raise ValueError" in span.error_stack
    event = captured.events[0]
    assert (event.kind, event.name, event.message, event.span_id) == ("exception", "ValueError", "bad", span.span_id)


def test_error_status_without_an_exception_keeps_its_words(captured, tracer):
    with tracer.start_as_current_span("query", attributes={"error.type": "500"}) as span:
        span.set_status(Status(StatusCode.ERROR, "server error"))
    assert captured.span("query").error_message == "server error"
    assert captured.span("query").error_type == "500"


def test_other_events_keep_name_and_time(captured, tracer):
    with tracer.start_as_current_span("query") as span:
        span.add_event("cache.miss", {"key": "k"}, timestamp=7)
    event = captured.events[0]
    assert (event.kind, event.name, event.time, event.attributes) == ("event", "cache.miss", 7, {"key": "k"})


def test_open_foreign_span_is_seen_running(captured, tracer):
    span = tracer.start_span("long")
    assert captured.span("long").status == "running"
    span.end()
    assert captured.span("long").status == "completed"


def test_spans_go_to_the_given_client_live(client, sink):
    provider = TracerProvider()
    provider.add_span_processor(SpanProcessor(client))
    span = provider.get_tracer("t").start_span("query")
    wait_for(lambda: sink.started, "the start")
    span.end()
    assert provider.force_flush()
    assert sink.ended_names() == ["query"]
    provider.shutdown()
    client.start_task("still works").complete()
    assert client.flush()
    assert "still works" in sink.ended_names()


def test_span_ending_after_shutdown_is_harmless(client, sink):
    provider = TracerProvider()
    provider.add_span_processor(SpanProcessor(client))
    span = provider.get_tracer("t").start_span("late")
    client.shutdown()
    span.end()
    provider.shutdown()
    assert sink.ended == []


@pytest.mark.parametrize(
    ("attributes", "kind", "expected"),
    [
        ({"gen_ai.operation.name": "embeddings"}, SpanKind.CLIENT, "embedding"),
        ({"gen_ai.operation.name": "execute_tool"}, SpanKind.INTERNAL, "tool"),
        ({"gen_ai.operation.name": "invoke_agent"}, SpanKind.INTERNAL, "agent"),
        ({"openinference.span.kind": "RETRIEVER"}, SpanKind.INTERNAL, "retrieval"),
        ({"openinference.span.kind": "LLM"}, SpanKind.INTERNAL, "llm"),
        ({"traceloop.span.kind": "workflow"}, SpanKind.INTERNAL, "chain"),
        ({"http.request.method": "GET"}, SpanKind.CLIENT, "http"),
        ({"http.method": "GET"}, SpanKind.SERVER, "other"),
        ({"gen_ai.operation.name": 5, "openinference.span.kind": 6}, SpanKind.INTERNAL, "other"),
        ({}, SpanKind.INTERNAL, "other"),
    ],
)
def test_kind_follows_the_conventions(attributes, kind, expected):
    assert kind_of(attributes, kind) == expected
