"""Writes the tree of a search as text; reading it gives the same tree."""

from __future__ import annotations

import re

from milepost_collector.protocol.search.fields import FIELDS, Kind
from milepost_collector.protocol.search.query import (
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
)

_BARE = re.compile(r"[\w*][\w*.@/+-]*")
_SPECIAL = re.compile(r'([*"\\])')
_WORDS = ("AND", "OR", "NOT")


def write(node: Node) -> str:
    """Return the text of a search."""
    match node:
        case Term():
            return _term(node)
        case Not(item):
            return f"-{_inner(item)}"
        case SpanGroup(item):
            return f"span({write(item)})"
        case And(items):
            return " ".join(_inner(item) for item in items)
        case Or(items):
            return " OR ".join(_inner(item) for item in items)


def quoted(text: str) -> str:
    """Return a value that stands for exactly this text, in quotes where it needs them."""
    return _pattern(Pattern((text,)))


def _inner(node: Node) -> str:
    return f"({write(node)})" if isinstance(node, And | Or) else write(node)


def _term(term: Term) -> str:
    values = ",".join(_value(term.field, value) for value in term.values)
    return values if term.field == "text" and len(term.values) == 1 else f"{term.field}{term.operator}{values}"


def _value(field: str, value: Value) -> str:
    match value:
        case Pattern():
            return _pattern(value)
        case Instant(text):
            return f'"{text}"' if re.search(r"[\s,]", text) else text
        case Number(number):
            return repr(number) + ("ms" if FIELDS[field].kind is Kind.DURATION else "")


def _pattern(pattern: Pattern) -> str:
    text = "*".join(_SPECIAL.sub(r"\\\1", part) for part in pattern.parts)
    return text if _BARE.fullmatch(text) and text not in _WORDS else f'"{text}"'
