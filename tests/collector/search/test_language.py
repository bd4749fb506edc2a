"""The search language: what is written is read again, and what cannot be read is told where."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost_collector.errors import InvalidSearchError
from milepost_collector.protocol.search import (
    EVERYTHING,
    And,
    Instant,
    Node,
    Not,
    Number,
    Or,
    Pattern,
    SpanGroup,
    Term,
    complete,
    parse,
    quoted,
    without,
    write,
)
from milepost_collector.protocol.search.parser import MAX_CHARACTERS, MAX_TERMS
from milepost_collector.protocol.search.values import instant_ns
from tests.collector.search.trees import any_search

PIECES = st.sampled_from(
    ["status:", "failed", "cost>", "0.05", "span(", "(", ")", " ", '"', "-", "OR", "AND", "NOT", ",", "*", "\\", "now",
     "dur>=2s", "name", "!=", "=", "\x00", "ä", "started<now-1h", "is:live"]
)  # fmt: skip
A, B, C = (Term("text", ":", (Pattern((letter,)),)) for letter in "abc")


def reading(text: str) -> Node | str:
    """Return the tree of a text, or that it is too large."""
    try:
        return parse(text)
    except InvalidSearchError as error:
        if "use at most" not in str(error):
            raise
        return "too large"


@settings(max_examples=300)
@given(tree=any_search)
def test_what_is_written_is_read_again(tree: Node) -> None:
    assert reading(write(tree)) in (tree, "too large")


@settings(max_examples=300)
@given(text=st.text(max_size=40) | st.lists(PIECES, max_size=12).map("".join), of_spans=st.booleans())
def test_any_text_is_read_or_refused_at_a_place_within_it(text: str, of_spans: bool) -> None:
    with suppress(InvalidSearchError):
        parse(text, of_spans=of_spans)
        return
    with pytest.raises(InvalidSearchError) as caught:
        parse(text, of_spans=of_spans)
    assert 0 <= caught.value.position <= caught.value.end <= len(text)


@given(text=st.text(max_size=30), at=st.integers(0, 30))
def test_anything_can_be_completed(text: str, at: int) -> None:
    at = min(at, len(text))
    found = complete(text, at)
    assert 0 <= found.start <= found.end == at


@given(text=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20))
def test_quoted_value_stands_for_its_text(text: str) -> None:
    assert parse(f"name:{quoted(text)}") == Term("name", ":", (Pattern((text,)),))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", EVERYTHING),
        ("a b OR c", Or((And((A, B)), C))),
        ("a (b OR c)", And((A, Or((B, C))))),
        ("a AND NOT b", And((A, Not(B)))),
        ("-(a b)", Not(And((A, B)))),
        ('text:"a"', A),
        ("status:failed,lost", Term("status", ":", (Pattern(("failed",)), Pattern(("lost",))))),
        ('name:"Fetch *"', Term("name", ":", (Pattern(("Fetch ", "")),))),
        (r"model:gpt\*4", Term("model", ":", (Pattern(("gpt*4",)),))),
        ("cost>$0.05", Term("cost", ">", (Number(0.05),))),
        ("Duration>=2s", Term("dur", ">=", (Number(2000.0),))),
        ("dur<1.5h", Term("dur", "<", (Number(5_400_000.0),))),
        ("tokens=12k", Term("tokens", ":", (Number(12_000.0),))),
        ("started>now-2h", Term("started", ">", (Instant("now-2h"),))),
        ("span(kind:llm a)", SpanGroup(And((Term("kind", ":", (Pattern(("llm",)),)), A)))),
        ("session:a:b/c", Term("session", ":", (Pattern(("a:b/c",)),))),
    ],
)
def test_text_is_read_as(text: str, tree: Node) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("staus:failed", 0, "there is no field staus (at character 1 of the search); did you mean status? fields are"),
        ("a status:faild", 9, "'faild' is no value of status (at character 10 of the search); did you mean failed?"),
        ("cost>abc", 5, "'abc' is no value of cost (at character 6 of the search); use US dollars, as 0.05 or $2"),
        ("dur>2", 4, "use a duration with its unit (ms, s, m, h, d), as 300ms or 2s"),
        ("dur>1e999s", 4, "use a duration with its unit"),
        ("started>yesterday", 8, "use now, now-2h"),
        ("started:now", 7, "started cannot be compared with : (at character 8 of the search); allowed are > >= < <="),
        ("name>x", 4, "name cannot be compared with >"),
        ("name!=x", 4, "write -name:… to exclude"),
        ("cost > 5", 5, "write comparisons without spaces, as cost>0.05"),
        ("cost>1,2", 7, "cost> compares with several values"),
        ("name:", 0, 'name: has no value directly after it (at character 1 of the search); write it without a space'),
        ('"abc', 0, 'this quote is never closed (at character 1 of the search); add a "'),
        ("(a", 0, "this ( is never closed (at character 1 of the search); add a )"),
        ("a)", 1, "this ) closes nothing"),
        ("()", 1, "there is ) where a term is expected"),
        ("a OR", 4, "the search ends where a term is expected"),
        ("a - b", 2, "a - excludes nothing here"),
        ("f(x)", 1, '( stands in the middle of a word or value (at character 2 of the search); put a space before it'),
        ('""', 0, "the text to look for is empty"),
        ("span(span(a))", 5, "span(…) stands where everything is about one span"),
        ("span(spans>5)", 5, "spans is about runs, not about single spans"),
        ("a\x00b", 1, "this character cannot be looked for"),
        ("(" * 30 + "a" + ")" * 30, 24, "the search is nested too deeply"),
        ("a " * (MAX_TERMS + 1), 2 * MAX_TERMS, f"use at most {MAX_TERMS}"),
        ("a" * (MAX_CHARACTERS + 1), MAX_CHARACTERS, f"use at most {MAX_CHARACTERS}"),
    ],
)  # fmt: skip
def test_error_says_where_what_and_how_else(text: str, position: int, said: str) -> None:
    with pytest.raises(InvalidSearchError) as caught:
        parse(text)
    assert (caught.value.position, said in str(caught.value)) == (position, True), str(caught.value)


@pytest.mark.parametrize(("text", "left"), [
    ("status:failed a", "a"), ("-status:failed a b", "a b"), ("a (status:failed OR b)", "a (status:failed OR b)"),
    ("a (status:failed OR status:lost)", "a"), ("span(status:failed)", ""), ("status:failed", ""),
])  # fmt: skip
def test_terms_of_a_field_are_taken_out(text: str, left: str) -> None:
    assert without(parse(text), "status") == parse(left)


def test_relative_time_depends_on_the_present() -> None:
    assert instant_ns(Instant("now-2s"), 5_000_000_000) == 3_000_000_000
    assert instant_ns(Instant("now-9h"), 5_000_000_000) == 0


@pytest.mark.parametrize(
    ("text", "start", "offered"),
    [
        ("sta", 0, ["status:", "started>"]),
        ("a -sta", 3, ["status:", "started>"]),
        ("started", 0, ["started>", "started>=", "started<", "started<="]),
        ("status:fa", 7, ["failed"]),
        ("status:failed,lo", 14, ["lost"]),
        ("span(is:", 8, ["live", "ended"]),
        ("name:x ", 7, None),
    ],
)
def test_completion_offers_what_fits(text: str, start: int, offered: list[str] | None) -> None:
    found = complete(text, len(text))
    assert found.start == start
    assert offered is None or [offer.text for offer in found.offers] == offered


def test_completion_asks_for_recorded_values_of_texts() -> None:
    found = complete('name:"Fetch a', 13)
    assert found.values_of is not None
    assert (found.values_of.name, found.prefix, found.start) == ("name", "Fetch a", 5)
