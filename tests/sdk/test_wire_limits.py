"""What a caller gives in a wrong type or beyond a limit costs that part of a span or event, never the whole."""

from __future__ import annotations

import asyncio
import enum
import threading
import time

import msgspec
import pytest
from opentelemetry.trace import Status, StatusCode

import milepost
from milepost import wire
from milepost._codec import Codec
from milepost._records import EventRecord
from milepost._scrub import Scrubber

FAR_FUTURE = 2**70


class Model(enum.Enum):
    MINI = "gpt-4o-mini"


def only_span(client, sink):
    """Return the one span that was ended, as the collector decodes it."""
    assert client.flush()
    assert len(sink.ended) == 1
    return sink.ended[0]


@pytest.mark.parametrize(("model", "text"), [(Model.MINI, "gpt-4o-mini"), (5, "5"), ("\ud800", "\ufffd")])
def test_model_of_any_type_is_recorded_as_text(client, sink, model, text):
    with client.start_task("call") as task:
        task.record_usage(model=model, provider=model, input_tokens=1)
    assert only_span(client, sink).usage == [wire.Usage(model=text, provider=text, input_tokens=1)]


def test_cost_beyond_the_wires_limit_is_held_at_it(client, sink):
    with client.start_task("call") as task:
        task.record_usage(model="m", cost_usd=8e8)
        task.record_usage(model="m", cost_usd=8e8)
    assert only_span(client, sink).usage[0].cost_usd == 1e9


@pytest.mark.parametrize("attempt", [2**31, -1, "2"])
def test_attempt_outside_the_wires_range_is_left_out(client, sink, attempt):
    client.start_run("run", attempt=attempt).complete()
    assert only_span(client, sink).attempt is None


def test_error_type_of_any_type_is_recorded_as_text(client, sink):
    client.start_task("step").fail(error_message="bad", error_type=ValueError)
    assert only_span(client, sink).error_type == "<class builtins.ValueError>"


@pytest.mark.parametrize("end_time", [FAR_FUTURE, 1.5e9, "now"])
def test_end_time_that_the_wire_cannot_express_is_now(client, sink, end_time):
    began = time.time_ns()
    client.start_task("step").end(end_time=end_time)
    assert began <= only_span(client, sink).end_time <= time.time_ns()


@pytest.mark.parametrize("timestamp", [FAR_FUTURE, -1, 1.5e9])
def test_event_time_that_the_wire_cannot_express_is_now(client, sink, timestamp):
    began = time.time_ns()
    with client.start_task("step") as task:
        task.add_event("happened", timestamp=timestamp)
    assert client.flush()
    (event,) = [event for event in sink.events if isinstance(event, wire.Event)]
    assert began <= event.time <= time.time_ns()


def test_link_attributes_become_text_keys_and_are_scrubbed(client, sink):
    with client.start_task("step") as task:
        task.add_link(task.get_span_context(), {1: "one", "api_key": "sk-1"})
    assert only_span(client, sink).links[0].attributes == {"1": "one", "api_key": "[scrubbed]"}


def test_links_beyond_a_hundred_are_left_out(client, sink):
    with client.start_task("step") as task:
        for _ in range(150):
            task.add_link(task.get_span_context())
    assert len(only_span(client, sink).links) == 100


def test_value_nested_too_deeply_to_scrub_costs_itself_alone(client, sink):
    value = {"password": "hunter2"}
    for _ in range(900):
        value = {"in": value}
    client.start_task("step", input=value).complete(1)
    span = only_span(client, sink)
    assert msgspec.json.decode(span.input_json) == "<not recorded: nested too deeply to be searched for secrets>"
    assert span.output_json == "1"


def test_usage_recorded_by_many_threads_is_summed_exactly(captured):
    with milepost.start_task("call") as task:

        def count():
            for _ in range(500):
                task.record_usage(model="m", input_tokens=1)

        threads = [threading.Thread(target=count) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert captured.span("call").usage[0]["input_tokens"] == 4_000


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("record_usage", {"input_tokens": 1}),
        ("set_session", {"session_id": "s"}),
        ("set_user", {"user_id": "u"}),
    ],
)
def test_what_comes_after_the_end_is_logged_and_left_out(captured, caplog, method, arguments):
    task = milepost.start_task("step")
    task.complete()
    getattr(task, method)(**arguments)
    span = captured.span("step")
    assert (span.usage, span.session_id, span.user_id) == ([], None, None)
    assert f"{method} of span 'step' ignored: it has ended as completed already" in caplog.text


def test_exception_that_was_overcome_is_an_event_and_not_the_spans_error(captured):
    with milepost.start_task("step") as task:
        task.record_exception(ValueError("once"))
    span = captured.span("step")
    assert (span.status, span.error_type, span.error_message, span.error_stack) == ("completed", None, None, None)
    assert captured.events[0].message == "once"


def test_error_status_fails_a_decorated_function_as_it_fails_a_block(captured):
    @milepost.task
    def step():
        milepost.current_task().set_status(Status(StatusCode.ERROR, "quota"))
        return 5

    step()
    span = captured.span("step")
    assert (span.status, span.error_message, span.output) == ("failed", "quota", 5)


def test_run_inside_a_run_hands_on_the_agent(captured):
    with milepost.start_run("outer", agent="boss"), milepost.start_run("inner"), milepost.start_task("step"):
        pass
    assert [span.agent for span in captured.spans] == ["boss", "boss", "boss"]


def test_yielded_items_are_recorded_as_they_were(captured):
    @milepost.task
    def growing():
        items = []
        for number in range(3):
            items.append(number)
            yield items

    assert len(list(growing())) == 3
    assert captured.span("growing").output == [[0], [0, 1], [0, 1, 2]]


def test_yielded_items_are_kept_up_to_the_size_limit(captured):
    @milepost.task
    def chunks():
        for _ in range(100):
            yield b"x" * 20_000 + b"y"
            yield "x" * 20_000

    for _ in chunks():
        pass
    output = captured.span("chunks").output
    assert output["items"] == 200
    assert len(output["first"]) < 30


def test_callable_object_with_an_asynchronous_call_is_recorded_to_its_end(captured):
    class Agent:
        async def __call__(self, text):
            assert captured.spans[0].status == "running"
            return text * 2

    assert asyncio.run(milepost.task(name="agent")(Agent())("ab")) == "abab"
    assert captured.span("agent").output == "abab"


def test_event_is_charged_for_all_its_texts():
    small = EventRecord(1, 1, 1, "event").size
    for large in (
        EventRecord(1, 1, 1, "event", name="n" * 5_000),
        EventRecord(1, 1, 1, "event", message=["m" * 5_000]),
        EventRecord(1, 1, 1, "event", attributes={"a": {"b": ["x" * 5_000]}}),
    ):
        assert large.size >= small + 5_000


def test_message_is_recorded_as_it_was():
    words = ["before"]
    record = EventRecord(1, 1, 1, "log", message=words)
    words[0] = "after"
    assert record.export(Codec(Scrubber(), 1_000)).message == '["before"]'
