"""Whether a search holds of something that is no run: the search language of lists, asked of facts at hand. Pure."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from milepost_collector.errors import InvalidParameterError
from milepost_collector.protocol.search import (
    And,
    Instant,
    Node,
    Not,
    Number,
    Or,
    Pattern,
    SpanGroup,
    Term,
    Value,
    instant_ns,
    parse,
)
from milepost_collector.traces.queries.search import is_like
from milepost_collector.triggers import happenings

Facts = Mapping[str, Any]  # by field: a text, texts, a number, an instant in Unix ns, or None

_NS = 1_000_000
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    ":": operator.eq, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le
}  # fmt: skip
_COMMON = ("status", "name", "task", "text")
# What is known of each; of runs everything is.
FIELDS: dict[str, tuple[str, ...]] = {
    happenings.TASKS: (
        *_COMMON, "agent", "user", "tag", "run", "error", "cost", "tokens", "input_tokens", "output_tokens", "dur",
        "started", "is", "has",
    ),
    happenings.ASKS: (*_COMMON, "agent", "user", "run"),
    happenings.SCHEDULES: _COMMON,
    happenings.BUDGETS: (*_COMMON, "agent", "user"),
}  # fmt: skip
USAGE = frozenset({"cost", "tokens", "input_tokens", "output_tokens"})


def read(source: str, text: str) -> Node:
    """Read the search of a trigger.

    Raises:
        InvalidSearchError: it cannot be read.
        InvalidParameterError: it asks for what is not known of such an event.
    """
    node = parse(text)
    allowed = FIELDS.get(source)
    for term in terms(node) if allowed is not None else ():
        field = term.field if isinstance(term, Term) else "span(…)"
        if field not in (allowed or ()):
            raise InvalidParameterError(
                "where", text, f"{field} is not known of a {source} event; ask for one of {', '.join(allowed or ())}"
            )
    return node


def terms(node: Node) -> list[Term | SpanGroup]:
    """Return everything that a search asks for."""
    match node:
        case Not(item):
            return terms(item)
        case And(items) | Or(items):
            return [term for item in items for term in terms(item)]
        case Term() | SpanGroup():
            return [node]


def asks_for(node: Node, fields: frozenset[str]) -> bool:
    """Tell whether a search needs any of these fields; `has:cost` needs cost."""
    for term in terms(node):
        if isinstance(term, Term):
            names = (
                {value.parts[0] for value in term.values if isinstance(value, Pattern)} if term.field == "has" else ()
            )
            if {term.field, *names} & fields:
                return True
    return False


def holds(node: Node, facts: Facts, now_ns: int) -> bool:
    """Tell whether a search holds of facts."""
    match node:
        case Not(item):
            return not holds(item, facts, now_ns)
        case And(items):
            return all(holds(item, facts, now_ns) for item in items)
        case Or(items):
            return any(holds(item, facts, now_ns) for item in items)
        case Term():
            return any(_fulfils(node, value, facts, now_ns) for value in node.values)
        case SpanGroup():
            return False


def _fulfils(term: Term, value: Value, facts: Facts, now_ns: int) -> bool:
    known = facts.get(term.field)
    match value:
        case Number(number):
            return known is not None and _COMPARED[term.operator](known, number)
        case Instant():
            return known is not None and _COMPARED[term.operator](known, instant_ns(value, now_ns))
        case Pattern():
            return _is_pattern(term.field, value, facts, known)


def _is_pattern(field: str, pattern: Pattern, facts: Facts, known: Any) -> bool:
    if field == "has":
        return facts.get(pattern.parts[0]) not in (None, [], ())
    if field == "is":
        return (pattern.exact == "ended") == (facts.get("status") in ("completed", "failed", "cancelled"))
    if field == "text":
        around = Pattern(("", *pattern.parts, ""))
        return any(is_like(text, around) for text in _texts(known))
    return any(is_like(text, pattern) for text in _texts(known))


def _texts(known: Any) -> Sequence[str]:
    if known is None:
        return ()
    return (known,) if isinstance(known, str) else known
