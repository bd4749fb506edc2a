"""Chunks of a streamed answer, one span event each, joined into the answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from milepost_collector.protocol.foreign import SpanEvent
from milepost_collector.protocol.messages.message import Message
from milepost_collector.protocol.messages.parts import Part, tool_call
from milepost_collector.protocol.messages.values import parsed_container

MAX_CHUNKS = 20_000
# Attributes of events that hold a chunk as JSON.
CHUNK_KEYS = ("mlflow.chunk.value", "gen_ai.completion.chunk", "llm.completion.chunk", "chunk", "output.value")
# What a delta calls its text, as OpenAI's chat and Responses and Anthropic's messages do.
TEXT_TYPES = ("response.output_text.delta",)


class _Answer:
    """The answer so far. calls: by their index, with the pieces of their arguments."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.reasoning: list[str] = []
        self.calls: dict[Any, dict[str, Any]] = {}

    def parts(self) -> list[Part]:
        """Return reasoning, text and calls as parts."""
        parts: list[Part] = []
        for kind, pieces in (("reasoning", self.reasoning), ("text", self.text)):
            if content := "".join(pieces):
                parts.append({"type": kind, "content": content})
        return parts + [tool_call({**call, "arguments": "".join(call["arguments"])}) for call in self.calls.values()]


def joined_chunks(events: Iterable[SpanEvent]) -> list[Message]:
    """Return the one message that the chunks among the events make, none if there are no chunks."""
    answer = _Answer()
    for event in list(events)[:MAX_CHUNKS]:
        value = next((event.attributes[key] for key in CHUNK_KEYS if key in event.attributes), None)
        chunk = parsed_container(value)
        if isinstance(chunk, dict):
            _add(answer, chunk)
    parts = answer.parts()
    return [Message("assistant", parts)] if parts else []


def _add(answer: _Answer, chunk: dict[str, Any]) -> None:
    kind = chunk.get("type")
    delta = chunk.get("delta")
    if isinstance(choices := chunk.get("choices"), list):
        # Only the first of several answers: chunks of others are mixed with its own.
        first = [choice for choice in choices if isinstance(choice, dict) and choice.get("index", 0) == 0]
        for choice in first:
            _add_delta(answer, choice.get("delta") or choice.get("message") or choice)
    elif kind in TEXT_TYPES and type(delta) is str:
        answer.text.append(delta)
    elif kind == "content_block_start" and isinstance(block := chunk.get("content_block"), dict):
        _add_block(answer, chunk.get("index"), block)
    elif isinstance(delta, dict):
        _add_typed(answer, chunk.get("index"), delta)
    else:
        _add_delta(answer, chunk)


def _add_delta(answer: _Answer, delta: Any) -> None:
    if not isinstance(delta, dict):
        return
    for key, pieces in (("reasoning_content", answer.reasoning), ("content", answer.text), ("text", answer.text)):
        if type(piece := delta.get(key)) is str:
            pieces.append(piece)
    for call in delta.get("tool_calls") or ():
        if isinstance(call, dict):
            _add_call(answer, call.get("index", call.get("id")), call)


def _add_call(answer: _Answer, index: Any, piece: dict[str, Any]) -> None:
    call = answer.calls.setdefault(str(index), {"arguments": []})
    function = piece.get("function")
    said = {**piece, **function} if isinstance(function, dict) else piece
    for key in ("id", "name"):
        if type(said.get(key)) is str and said[key]:
            call.setdefault(key, said[key])
    if type(arguments := said.get("arguments")) is str:
        call["arguments"].append(arguments)


def _add_block(answer: _Answer, index: Any, block: dict[str, Any]) -> None:
    if block.get("type") == "tool_use":
        _add_call(answer, index, block)
    else:
        _add_typed(answer, index, block)


def _add_typed(answer: _Answer, index: Any, delta: dict[str, Any]) -> None:
    """Add a delta of Anthropic's: text, thinking or a piece of a call's arguments."""
    for key, pieces in (("text", answer.text), ("thinking", answer.reasoning)):
        if type(piece := delta.get(key)) is str:
            pieces.append(piece)
    if type(piece := delta.get("partial_json")) is str:
        _add_call(answer, index, {"arguments": piece})
