"""What is stored of a message."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.protocol.messages import Message, encode_message

TEXT = {"type": "text", "content": "14 °C"}


def test_text_is_stored_as_it_is() -> None:
    encoded = encode_message(Message("user", [TEXT]))
    assert encoded.is_text
    assert encoded.text == "14 °C"
    assert json.loads(encoded.parts_json) == [TEXT]


def test_named_text_keeps_its_name() -> None:
    encoded = encode_message(Message("user", [{**TEXT, "name": "alice"}]))
    assert not encoded.is_text
    assert json.loads(encoded.parts_json)[0]["name"] == "alice"


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"type": "reasoning", "content": "Hm."}, "Hm."),
        ({"type": "tool_call", "id": "c1", "name": "search", "arguments": {"q": "Zürich"}}, 'search {"q":"Zürich"}'),
        ({"type": "tool_result", "id": "c1", "name": "search", "result": ["a", 1]}, 'search ["a",1]'),
        (
            {"type": "image", "mime_type": "image/png", "uri": "https://example.org/cat.png"},
            "https://example.org/cat.png",
        ),
        ({"type": "refusal", "content": "No."}, "No."),
    ],
)
def test_text_to_search_holds_what_a_part_says(part: dict[str, object], words: str) -> None:
    assert encode_message(Message("assistant", [TEXT, part])).text == f"14 °C\n{words}"


roles = st.sampled_from(["user", "assistant", "tool", "1:user"])
parts = st.fixed_dictionaries({"type": st.just("text"), "content": st.text("ab:", max_size=4)}) | st.fixed_dictionaries(
    {"type": st.just("tool_call"), "name": st.text("ab", max_size=2), "arguments": st.integers(0, 2)}
)
messages = st.builds(Message, roles, st.lists(parts, min_size=1, max_size=3))


@given(messages, messages)
def test_messages_have_one_id_only_if_they_are_equal(one: Message, other: Message) -> None:
    same = encode_message(one).message_id == encode_message(other).message_id
    assert same == (one == other)


def test_id_does_not_change_between_versions() -> None:
    """Ids are stored: a change of how they are made would store every message again."""
    assert encode_message(Message("user", [TEXT])).message_id == "f623d3fc0843a996de928b6ff5069fbd"
    call = {"type": "tool_call", "id": "c1", "name": "search", "arguments": {"q": "Zürich"}}
    assert encode_message(Message("assistant", [call])).message_id == "9b48c1e36947986cd9a8bbaaab31b345"
