"""Names of spans that say what happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from milepost_collector.protocol.conventions.matching import Form
from milepost_collector.protocol.conventions.table import Names
from milepost_collector.protocol.foreign import ForeignSpan

_OF_MODELS = frozenset({"llm", "embedding", "reranker"})
NAMED = frozenset({"tool", "agent"})  # kinds, and the fields of their names


class Namer:
    """Names by a table: a span's own unless it is a template, or says nothing."""

    def __init__(self, names: Names, generic: frozenset[str], text: Form) -> None:
        self._names = names
        self._generic = generic
        self._text = text

    def name_of(self, span: ForeignSpan, kind: str, values: Mapping[str, Any], model: str | None) -> str:
        """Return a readable name. values: fields of the span."""
        name = span.name
        if name not in self._generic and "{" not in name:
            return name
        return self._better(span, kind, values, model)

    def _better(self, span: ForeignSpan, kind: str, values: Mapping[str, Any], model: str | None) -> str:
        attributes = span.attributes
        for attribute in self._names.readable:
            if attribute in attributes and (readable := self._text(attributes[attribute])) is not None:
                return str(readable)
        if span.name not in self._generic:
            return span.name
        head = self._head(span)
        subject = _subject(kind, values, model)
        if head is None:
            head = None if kind == "other" else kind
            return f"{head} {subject}" if head and subject else f"unnamed {head or 'span'}"
        return f"{head} {subject}" if subject and subject not in head else head

    def _head(self, span: ForeignSpan) -> str | None:
        """Return the operation, or what the span's own name says."""
        for attribute in self._names.operation:
            if attribute in span.attributes and (stated := self._text(span.attributes[attribute])) is not None:
                return str(stated)
        own: str | None = self._text(span.name)
        return own


def _subject(kind: str, values: Mapping[str, Any], model: str | None) -> str | None:
    """Return what a span of a kind is about: the tool, the agent or the model."""
    if kind in _OF_MODELS:
        return model
    own: str | None = values.get(kind) if kind in NAMED else values.get("tool") or values.get("agent") or model
    return own
