"""An OTLP request to rows."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from milepost.wire import Resource
from milepost_collector.protocol.batch import DecodedBatch
from milepost_collector.protocol.foreign import ForeignSpan
from milepost_collector.protocol.foreign_rows import (
    SPANS_AT_ONCE,
    Contents,
    live_row,
    log_rows,
    point_row,
    rows_of_spans,
)
from milepost_collector.protocol.otlp.export import Export, Origin
from milepost_collector.protocol.pricing import BUNDLED, PriceBook
from milepost_collector.protocol.rejected import MAX_REJECTED_TEXT, RejectedEvent


def export_batch(export: Export, book: PriceBook = BUNDLED) -> DecodedBatch:
    """Turn a decoded OTLP request into rows. Pure; safe in any thread."""
    batch = DecodedBatch(
        producer_id=export.origins[0].producer_id if export.origins else "otlp-none",
        sequence=0,
        dropped=0,
        resource=Resource(),
        size=export.size,
        digest=export.digest,
        rejected=export.rejected,
        contents=Contents(book=book),
    )
    for origin in export.origins:
        batch.origins[origin.producer_id] = origin.resource
        _add(batch, origin)
    return batch


def _add(batch: DecodedBatch, origin: Origin) -> None:
    resource, producer_id, contents = origin.resource, origin.producer_id, batch.contents
    ended = {(span.run_id, span.span_id) for span in origin.spans if span.end_time is not None}
    for span in origin.spans:
        if span.end_time is None and (span.run_id, span.span_id) not in ended:
            batch.starts.append(live_row(span, resource, producer_id))
    whole = [span for span in origin.spans if span.end_time is not None]
    batch.accepted += len(origin.spans) - len(whole)
    for begin in range(0, len(whole), SPANS_AT_ONCE):
        _add_spans(batch, whole[begin : begin + SPANS_AT_ONCE], origin)
    for log in origin.logs:
        event, conversation = log_rows(log, resource, producer_id, contents)
        batch.logs[event[-1]] = event, conversation
    for point in origin.points:
        row = point_row(point, resource, producer_id)
        batch.points[row[-1]] = row
    batch.accepted += len(origin.logs) + len(origin.points)


def _add_spans(batch: DecodedBatch, spans: Sequence[ForeignSpan], origin: Origin) -> None:
    try:
        made = rows_of_spans(spans, origin.resource, origin.producer_id, batch.contents)
    except Exception as error:  # a defect of ours with one span must not cost its neighbours
        if len(spans) == 1:
            batch.rejected.append(_unreadable(len(batch.rejected), spans[0], error))
            return
        for span in spans:
            _add_spans(batch, [span], origin)
        return
    batch.accepted += len(made)
    for row, attached in made:
        batch.spans.append(row)
        if attached is not None:
            batch.attached[id(row)] = attached


def _unreadable(index: int, span: ForeignSpan, error: Exception) -> RejectedEvent:
    reason = f"span {span.span_id} cannot be read: {type(error).__name__}: {error}; please report it"
    return RejectedEvent(index, reason, msgspec.json.encode(span, enc_hook=str).decode()[:MAX_REJECTED_TEXT])
