"""Stored rows back to what OpenTelemetry sent, so that newer conventions can be read from old spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from milepost.wire import Link
from milepost_collector.protocol.evaluations import evaluation_event
from milepost_collector.protocol.foreign import SPAN_KINDS, STATUS_CODES, ForeignSpan, SpanEvent
from milepost_collector.protocol.foreign_rows import PROBLEMS
from milepost_collector.protocol.messages import restore

Values = Mapping[str, Any]

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_decode_links = msgspec.json.Decoder(list[Link]).decode


def stored_span(row: Values, events: Sequence[Values], pieces: Mapping[str, str]) -> ForeignSpan:
    """Return a span that came through OpenTelemetry as it was sent, the inverse of `foreign_rows.span_rows`.

    row: of `spans`, times as Unix ns. events: its rows of `events`. pieces: texts of pieces of attributes, by id.

    Raises:
        LookupError: a piece is missing.
    """
    columns = {name: row[name] for name in ("input", "output") if row[name] is not None}
    attributes = _attributes(row["attributes"], pieces, columns)
    originals = {name: attributes.pop(name, None) for name in ORIGINALS}
    return ForeignSpan(
        run_id=row["run_id"],
        span_id=row["span_id"],
        parent_span_id=row["parent_span_id"],
        name=row["name"] if originals["otel.name"] is None else str(originals["otel.name"]),
        start_time=row["start_time"],
        end_time=row["end_time"],
        kind=_place(SPAN_KINDS, originals["otel.kind"]),
        status_code=_place(STATUS_CODES, originals["otel.status_code"]),
        status_message=originals["otel.status_description"] or "",
        attributes=attributes,
        events=[_event(event, pieces) for event in events],
        links=_decode_links(row["links"]) if row["links"] else [],
        scope=row["scope"],
        scope_version=originals["otel.scope.version"] or "",
        problems=list(originals[PROBLEMS] or ()),
    )


# What `foreign_rows.with_originals` adds to the attributes.
ORIGINALS = (
    "otel.name", "otel.kind", "otel.status_code", "otel.status_description", "otel.scope.version", PROBLEMS,
)  # fmt: skip


def _event(row: Values, pieces: Mapping[str, str]) -> SpanEvent:
    attributes = _attributes(row["attributes"], pieces, {})
    if row["kind"] == "score":
        name, attributes = evaluation_event(attributes, row["message"])
    else:
        name = "exception" if row["kind"] == "exception" else row["name"]
    return SpanEvent(name=name, time=row["time"], attributes=attributes)


def _attributes(text: str | None, pieces: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, Any]:
    return {} if text is None else _decode(restore(text, pieces, columns))


def _place(words: Sequence[str], word: Any) -> int:
    return words.index(word) if word in words else 0
