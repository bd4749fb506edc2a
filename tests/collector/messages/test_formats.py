"""Formats of instrumentations that the corpus does not hold, and what is kept of each kind of content."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from milepost_collector.protocol.messages import Found, Message, span_messages
from tests.collector.messages.shapes import a_span

Part = dict[str, Any]

PNG = b"\x89PNG" + bytes(range(200))
DATA = base64.b64encode(PNG).decode()
IMAGE = {"type": "image", "mime_type": "image/png", "sha256": hashlib.sha256(PNG).hexdigest(), "bytes": len(PNG)}
CALL = {"type": "tool_call", "id": "c1", "name": "get_weather", "arguments": {"city": "Zürich"}}
RESULT = {"type": "tool_result", "id": "c1", "name": "get_weather", "result": "14 °C"}
ARGUMENTS = '{"city": "Zürich"}'


def text(content: str) -> Part:
    return {"type": "text", "content": content}


def said(**messages: str) -> list[Message]:
    return [Message(role, [text(content)]) for role, content in messages.items()]


def found(attributes: dict[str, Any], *events: tuple[str, dict[str, Any]]) -> Found:
    """Return the messages of a span; values that are no texts are sent as JSON."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in attributes.items()}
    return span_messages(a_span(texts, *events))


HISTORY = [
    *said(system="Be brief.", user="Weather?"),
    Message("assistant", [CALL]),
    Message("tool", [RESULT]),
]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(
            {
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "Weather?"},
                    {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [
                            {
                                "id": "c1",
                                "type": "function",
                                "function": {"name": "get_weather", "arguments": ARGUMENTS},
                            }
                        ],
                    },
                    {"role": "tool", "tool_call_id": "c1", "content": "14 °C"},
                ]
            },
            id="openai",
        ),
        pytest.param(
            {
                "model": "gpt-5-mini",
                "instructions": "Be brief.",
                "input": [
                    {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
                    {
                        "type": "function_call",
                        "id": "fc",
                        "call_id": "c1",
                        "name": "get_weather",
                        "arguments": ARGUMENTS,
                    },
                    {"type": "function_call_output", "call_id": "c1", "output": "14 °C"},
                ],
            },
            id="openai responses",
        ),
        pytest.param(
            {
                "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
                "messages": [
                    {"role": "user", "content": "Weather?"},
                    {
                        "role": "assistant",
                        "content": [
                            {"type": "tool_use", "id": "c1", "name": "get_weather", "input": {"city": "Zürich"}}
                        ],
                    },
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "tool_result",
                                "tool_use_id": "c1",
                                "content": [{"type": "text", "text": "14 °C"}],
                            }
                        ],
                    },
                ],
            },
            id="anthropic",
        ),
        pytest.param(
            {
                "config": {"system_instruction": {"parts": [{"text": "Be brief."}]}},
                "contents": [
                    {"role": "user", "parts": [{"text": "Weather?"}]},
                    {
                        "role": "model",
                        "parts": [{"functionCall": {"id": "c1", "name": "get_weather", "args": {"city": "Zürich"}}}],
                    },
                    {
                        "role": "user",
                        "parts": [
                            {"functionResponse": {"id": "c1", "name": "get_weather", "response": {"result": "14 °C"}}}
                        ],
                    },
                ],
            },
            id="gemini",
        ),
        pytest.param(
            {
                "messages": [
                    [
                        {"lc": 1, "id": ["langchain", "SystemMessage"], "kwargs": {"content": "Be brief."}},
                        {"lc": 1, "id": ["langchain", "HumanMessage"], "kwargs": {"content": "Weather?", "id": "x"}},
                        {
                            "lc": 1,
                            "id": ["langchain", "AIMessage"],
                            "kwargs": {
                                "content": "",
                                "tool_calls": [{"id": "c1", "name": "get_weather", "args": {"city": "Zürich"}}],
                            },
                        },
                        {
                            "lc": 1,
                            "id": ["langchain", "ToolMessage"],
                            "kwargs": {"content": "14 °C", "tool_call_id": "c1", "id": "y"},
                        },
                    ]
                ]
            },
            id="langchain",
        ),
        pytest.param(
            [
                {"type": "system", "content": "Be brief."},
                {"type": "human", "content": "Weather?"},
                {
                    "type": "ai",
                    "content": "",
                    "additional_kwargs": {
                        "tool_calls": [{"id": "c1", "function": {"name": "get_weather", "arguments": ARGUMENTS}}]
                    },
                },
                {"type": "tool", "content": "14 °C", "tool_call_id": "c1", "name": "get_weather"},
            ],
            id="langchain dumped",
        ),
        pytest.param(
            {
                "args": [
                    [
                        {"role": "system", "content": [{"text": "Be brief."}]},
                        {"role": "user", "content": [{"text": "Weather?"}]},
                        {
                            "role": "assistant",
                            "content": [
                                {"toolUse": {"toolUseId": "c1", "name": "get_weather", "input": {"city": "Zürich"}}}
                            ],
                        },
                        {
                            "role": "user",
                            "content": [{"toolResult": {"toolUseId": "c1", "content": [{"text": "14 °C"}]}}],
                        },
                    ]
                ],
                "kwargs": {},
            },
            id="bedrock",
        ),
        pytest.param(
            {
                "messages": [
                    {"_role": "system", "_content": [{"text": "Be brief."}], "_name": None},
                    {"_role": "user", "_content": [{"text": "Weather?"}]},
                    {
                        "_role": "assistant",
                        "_content": [
                            {"tool_call": {"id": "c1", "tool_name": "get_weather", "arguments": {"city": "Zürich"}}}
                        ],
                    },
                    {
                        "_role": "tool",
                        "_content": [
                            {
                                "tool_call_result": {
                                    "result": "14 °C",
                                    "origin": {"id": "c1", "tool_name": "get_weather"},
                                    "error": False,
                                }
                            }
                        ],
                    },
                ]
            },
            id="haystack",
        ),
        pytest.param(
            [
                {
                    "kind": "request",
                    "parts": [
                        {"part_kind": "system-prompt", "content": "Be brief."},
                        {"part_kind": "user-prompt", "content": "Weather?"},
                    ],
                },
                {
                    "kind": "response",
                    "parts": [
                        {
                            "part_kind": "tool-call",
                            "tool_name": "get_weather",
                            "args": ARGUMENTS,
                            "tool_call_id": "c1",
                        }
                    ],
                },
                {
                    "kind": "request",
                    "parts": [
                        {
                            "part_kind": "tool-return",
                            "tool_name": "get_weather",
                            "content": "14 °C",
                            "tool_call_id": "c1",
                        }
                    ],
                },
            ],
            id="pydantic ai",
        ),
        pytest.param(
            {
                "messages": [
                    {"content": "Be brief.", "type": "SystemMessage"},
                    {"content": "Weather?", "source": "user", "type": "UserMessage"},
                    {
                        "content": [{"id": "c1", "name": "get_weather", "arguments": ARGUMENTS}],
                        "source": "assistant",
                        "type": "AssistantMessage",
                    },
                    {
                        "content": [{"content": "14 °C", "call_id": "c1", "name": "get_weather", "is_error": False}],
                        "type": "FunctionExecutionResultMessage",
                    },
                ]
            },
            id="autogen",
        ),
    ],
)
def test_history_is_the_same_in_every_vendors_form(value: Any) -> None:
    messages = found({"openinference.span.kind": "LLM", "input.value": value}).input
    result = messages[-1].parts[0]["result"]
    assert messages[:3] == HISTORY[:3]
    assert messages[3].role == "tool"
    assert messages[3].parts[0] | {"result": "14 °C"} == RESULT
    assert result in ("14 °C", {"result": "14 °C"})


