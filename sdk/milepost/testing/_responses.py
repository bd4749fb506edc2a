"""OpenAI's Responses API.

https://platform.openai.com/docs/api-reference/responses and …/responses-streaming
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from milepost.testing._calls import Event, ModelCall, arguments_of, text_of
from milepost.testing._chat import openai_error
from milepost.testing._replies import Reply, Usage
from milepost.testing._requests import Message, ModelRequest, Tool, ToolCall
from milepost.testing._text import as_json, pieces

__all__ = ["Responses"]

_ROLES = {"system": "system", "developer": "system", "assistant": "assistant"}
_ECHOED = ("instructions", "metadata", "previous_response_id", "temperature", "top_p", "tools", "tool_choice", "text")
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


class Responses:
    """`POST /v1/responses`."""

    path = "/responses"
    id_prefix = "resp_"
    call_id_prefix = "call_"
    error = staticmethod(openai_error)

    def read(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> ModelRequest:
        """Return the request. What `previous_response_id` stands for is added by the server, which remembers it."""
        offered = [tool for tool in body.get("tools") or () if tool.get("type") == "function"]
        return ModelRequest(
            api="openai.responses",
            model=body["model"],
            messages=_messages(body),
            tools=tuple(Tool(name=tool["name"], schema=tool.get("parameters") or {}) for tool in offered),
            tool_choice=_tool_choice(body.get("tool_choice")),
            response_schema=_response_schema((body.get("text") or {}).get("format") or {}),
            stream=bool(body.get("stream")),
            headers=headers,
            body=body,
        )

    def tells_usage(self, request: ModelRequest) -> bool:
        """Return that the client always gets usage."""
        return True

    def whole(self, call: ModelCall) -> dict[str, Any]:
        """Return the response."""
        reply = call.reply or Reply()
        reason = _INCOMPLETE.get(reply.finish)
        return _head(call) | {
            "status": "incomplete" if reason else "completed",
            "incomplete_details": {"reason": reason} if reason else None,
            "output": _items(call, reply),
            "usage": _usage(call.usage),
        }

    def events(self, call: ModelCall) -> Iterator[Event]:
        """Return the response's events, numbered."""
        for number, event in enumerate(_events(call, self.whole(call))):
            yield event["type"], event | {"sequence_number": number}


def _messages(body: Mapping[str, Any]) -> tuple[Message, ...]:
    given = body.get("input") or ()
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    found = [message for message in map(_message, items) if message is not None]
    if body.get("instructions"):
        found.insert(0, Message(role="system", text=text_of(body["instructions"])))
    return tuple(found)


def _message(item: Mapping[str, Any]) -> Message | None:
    """Return an input item as a message; reasoning, references and calls of hosted tools are none."""
    kind = item.get("type", "message")
    if kind == "function_call":
        call = ToolCall(item["name"], arguments_of(item.get("arguments")), item.get("call_id", ""))
        return Message(role="assistant", tool_calls=(call,))
    if kind == "function_call_output":
        return Message(role="tool", text=text_of(item.get("output")), call_id=item.get("call_id", ""))
    if kind != "message":
        return None
    return Message(role=_ROLES.get(item["role"], "user"), text=text_of(item.get("content")))  # type: ignore[arg-type]


def _tool_choice(choice: Any) -> str:
    if isinstance(choice, Mapping):
        return str(choice.get("name") or choice.get("mode") or "required")
    return choice or "auto"


def _response_schema(text_format: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if text_format.get("type") == "json_object":
        return {"type": "object", "properties": {"answer": {"type": "string"}}}
    schema: Mapping[str, Any] | None = text_format.get("schema")
    return schema


def _head(call: ModelCall) -> dict[str, Any]:
    defaults = {"metadata": {}, "temperature": 1.0, "top_p": 1.0, "tools": [], "tool_choice": "auto"}
    defaults["text"] = {"format": {"type": "text"}, "verbosity": "medium"}
    return {
        "id": call.id,
        "object": "response",
        "created_at": call.created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "max_output_tokens": call.request.body.get("max_output_tokens"),
        "model": call.model,
        "output": [],
        "parallel_tool_calls": True,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": True,
        "truncation": "disabled",
        "usage": None,
        "user": None,
    } | {name: call.request.body.get(name) or defaults.get(name) for name in _ECHOED}


def _items(call: ModelCall, reply: Reply) -> list[dict[str, Any]]:
    """Return the output: what was thought, what is said, which tools are to be called."""
    stem = call.id.removeprefix("resp_")
    items: list[dict[str, Any]] = []
    if reply.reasoning:
        summary = [{"type": "summary_text", "text": reply.reasoning}]
        items.append({"id": f"rs_{stem}", "type": "reasoning", "summary": summary})
    if reply.text or not reply.tool_calls:
        content = [{"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}]
        items.append({"id": f"msg_{stem}", "type": "message", "role": "assistant", "content": content})
    for index, tool in enumerate(reply.tool_calls):
        called = {"call_id": tool.id, "name": tool.name, "arguments": as_json(tool.arguments)}
        items.append({"id": f"fc_{stem}{index}", "type": "function_call"} | called)
    return [item | {"status": "completed"} if item["type"] != "reasoning" else item for item in items]


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def _events(call: ModelCall, response: dict[str, Any]) -> Iterator[dict[str, Any]]:
    begun = _head(call)
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(response["output"]):
        at = {"output_index": index}
        yield {"type": "response.output_item.added", **at, "item": _opened(item)}
        yield from _PARTS[item["type"]](item, at | {"item_id": item["id"]})
        yield {"type": "response.output_item.done", **at, "item": item}
    yield {"type": f"response.{response['status']}", "response": response}


def _opened(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item as it is before anything of it has come."""
    empty: dict[str, dict[str, Any]] = {
        "reasoning": {"summary": []},
        "message": {"content": [], "status": "in_progress"},
        "function_call": {"arguments": "", "status": "in_progress"},
    }
    return item | empty[item["type"]]


def _reasoning_events(item: dict[str, Any], at: dict[str, Any]) -> Iterator[dict[str, Any]]:
    [part] = item["summary"]
    at = at | {"summary_index": 0}
    yield {"type": "response.reasoning_summary_part.added", **at, "part": part | {"text": ""}}
    for piece in pieces(part["text"]):
        yield {"type": "response.reasoning_summary_text.delta", **at, "delta": piece}
    yield {"type": "response.reasoning_summary_text.done", **at, "text": part["text"]}
    yield {"type": "response.reasoning_summary_part.done", **at, "part": part}


def _message_events(item: dict[str, Any], at: dict[str, Any]) -> Iterator[dict[str, Any]]:
    [part] = item["content"]
    at = at | {"content_index": 0}
    yield {"type": "response.content_part.added", **at, "part": part | {"text": ""}}
    for piece in pieces(part["text"]):
        yield {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **at, "part": part}


def _call_events(item: dict[str, Any], at: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for piece in pieces(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", **at, "delta": piece}
    done = {"name": item["name"], "arguments": item["arguments"]}
    yield {"type": "response.function_call_arguments.done", **at, **done}


_PARTS = {"reasoning": _reasoning_events, "message": _message_events, "function_call": _call_events}
