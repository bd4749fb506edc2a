"""Attributes without what repeats: restored exactly, whatever they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from milepost_collector.protocol.messages import Text, lift, piece_ids, restore, text_of
from tests.collector.messages import recorded
from tests.collector.messages.shapes import FORMATS, history

LONG = "You are a patient assistant. " * 40
MESSAGES = [{"role": "system", "content": LONG}, {"role": "user", "content": "Zürich? ☔ " * 30}]

texts = st.text(st.characters(codec="utf-8"), max_size=30)
scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
leaves = scalars | texts | st.sampled_from([LONG, "☔" * 200, '{"$rope":["a"]}', "[{}]"])
markers = st.sampled_from(["$rope", "$json", "$group", "$column", "$value", "$", "as"])
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(markers | texts, inner, max_size=4),
    max_leaves=25,
)
dumped = values.map(json.dumps) | values.map(lambda value: json.dumps(value, ensure_ascii=False, indent=2))
names = texts | st.sampled_from(
    [
        "gen_ai.input.messages", "gen_ai.system_instructions", "llm.input_messages.*",
        "llm.input_messages.0.message.content", "llm.input_messages.0.message.role",
        "llm.input_messages.00.message.role", "llm.input_messages.12.message.role", "llm.tools.0.tool.json_schema",
        "gen_ai.prompt.0.content", "gen_ai.prompt.0", "gen_ai.prompt.x.y", "input.value",
    ]
)  # fmt: skip
attributes = st.dictionaries(names, values | dumped, max_size=8)


@given(attributes)
@example({"a": {"$value": {"$rope": []}}})
@example({"llm.input_messages.0.message.content": {"$rope": [LONG]}, "llm.input_messages.0.message.role": "user"})
@example({"a": "[" + json.dumps({"[{}, {}]": LONG}) + ", [{}, {}]]" + " " * 600})
def test_restored_attributes_are_what_they_were(given_attributes: dict[str, Any]) -> None:
    assert restored(given_attributes) == given_attributes


@given(attributes, st.integers(0, 7))
def test_attribute_in_a_column_is_restored_from_it(given_attributes: dict[str, Any], place: int) -> None:
    chosen = list(given_attributes)[place : place + 1]
    columns = {name: "input" for name in chosen}
    lifted = lift(given_attributes, columns=columns)
    held = dict.fromkeys(columns.values(), *(column_text(given_attributes[name]) for name in chosen))
    if lifted.attributes_json is not None:
        back = restore(lifted.attributes_json, lifted.pieces, held)
        assert msgspec.json.decode(back) == given_attributes


@given(attributes)
def test_pieces_are_named_by_their_content_and_all_referred_to(given_attributes: dict[str, Any]) -> None:
    lifted = lift(given_attributes)
    referred = piece_ids(lifted.attributes_json) if lifted.attributes_json else []
    assert set(referred) == set(lifted.pieces)
    assert all(len(name) == 32 for name in referred)


@given(attributes, st.lists(st.sampled_from([LONG, "☔" * 200, 'He said: "\\no"\n' * 12]), max_size=4), st.booleans())
def test_attributes_are_restored_from_messages_in_them(
    given_attributes: dict[str, Any], said: list[str], in_ascii: bool
) -> None:
    history = [{"role": "user", "parts": [{"type": "text", "content": text}]} for text in said]
    sent = {**given_attributes, "gen_ai.input.messages": json.dumps(history, ensure_ascii=in_ascii)}
    assert restored(sent, [text_of(blake2b(text.encode(), digest_size=16).hexdigest(), text) for text in said]) == sent


@pytest.mark.parametrize("wrapping", ['[{{"role": "user", "content": {}}}]', '{{"query":{}}}', " {}"])
def test_text_of_a_message_is_told_by_its_id(wrapping: str) -> None:
    text = wrapping.format(json.dumps(LONG[:300]))
    lifted = lift({"input.value": text}, messages=[text_of("a" * 32, LONG[:300])])
    assert lifted.pieces == {}
    assert piece_ids(lifted.attributes_json or "") == ["=" + "a" * 32]
    assert restored({"input.value": text}, [text_of("a" * 32, LONG[:300])]) == {"input.value": text}


def test_bare_text_of_a_message_is_told_by_its_id() -> None:
    lifted = lift({"ai.response.text": LONG}, messages=[text_of("b" * 32, LONG)])
    assert (lifted.pieces, piece_ids(lifted.attributes_json or "")) == ({}, ["~" + "b" * 32])


def test_what_stands_between_messages_stays_a_piece_when_it_is_long() -> None:
    call = {"role": "assistant", "tool_calls": [{"function": {"name": "find", "arguments": LONG}}]}
    text = json.dumps([{"role": "user", "content": LONG[:200]}, call])
    lifted = lift({"input.value": text}, messages=[text_of("c" * 32, LONG[:200])])
    assert list(lifted.pieces.values()) == [json.dumps(call)]
    assert "=" + "c" * 32 in piece_ids(lifted.attributes_json or "")


@pytest.mark.parametrize("name", ["anthropic_oi", "litellm_otel", "oi_langgraph", "smolagents_oi", "vercel_ai_json"])
def test_recorded_attributes_are_restored(name: str) -> None:
    for span in recorded.spans(name):
        assert restored(span.attributes) == span.attributes


def test_text_is_restored_byte_for_byte() -> None:
    text = ' [\n\t{"role" : "user","content":"\\u00fc ☔ ' + LONG + '"} ,\r\n {"role":"user"}] '
    lifted = lift({"messages": text})
    assert json.loads(restore(lifted.attributes_json or "", lifted.pieces))["messages"] == text


def test_short_attributes_are_left_alone() -> None:
    given_attributes = {"model": "gpt-4o-mini", "messages": '[{"role": "user"}]', "n": 1, "tags": ["a", "b"]}
    lifted = lift(given_attributes)
    assert lifted.pieces == {}
    assert msgspec.json.decode(lifted.attributes_json or "") == given_attributes


def test_no_attributes_are_none() -> None:
    assert lift({}).attributes_json is None


@pytest.mark.parametrize(
    "value",
    [
        json.dumps(MESSAGES),
        json.dumps({"model": "m", "messages": MESSAGES}),
        json.dumps({"llm_request": {"config": {"x": 1}, "contents": MESSAGES}}),
        json.dumps({"args": [], "kwargs": {"messages": MESSAGES}}),
        json.dumps({"messages": [MESSAGES]}),
        json.dumps([{"graph": None, "update": {"messages": MESSAGES}}]),
        MESSAGES,
        {"messages": MESSAGES},
        [json.dumps(message) for message in MESSAGES],
    ],
)
def test_messages_in_any_wrapping_become_pieces(value: Any) -> None:
    lifted = lift({"some.attribute": value})
    assert len(lifted.pieces) == 2
    assert len(lifted.attributes_json or "") < 300


def test_long_system_prompt_is_a_piece_wherever_it_stands() -> None:
    alone = lift({"gen_ai.system_instructions": LONG})
    inside = lift({"input.value": json.dumps({"model": "m", "system": LONG, "max_tokens": 1})})
    assert list(alone.pieces.values()) == [LONG]
    assert list(inside.pieces.values()) == [json.dumps(LONG)]


def test_long_text_of_the_users_own_stays() -> None:
    assert lift({"note": LONG}).pieces == {}


def test_vector_is_not_cut() -> None:
    assert lift({"embedding": json.dumps([0.5] * 2_000)}).pieces == {}


def test_flattened_messages_become_pieces() -> None:
    messages = history(1)
    first, more = (lift(FORMATS["openinference"](messages[:cut], messages[cut])) for cut in (2, 4))
    assert len(first.pieces) == 3
    assert set(first.pieces) < set(more.pieces)


def test_missing_piece_is_named() -> None:
    lifted = lift({"messages": json.dumps(MESSAGES)})
    name = next(iter(lifted.pieces))
    with pytest.raises(LookupError, match=name):
        restore(lifted.attributes_json or "", {})


def test_missing_column_is_named() -> None:
    lifted = lift({"a": "text"}, columns={"a": "input"})
    with pytest.raises(LookupError, match="column input"):
        restore(lifted.attributes_json or "", {}, {})


def restored(given_attributes: dict[str, Any], messages: Sequence[Text] = ()) -> Any:
    """Return what comes back."""
    lifted = lift(given_attributes, messages=messages)
    told = {f"={one.message_id}": one.quoted for one in messages} | {f"~{one.message_id}": one.text for one in messages}
    if lifted.attributes_json is None:
        return {}
    return msgspec.json.decode(restore(lifted.attributes_json, {**lifted.pieces, **told}))


def column_text(value: Any) -> str:
    """Return what a column of JSON holds of an attribute: its text if that is JSON, else the JSON of its value."""
    if isinstance(value, str):
        try:
            msgspec.json.decode(value)
        except msgspec.DecodeError:
            return msgspec.json.encode(value).decode()
        return value
    return msgspec.json.encode(value).decode()
