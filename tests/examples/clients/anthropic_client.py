"""Asks the model server all that Anthropic's own client can, and prints what came as JSON; see test_model_clients.

Models named after a status or after `drop` fail so.
"""

from __future__ import annotations

import json
from typing import Any

import anthropic

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: Any = [{"name": "get_weather", "input_schema": CITY}]
QUESTION: Any = [{"role": "user", "content": "What is the weather in Zürich?"}]
ASK: Any = {"model": "claude-sonnet-5", "max_tokens": 2000, "messages": QUESTION}

client = anthropic.Anthropic(max_retries=0, timeout=5)


def messages() -> dict[str, Any]:
    answer = client.messages.create(**ASK, system="Be brief.")
    return {"id": answer.id, "text": answer.content[0].text, "usage": answer.usage.model_dump()}


def tools() -> dict[str, Any]:
    with client.messages.stream(**ASK, tools=TOOLS) as stream:
        first = stream.get_final_message()
    [call] = [block for block in first.content if block.type == "tool_use"]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "14 °C"}]}
    said = {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]}
    later = [*QUESTION, said, {"role": "user", "content": [result]}]
    last = client.messages.create(**ASK | {"messages": later}, tools=TOOLS)
    return {"input": call.input, "stop": first.stop_reason, "text": last.content[0].text}


def thinking() -> dict[str, Any]:
    with client.messages.stream(**ASK, thinking={"type": "enabled", "budget_tokens": 1024}) as stream:
        types = [event.type for event in stream]
        answer = stream.get_final_message()
    blocks = [(block.type, getattr(block, block.type)) for block in answer.content]
    return {"id": answer.id, "blocks": blocks, "usage": answer.usage.model_dump(), "types": sorted(set(types))}


def count() -> dict[str, Any]:
    return {"tokens": client.messages.count_tokens(model="claude-sonnet-5", messages=QUESTION).input_tokens}


def models() -> dict[str, Any]:
    return {"all": [model.id for model in client.models.list()]}


def raised(model: str) -> list[str | None]:
    """Return what the client raises when a model fails, and the answer's Retry-After."""
    try:
        client.messages.create(**ASK | {"model": model})
    except anthropic.APIStatusError as error:
        return [type(error).__name__, error.response.headers.get("retry-after")]
    except Exception as error:
        return [type(error).__name__, None]
    return [None, None]


def failures() -> dict[str, Any]:
    return {model: raised(model) for model in ("429", "500", "drop")}


if __name__ == "__main__":
    asked = [messages, tools, thinking, count, models, failures]
    print(json.dumps({function.__name__: function() for function in asked}))
