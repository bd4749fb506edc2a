"""OpenAI's chat completions and embeddings.

https://platform.openai.com/docs/api-reference/chat and …/embeddings
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from milepost.testing._calls import Event, ModelCall, arguments_of, text_of
from milepost.testing._replies import Reply, Usage
from milepost.testing._requests import Message, ModelRequest, Tool, ToolCall
from milepost.testing._text import as_json, pieces

__all__ = ["ChatCompletions", "Embeddings", "openai_error"]

_ROLES = {"system": "system", "developer": "system", "assistant": "assistant", "tool": "tool", "function": "tool"}
_ERROR_TYPES = {400: "invalid_request_error", 401: "invalid_request_error", 404: "invalid_request_error"}
_ERROR_CODES = {401: "invalid_api_key", 404: "not_found", 429: "rate_limit_exceeded"}
_DEFAULT_DIMENSIONS = 16


def openai_error(status: int, message: str) -> dict[str, Any]:
    """Return an error as OpenAI writes it."""
    kind = _ERROR_TYPES.get(status, "requests" if status == 429 else "server_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": _ERROR_CODES.get(status)}}


class ChatCompletions:
    """`POST /v1/chat/completions`."""

    path = "/chat/completions"
    id_prefix = "chatcmpl-"
    call_id_prefix = "call_"
    error = staticmethod(openai_error)

    def read(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> ModelRequest:
        """Return the request."""
        offered = [tool["function"] for tool in body.get("tools") or () if tool.get("type") == "function"]
        return ModelRequest(
            api="openai.chat",
            model=body["model"],
            messages=tuple(_message(message) for message in body["messages"]),
            tools=tuple(Tool(name=tool["name"], schema=tool.get("parameters") or {}) for tool in offered),
            tool_choice=_tool_choice(body.get("tool_choice")),
            response_schema=_response_schema(body.get("response_format") or {}),
            stream=bool(body.get("stream")),
            headers=headers,
            body=body,
        )

    def tells_usage(self, request: ModelRequest) -> bool:
        """Return whether the client gets usage: in a stream only on demand."""
        return not request.stream or bool((request.body.get("stream_options") or {}).get("include_usage"))

    def whole(self, call: ModelCall) -> dict[str, Any]:
        """Return the completion."""
        reply = _reply(call)
        message: dict[str, Any] = {"role": "assistant", "content": reply.text or None, "refusal": None}
        if reply.tool_calls:
            message["tool_calls"] = [_tool_call(tool) for tool in reply.tool_calls]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(reply)}
        return _head(call, "chat.completion") | {"choices": [choice], "usage": chat_usage(call.usage)}

    def events(self, call: ModelCall) -> Iterator[Event]:
        """Return the completion in chunks, usage in a chunk of its own, as OpenAI does."""
        head = _head(call, "chat.completion.chunk") | ({"usage": None} if call.told_usage else {})
        for delta in _deltas(_reply(call)):
            yield None, head | {"choices": [_choice(delta)]}
        yield None, head | {"choices": [_choice({}, _finish(_reply(call)))]}
        if call.told_usage:
            yield None, head | {"choices": [], "usage": chat_usage(call.usage)}
        yield None, "[DONE]"


class Embeddings:
    """`POST /v1/embeddings`: vectors that depend on nothing but the text."""

    path = "/embeddings"
    id_prefix = "embd-"
    call_id_prefix = "call_"
    error = staticmethod(openai_error)

    def read(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> ModelRequest:
        """Return the request, each text to embed as a message of the user."""
        given = body["input"]
        # One text, one list of tokens, or a list of either.
        several = isinstance(given, list) and not all(isinstance(item, int) for item in given)
        texts = [text if isinstance(text, str) else as_json(text) for text in (given if several else [given])]
        messages = tuple(Message(role="user", text=text) for text in texts)
        return ModelRequest(api="openai.embeddings", model=body["model"], messages=messages, headers=headers, body=body)

    def tells_usage(self, request: ModelRequest) -> bool:
        """Return that the client always gets usage."""
        return True

    def whole(self, call: ModelCall) -> dict[str, Any]:
        """Return one vector per text."""
        size = int(call.request.body.get("dimensions") or _DEFAULT_DIMENSIONS)
        packed = call.request.body.get("encoding_format") == "base64"
        data = []
        for index, message in enumerate(call.request.messages):
            vector = embed(message.text, size)
            shown = base64.b64encode(struct.pack(f"<{size}f", *vector)).decode() if packed else vector
            data.append({"object": "embedding", "index": index, "embedding": shown})
        tokens = call.usage.input_tokens
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "data": data, "model": call.model, "usage": usage}

    def events(self, call: ModelCall) -> Iterator[Event]:
        """Return nothing: embeddings are not streamed."""
        return iter(())


def embed(text: str, size: int) -> list[float]:
    """Return a vector of length 1 that depends on the text alone."""
    noise = hashlib.shake_256(text.encode()).digest(2 * size)
    raw = [value / 32768 - 1 + 1e-9 for value in struct.unpack(f"<{size}H", noise)]
    length = sum(value * value for value in raw) ** 0.5
    return [value / length for value in raw]


def chat_usage(usage: Usage) -> dict[str, Any]:
    """Return usage as chat completions tell it."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _message(message: Mapping[str, Any]) -> Message:
    calls = tuple(
        ToolCall(call["function"]["name"], arguments_of(call["function"].get("arguments")), call.get("id", ""))
        for call in message.get("tool_calls") or ()
        if "function" in call
    )
    return Message(
        role=_ROLES.get(message["role"], "user"),  # type: ignore[arg-type]
        text=text_of(message.get("content")),
        tool_calls=calls,
        call_id=message.get("tool_call_id") or "",
    )


def _tool_choice(choice: Any) -> str:
    if isinstance(choice, Mapping):
        return str((choice.get("function") or {}).get("name") or "required")
    return choice or "auto"


def _response_schema(response_format: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if response_format.get("type") == "json_object":
        return {"type": "object", "properties": {"answer": {"type": "string"}}}
    schema: Mapping[str, Any] | None = (response_format.get("json_schema") or {}).get("schema")
    return schema


def _reply(call: ModelCall) -> Reply:
    return call.reply or Reply()


def _head(call: ModelCall, kind: str) -> dict[str, Any]:
    return {
        "id": call.id,
        "object": kind,
        "created": call.created,
        "model": call.model,
        "service_tier": "default",
        "system_fingerprint": "fp_44709d6fcb",
    }


def _choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def _tool_call(tool: ToolCall) -> dict[str, Any]:
    function = {"name": tool.name, "arguments": as_json(tool.arguments)}
    return {"id": tool.id, "type": "function", "function": function}


def _finish(reply: Reply) -> str:
    if reply.finish != "done":
        return reply.finish
    return "tool_calls" if reply.tool_calls else "stop"


def _deltas(reply: Reply) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": "" if reply.text else None, "refusal": None}
    for piece in pieces(reply.text):
        yield {"content": piece}
    for index, tool in enumerate(reply.tool_calls):
        opening = _tool_call(tool) | {"index": index, "function": {"name": tool.name, "arguments": ""}}
        yield {"tool_calls": [opening]}
        for piece in pieces(as_json(tool.arguments)):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