@pytest.mark.parametrize(
    "value",
    [
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": "14 °C"}, "finish_reason": "stop"}]},
        {"choices": [{"text": "14 °C", "index": 0, "logprobs": None, "finish_reason": "stop"}]},
        {"output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "14 °C"}]}]},
        {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "14 °C"}], "stop_reason": "end"},
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "14 °C"}]}, "finishReason": "STOP"}]},
        {"content": {"parts": [{"text": "14 °C"}], "role": "model"}, "finish_reason": "STOP"},
        {"generations": [[{"text": "14 °C", "type": "Generation"}]]},
        {
            "generations": [
                [{"text": "14 °C", "message": {"lc": 1, "id": ["AIMessage"], "kwargs": {"content": "14 °C"}}}]
            ]
        },
        {"message": {"role": "assistant", "blocks": [{"block_type": "text", "text": "14 °C"}]}, "raw": {}},
        {"replies": [{"role": "assistant", "meta": {}, "name": None, "content": [{"text": "14 °C"}]}]},
        [{"role": "assistant", "parts": [{"type": "text", "content": "14 °C"}], "finish_reason": "stop"}],
        {"combined_chunk_content": "14 °C", "chunk_count": 3},
        ["14 °C"],
        "14 °C",
        '"14 °C"',
    ],
)
def test_answer_is_the_same_in_every_vendors_form(value: Any) -> None:
    assert found({"openinference.span.kind": "LLM", "output.value": value}).output == said(assistant="14 °C")


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}},
        {"type": "input_image", "image_url": f"data:image/png;base64,{DATA}"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}},
        {"inlineData": {"mimeType": "image/png", "data": DATA}},
        {"inline_data": {"mime_type": "image/png", "data": DATA}},
        {"type": "blob", "mime_type": "image/png", "modality": "image", "content": DATA},
        {"type": "image", "image": DATA, "mediaType": "image/png"},
        {"type": "binary", "media_type": "image/png", "content": DATA},
        {"image": {"format": "png", "source": {"bytes": DATA}}},
        {"type": "image", "base64": DATA, "mime_type": "image/png"},
    ],
)
def test_image_data_is_kept_as_its_digest(block: Part) -> None:
    messages = found({"openinference.span.kind": "LLM", "input.value": [{"role": "user", "content": [block]}]}).input
    assert messages == [Message("user", [IMAGE])]


