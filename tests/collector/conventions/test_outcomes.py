"""Status, errors, first tokens, inputs and outputs."""

from __future__ import annotations

from typing import Any

import pytest

from milepost_collector.protocol.foreign import SpanEvent
from tests.collector.conventions.builders import START, exception, said


@pytest.mark.parametrize("code", [0, 1])
def test_span_without_error_has_completed(code: int) -> None:
    found = said(status_code=code, status_message="fine")
    assert (found.status, found.error_type, found.error_message) == ("completed", None, None)


def test_exception_tells_the_error_of_a_failed_span() -> None:
    event = exception(type="openai.RateLimitError", message="429", stacktrace="Traceback …", escaped="False")
    found = said({"error.type": "429"}, status_code=2, status_message="RateLimitError: 429", events=[event])
    assert (found.status, found.error_type, found.error_message, found.error_stack) == (
        "failed", "openai.RateLimitError", "429", "Traceback …",
    )  # fmt: skip


def test_last_exception_is_the_one_that_counts() -> None:
    events = [exception(type="TimeoutError", message="first"), exception(type="KeyError", message="last")]
    assert said(status_code=2, events=events).error_type == "KeyError"


def test_exception_that_was_handled_leaves_a_span_completed() -> None:
    found = said(events=[exception(type="KeyError", message="'k'", escaped="False")])
    assert (found.status, found.error_type) == ("completed", None)


@pytest.mark.parametrize("escaped", [True, "True", "true"])
def test_exception_that_escaped_fails_a_span(escaped: Any) -> None:
    found = said(events=[exception(type="KeyError", message="k", escaped=escaped)])
    assert (found.status, found.error_type, found.error_message) == ("failed", "KeyError", "k")


@pytest.mark.parametrize(
    ("attributes", "error_type", "message"),
    [
        ({"error.type": "RateLimitError"}, "RateLimitError", None),
        ({"error.type": 429}, "429", None),
        ({"error.type": "tool_error", "error.message": "no"}, "tool_error", "no"),
        ({"langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "bad"}, None, "bad"),
        ({"logfire.level_num": 17}, None, None),
        ({"gen_ai.tool.status": "error"}, None, None),
        ({"mcp.tool.result.is_error": True}, None, None),
    ],
)
@pytest.mark.parametrize("code", [0, 1])
def test_attribute_tells_of_a_failure(attributes: dict[str, Any], error_type: str, message: str, code: int) -> None:
    found = said(attributes, status_code=code)
    assert (found.status, found.error_type, found.error_message) == ("failed", error_type, message)


@pytest.mark.parametrize(
    "attributes",
    [
        {"langfuse.observation.level": "WARNING", "langfuse.observation.status_message": "slow"},
        {"langfuse.observation.level": "DEFAULT"},
        {"logfire.level_num": 9},
        {"gen_ai.tool.status": "success"},
        {"mcp.tool.result.is_error": False},
        {"error.type": ""},
        {"error.type": None},
    ],
)
def test_lesser_levels_are_no_failure(attributes: dict[str, Any]) -> None:
    found = said(attributes)
    assert (found.status, found.error_message) == ("completed", None)


@pytest.mark.parametrize(
    "error_type",
    ["CancelledError", "asyncio.exceptions.CancelledError", "concurrent.futures._base.CancelledError", "GeneratorExit",
     "KeyboardInterrupt", "AbortError", "System.OperationCanceledException"],
)  # fmt: skip
def test_cancellation_is_told_from_failure(error_type: str) -> None:
    found = said(status_code=2, events=[exception(type=error_type, message="stop")])
    assert (found.status, found.error_type, found.reason) == ("cancelled", error_type, "stop")
    assert said({"error.type": error_type}).status == "cancelled"


@pytest.mark.parametrize(
    ("message", "error_type"),
    [
        ("ValueError: no such city", "ValueError"),
        ("openai.RateLimitError: Error code: 429", "openai.RateLimitError"),
        ("Error code: 429", None),
        ("something: happened", None),
        ("", None),
    ],
)
def test_status_names_the_type_where_nothing_else_does(message: str, error_type: str | None) -> None:
    found = said(status_code=2, status_message=message)
    assert (found.status, found.error_type, found.error_message) == ("failed", error_type, message or None)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"gen_ai.response.time_to_first_chunk": 0.025}, 25.0),
        ({"gen_ai.client.operation.time_to_first_chunk": 0.025}, 25.0),
        ({"ai.response.msToFirstChunk": 31.1}, 31.1),
        ({"gen_ai.server.time_to_first_token": 575}, 575.0),
        ({"langfuse.observation.completion_start_time": '"2026-11-21T03:00:00.015Z"'}, 15.0),
        ({"langfuse.observation.completion_start_time": "2026-11-21T03:00:00.015"}, 15.0),
        ({"langfuse.observation.completion_start_time": "2026-11-21T02:00:00Z"}, None),
        ({"langfuse.observation.completion_start_time": "soon"}, None),
        ({"gen_ai.response.time_to_first_chunk": -1}, None),
        ({"gen_ai.response.time_to_first_chunk": "NaN"}, None),
    ],
)
def test_first_token_is_told_in_milliseconds(attributes: dict[str, Any], expected: float | None) -> None:
    assert said(attributes).time_to_first_token_ms == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("name", ["First Token Stream Event", "gen_ai.content.completion.chunk", "mlflow.chunk.item.0"])
