"""Formats of instrumentations that the corpus does not hold, and what is kept of each kind of content."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from milepost_collector.protocol.messages import Message
from tests.collector.messages.shapes import ARGUMENTS, HISTORY, RESULT, Part, found, said, text

PNG = b"\x89PNG" + bytes(range(200))
DATA = base64.b64encode(PNG).decode()
IMAGE = {"type": "image", "mime_type": "image/png", "sha256": hashlib.sha256(PNG).hexdigest(), "bytes": len(PNG)}


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
