"""Spans as an OTLP/JSON trace request. Source: the OTLP specification, "JSON Protobuf Encoding"."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from milepost.wire import Link
from milepost_collector.protocol.foreign import Attributes, ForeignSpan, SpanEvent
from milepost_collector.protocol.otlp.values import MAX_INT64, MIN_INT64

_encode = msgspec.json.Encoder().encode
Json = dict[str, Any]


class Exported(NamedTuple):
    """A span and the attributes of the resource that sent it."""

    resource: Attributes
    span: ForeignSpan


def otlp_json(spans: Iterable[list[Exported]]) -> Iterator[bytes]:
    """Yield one request piece by piece, a piece for each list of spans. Ids are hexadecimal, 64-bit integers texts."""
    yield b'{"resourceSpans":['
    separator = b""
    for several in spans:
        groups = [_resource_group(resource, list(members)) for resource, members in groupby(several, _resource)]
        if groups:
            yield separator + _encode(groups)[1:-1]
            separator = b","
    yield b"]}"


def _resource(exported: Exported) -> Attributes:
    return exported.resource


def _resource_group(resource: Attributes, members: list[Exported]) -> Json:
    by_scope = groupby((member.span for member in members), lambda span: (span.scope, span.scope_version))
    return {
        "resource": {"attributes": _attributes(resource)},
        "scopeSpans": [
            {"scope": {"name": name, "version": version}, "spans": [_span(span) for span in spans]}
            for (name, version), spans in by_scope
        ],
    }


def _span(span: ForeignSpan) -> Json:
    sent: Json = {
        "traceId": span.run_id,
        "spanId": span.span_id,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time or 0),
        "attributes": _attributes(span.attributes),
    }
    if span.parent_span_id:
        sent["parentSpanId"] = span.parent_span_id
    if span.events:
        sent["events"] = [_event(event) for event in span.events]
    if span.links:
        sent["links"] = [_link(link) for link in span.links]
    if span.status_code or span.status_message:
        sent["status"] = {"code": span.status_code, "message": span.status_message}
    return sent


def _event(event: SpanEvent) -> Json:
    return {"timeUnixNano": str(event.time), "name": event.name, "attributes": _attributes(event.attributes)}


def _link(link: Link) -> Json:
    return {"traceId": link.run_id, "spanId": link.span_id, "attributes": _attributes(link.attributes or {})}


def _attributes(attributes: Attributes) -> list[Json]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> Json:
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):  # before int, of which it is one
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)} if MIN_INT64 <= value <= MAX_INT64 else {"doubleValue": float(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    if isinstance(value, dict):
        return {"bytesValue": value["base64"]} if _is_bytes(value) else {"kvlistValue": {"values": _attributes(value)}}
    return {}


def _is_bytes(value: Attributes) -> bool:
    """Whether an object stands for bytes, as `foreign` has it."""
    text = value.get("base64")
    if len(value) != 1 or not isinstance(text, str):
        return False
    try:
        return base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except (binascii.Error, ValueError):
        return False