def test_first_of_the_events_of_a_stream_tells_the_first_token(name: str) -> None:
    events = [SpanEvent(name=name, time=START + after * 1_000_000) for after in (30, 20, 40)]
    assert said(events=events).time_to_first_token_ms == pytest.approx(20.0)


INPUTS = (
    "input.value", "traceloop.entity.input", "gen_ai.tool.call.arguments", "ai.toolCall.args", "ai.prompt",
    "langfuse.observation.input", "mlflow.spanInputs", "gcp.vertex.agent.tool_call_args", "tool_arguments",
    "lmnr.span.input", "gen_ai.task.input", "tool.parameters",
)  # fmt: skip
OUTPUTS = (
    "output.value", "traceloop.entity.output", "gen_ai.tool.call.result", "ai.toolCall.result", "final_result",
    "langfuse.observation.output", "mlflow.spanOutputs", "gcp.vertex.agent.tool_response", "tool_response",
    "lmnr.span.output", "gen_ai.task.output",
)  # fmt: skip


@pytest.mark.parametrize("name", INPUTS)
def test_input_is_found_under_its_names(name: str) -> None:
    found = said({name: '{"city": "Zürich"}'})
    assert (found.input, found.input_attribute, found.output) == ('{"city": "Zürich"}', name, None)


@pytest.mark.parametrize("name", OUTPUTS)
def test_output_is_found_under_its_names(name: str) -> None:
    found = said({name: "14 °C"})
    assert (found.output, found.output_attribute, found.input) == ('"14 °C"', name, None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('{"a": [1, 2]}', '{"a": [1, 2]}'),
        (' {"a": 1}', ' {"a": 1}'),
        ("null", "null"),
        ("{broken", '"{broken"'),
        ("{'a': 1}", "\"{'a': 1}\""),
        ('say "hi"', '"say \\"hi\\""'),
        ({"a": 1}, '{"a":1}'),
        (["x"], '["x"]'),
        (0, "0"),
        (False, "false"),
        ("[" * 5000, '"' + "[" * 5000 + '"'),
    ],
)
def test_input_is_json_as_it_is_or_a_json_string(value: Any, text: str) -> None:
    assert said({"input.value": value}).input == text


def test_empty_input_gives_way_to_another_name_for_it() -> None:
    found = said({"langfuse.observation.input": "", "input.value": "x"})
    assert (found.input, found.input_attribute) == ('"x"', "input.value")
