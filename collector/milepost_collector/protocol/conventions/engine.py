"""The engine: what a table of conventions says about a span. No vendor is known here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from milepost.wire import Resource, Usage
from milepost_collector.protocol.conventions.matching import (
    Form,
    matcher,
    named_kind,
    own_name,
    provider_form,
    variants,
)
from milepost_collector.protocol.conventions.naming import Namer
from milepost_collector.protocol.conventions.outcome import COMPLETED, Outcome, outcome_of
from milepost_collector.protocol.conventions.table import StatusRule, Table
from milepost_collector.protocol.conventions.usage import STATED, usage_of
from milepost_collector.protocol.conventions.values import (
    MAX_FIRST_TOKEN_MS,
    MAX_TEXT,
    cost_of,
    count_of,
    document_of,
    instant_of,
    json_text,
    long_text_of,
    milliseconds_of,
    number_of,
    says_nothing,
    seconds_of,
    tags_of,
    text_of,
)
from milepost_collector.protocol.foreign import Attributes, ForeignSpan
from milepost_collector.protocol.normalised import Normalised

_ENDINGS = frozenset({"status", "error_type"})  # fields that only spans have which did not simply complete
_FIRST_TOKENS = frozenset({"first_token_ms", "first_token_time"})


class Found:
    """What attributes say, by field, each from the attribute its field prefers. ranks: that attribute's place."""

    __slots__ = ("ranks", "refused", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.ranks: dict[str, int] = {}
        self.refused: list[str] = []  # attributes whose values are no counts


class Conventions:
    """A table, ready for use. Safe in any thread."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._text = text_form(table)
        self._places = self._compiled()
        self._named_kind = named_kind(table.names.groups)
        self._presence = [(field, matcher(kinds)) for field, kinds in table.presence.items()]
        self._documents = [(f"document {number}", document) for number, document in enumerate(table.documents)]
        generic = frozenset(table.names.generic)
        self._own_name = own_name(table.names.strip, generic, table.names.not_own)
        self._namer = Namer(table.names, generic, self._text)
        self._cancellations = frozenset(table.errors.cancellations)
        self._failing = frozenset(table.errors.failing)
        self._token_events = frozenset(table.first_token.events)

    def normalise(self, span: ForeignSpan, resource: Resource) -> Normalised:
        """Return what the table says about a span. Never raises, whatever the attributes are."""
        attributes = span.attributes
        found = self.gather(attributes)
        values = found.values
        get = values.get
        kind = get("kind") or self._kind_of(span, values)
        if kind in self.table.by_kind or kind == "agent" or kind == "tool":
            self._complete(kind, span, found)
        asked = get("request_model")
        model = get("response_model") or get("model") or asked
        provider = get("provider")
        problems = self._complaints(found, attributes) if found.refused else []
        usage = None if STATED.isdisjoint(values) else usage_of(values, kind, model, provider, problems)
        outcome = self._outcome(span, values)
        given, made = get("input"), get("output")
        return Normalised(
            self._namer.name_of(span, kind, values, asked or model),
            kind,
            outcome.status,
            get("agent"),
            get("tool"),
            model,
            asked,
            provider,
            get("session_id"),
            get("user_id"),
            get("tags"),
            usage,
            get("response_id"),
            self._first_token(span, values) if span.events or not _FIRST_TOKENS.isdisjoint(values) else None,
            outcome.error_type,
            outcome.error_message,
            outcome.error_stack,
            outcome.reason,
            None if given is None else json_text(given),
            None if made is None else json_text(made),
            None if given is None else self._attribute("input", kind, found),
            None if made is None else self._attribute("output", kind, found),
            tuple(problems),
        )

    def gather(self, attributes: Attributes) -> Found:
        """Return what attributes say, without what only a kind or a name would tell."""
        found = Found()
        place_of, values, ranks = self._places.get, found.values, found.ranks
        has_documents = False
        for name, value in attributes.items():
            place = place_of(name)
            if place is None or value is None or value == "":
                continue
            field, rank, form = place
            if form is not None:
                said = form(value)
                if said is None:
                    if (form is count_of or form is cost_of) and not says_nothing(value):
                        found.refused.append(name)
                    continue
                value = said
            elif rank < 0:
                has_documents = True
            held = ranks.get(field)
            if held is None or rank < held:
                values[field] = value
                ranks[field] = rank
        if has_documents:
            self._read_documents(found)
        return found

    def _read_documents(self, found: Found) -> None:
        """Add what objects with counts say and no attribute of its own says."""
        values = found.values
        for field, document in self._documents:
            if field not in values:
                continue
            numbers = document_of(values.pop(field))
            for name, keys in document.fields.items():
                form = count_of if name.endswith("_tokens") else cost_of
                said = next((one for key in keys if (one := form(numbers.get(key))) is not None), None)
                if said is not None:
                    values.setdefault(name, said)
            if document.sum is not None and document.sum not in values:
                costs = [cost for item in numbers.values() if (cost := cost_of(item)) is not None]
                if costs and (cost := cost_of(sum(costs))) is not None:
                    values[document.sum] = cost

    def _kind_of(self, span: ForeignSpan, values: Mapping[str, Any]) -> str:
        """Return the kind of a span that no attribute names: by its name, by what it carries, by its protocol."""
        if len(span.name) <= MAX_TEXT and (kind := self._named_kind(span.scope, span.name)) is not None:
            return kind
        for field, match in self._presence:
            if (value := values.get(field)) is not None and (kind := match(str(value))) is not None:
                return kind
        protocol: str = values.get("protocol", "other")
        return protocol

    def _complete(self, kind: str, span: ForeignSpan, found: Found) -> None:
        """Add fields from names too general to be read without the kind, and from the span's own name."""
        values = found.values
        for field, names in self.table.by_kind.get(kind, {}).items():  # type: ignore[call-overload]
            if field not in values:
                for rank, name in enumerate(names):
                    value = span.attributes.get(name)
                    said = value if field in ("input", "output") else self._text(value)
                    if said is not None and said != "":
                        values[field], found.ranks[field] = said, ~rank
                        break
        if (kind == "agent" or kind == "tool") and kind not in values and len(span.name) <= MAX_TEXT:
            own = self._own_name(span.name)
            if own is not None:
                values[kind] = own

    def _attribute(self, field: str, kind: str, found: Found) -> str:
        """Return the attribute that a field was read from."""
        rank = found.ranks[field]
        if rank < 0:
            return self.table.by_kind[kind][field][~rank]  # type: ignore[index]
        return (self.table.input if field == "input" else self.table.output)[rank]

    def _outcome(self, span: ForeignSpan, values: Mapping[str, Any]) -> Outcome:
        if span.status_code != 2 and not span.events and _ENDINGS.isdisjoint(values):
            return COMPLETED
        is_failing = "error_type" in values and any(span.attributes.get(name) for name in self._failing)
        return outcome_of(span, values, is_failing, self._cancellations)

    def _first_token(self, span: ForeignSpan, values: Mapping[str, Any]) -> float | None:
        """Return when the model began to answer, ms after the span's start."""
        stated: float | None = values.get("first_token_ms")
        if stated is not None:
            return stated
        instant = values.get("first_token_time")
        if instant is None:
            instant = min((event.time for event in span.events if event.name in self._token_events), default=None)
        if instant is None or instant < span.start_time:
            return None
        after: float = (instant - span.start_time) / 1e6
        return after if after <= MAX_FIRST_TOKEN_MS else None

    def _complaints(self, found: Found, attributes: Attributes) -> list[str]:
        complaints = []
        for name in sorted(found.refused):
            what = "cost" if self._places[name][2] is cost_of else "count"
            complaints.append(f"{name} is {_shown(attributes[name])}, which is no {what}; it is left out")
        return complaints

    def _compiled(self) -> dict[str, tuple[str, int, Form | None]]:
        """Return each attribute's field, rank and form: spans have some fifteen attributes, the table hundreds."""
        forms = self._forms()
        places: dict[str, tuple[str, int, Form | None]] = {}
        for name, field, rank in self.table.places():
            form = forms.get((field, name)) or forms.get((field, ""))
            places.setdefault(name, (field, rank if not field.startswith("document") else -1, form))
        return places

    def _forms(self) -> dict[tuple[str, str], Form | None]:
        """Return what reads a field's values, by field and attribute, "" being any."""
        table = self.table
        forms: dict[tuple[str, str], Form | None] = {
            **{("kind", rule.attribute): matcher(rule.values) for rule in reversed(table.kinds)},
            **{(field, ""): self._text for field in table.texts},
            ("provider", ""): provider_form(table.providers),
            ("tags", ""): tags_of,
            **{(field, ""): count_of for field in table.counts},
            **{(field, ""): cost_of for field in table.costs},
            **{("status", rule.attribute): status_form(rule) for rule in reversed(table.statuses)},
            **{
                ("first_token_ms", name): seconds_of
                for name, unit in table.first_token.durations.items()
                if unit == "s"
            },
            ("first_token_ms", ""): milliseconds_of,
            ("first_token_time", ""): instant_of,
            ("error_type", ""): self._text,
            ("error_message", ""): long_text_of,
            ("error_stack", ""): long_text_of,
            **{("protocol", name): constant(kind) for name, kind in table.protocols.items()},
        }
        return forms


def text_form(table: Table) -> Form:
    """Return the function from a value to the text it is, None where it stands for none."""
    nothing = frozenset(variants(dict.fromkeys(table.no_text, "")))

    def clean(value: Any) -> str | None:
        if type(value) is str and value and value[0] not in ' "' and len(value) <= MAX_TEXT:
            return None if value in nothing else value
        text = text_of(value)
        return text if text and text not in nothing else None

    return clean


def status_form(rule: StatusRule) -> Form:
    """Return the function from a value to the status it tells."""
    if rule.at_least is None:
        return matcher(rule.values)
    least = rule.at_least

    def level(value: Any) -> str | None:
        number = number_of(value)
        return rule.status if number is not None and number >= least else None

    return level


def constant(kind: str) -> Form:
    """Return the function that says the same of every value."""
    return lambda _: kind


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return repr(value[:40])
    return str(value)[:40] if isinstance(value, float | int) and abs(value) < 1e300 else type(value).__name__


__all__ = ["Conventions", "Found", "Usage"]
