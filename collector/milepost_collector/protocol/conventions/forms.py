"""How each attribute of a table is read: which field it belongs to, how preferred it is there, and its values' form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from milepost_collector.protocol.conventions.matching import Form, matcher, provider_form, variants
from milepost_collector.protocol.conventions.table import Document, StatusRule, Table
from milepost_collector.protocol.conventions.values import (
    MAX_TEXT,
    cost_of,
    count_of,
    given,
    instant_of,
    long_text_of,
    milliseconds_of,
    number_of,
    seconds_of,
    tags_of,
    text_of,
)

CONTENTS = ("input", "output")


class Place(NamedTuple):
    """Where an attribute belongs. rank: 0 being preferred."""

    field: str
    rank: int
    form: Form


class Step(NamedTuple):
    """A field and the attributes that may say it, the preferred one first."""

    field: str
    name: str
    form: Form
    others: tuple[tuple[str, Form], ...]


class Plan(NamedTuple):
    """What to read of spans that carry certain attributes. contents: those steps whose attribute's name matters."""

    steps: tuple[Step, ...]
    contents: tuple[Step, ...]
    documents: tuple[tuple[Document, dict[str, Place]], ...]


def places_of(table: Table) -> dict[str, Place]:
    """Return the table turned round: what each attribute is."""
    forms = _forms(table)
    places: dict[str, Place] = {}
    for name, field, rank in table.places():
        form = forms.get((field, name)) or forms.get((field, "")) or given
        places.setdefault(name, Place(field, rank, form))
    return places


def plan_of(names: Iterable[str], table: Table, places: dict[str, Place]) -> Plan:
    """Return how to read spans with these attributes, which are known to the table, in any order."""
    by_field: dict[str, list[tuple[int, str, Form]]] = {}
    for name in names:
        field, rank, form = places[name]
        by_field.setdefault(field, []).append((rank, name, form))
    ranks = sorted(rank for rank, _, _ in by_field.pop("document", ()))
    steps = []
    for field, found in sorted(by_field.items()):
        (_, name, form), *others = sorted(found, key=lambda one: one[:2])
        steps.append(Step(field, name, form, tuple((other, form) for _, other, form in others)))
    return Plan(
        tuple(step for step in steps if step.field not in CONTENTS),
        tuple(step for step in steps if step.field in CONTENTS),
        tuple((table.documents[rank], keys_of(table.documents[rank])) for rank in ranks),
    )


def keys_of(document: Document) -> dict[str, Place]:
    """Return what each key of a document is, as `places_of` does for attributes."""
    return {
        key: Place(field, rank, count_of if field.endswith("_tokens") else cost_of)
        for field, keys in document.fields.items()
        for rank, key in enumerate(keys)
    }


def text_form(table: Table) -> Form:
    """Return the function from a value to the text it is, None where it stands for none."""
    nothing = frozenset(variants(dict.fromkeys(table.no_text, "")))

    def clean(value: Any) -> str | None:
        if type(value) is str and value and value[0] not in ' "' and len(value) <= MAX_TEXT:
            return None if value in nothing else value
        text = text_of(value)
        return text if text and text not in nothing else None

    return clean


def _forms(table: Table) -> dict[tuple[str, str], Form]:
    """Return what reads a field's values, by field and attribute, "" being any."""
    text = text_form(table)
    return {
        **{("kind", rule.attribute): matcher(rule.values) for rule in reversed(table.kinds)},
        **{(field, ""): text for field in table.texts},
        ("provider", ""): provider_form(table.providers, text),
        ("tags", ""): tags_of,
        **{(field, ""): count_of for field in table.counts},
        **{(field, ""): cost_of for field in table.costs},
        **{("status", rule.attribute): _status_form(rule) for rule in reversed(table.statuses)},
        **{("first_token_ms", name): seconds_of for name, unit in table.first_token.durations.items() if unit == "s"},
        ("first_token_ms", ""): milliseconds_of,
        ("first_token_time", ""): instant_of,
        ("error_type", ""): text,
        ("error_message", ""): long_text_of,
        ("error_stack", ""): long_text_of,
        **{("protocol", name): _constant(kind) for name, kind in table.protocols.items()},
    }


def _status_form(rule: StatusRule) -> Form:
    if rule.at_least is None:
        match = matcher(rule.values)
        return lambda value: match(str(value) if isinstance(value, bool) else value)
    least = rule.at_least

    def level(value: Any) -> str | None:
        number = number_of(value)
        return rule.status if number is not None and number >= least else None

    return level


def _constant(kind: str) -> Form:
    return lambda value: None if value is None or value == "" else kind
