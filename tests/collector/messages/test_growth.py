"""A conversation of k turns is stored once, not k times: what is new with each turn is as large as the turn."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost_collector.protocol.messages import encode_message, lift, span_messages
from tests.collector.messages.shapes import FORMATS, a_span, history

TURN_BYTES = 1_000  # of the four messages of a turn of `history`, as JSON, about


@pytest.mark.parametrize("name", FORMATS)
def test_long_conversation_grows_linearly(name: str) -> None:
    sizes = stored_sizes(name, 200)
    assert sizes[199] < 2.1 * sizes[99]
    assert sizes[199] < 200 * 5 * TURN_BYTES


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(list(FORMATS)), st.integers(2, 60))
def test_each_turn_adds_as_much_as_it_says(name: str, turns: int) -> None:
    sizes = stored_sizes(name, turns)
    added = [after - before for before, after in pairwise(sizes)]
    assert max(added) < 5 * TURN_BYTES


def stored_sizes(name: str, turns: int) -> list[int]:
    """Return the bytes of all distinct messages and pieces after each turn, two calls of a model in each."""
    messages = history(turns)
    stored: dict[str, int] = {}
    sizes = []
    for turn in range(turns):
        for end in (turn * 4 + 2, turn * 4 + 4):
            stored |= stored_by(FORMATS[name](messages[:end], messages[end]))
        sizes.append(sum(stored.values()))
    return sizes


def stored_by(attributes: dict[str, Any]) -> dict[str, int]:
    found = span_messages(a_span(attributes))
    encoded = [encode_message(message) for message in (*found.input, *found.output)]
    pieces = {name: len(text.encode()) for name, text in lift(attributes).pieces.items()}
    return pieces | {one.message_id: len(one.text.encode()) + len(one.other_parts or "") for one in encoded}
