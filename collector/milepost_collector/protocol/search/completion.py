"""What may come next while a search is typed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from milepost_collector.protocol.search.fields import ALIASES, FIELDS, Field, Kind

_TERM = re.compile(r'(?P<field>[A-Za-z_]\w*)(?P<operator>:|>=|<=|=|>|<)(?P<before>(?:"(?:\\.|[^"\\])*",|[^\s(),"]*,)*)')
_REST = re.compile(r'"?(?P<value>(?:\\.|[^"\\])*)')
_PIECE = re.compile(r'(?:"(?:\\.|[^"\\])*(?:"|$)|[^\s()"])+')
_EXAMPLES = {
    Kind.COUNT: ("1k", "10k", "100k", "1M"),
    Kind.USD: ("0.01", "0.1", "1", "10"),
    Kind.DURATION: ("500ms", "2s", "30s", "5m", "1h"),
    Kind.TIME: ("now-15m", "now-1h", "now-24h", "now-7d"),
}
_JOINTS = {"span(": "one span that fulfils all of this", "OR": "one of both", "NOT": "must not hold"}


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that may be put in. sort: "field", "operator" or "value"."""

    text: str
    sort: str
    description: str


@dataclass(frozen=True, slots=True)
class Completing:
    """What may replace the characters from `start` to `end`. values_of: a field whose recorded values fit there, those
    that begin with `prefix`."""

    start: int
    end: int
    offers: tuple[Offer, ...]
    values_of: Field | None = None
    prefix: str = ""


def complete(text: str, at: int) -> Completing:
    """Return what may come at a place of a search, which need not be valid. at: characters before the place."""
    start, piece = _piece(text[:at])
    if term := _TERM.match(piece):
        name = term["field"].lower()
        field = FIELDS.get(ALIASES.get(name, name))
        if field is not None:
            return _values(field, start + term.end(), at, piece[term.end() :])
    return Completing(start, at, _names(piece))


def _piece(before: str) -> tuple[int, str]:
    """Return where the term that is being typed begins, and what there is of it."""
    found = next(iter([*_PIECE.finditer(before)][-1:]), None)
    if found is None or found.end() < len(before):
        return len(before), ""
    minus = 1 if found[0].startswith("-") else 0
    return found.start() + minus, found[0][minus:]


def _values(field: Field, start: int, at: int, typed: str) -> Completing:
    rest = _REST.match(typed)
    prefix = re.sub(r'\\([*"\\])', r"\1", rest["value"]) if rest else ""
    known = field.choices or _EXAMPLES.get(field.kind, ())
    offers = tuple(Offer(value, "value", field.description) for value in known if value.startswith(prefix))
    recorded = field if field.kind is Kind.TEXT or field.name == "status" else None
    return Completing(start, at, offers, recorded, prefix)


def _names(piece: str) -> tuple[Offer, ...]:
    exact = FIELDS.get(piece.lower())
    if exact is not None:
        comparisons = [Offer(f"{exact.name}{one}", "operator", exact.description) for one in exact.operators]
        others = [field for field in FIELDS.values() if field.name.startswith(exact.name) and field is not exact]
        return (*comparisons, *(_name(field) for field in others))
    fields = [_name(field) for field in FIELDS.values() if field.name.startswith(piece.lower())]
    joints = [Offer(word, "operator", said) for word, said in _JOINTS.items() if word.lower().startswith(piece.lower())]
    return (*fields, *joints)


def _name(field: Field) -> Offer:
    return Offer(field.name + field.operators[0], "field", field.description)
