"""What a model was asked, in one shape for every API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from milepost.testing._text import as_json, count_tokens

__all__ = ["Message", "ModelRequest", "Tool", "ToolCall"]

_TOKENS_PER_MESSAGE = 4  # of the frame around a message; OpenAI's own count is near this


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool that a model asks for. id: "" lets the server make one."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message of a conversation. call_id: of the tool call whose result this is (role `tool`)."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """A tool that a model may call. schema: the JSON Schema of its arguments."""

    name: str
    schema: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ModelRequest:
    """What a model was asked.

    api: which of the server's APIs it came by. tool_choice: `auto`, `none`, `required` or the one tool's name.
    response_schema: the JSON Schema the answer has to follow, None for free text. headers: names in lower case.
    body: everything, as it was sent.
    """

    api: Literal["openai.chat", "openai.responses", "openai.embeddings", "anthropic.messages"]
    model: str
    messages: tuple[Message, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    response_schema: Mapping[str, Any] | None = None
    stream: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def prompt(self) -> str:
        """The text of the last message of the user, "" without one."""
        return next((message.text for message in reversed(self.messages) if message.role == "user"), "")

    @property
    def turn(self) -> tuple[Message, ...]:
        """The messages after the last one of the user: what the agent has done about it so far."""
        for index in range(len(self.messages), 0, -1):
            if self.messages[index - 1].role == "user":
                return self.messages[index:]
        return self.messages

    @property
    def tool_results(self) -> tuple[Message, ...]:
        """The results of tools since the last message of the user, in their order."""
        return tuple(message for message in self.turn if message.role == "tool")

    def called(self, name: str) -> bool:
        """Return whether a tool was called since the last message of the user.

        Agents that write their calls and results as plain text have called what their messages name.
        """
        if any(message.tool_calls for message in self.messages):
            return any(call.name == name for message in self.turn for call in message.tool_calls)
        return any(name in message.text for message in self.messages if message.role == "assistant")

    def count_tokens(self) -> int:
        """Return how many input tokens the request is: its messages, its tools, its schema. At least 1."""
        said = sum(_TOKENS_PER_MESSAGE + _message_tokens(message) for message in self.messages)
        offered = sum(count_tokens(tool.name) + count_tokens(as_json(tool.schema)) for tool in self.tools)
        expected = 0 if self.response_schema is None else count_tokens(as_json(self.response_schema))
        return max(1, said + offered + expected)


def _message_tokens(message: Message) -> int:
    calls = sum(count_tokens(call.name) + count_tokens(as_json(call.arguments)) for call in message.tool_calls)
    return count_tokens(message.text) + calls
