"""Spans of Milepost's own API in OpenTelemetry's words, so that other tools and other collectors understand them.

Kinds, inputs and outputs go by OpenInference's attributes, models and tokens by the GenAI conventions, what neither
knows by `milepost.*`. Spans that came through OpenTelemetry are given back as they were sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from milepost_collector.protocol.evaluations import evaluation_event
from milepost_collector.protocol.foreign import Attributes, ForeignSpan, SpanEvent
from milepost_collector.protocol.messages.lift import is_json
from milepost_collector.protocol.stored_spans import Values, stored_span

SCOPE = "milepost"
_FAILED = 2  # a place in STATUS_CODES
_INTERNAL = 1  # a place in SPAN_KINDS
CANCELLED = "CancelledError"  # the type by which conventions know that a span was cancelled

_KINDS = {
    "agent": "AGENT", "task": "TASK", "llm": "LLM", "tool": "TOOL", "chain": "CHAIN", "retrieval": "RETRIEVER",
    "reranker": "RERANKER", "embedding": "EMBEDDING", "guardrail": "GUARDRAIL", "evaluator": "EVALUATOR",
    "prompt": "PROMPT", "memory": "MEMORY",
}  # fmt: skip
# Columns by the attribute that says the same.
_BESIDE = {
    "agent": "gen_ai.agent.name", "session_id": "session.id", "user_id": "user.id", "tags": "tag.tags",
    "task_id": "milepost.task_id", "attempt": "milepost.attempt", "reason": "milepost.reason",
}  # fmt: skip
_USAGE = {
    "model": "gen_ai.response.model", "provider": "gen_ai.provider.name",
    "input_tokens": "gen_ai.usage.input_tokens", "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens", "cost_usd": "gen_ai.usage.cost",
}  # fmt: skip
_RESOURCE = {
    "service_name": "service.name", "service_version": "service.version", "host_name": "host.name",
    "process_id": "process.pid", "sdk_name": "telemetry.sdk.name", "sdk_version": "telemetry.sdk.version",
}  # fmt: skip
_EVENT = ("kind", "severity", "message", "fraction")

_decode = msgspec.json.Decoder().decode


def foreign_span(row: Values, events: Sequence[Values], pieces: Mapping[str, str]) -> ForeignSpan:
    """Return a stored span as OpenTelemetry would have sent it.

    row: of `spans`, times as Unix ns. events: its rows of `events`. pieces: texts of pieces of attributes, by id.

    Raises:
        LookupError: a piece is missing.
    """
    if row["scope"] is None:
        return _told(stored_span({**row, "scope": SCOPE}, (), pieces), row, events)
    span = stored_span(row, events, pieces)
    if not str(row["producer_id"]).startswith("otlp-"):  # an SDK knew more of it than its attributes say
        span.attributes = {**_said(row, _BESIDE), **span.attributes}
    return span


def resource_attributes(producer: Values) -> Attributes:
    """Return the resource of a row of `producers`, as OpenTelemetry has it."""
    attributes: Attributes = _decode(producer["attributes"]) if producer["attributes"] else {}
    if str(producer["producer_id"]).startswith("otlp-"):
        return attributes
    return {**_said(producer, _RESOURCE), **attributes}


def _told(span: ForeignSpan, row: Values, events: Sequence[Values]) -> ForeignSpan:
    span.kind = span.kind or _INTERNAL
    span.events = [_event(event) for event in events]
    span.attributes = {
        **span.attributes,
        **_said(row, _BESIDE),
        **_usage(row),
        **_contents(row),
        **_outcome(row),
        "openinference.span.kind": _KINDS.get(row["kind"], "CHAIN"),
        "milepost.kind": row["kind"],
    }
    if row["status"] in ("failed", "cancelled", "lost"):
        span.status_code = _FAILED
        span.status_message = row["error_message"] or row["reason"] or ""
    return span


def _event(row: Values) -> SpanEvent:
    """Return a checkpoint, log, exception, progress report or other event of Milepost's own API."""
    attributes: Attributes = _decode(row["attributes"]) if row["attributes"] else {}
    if row["kind"] == "score":
        name, attributes = evaluation_event(attributes, row["message"])
        return SpanEvent(name=name, time=row["time"], attributes=attributes)
    said = {f"milepost.{name}": row[name] for name in _EVENT if row[name] is not None}
    body = {} if row["body"] is None else {"milepost.body": _decode(row["body"])}
    return SpanEvent(name=row["name"] or row["kind"], time=row["time"], attributes={**attributes, **said, **body})


def _usage(row: Values) -> dict[str, Any]:
    """Return what models used. A cost that was computed is left out: whoever reads this computes it again."""
    said = _said(row, _USAGE)
    if row["cost_source"] != "reported":
        said.pop(_USAGE["cost_usd"], None)
    return said


def _contents(row: Values) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name in ("input", "output"):
        if (text := row[name]) is not None:
            value = _decode(text)
            is_plain = isinstance(value, str) and not is_json(value)
            said[f"{name}.value"] = value if is_plain else text
            said[f"{name}.mime_type"] = "text/plain" if is_plain else "application/json"
    return said


def _outcome(row: Values) -> dict[str, Any]:
    cancelled = row["status"] == "cancelled"
    said = {
        "milepost.status": row["status"],
        "error.type": CANCELLED if cancelled else row["error_type"],
        "exception.stacktrace": row["error_stack"],
    }
    if cancelled and row["error_type"]:
        said["milepost.error_type"] = row["error_type"]
    return {name: value for name, value in said.items() if value is not None}


def _said(row: Values, names: Mapping[str, str]) -> dict[str, Any]:
    return {attribute: row[column] for column, attribute in names.items() if row[column] is not None}
