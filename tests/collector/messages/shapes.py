"""Spans, and a conversation of many turns in the formats of instrumentations."""

from __future__ import annotations

import json
from typing import Any

from milepost_collector.protocol.foreign import ForeignSpan, SpanEvent
from milepost_collector.protocol.messages import Found, Message, span_messages

Turn = dict[str, Any]
Part = dict[str, Any]

CALL = {"type": "tool_call", "id": "c1", "name": "get_weather", "arguments": {"city": "Zürich"}}
RESULT = {"type": "tool_result", "id": "c1", "name": "get_weather", "result": "14 °C"}
ARGUMENTS = '{"city": "Zürich"}'


def a_span(attributes: dict[str, Any] | None = None, *events: tuple[str, dict[str, Any]]) -> ForeignSpan:
    """Return a span with attributes and events of (name, attributes)."""
    return ForeignSpan(
        run_id="a" * 32,
        span_id="b" * 16,
        parent_span_id=None,
        name="chat",
        start_time=1,
        end_time=2,
        attributes=attributes or {},
        events=[SpanEvent(name=name, time=1, attributes=given) for name, given in events],
    )


def text(content: str) -> Part:
    """Return a part of text."""
    return {"type": "text", "content": content}


def said(**messages: str) -> list[Message]:
    """Return messages of text, by role."""
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


def history(turns: int) -> list[Turn]:
    """Return the messages of a conversation, a question, a call, its result and an answer in each turn."""
    said: list[Turn] = [{"role": "system", "content": "You are a patient assistant. " * 30}]
    for turn in range(turns):
        call = {"id": f"call_{turn}", "type": "function"}
        function = {"name": "search", "arguments": json.dumps({"query": f"question {turn} " * 8})}
        said += [
            {"role": "user", "content": f"Question {turn}: {'why is it so? ' * 10}"},
            {"role": "assistant", "content": None, "tool_calls": [{**call, "function": function}]},
            {"role": "tool", "tool_call_id": f"call_{turn}", "content": f"Result {turn}: {'it is known. ' * 10}"},
            {"role": "assistant", "content": f"Answer {turn}: {'because of that. ' * 10}"},
        ]
    return said


def openai_json(sent: list[Turn], answer: Turn) -> dict[str, Any]:
    """Return attributes with the request and the response as OpenAI's JSON."""
    response = {"id": "chatcmpl-1", "choices": [{"index": 0, "finish_reason": "stop", "message": answer}]}
    return {
        "openinference.span.kind": "LLM",
        "input.value": json.dumps({"model": "gpt-4o-mini", "messages": sent, "temperature": 0}),
        "output.value": json.dumps(response),
    }


def openinference(sent: list[Turn], answer: Turn) -> dict[str, Any]:
    """Return OpenInference's flattened attributes."""
    attributes: dict[str, Any] = {"openinference.span.kind": "LLM"}
    for prefix, messages in (("llm.input_messages", sent), ("llm.output_messages", [answer])):
        for place, message in enumerate(messages):
            _flatten(attributes, f"{prefix}.{place}.message", message)
    return attributes


def conventions(sent: list[Turn], answer: Turn) -> dict[str, Any]:
    """Return the attributes of the GenAI conventions, with parts."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": json.dumps([_with_parts(message) for message in sent]),
        "gen_ai.output.messages": json.dumps([{**_with_parts(answer), "finish_reason": "stop"}], ensure_ascii=False),
    }


FORMATS = {"openai_json": openai_json, "openinference": openinference, "conventions": conventions}


def _flatten(attributes: dict[str, Any], prefix: str, message: Turn) -> None:
    attributes[f"{prefix}.role"] = message["role"]
    if message.get("content"):
        attributes[f"{prefix}.content"] = message["content"]
    if "tool_call_id" in message:
        attributes[f"{prefix}.tool_call_id"] = message["tool_call_id"]
    for place, call in enumerate(message.get("tool_calls", ())):
        start = f"{prefix}.tool_calls.{place}.tool_call"
        attributes[f"{start}.id"] = call["id"]
        attributes[f"{start}.function.name"] = call["function"]["name"]
        attributes[f"{start}.function.arguments"] = call["function"]["arguments"]


def _with_parts(message: Turn) -> Turn:
    if message["role"] == "tool":
        part = {"type": "tool_call_response", "id": message["tool_call_id"], "response": message["content"]}
        return {"role": "tool", "parts": [part]}
    parts = [{"type": "text", "content": message["content"]}] if message.get("content") else []
    for call in message.get("tool_calls", ()):
        arguments = json.loads(call["function"]["arguments"])
        name = call["function"]["name"]
        parts.append({"type": "tool_call", "id": call["id"], "name": name, "arguments": arguments})
    return {"role": message["role"], "parts": parts}
