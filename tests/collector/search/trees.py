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

_APT = {
    "status": ["failed", "running", "completed"], "name": ["report", "re*", "*", "Über*ick"],
    "agent": ["writer", "*er"], "session": ["s1", "s*"], "user": ["u1"], "tag": ["eu", "night*"],
    "kind": ["llm", "tool", "ta*"],
    "model": ["m1", "m*"], "tool": ["report", "tri*"], "error": ["Connection*", "Connection refused"],
    "text": ["report.pdf", "50% of_it", "f*pdf"], "cost": ["0.5", "100"], "dur": ["10s", "90s"],
    "tokens": ["0", "100", "1M"], "input_tokens": ["1k"], "started": ["now-100s", "now-250s", "2026-09-21T14:15:00Z"],
    "spans": ["1", "3"], "errors": ["1"], "is": ["live", "ended"],
    "has": ["error", "cost", "tokens", "agent", "session", "user", "tag", "model", "task"],
}  # fmt: skip


@st.composite
def apt_terms(draw: st.DrawFn, *, of_spans: bool) -> str:
    """Draw a term, as text, that is true of some of the runs of `stories` and not of others."""
    names = [name for name in _APT if not of_spans or FIELDS[name].place != "run"]
    field = FIELDS[draw(st.sampled_from(names))]
    operator = draw(st.sampled_from(field.operators))
    values = draw(st.lists(st.sampled_from(_APT[field.name]), min_size=1, max_size=2 if operator == ":" else 1))
    quotes = [f'"{value}"' for value in values]
    return f"{field.name}{operator}{','.join(quotes)}"


def _some(term: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(
        term,
        lambda inner: (
            st.builds("-({})".format, inner)
            | st.builds("({} {})".format, inner, inner)
            | st.builds("({} OR {})".format, inner, inner)
        ),
        max_leaves=3,
    )


apt_span_searches = _some(apt_terms(of_spans=True))
apt_searches = _some(apt_terms(of_spans=False) | st.builds("span({})".format, apt_span_searches))
