"""Anthropic's Messages API.

https://docs.anthropic.com/en/api/messages and …/messages-streaming
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from milepost.testing._calls import Event, ModelCall, arguments_of, text_of
from milepost.testing._replies import Reply, Usage
from milepost.testing._requests import Message, ModelRequest, Tool, ToolCall
from milepost.testing._text import as_json, pieces

__all__ = ["Messages", "anthropic_error"]

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_STOP_REASONS = {"length": "max_tokens", "content_filter": "refusal"}
_CHOICES = {"any": "required", "auto": "auto", "none": "none"}
_SIGNATURE = "c2lnbmF0dXJlIG9mIGEgdGVzdCBtb2RlbA=="


def anthropic_error(status: int, message: str) -> dict[str, Any]:
    """Return an error as Anthropic writes it."""
    return {"type": "error", "error": {"type": _ERROR_TYPES.get(status, "api_error"), "message": message}}


class Messages:
    """`POST /v1/messages`."""

    path = "/messages"
    id_prefix = "msg_01"
    call_id_prefix = "toolu_01"
    error = staticmethod(anthropic_error)

    def read(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> ModelRequest:
        """Return the request; a message that carries results of tools becomes one message per result."""
        messages = [part for message in body["messages"] for part in _split(message)]
        if body.get("system"):
            messages.insert(0, Message(role="system", text=text_of(body["system"])))
        offered = [tool for tool in body.get("tools") or () if "input_schema" in tool]
        return ModelRequest(
            api="anthropic.messages",
            model=body["model"],
            messages=tuple(messages),
            tools=tuple(Tool(name=tool["name"], schema=tool["input_schema"]) for tool in offered),
            tool_choice=_tool_choice(body.get("tool_choice") or {}),
            response_schema=_response_schema(body),
            stream=bool(body.get("stream")),
            headers=headers,
            body=body,
        )

    def tells_usage(self, request: ModelRequest) -> bool:
        """Return that the client always gets usage."""
        return True

    def whole(self, call: ModelCall) -> dict[str, Any]:
        """Return the message."""
        reply = call.reply or Reply()
        ended = {"content": list(_blocks(reply)), "stop_reason": _stop_reason(reply)}
        return _head(call) | ended | {"usage": _usage(call.usage, call.usage.output_tokens)}

    def events(self, call: ModelCall) -> Iterator[Event]:
        """Return the message's events. The first already counts one output token, as Anthropic's does."""
        for event in _events(call):
            yield event["type"], event


def _split(message: Mapping[str, Any]) -> Iterator[Message]:
    content = message.get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list(content or ())
    results = [block for block in blocks if block.get("type") == "tool_result"]
    for block in results:
        yield Message(role="tool", text=text_of(block.get("content")), call_id=block.get("tool_use_id", ""))
    others = [block for block in blocks if block.get("type") != "tool_result"]
    if others or not results:
        yield Message(role=_role(message["role"]), text=text_of(_texts(others)), tool_calls=tuple(_calls(others)))


def _role(role: str) -> Any:
    return role if role in ("assistant", "system") else "user"


def _texts(blocks: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [block for block in blocks if block.get("type") == "text"]


def _calls(blocks: Iterable[Mapping[str, Any]]) -> Iterator[ToolCall]:
    for block in blocks:
        if block.get("type") == "tool_use":
            yield ToolCall(block["name"], arguments_of(block.get("input")), block.get("id", ""))


def _tool_choice(choice: Mapping[str, Any]) -> str:
    return str(choice["name"]) if choice.get("type") == "tool" else _CHOICES.get(choice.get("type", ""), "auto")


def _response_schema(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    wanted = body.get("output_format") or (body.get("output_config") or {}).get("format") or {}
    schema: Mapping[str, Any] | None = wanted.get("schema")
    return schema


def _stop_reason(reply: Reply) -> str:
    return _STOP_REASONS.get(reply.finish) or ("tool_use" if reply.tool_calls else "end_turn")


def _head(call: ModelCall) -> dict[str, Any]:
    return {
        "id": call.id,
        "type": "message",
        "role": "assistant",
        "model": call.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _usage(call.usage, 1),
    }


def _blocks(reply: Reply) -> Iterator[dict[str, Any]]:
    if reply.reasoning:
        yield {"type": "thinking", "thinking": reply.reasoning, "signature": _SIGNATURE}
    if reply.text or not (reply.tool_calls or reply.reasoning):
        yield {"type": "text", "text": reply.text}
    for tool in reply.tool_calls:
        yield {"type": "tool_use", "id": tool.id, "name": tool.name, "input": dict(tool.arguments)}


def _usage(usage: Usage, output_tokens: int) -> dict[str, Any]:
    """Return usage as Anthropic tells it: input without what the cache had or took."""
    cached = usage.cache_read_tokens + usage.cache_write_tokens
    return {
        "input_tokens": usage.input_tokens - cached,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_tokens,
            "ephemeral_1h_input_tokens": 0,
        },
        "output_tokens": output_tokens,
        "output_tokens_details": {"thinking_tokens": min(usage.reasoning_tokens, output_tokens)},
        "service_tier": "standard",
    }


def _events(call: ModelCall) -> Iterator[dict[str, Any]]:
    reply = call.reply or Reply()
    yield {"type": "message_start", "message": _head(call)}
    yield {"type": "ping"}
    for index, block in enumerate(_blocks(reply)):
        yield {"type": "content_block_start", "index": index, "content_block": _opened(block)}
        for delta in _deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    usage = _usage(call.usage, call.usage.output_tokens)
    usage = {name: usage[name] for name in usage if name.endswith(("_tokens", "_tokens_details"))}
    ended = {"stop_reason": _stop_reason(reply), "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": usage}
    yield {"type": "message_stop"}


def _opened(block: dict[str, Any]) -> dict[str, Any]:
    """Return a block as it is before anything of it has come."""
    empty: dict[str, dict[str, Any]] = {
        "thinking": {"thinking": "", "signature": ""},
        "text": {"text": ""},
        "tool_use": {"input": {}},
    }
    return block | empty[block["type"]]


def _deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "tool_use":
        for piece in pieces(as_json(block["input"])):
            yield {"type": "input_json_delta", "partial_json": piece}
        return
    kind = block["type"]  # "text" or "thinking", which also name the field and the delta
    for piece in pieces(block[kind]):
        yield {"type": f"{kind}_delta", kind: piece}
    if kind == "thinking":
        yield {"type": "signature_delta", "signature": block["signature"]}
