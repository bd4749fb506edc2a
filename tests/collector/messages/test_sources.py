"""Where instrumentations put messages: which place is read, how it is put together, which of several wins."""

from __future__ import annotations

import json
from typing import Any

import pytest

from milepost_collector.protocol.messages import Found, Message
from tests.collector.messages.shapes import ARGUMENTS, CALL, HISTORY, found, said, text


def test_flattened_prompt_of_openllmetry_is_read() -> None:
    attributes = {
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": "Be brief.",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": json.dumps([{"type": "text", "text": "Weather?"}]),
        "gen_ai.prompt.2.role": "assistant",
        "gen_ai.prompt.2.tool_calls.0.id": "c1",
        "gen_ai.prompt.2.tool_calls.0.name": "get_weather",
        "gen_ai.prompt.2.tool_calls.0.arguments": ARGUMENTS,
        "gen_ai.prompt.3.role": "tool",
        "gen_ai.prompt.3.tool_call_id": "c1",
        "gen_ai.prompt.3.content": "14 °C",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": "14 °C",
        "gen_ai.completion.0.finish_reason": "stop",
        "gen_ai.prompt.prompt_filter_results": "[]",
    }
    messages = found(attributes)
    assert messages == Found(HISTORY, said(assistant="14 °C"))


def test_flattened_messages_beyond_nine_are_in_order() -> None:
    attributes = {f"llm.input_messages.{i}.message.{k}": v for i in range(12) for k, v in
                  {"role": "user", "content": str(i)}.items()}  # fmt: skip
    messages = found(dict(sorted(attributes.items()))).input
    assert [message.parts[0]["content"] for message in messages] == [str(i) for i in range(12)]


def test_json_of_langsmith_is_read() -> None:
    attributes = {
        "langsmith.span.kind": "llm",
        "gen_ai.prompt": {"messages": [{"role": "user", "content": "Weather?"}], "model": "gpt-4o-mini"},
        "gen_ai.completion": {"role": "assistant", "content": "14 °C"},
    }
    assert found(attributes) == Found(said(user="Weather?"), said(assistant="14 °C"))


def test_request_and_response_of_adk_are_read() -> None:
    request = {
        "model": "gemini-2.5-flash",
        "config": {"system_instruction": "Be brief.", "tools": [{"function_declarations": []}]},
        "contents": [{"role": "user", "parts": [{"text": "Weather?"}]}],
    }
    response = {"content": {"role": "model", "parts": [{"text": "14 °C"}]}, "usage_metadata": {"total_token_count": 3}}
    attributes = {"gcp.vertex.agent.llm_request": request, "gcp.vertex.agent.llm_response": response}
    assert found(attributes) == Found(said(system="Be brief.", user="Weather?"), said(assistant="14 °C"))


def test_python_literals_of_litellm_are_read() -> None:
    attributes = {
        "llm.openai.messages": "[{'role': 'user', 'content': \"What's the weather?\"}]",
        "llm.openai.choices": "[{'index': 0, 'message': {'role': 'assistant', 'content': None, 'tool_calls': None}}]",
    }
    assert found(attributes) == Found(said(user="What's the weather?"), [])


def test_answer_of_vercel_is_put_together() -> None:
    attributes = {
        "ai.operationId": "ai.streamText.doStream",
        "ai.prompt.messages": [{"role": "user", "content": [{"type": "text", "text": "Weather?"}]}],
        "ai.response.text": "Let me see.",
        "ai.response.reasoning": "Hm.",
        "ai.response.toolCalls": [{"toolCallType": "function", "toolCallId": "c1", "toolName": "get_weather",
                                   "args": ARGUMENTS}],
    }  # fmt: skip
    answer = found(attributes).output
    assert answer == [Message("assistant", [{"type": "reasoning", "content": "Hm."}, text("Let me see."), CALL])]


def test_events_of_pydantic_ai_are_split_into_input_and_output() -> None:
    events = [
        {"event.name": "gen_ai.system.message", "content": "Be brief.", "role": "system"},
        {"event.name": "gen_ai.user.message", "content": "Weather?", "role": "user"},
        {"event.name": "gen_ai.choice", "index": 0, "message": {"role": "assistant", "content": "14 °C"}},
    ]
    assert found({"events": events}) == Found(said(system="Be brief.", user="Weather?"), said(assistant="14 °C"))


