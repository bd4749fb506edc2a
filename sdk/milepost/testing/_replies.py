"""What a model answers: replies, failures, usage, and the reply that needs no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from milepost.testing._requests import ModelRequest, Tool, ToolCall
from milepost.testing._text import as_json

__all__ = ["Failure", "Reply", "Usage", "default_reply", "example_value"]

_MAX_DEPTH = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Tokens of a call, inclusive as in Milepost's columns: cache reads and writes lie inside input_tokens, reasoning
    inside output_tokens. Each API is told in its own way.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0

    def __post_init__(self) -> None:
        if min(self.input_tokens, self.output_tokens, self.cache_read_tokens, self.cache_write_tokens) < 0:
            raise ValueError(f"tokens cannot be negative: {self}")
        if self.cache_read_tokens + self.cache_write_tokens > self.input_tokens:
            raise ValueError(f"cached tokens lie inside input_tokens and cannot exceed them: {self}")
        if not 0 <= self.reasoning_tokens <= self.output_tokens:
            raise ValueError(f"reasoning_tokens lie inside output_tokens and cannot exceed them: {self}")

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of a model.

    reasoning: shown as a thinking block (Anthropic) or reasoning summary (OpenAI Responses); chat completions hide it
    and only count it. usage: None counts. model: None names the version behind the model that was asked for.
    finish: why it ended, when not because it was done.
    """

    text: str = ""
    tool_calls: Sequence[ToolCall] = ()
    reasoning: str = ""
    usage: Usage | None = None
    model: str | None = None
    finish: Literal["done", "length", "content_filter"] = "done"


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What happens in place of an answer.

    kind `error`: an HTTP answer with this status. `drop`: the connection closes, after so many events of a stream
    (0: before any answer). `stall`: nothing ever comes, until the client gives up or the server is stopped.
    """

    kind: Literal["error", "drop", "stall"] = "error"
    status: int = 500
    message: str = ""
    retry_after_s: float | None = None
    after_events: int = 0

    def __post_init__(self) -> None:
        if not 400 <= self.status <= 599:
            raise ValueError(f"status of a failure must be from 400 to 599, got {self.status}")
        if self.after_events < 0:
            raise ValueError(f"after_events must be at least 0, got {self.after_events}")


def default_reply(request: ModelRequest) -> Reply:
    """Return the reply that no script asked for; the same for the same request.

    A tool that is offered is called first, with arguments made from its schema; then its result is the answer. A
    schema is filled in. Otherwise the user's message comes back.
    """
    tool = _tool_to_call(request)
    if tool is not None:
        arguments = example_value(tool.schema, _hint(request))
        return Reply(tool_calls=(ToolCall(tool.name, arguments if isinstance(arguments, dict) else {}),))
    if request.response_schema is not None:
        return Reply(as_json(example_value(request.response_schema, _hint(request))))
    if request.tool_results:
        return Reply("The tools say: " + "; ".join(message.text for message in request.tool_results))
    return Reply(f"You said: {request.prompt}")


def _tool_to_call(request: ModelRequest) -> Tool | None:
    """Return the first tool when none of them was called yet; a request that requires a call gets each in its turn."""
    tools = {tool.name: tool for tool in request.tools}
    if not tools or request.tool_choice == "none":
        return None
    if request.tool_choice in tools:
        return tools[request.tool_choice]
    waiting = [tool for name, tool in tools.items() if not request.called(name)]
    if request.tool_choice == "required":
        return waiting[0] if waiting else request.tools[-1]
    return request.tools[0] if len(waiting) == len(tools) else None


def _hint(request: ModelRequest) -> str:
    """Return what to fill texts with: the latest result of a tool, else the last word of the user's message."""
    if request.tool_results:
        return request.tool_results[-1].text
    words = request.prompt.split()
    return words[-1].strip(".,;:!?\"'()") if words else "text"


def example_value(schema: Mapping[str, Any], hint: str) -> Any:
    """Return the simplest value a JSON Schema allows, texts being the hint.

    Understood are type, properties, items, minItems, enum, const, default, minimum, anyOf, oneOf, allOf and $ref
    within the schema; what else it demands is not checked.
    """
    return _example(schema, hint, schema, _MAX_DEPTH)


def _example(schema: Mapping[str, Any], hint: str, root: Mapping[str, Any], depth: int) -> Any:
    schema = _resolved(schema, root)
    for fixed in ("const", "default"):
        if fixed in schema:
            return schema[fixed]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = _type(schema)
    if depth == 0 or kind == "null":
        return None
    if kind == "object":
        properties = schema.get("properties") or {}
        return {name: _example(inner, hint, root, depth - 1) for name, inner in properties.items()}
    if kind == "array":
        count = max(1, schema.get("minItems", 1))
        return [_example(schema.get("items") or {"type": "string"}, hint, root, depth - 1)] * count
    return _scalar(kind, schema, hint)


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema behind references and alternatives."""
    for _ in range(_MAX_DEPTH):
        if "$ref" in schema:
            schema = _followed(schema["$ref"], root)
        elif options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
            schema = next((option for option in options if option.get("type") != "null"), options[0])
        else:
            break
    return schema


def _followed(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reference such as `#/$defs/City` names, an empty schema when that is elsewhere."""
    found: Any = root
    for name in reference.removeprefix("#").split("/")[1:]:
        found = found.get(name, {})
    return found if isinstance(found, Mapping) else {}


def _type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    return kind or ("object" if "properties" in schema else "string")


def _scalar(kind: str, schema: Mapping[str, Any], hint: str) -> Any:
    if kind == "integer":
        return int(schema.get("minimum", 1))
    if kind == "number":
        return float(schema.get("minimum", 1.0))
    return True if kind == "boolean" else hint
