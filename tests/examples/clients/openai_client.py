"""Asks the model server all that OpenAI's own client can, and prints what came as JSON; see test_model_clients.

Models named after a status or after `drop` fail so.
"""

from __future__ import annotations

import json
from typing import Any

import openai
from pydantic import BaseModel

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CHAT_TOOLS: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": CITY}}]
RESPONSE_TOOLS: Any = [{"type": "function", "name": "get_weather", "parameters": CITY}]
QUESTION: Any = [{"role": "user", "content": "What is the weather in Zürich?"}]

client = openai.OpenAI(max_retries=0, timeout=5)


class Weather(BaseModel):
    """An answer by schema."""

    city: str
    degrees: int


def chat() -> dict[str, Any]:
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=QUESTION)
    text = answer.choices[0].message.content
    return {"id": answer.id, "text": text, "model": answer.model, "usage": answer.usage.model_dump()}


def chat_stream() -> dict[str, Any]:
    chunks = list(
        client.chat.completions.create(
            model="gpt-4o-mini", messages=QUESTION, stream=True, stream_options={"include_usage": True}
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    finish = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1]
    usage = chunks[-1].usage.model_dump()
    return {"id": chunks[0].id, "text": text, "finish": finish, "usage": usage, "chunks": len(chunks)}


def chat_tools() -> dict[str, Any]:
    with client.chat.completions.stream(model="gpt-4o-mini", messages=QUESTION, tools=CHAT_TOOLS) as stream:
        message = stream.get_final_completion().choices[0].message
    [call] = message.tool_calls
    messages = [*QUESTION, message.model_dump(exclude_none=True)]
    messages.append({"role": "tool", "tool_call_id": call.id, "content": "14 °C"})
    last = client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=CHAT_TOOLS)
    return {"arguments": call.function.arguments, "call": call.id, "text": last.choices[0].message.content}


def chat_schema() -> dict[str, Any]:
    answer = client.chat.completions.parse(model="gpt-4o-mini", messages=QUESTION, response_format=Weather)
    return answer.choices[0].message.parsed.model_dump()


def responses() -> dict[str, Any]:
    answer = client.responses.create(model="gpt-5-mini", input="Hello there", instructions="Be brief.")
    return {"id": answer.id, "text": answer.output_text, "status": answer.status, "usage": answer.usage.model_dump()}


def responses_stream() -> dict[str, Any]:
    with client.responses.stream(model="gpt-5-mini", input=QUESTION, tools=RESPONSE_TOOLS) as stream:
        types = [event.type for event in stream]
        first = stream.get_final_response()
    [call] = [item for item in first.output if item.type == "function_call"]
    result: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "14 °C"}]
    with client.responses.stream(
        model="gpt-5-mini", input=result, previous_response_id=first.id, tools=RESPONSE_TOOLS
    ) as stream:
        types += [event.type for event in stream]
        last = stream.get_final_response()
    return {"id": last.id, "arguments": call.arguments, "text": last.output_text, "types": sorted(set(types))}


def responses_schema() -> dict[str, Any]:
    return client.responses.parse(model="gpt-5-mini", input=QUESTION, text_format=Weather).output_parsed.model_dump()


def embeddings() -> dict[str, Any]:
    packed = client.embeddings.create(model="text-embedding-3-small", input=["rain", "sun"], dimensions=8)
    plain = client.embeddings.create(
        model="text-embedding-3-small", input="rain", dimensions=8, encoding_format="float"
    )
    near = [abs(a - b) < 1e-6 for a, b in zip(packed.data[0].embedding, plain.data[0].embedding, strict=True)]
    return {"vectors": len(packed.data), "same": all(near), "tokens": packed.usage.prompt_tokens}


def models() -> dict[str, Any]:
    return {"all": [model.id for model in client.models.list()], "one": client.models.retrieve("gpt-4o").id}


def raised(model: str, *, stream: bool = False) -> list[str | None]:
    """Return what the client raises when a model fails, and the answer's Retry-After."""
    try:
        for _ in client.chat.completions.create(model=model, messages=QUESTION, stream=stream):
            pass
    except openai.APIStatusError as error:
        return [type(error).__name__, error.response.headers.get("retry-after")]
    except Exception as error:
        return [type(error).__name__, None]
    return [None, None]


def failures() -> dict[str, Any]:
    return {model: raised(model) for model in ("429", "500", "drop")} | {"broken": raised("drop", stream=True)}


if __name__ == "__main__":
    asked = [chat, chat_stream, chat_tools, chat_schema, responses, responses_stream, responses_schema]
    asked += [embeddings, models, failures]
    print(json.dumps({function.__name__: function() for function in asked}))