def test_events_without_a_choice_end_with_the_answer() -> None:
    events = [
        {"event.name": "gen_ai.user.message", "content": "Weather?", "role": "user"},
        {"event.name": "gen_ai.assistant.message", "content": "14 °C", "role": "assistant"},
    ]
    assert found({"events": events}) == Found(said(user="Weather?"), said(assistant="14 °C"))


def test_pairs_of_role_and_text_are_messages() -> None:
    attributes = {"traceloop.entity.input": {"inputs": {"messages": [["system", "Be brief."], ["human", "Weather?"]]}}}
    assert found(attributes).input == said(system="Be brief.", user="Weather?")


def test_all_messages_of_a_run_end_with_its_output() -> None:
    events = [
        {"event.name": "gen_ai.user.message", "content": "Weather?", "role": "user"},
        {"event.name": "gen_ai.assistant.message", "content": "14 °C", "role": "assistant"},
    ]
    assert found({"all_messages_events": events}) == Found(said(user="Weather?"), said(assistant="14 °C"))


def test_request_data_of_logfire_is_read() -> None:
    attributes = {
        "request_data": {"messages": [{"role": "user", "content": "Weather?"}], "model": "gpt-4o-mini"},
        "response_data": {"message": {"role": "assistant", "content": "14 °C"}, "usage": {"total_tokens": 3}},
    }
    assert found(attributes) == Found(said(user="Weather?"), said(assistant="14 °C"))


def test_richer_source_wins_over_a_flattened_one() -> None:
    blocks = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "14 °C"}]
    attributes = {
        "openinference.span.kind": "LLM",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.contents.1.message_content.text": "14 °C",
        "output.value": {"role": "assistant", "content": blocks},
    }
    assert len(found(attributes).output[0].parts) == 2


def test_conversation_is_not_reported_twice() -> None:
    messages = [{"role": "user", "parts": [{"type": "text", "content": "Weather?"}]}]
    attributes = {"gen_ai.input.messages": messages, "input.value": messages, "gen_ai.prompt.0.content": "Weather?"}
    assert found(attributes).input == said(user="Weather?")


def test_state_that_repeats_the_input_is_only_what_is_new() -> None:
    asked = {"role": "user", "content": "Weather?"}
    attributes = {
        "openinference.span.kind": "CHAIN",
        "input.value": {"messages": [asked]},
        "output.value": {"messages": [asked, {"role": "assistant", "content": "14 °C"}]},
    }
    assert found(attributes).output == said(assistant="14 °C")


@pytest.mark.parametrize(
    "attributes",
    [
        {"openinference.span.kind": "TOOL", "input.value": {"messages": [{"role": "user", "content": "x"}]}},
        {"gen_ai.operation.name": "execute_tool", "gen_ai.input.messages": [{"role": "tool", "parts": [CALL]}]},
        {"gen_ai.operation.name": "embeddings", "gen_ai.input.messages": [{"role": "user", "content": "x"}]},
        {"mlflow.spanType": '"TOOL"', "mlflow.spanInputs": {"messages": [{"role": "user", "content": "x"}]}},
        {"openinference.span.kind": "CHAIN", "input.value": "Weather?", "output.value": {"answer": "14 °C"}},
        {"openinference.span.kind": "CHAIN", "input.value": [CALL], "output.value": {"users": [{"role": "admin"}]}},
        {"traceloop.entity.input": {"args": ["Weather?"], "kwargs": {}}, "traceloop.entity.output": '"14 °C"'},
        {"input.value": [{"role": "admin", "name": "x"}], "output.value": [1, 2, 3]},
        {"gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "te'},
        {"gen_ai.input.messages": "[" * 5_000 + "]" * 5_000},
        {"llm.openai.messages": "[{'role': __import__('os')}]"},
        {"llm.openai.messages": "[{'role': 'user', 'content': '\\ud83d'}]"},
        {"gen_ai.input.messages": '[{"role": "user", "content": "\\ud83d"}]'},
        {"gen_ai.input.messages": '[{"role": "user", "content": 1e999}]'},
    ],
)
def test_what_is_no_conversation_yields_nothing(attributes: dict[str, Any]) -> None:
    assert found(attributes) == Found([], [])


def test_history_beyond_the_limit_is_cut() -> None:
    messages = [{"role": "user", "content": str(number)} for number in range(10_005)]
    assert len(found({"input.value": {"messages": messages}}).input) == 10_000


def test_arguments_beyond_the_depth_limit_are_cut() -> None:
    arguments = "[" * 500 + "]" * 500
    call = {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "f", "arguments": arguments}]}
    assert "…" in repr(found({"gen_ai.output.messages": [call]}).output)
