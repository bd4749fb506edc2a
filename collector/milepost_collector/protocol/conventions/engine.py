"""The engine: what a table of conventions says about a span. No vendor is known here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from milepost.wire import Resource
from milepost_collector.protocol.conventions.forms import CONTENTS, Place, Plan, places_of, plan_of, text_form
from milepost_collector.protocol.conventions.matching import (
    MAX_MEANING,
    Form,
    corrected_kind,
    matcher,
    named_kind,
    own_name,
)
from milepost_collector.protocol.conventions.naming import NAMED, Namer
from milepost_collector.protocol.conventions.outcome import COMPLETED, ERROR, Outcome, outcome_of
from milepost_collector.protocol.conventions.table import Document, Table
from milepost_collector.protocol.conventions.usage import STATED, usage_of
from milepost_collector.protocol.conventions.values import (
    MAX_FIRST_TOKEN_MS,
    cost_of,
    count_of,
    document_of,
    json_text,
    says_nothing,
)
from milepost_collector.protocol.foreign import Attributes, ForeignSpan
from milepost_collector.protocol.normalised import Normalised

MAX_PLANS = 2048  # sets of attribute names remembered; a program has a few dozen (10 MB at most)
REFUSED = "refused"  # not a field: attributes whose values are no counts


class Conventions:
    """A table, ready for use. Safe in any thread."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._places = places_of(table)
        self._is_known = self._places.__contains__
        self._plans: dict[tuple[str, ...], Plan] = {}
        self._text = text_form(table)
        self._named_kind = named_kind(table.names.groups)
        self._corrected_kind = corrected_kind(table.names.corrections)
        self._presence = [(field, matcher(kinds)) for field, kinds in table.presence.items()]
        generic = frozenset(table.names.generic)
        self._own_name = own_name(table.names.strip, generic, table.names.not_own)
        self._namer = Namer(table.names, generic, self._text)
        self._name_of = self._namer.name_of
        self._by_kind: dict[str, dict[str, list[str]]] = msgspec.to_builtins(table.by_kind)
        named = {kind: {kind} for kind in NAMED}
        self._wanted = {kind: {*fields, *named.pop(kind, ())} for kind, fields in self._by_kind.items()} | named
        self._cancellations = frozenset(table.errors.cancellations)
        self._failing = frozenset(table.errors.failing)
        self._token_events = frozenset(table.first_token.events)

    def normalise(self, span: ForeignSpan, resource: Resource) -> Normalised:
        """Return what the table says about a span. Never raises, whatever the attributes are.

        resource: who sent it; no rule asks yet.
        """
        values = self.gather(span.attributes)
        get = values.get
        kind = self._corrected_kind(span.scope, span.name) or get("kind") or self._kind_of(span, values)
        for field in self._wanted.get(kind, ()):
            if field not in values:
                self._complete(kind, span, values)
                break
        asked = get("request_model")
        model = get("response_model") or get("model") or asked
        problems = self._complaints(values[REFUSED], span.attributes) if REFUSED in values else []
        usage = None if STATED.isdisjoint(values) else usage_of(values, kind, model, get("provider"), problems)
        if span.events or span.status_code == ERROR or "status" in values or "error_type" in values:
            outcome = self._outcome(span, values)
        else:
            outcome = COMPLETED
        has_token = span.events or "first_token_ms" in values or "first_token_time" in values
        given, made = get("input"), get("output")
        return Normalised(
            self._name_of(span, kind, values, asked or model),
            kind,
            outcome.status,
            get("agent"),
            get("tool"),
            model,
            asked,
            get("provider"),
            get("session_id"),
            get("user_id"),
            get("tags"),
            usage,
            get("response_id"),
            self._first_token(span, values) if has_token else None,
            outcome.error_type,
            outcome.error_message,
            outcome.error_stack,
            outcome.reason,
            None if given is None else json_text(given),
            None if made is None else json_text(made),
            None if given is None else get("input_attribute"),
            None if made is None else get("output_attribute"),
            tuple(problems),
        )

    def gather(self, attributes: Attributes) -> dict[str, Any]:
        """Return what attributes say, by field, without what only a kind or a name would tell.

        Spans of one instrumentation carry the same attributes, so what to read is found once for each set of names.
        """
        names = tuple(filter(self._is_known, attributes))
        plan = self._plans.get(names) or self._planned(names)
        values: dict[str, Any] = {}
        for field, name, form, others in plan.steps:
            said = form(attributes[name])
            if said is not None:
                values[field] = said
            elif others or form is count_of or form is cost_of:
                self._read_others(field, ((name, form), *others), attributes, values)
        for field, name, _, others in plan.contents:
            for one in (name, *(other for other, _ in others)):
                if (said := attributes[one]) is not None and said != "":
                    values[field], values[f"{field}_attribute"] = said, one
                    break
        for document, places in plan.documents:
            self._read_document(document, places, attributes[document.attribute], values)
        return values

    def _planned(self, names: tuple[str, ...]) -> Plan:
        if len(self._plans) >= MAX_PLANS:  # names that are made up must not fill the memory
            self._plans.clear()
        plan = self._plans[names] = plan_of(names, self.table, self._places)
        return plan

    @staticmethod
    def _read_others(
        field: str, readings: Iterable[tuple[str, Form]], attributes: Attributes, values: dict[str, Any]
    ) -> None:
        """Read a field from the first attribute that says something, where the preferred one does not."""
        for name, form in readings:
            value = attributes[name]
            said = form(value)
            if said is not None:
                values[field] = said
                return
            if (form is count_of or form is cost_of) and not says_nothing(value):
                values.setdefault(REFUSED, []).append(name)

    @staticmethod
    def _read_document(document: Document, places: Mapping[str, Place], value: Any, values: dict[str, Any]) -> None:
        """Add what an object with counts says and no attribute of its own says."""
        numbers = document_of(value)
        ranks: dict[str, int] = {}
        for key, number in numbers.items():
            place = places.get(key)
            if place is None:
                continue
            field, rank, form = place
            said = form(number)
            if said is not None and (rank < ranks[field] if field in ranks else field not in values):
                values[field], ranks[field] = said, rank
        if document.sum is not None and document.sum not in values:
            costs = [cost for item in numbers.values() if (cost := cost_of(item)) is not None]
            if costs and (cost := cost_of(sum(costs))) is not None:
                values[document.sum] = cost

    def _kind_of(self, span: ForeignSpan, values: Mapping[str, Any]) -> str:
        """Return the kind of a span that no attribute names: by its name, by what it carries, by its protocol."""
        if len(span.name) <= MAX_MEANING and (kind := self._named_kind(span.scope, span.name)) is not None:
            return kind
        for field, match in self._presence:
            if (value := values.get(field)) is not None and (kind := match(str(value))) is not None:
                return kind
        protocol: str = values.get("protocol", "other")
        return protocol

    def _complete(self, kind: str, span: ForeignSpan, values: dict[str, Any]) -> None:
        """Add fields from names too general to be read without the kind, and from the span's own name."""
        for field, names in self._by_kind.get(kind, {}).items():
            if field in values:
                continue
            for name in names:
                value = span.attributes.get(name)
                said = self._text(value) if field not in CONTENTS else value
                if said is not None and said != "":
                    values[field], values[f"{field}_attribute"] = said, name
                    break
        if kind in NAMED and kind not in values and len(span.name) <= MAX_MEANING:
            own = self._own_name(span.name)
            if own is not None:
                values[kind] = own

    def _outcome(self, span: ForeignSpan, values: Mapping[str, Any]) -> Outcome:
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

    def _complaints(self, refused: list[str], attributes: Attributes) -> list[str]:
        complaints = []
        for name in sorted(refused):
            what = "cost" if self._places[name].form is cost_of else "count"
            complaints.append(f"{name} is {_shown(attributes[name])}, which is no {what}; it is left out")
        return complaints


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return repr(value[:40])
    return str(value)[:40] if isinstance(value, float | int) and abs(value) < 1e300 else type(value).__name__
