"""The tree that the text of a search becomes. Immutable, compared by value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text with wildcards: the parts between them, of which there is one when there is no wildcard."""

    parts: tuple[str, ...]

    @property
    def exact(self) -> str | None:
        """The text, when there is no wildcard."""
        return self.parts[0] if len(self.parts) == 1 else None


@dataclass(frozen=True, slots=True)
class Number:
    """A number in the field's own unit: a count, US dollars or milliseconds."""

    value: float


@dataclass(frozen=True, slots=True)
class Instant:
    """A time as it was written, `now-2h` too: what it means depends on when it is asked."""

    text: str


Value = Pattern | Number | Instant


@dataclass(frozen=True, slots=True)
class Term:
    """A field compared with values, any of which will do. operator: one of the field's."""

    field: str
    operator: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """What must not hold."""

    item: Node


@dataclass(frozen=True, slots=True)
class And:
    """What must hold together: two or more items, or none, which always holds."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Two or more items, one of which must hold."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class SpanGroup:
    """What one span of the run must fulfil alone."""

    item: Node


Node = Term | Not | And | Or | SpanGroup
EVERYTHING = And(())


def conjuncts(node: Node) -> tuple[Node, ...]:
    """Return what must hold together at the top of the tree."""
    if not isinstance(node, And):
        return (node,)
    return tuple(inner for item in node.items for inner in conjuncts(item))


def without(node: Node, field: str) -> Node:
    """Return the search less its terms at the top about a field, negated ones included."""
    kept = [item for item in conjuncts(node) if not _is_about(item, field)]
    return kept[0] if len(kept) == 1 else And(tuple(kept))


def _is_about(node: Node, field: str) -> bool:
    while isinstance(node, Not | SpanGroup):
        node = node.item
    if isinstance(node, Or):
        return all(_is_about(item, field) for item in node.items)
    return isinstance(node, Term) and node.field == field
