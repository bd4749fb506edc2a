"""Names of spans that say what happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from milepost_collector.protocol.conventions.matching import Form
from milepost_collector.protocol.conventions.table import Names
from milepost_collector.protocol.foreign import ForeignSpan

_SUBJECTS = {"tool": ("tool",), "agent": ("agent",), "llm": ("model",), "embedding": ("model",), "reranker": ("model",)}
_ANY_SUBJECT = ("tool", "agent", "model")


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
        for attribute in self._names.readable:
            if (readable := self._text(span.attributes.get(attribute))) is not None and "\n" not in readable:
                return str(readable)
        if span.name not in self._generic:
            return span.name
        stated = (self._text(span.attributes.get(attribute)) for attribute in self._names.operation)
        head = next((text for text in stated if text), None) or self._text(span.name)
        subject = next((value for value in self._subjects(kind, values, model) if value), None)
        if head is None:
            head = kind if kind != "other" else None
            return f"{head} {subject}" if head and subject else f"unnamed {head or 'span'}"
        return f"{head} {subject}" if subject and subject not in head else str(head)

    @staticmethod
    def _subjects(kind: str, values: Mapping[str, Any], model: str | None) -> list[Any]:
        fields = _SUBJECTS.get(kind, _ANY_SUBJECT)
        return [model if field == "model" else values.get(field) for field in fields]
