"""A request's body to an `Export`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from milepost_collector.errors import MalformedBodyError, UnsupportedEncodingError
from milepost_collector.protocol.otlp import jsonbody
from milepost_collector.protocol.otlp.export import Export, Origin, RefusedError, Signal, digest_of
from milepost_collector.protocol.otlp.form import Form, Group, Unreadable
from milepost_collector.protocol.otlp.logs import log_of
from milepost_collector.protocol.otlp.metrics import points_of
from milepost_collector.protocol.otlp.spans import span_of
from milepost_collector.protocol.rejected import RejectedEvent

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
CONTENT_TYPES = (PROTOBUF, JSON)

# A bad record may be two bytes of the body and takes hundreds to remember.
MAX_REJECTED = 10_000


def decode_export(signal: Signal, body: bytes, content_type: str, received_at: int) -> Export:
    """Decode a body. content_type: the media type, parameters allowed. received_at: Unix ns. Safe in any thread.

    Raises:
        UnsupportedEncodingError: neither protobuf nor JSON.
        MalformedBodyError: no OTLP request of this signal at all, or one with more than MAX_REJECTED bad records.
    """
    groups, form = _reader(content_type)
    export = Export(signal, digest_of(signal, body), len(body))
    origins: dict[str, Origin] = {}
    index = 0
    for group in groups(signal, body):
        origin = origins.get(group.producer.id)
        if origin is None:
            origin = origins[group.producer.id] = Origin(group.producer.id, group.producer.resource)
        keep = _keeper(signal, group, origin, form, received_at)
        for record in group.records:
            try:
                if type(record) is Unreadable:
                    raise RefusedError(record.reason)
                keep(record)
            except RefusedError as error:
                export.rejected.append(_rejected(index, error, record, signal, form))
                if len(export.rejected) > MAX_REJECTED:
                    raise _too_many(export.rejected[0]) from error
            index += 1
    export.origins.extend(origins.values())
    return export


def _too_many(first: RejectedEvent) -> MalformedBodyError:
    return MalformedBodyError(
        f"more than {MAX_REJECTED} records of the request cannot be stored, the first because {first.reason}; "
        "nothing of it was stored"
    )


def _reader(content_type: str) -> tuple[Callable[[Signal, bytes], Iterator[Group]], Form]:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == PROTOBUF:
        # Protobuf costs 60 ms and 15 MB: not before somebody speaks it.
        from milepost_collector.protocol.otlp import protobuf

        return protobuf.groups, protobuf.FORM
    if media_type == JSON:
        return jsonbody.groups, jsonbody.FORM
    raise UnsupportedEncodingError("Content-Type", media_type, CONTENT_TYPES)


def _keeper(signal: Signal, group: Group, origin: Origin, form: Form, received_at: int) -> Callable[[Any], None]:
    """Return what puts a record of the group into the origin, raising `RefusedError`."""
    if signal == "traces":
        keep_span, scope, version = origin.spans.append, group.scope, group.scope_version
        return lambda record: keep_span(span_of(record, scope, version, form, received_at))
    if signal == "logs":
        return lambda record: origin.logs.append(log_of(record, group.scope, form, received_at))
    return lambda record: origin.points.extend(points_of(record, group.scope, form, received_at))


_NOUNS: dict[Signal, str] = {"traces": "a span", "logs": "a log record", "metrics": "a metric"}


def _rejected(index: int, error: RefusedError, record: Any, signal: Signal, form: Form) -> RejectedEvent:
    raw = record.raw if isinstance(record, Unreadable) else record
    looks_like = form.signal_of(raw)
    reason = str(error)
    if looks_like is not None and looks_like != signal:
        reason = f"it is {_NOUNS[looks_like]}, not {_NOUNS[signal]}; send it to /v1/{looks_like}"
    return RejectedEvent(index, reason, form.describe(raw))
