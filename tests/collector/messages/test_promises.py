"""Whatever a span holds: nothing is raised, nothing large is kept, and the same content is the same message."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.protocol.messages import Found, Message, encode_message, event_messages, span_messages
from milepost_collector.protocol.messages.shapes import EVENT_ROLES
from milepost_collector.protocol.messages.table import load_table
from tests.collector.messages.shapes import FORMATS, a_span, history

WORDS = (
    "role", "content", "parts", "type", "text", "tool_calls", "function", "name", "arguments", "id", "messages",
    "input",
    "choices", "message", "kwargs", "lc", "data", "contents", "generations", "candidates", "system", "output", "image",
    "source", "response", "result", "summary", "kind", "part_kind", "event.name", "config", "delta", "index", "args",
    "additional_kwargs", "tool_call_id", "source", "base64", "mime_type", "url", "image_url", "model", "audio",
)  # fmt: skip
SAID = (
    "user",
    "assistant",
    "human",
    "ai",
    "tool",
    "text",
    "tool_call",
    "function_call",
    "request",
    "user-prompt",
    "image",
)

texts = st.text(st.characters(codec="utf-8"), max_size=20)
scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars | texts | st.sampled_from(SAID),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | texts, inner, max_size=5),
    max_leaves=12,
)
sent = values | values.map(json.dumps) | values.map(repr)
table = load_table()
places = st.sampled_from(
    [
        name.replace("*", "openai") + ("0.message.content" if source.form == "flat" else "")
        for source in table.sources
        for name in source.names
    ]
    + [
        "llm.input_messages.1.message.contents.0.message_content.text",
        "gen_ai.prompt.3.tool_calls.0.name",
        *table.system,
    ]
)
attributes = st.dictionaries(places | texts, sent, max_size=6)
event_names = st.sampled_from([*EVENT_ROLES, "gen_ai.client.inference.operation.details", "mlflow.chunk.item.0"])


@given(
    attributes, st.lists(st.tuples(event_names, attributes | st.dictionaries(st.sampled_from(WORDS), sent)), max_size=3)
)
def test_any_span_has_messages_that_can_be_stored(given_attributes: dict[str, Any], events: list[Any]) -> None:
    found = span_messages(a_span({"gen_ai.operation.name": "chat", **given_attributes}, *events))
    assert_storable(found)


@given(event_names | texts, attributes, sent)
def test_any_event_has_messages_that_can_be_stored(name: str, given_attributes: dict[str, Any], body: Any) -> None:
    assert_storable(event_messages(name, given_attributes, body))


@given(st.sampled_from(list(FORMATS)), st.integers(1, 6))
def test_messages_are_the_same_in_every_format(name: str, turns: int) -> None:
    messages = history(turns)
    found = [span_messages(a_span(make(messages[:-1], messages[-1]))) for make in FORMATS.values()]
    assert ids(found[0]) == ids(found[1]) == ids(found[2])


@pytest.mark.parametrize("name", FORMATS)
def test_answer_is_the_same_message_in_the_next_turn(name: str) -> None:
    messages = history(2)
    answered = span_messages(a_span(FORMATS[name](messages[:4], messages[4])))
    asked = span_messages(a_span(FORMATS[name](messages[:8], messages[8])))
    assert encode_message(answered.output[0]) in [encode_message(message) for message in asked.input]


@given(values)
def test_same_arguments_in_another_order_are_the_same_message(value: Any) -> None:
    call = {"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": value, "b": 1}}
    turned = {"arguments": {"b": 1, "a": value}, "name": "f", "id": "1", "type": "tool_call"}
    assert encode_message(Message("assistant", [call])) == encode_message(Message("assistant", [turned]))


def ids(found: Found) -> list[str]:
    return [encode_message(message).message_id for message in (*found.input, *found.output)]


def assert_storable(found: Found) -> None:
    for message in (*found.input, *found.output):
        encoded = encode_message(message)
        assert message.parts
        assert message.role == message.role.lower() != ""
        assert msgspec.json.decode(encoded.parts_json) == msgspec.to_builtins(message.parts)
        assert encoded.text.encode() is not None
        assert len(encoded.message_id) == 32
