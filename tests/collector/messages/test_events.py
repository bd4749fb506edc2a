"""Messages in events of spans, in log records and in chunks of a stream."""

from __future__ import annotations

import json
from typing import Any

import pytest

from milepost_collector.protocol.messages import Found, Message, encode_message, event_messages, span_messages
from tests.collector.messages import recorded
from tests.collector.messages.shapes import a_span

CALL = {"type": "tool_call", "id": "c1", "name": "get_weather", "arguments": {"city": "Zürich"}}
OPENAI_CALL = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Zürich"}'}}


def said(role: str, content: str) -> list[Message]:
    return [Message(role, [{"type": "text", "content": content}])]


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("gen_ai.system.message", {"content": "Be brief."}, Found(said("system", "Be brief."), [])),
        ("gen_ai.user.message", {"content": "Hi", "role": "customer"}, Found(said("customer", "Hi"), [])),
        ("gen_ai.assistant.message", {"tool_calls": [OPENAI_CALL]}, Found([Message("assistant", [CALL])], [])),
        (
            "gen_ai.tool.message",
            {"content": "14 °C", "id": "c1"},
            Found([Message("tool", [{"type": "tool_result", "id": "c1", "result": "14 °C"}])], []),
        ),
        (
            "gen_ai.choice",
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "14 °C"}},
            Found([], said("assistant", "14 °C")),
        ),
        (
            "gen_ai.choice",
            {"index": 0, "message": {"content": None}, "tool_calls": [OPENAI_CALL]},
            Found([], [Message("assistant", [CALL])]),
        ),
        ("gen_ai.user.message", '{"content": "Hi"}', Found(said("user", "Hi"), [])),
        (
            "gen_ai.user.message",
            {"content": {"role": "user", "parts": [{"text": "Hi"}]}},
            Found(said("user", "Hi"), []),
        ),
        ("gen_ai.user.message", "Hi", Found(said("user", "Hi"), [])),
        ("gen_ai.choice", {"index": 0, "finish_reason": "length", "message": {}}, Found([], [])),
        ("exception", {"content": "Hi"}, Found([], [])),
    ],
)
def test_log_record_is_its_message(name: str, body: Any, expected: Found) -> None:
    assert event_messages(name, {"gen_ai.system": "openai"}, body) == expected


def test_recorded_log_records_are_the_conversation_of_their_spans() -> None:
    conversations = recorded.conversations("openai_v2_content")
    answers = [encode_message(message).message_id for found in conversations for message in found.output]
    history = {encode_message(message).message_id for found in conversations for message in found.input}
    assert len(answers) == 4
    assert answers[0] in history  # the call of a tool, sent back with the tool's result


def test_details_of_an_inference_are_read_from_the_attributes() -> None:
    attributes = {
        "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be brief."}]),
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "14 °C"}]}],
    }
    expected = Found(said("system", "Be brief.") + said("user", "Hi"), said("assistant", "14 °C"))
    name = "gen_ai.client.inference.operation.details"
    assert event_messages(name, attributes, None) == expected
    assert event_messages(name, {}, attributes) == expected
    assert span_messages(a_span({}, (name, attributes))) == expected


def test_events_of_strands_are_one_conversation() -> None:
    span = a_span(
        {"gen_ai.operation.name": "chat"},
        ("gen_ai.system.message", {"content": '[{"text": "Be brief."}]'}),
        ("gen_ai.user.message", {"content": '[{"text": "Weather?"}]'}),
        (
            "gen_ai.choice",
            {
                "finish_reason": "tool_use",
                "message": json.dumps(
                    [{"toolUse": {"toolUseId": "c1", "name": "get_weather", "input": {"city": "Zürich"}}}]
                ),
            },
        ),
    )
    expected = said("system", "Be brief.") + said("user", "Weather?")
    assert span_messages(span) == Found(expected, [Message("assistant", [CALL])])


def test_older_content_events_are_read() -> None:
    span = a_span(
        {},
        ("gen_ai.content.prompt", {"gen_ai.prompt": '[{"role": "user", "content": "Weather?"}]'}),
        ("gen_ai.content.completion", {"gen_ai.completion": '{"role": "assistant", "content": "14 °C"}'}),
    )
    assert span_messages(span) == Found(said("user", "Weather?"), said("assistant", "14 °C"))


def test_older_content_event_may_hold_a_whole_history() -> None:
    prompt = json.dumps([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Weather?"}])
    found = span_messages(a_span({}, ("gen_ai.content.prompt", {"gen_ai.prompt": prompt})))
    assert found.input == said("system", "Be brief.") + said("user", "Weather?")


def test_content_in_an_attribute_of_the_event_is_read() -> None:
    attributes = {"gen_ai.event.content": '{"role": "user", "content": "Weather?"}'}
    assert span_messages(a_span({}, ("gen_ai.user.message", attributes))).input == said("user", "Weather?")


def chunks(*values: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(f"mlflow.chunk.item.{i}", {"mlflow.chunk.value": json.dumps(value)}) for i, value in enumerate(values)]


def test_chunks_are_joined_into_one_message() -> None:
    deltas = [{"role": "assistant", "content": ""}, {"content": "14 "}, {"content": "°C"}, {"content": None}]
    events = chunks(*({"choices": [{"index": 0, "delta": delta}]} for delta in deltas), {"choices": []})
    assert span_messages(a_span({}, *events)).output == said("assistant", "14 °C")


def test_chunks_of_calls_are_joined_by_their_index() -> None:
    calls = [
        {"index": 0, "id": "c1", "function": {"name": "get_weather", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"city": '}},
        {"index": 0, "function": {"arguments": '"Zürich"}'}},
    ]
    events = chunks(*({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]} for call in calls))
    assert span_messages(a_span({}, *events)).output == [Message("assistant", [CALL])]


def test_chunks_of_anthropic_are_joined() -> None:
    events = chunks(
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "tool_use", "id": "c1", "name": "get_weather", "input": {}},
        },
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"city":'}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '"Zürich"}'}},
    )
    answer = [Message("assistant", [{"type": "reasoning", "content": "Hm."}, CALL])]
    assert span_messages(a_span({}, *events)).output == answer


def test_chunks_are_not_used_when_the_answer_is_known() -> None:
    known = {"mlflow.spanType": '"CHAT_MODEL"', "mlflow.spanOutputs": '{"role": "assistant", "content": "14 °C"}'}
    events = chunks({"choices": [{"index": 0, "delta": {"content": "14"}}]})
    assert span_messages(a_span(known, *events)).output == said("assistant", "14 °C")