def test_image_by_address_keeps_the_address() -> None:
    block = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png", "detail": "low"}}
    messages = found({"input.value": [{"role": "user", "content": [block]}]}).input
    assert messages[0].parts == [{"type": "image", "uri": "https://example.org/cat.png"}]


def test_image_inside_a_result_is_kept_as_its_digest() -> None:
    content = [{"type": "image", "mime_type": "image/png", "data": DATA}, {"type": "text", "text": "seen"}]
    part = {"type": "tool_call_response", "id": "c1", "response": content}
    messages = found({"gen_ai.input.messages": [{"role": "tool", "parts": [part]}]}).input
    assert DATA not in repr(messages)
    assert "seen" in repr(messages)


def test_thinking_comes_before_the_answer() -> None:
    blocks = [{"type": "thinking", "thinking": "Hm.", "signature": "x"}, {"type": "text", "text": "14 °C"}]
    answer = found({"output.value": {"role": "assistant", "content": blocks}}).output
    assert answer == [Message("assistant", [{"type": "reasoning", "content": "Hm."}, text("14 °C")])]


def test_items_of_one_response_are_one_message() -> None:
    items = [
        {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"type": "function_call", "call_id": "c1", "name": "get_weather", "arguments": ARGUMENTS},
        {"type": "function_call", "call_id": "c2", "name": "get_air", "arguments": "{}"},
    ]
    answer = found({"output.value": {"output": items}}).output
    assert [part["type"] for message in answer for part in message.parts] == ["reasoning", "tool_call", "tool_call"]
    assert len(answer) == 1


def test_several_choices_are_several_messages() -> None:
    choices = [{"index": i, "message": {"role": "assistant", "tool_calls": [{"id": str(i)}]}} for i in range(2)]
    assert len(found({"output.value": {"choices": choices}}).output) == 2


def test_unknown_part_is_kept_as_it_was_sent() -> None:
    part = {"type": "server_tool_thing", "query": {"q": 1}, "empty": None}
    messages = found({"gen_ai.output.messages": [{"role": "assistant", "parts": [part]}]}).output
    assert messages[0].parts == [{"type": "server_tool_thing", "query": {"q": 1}}]


def test_name_of_who_speaks_is_kept() -> None:
    messages = found({"input.value": [{"role": "user", "name": "alice", "content": "Hi"}]}).input
    assert messages == [Message("user", [text("Hi") | {"name": "alice"}])]


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
