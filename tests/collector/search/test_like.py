"""Wildcards of the search language, where the collector itself matches them: for live lists, triggers and webhooks."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.protocol.search import Pattern
from milepost_collector.traces.queries.search import is_like

PARTS = st.lists(st.text("ab", max_size=3), min_size=1, max_size=5).map(tuple)


@given(text=st.text("ab\n", max_size=12), parts=PARTS)
def test_wildcards_match_what_a_regular_expression_would(text: str, parts: tuple[str, ...]) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, parts)), text, re.DOTALL) is not None
    assert is_like(text, Pattern(parts)) == expected


@pytest.mark.timeout(5)
def test_many_wildcards_take_no_longer_than_their_text() -> None:
    pattern = Pattern(("", *["a"] * 50, "b"))
    assert not any(is_like("a" * 20_000 + "c", pattern) for _ in range(100))
    assert is_like("a" * 20_000 + "b", pattern)
