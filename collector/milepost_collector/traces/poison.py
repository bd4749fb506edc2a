"""When the database refuses a batch that decoded: find what it refuses, so that one bad event costs one event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from milepost_collector.protocol.batch import DecodedBatch
from milepost_collector.protocol.codec import event_text, parse, to_rows
from milepost_collector.protocol.pricing import PriceBook
from milepost_collector.protocol.rejected import MAX_REJECTED_TEXT, RejectedEvent
from milepost_collector.protocol.rows import EVENT_COLUMNS, JSON_COLUMNS, LIVE_COLUMNS, SPAN_COLUMNS, Row


def without_poison(
    body: bytes, content_type: str, book: PriceBook, accepts: Callable[[DecodedBatch], bool]
) -> DecodedBatch:
    """Return the batch of a body without what the database does not accept.

    Text that claims to be JSON and is not becomes a JSON string; other events that `accepts` refuses when tried alone
    are rejected. Slow (a transaction an event), for the rare case.
    """
    parsed = parse(body, content_type)
    repaired = with_valid_json(to_rows(parsed, book))
    if accepts(repaired):
        return repaired
    good, rejected = [], list(parsed.rejected)
    for index, event in zip(parsed.indexes, parsed.events, strict=True):
        alone = replace(parsed, events=[event], indexes=[index], rejected=[])
        if accepts(with_valid_json(to_rows(alone, book))):
            good.append((index, event))
        else:
            rejected.append(RejectedEvent(index, "a value does not fit its column", event_text(event)))
    events, indexes = [event for _, event in good], [index for index, _ in good]
    return with_valid_json(to_rows(replace(parsed, events=events, indexes=indexes, rejected=rejected), book))


def without_poison_rows(batch: DecodedBatch, accepts: Callable[[DecodedBatch], bool]) -> DecodedBatch:
    """Return an OTLP request's rows without those the database does not accept, as `without_poison` does."""
    repaired = with_valid_json(batch)
    if accepts(repaired):
        return repaired
    tried = _Trial(repaired, accepts)
    spans = [row for row in repaired.spans if tried.takes(row, spans=[row])]
    starts = [row for row in repaired.starts if tried.takes(row, starts=[row])]
    logs = {key: log for key, log in repaired.logs.items() if tried.takes(log[0], logs={key: log})}
    points = {key: row for key, row in repaired.points.items() if tried.takes(row, points={key: row})}
    accepted = len(spans) + len(starts) + len(logs) + len(points)
    rejected = [*repaired.rejected, *tried.refused]
    return replace(repaired, spans=spans, starts=starts, logs=logs, points=points, rejected=rejected, accepted=accepted)


class _Trial:
    """Tries rows one by one. Contents they share with others are tried with each."""

    def __init__(self, batch: DecodedBatch, accepts: Callable[[DecodedBatch], bool]) -> None:
        self._empty = replace(batch, spans=[], starts=[], logs={}, points={})
        self._accepts = accepts
        self.refused: list[RejectedEvent] = []

    def takes(self, row: Row, **alone: Any) -> bool:
        if self._accepts(replace(self._empty, **alone)):
            return True
        text = msgspec.json.encode(row, enc_hook=str).decode()[:MAX_REJECTED_TEXT]
        self.refused.append(RejectedEvent(len(self.refused), "a value does not fit its column", text))
        return False


def with_valid_json(batch: DecodedBatch) -> DecodedBatch:
    """Turn text in JSON columns that is not JSON into JSON strings."""
    spans = _mend(SPAN_COLUMNS, batch.spans)
    for before, after in zip(batch.spans, spans, strict=True):
        if id(before) in batch.attached:
            batch.attached[id(after)] = batch.attached[id(before)]
    batch.spans = spans
    batch.starts = _mend(LIVE_COLUMNS, batch.starts)
    batch.events = _mend(EVENT_COLUMNS, batch.events)
    return batch


def _mend(columns: tuple[str, ...], rows: Sequence[Row]) -> list[Row]:
    places = [place for place, name in enumerate(columns) if name in JSON_COLUMNS]
    return [tuple(_as_json(value) if place in places else value for place, value in enumerate(row)) for row in rows]


def _as_json(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return msgspec.json.encode(text).decode()
    return text
