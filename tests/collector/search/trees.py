"""Random searches as hypothesis strategies."""

from __future__ import annotations

from hypothesis import strategies as st

from milepost_collector.protocol.search import (
    FIELDS,
    And,
    Field,
    Instant,
    Kind,
    Node,
    Not,
    Number,
    Or,
    Pattern,
    SpanGroup,
    Term,
)

_characters = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
_texts = st.text(_characters, max_size=6) | st.sampled_from(
    ["AND", "OR", "NOT", "span", "-x", 'a"b', "\\", "a,b", "k:v"]
)


def _pattern(parts: list[str]) -> Pattern:
    return Pattern((parts[0], *(part for part in parts[1:-1] if part), *parts[1:][-1:]))


patterns = st.lists(_texts, min_size=1, max_size=4).map(_pattern)
sought = patterns.filter(lambda pattern: any(pattern.parts) or len(pattern.parts) > 1)
numbers = st.builds(Number, st.floats(0, 1e15))
instants = st.sampled_from(["now", "now-2h", "now-90s", "2026-11-21", "2026-11-21T07:30:00Z", "2026-11-21 07:30"]).map(
    Instant
)


@st.composite
def terms(draw: st.DrawFn, fields: list[Field]) -> Term:
    """Draw a term about one of the fields."""
    field = draw(st.sampled_from(fields))
    operator = draw(st.sampled_from(field.operators))
    value: st.SearchStrategy[Pattern | Number | Instant] = numbers
    if field.kind is Kind.TEXT:
        value = sought if field.name == "text" else patterns
    elif field.kind is Kind.CHOICE:
        value = st.sampled_from(field.choices).map(lambda choice: Pattern((choice,)))
    elif field.kind is Kind.TIME:
        value = instants
    return Term(field.name, operator, tuple(draw(st.lists(value, min_size=1, max_size=3 if operator == ":" else 1))))


def nodes(leaf: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Return trees over these leaves."""
    return st.recursive(
        leaf,
        lambda inner: (
            st.builds(Not, inner)
            | st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple))
            | st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
        ),
        max_leaves=6,
    )


def searches(leaf: st.SearchStrategy[Node], in_span: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Return searches of runs: trees over leaves and groups."""
    return nodes(leaf | st.builds(SpanGroup, nodes(in_span)))


any_search = searches(terms(list(FIELDS.values())), terms([field for field in FIELDS.values() if field.place != "run"]))
