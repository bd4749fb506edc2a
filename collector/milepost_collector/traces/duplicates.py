"""Two copies of one span: which one stands. Pure, and the same whichever came first."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import msgspec

from milepost_collector.protocol.batch import DecodedBatch
from milepost_collector.protocol.rejected import MAX_REJECTED_TEXT
from milepost_collector.protocol.rows import LIVE_COLUMNS, SPAN_COLUMNS, Row

_STATUS = SPAN_COLUMNS.index("status")
_PRODUCER = SPAN_COLUMNS.index("producer_id")


def better(row: Row, stored: Row) -> bool:
    """Tell whether `row` should replace `stored`, a copy of the same span in the same columns."""
    return rank(row) > rank(stored)


def rank(row: Row) -> tuple[bool, int, int, str]:
    """Return how complete a row is: a real end before a guessed one, then fields known, then text kept.

    The last part is the row itself, so that any two different rows have an order.
    """
    is_real = len(row) == len(LIVE_COLUMNS) or row[_STATUS] != "lost"
    known = sum(value is not None for value in row)
    text = sum(len(value) for value in row if isinstance(value, str))
    return is_real, known, text, repr(tuple(map(_plain, row)))


def is_repeat(row: Row, other: Row) -> bool:
    """Tell whether one of two copies says nothing that the other does not: it is the same, or a guess."""
    if len(row) == len(SPAN_COLUMNS) and "lost" in (row[_STATUS], other[_STATUS]):
        return True
    return rank(row) == rank(other)


def superseded(rows: Iterable[Row]) -> dict[str, Row]:
    """Return rows of `rejected`, without their time, for copies of spans that others were preferred to; by digest."""
    found = {}
    for row in rows:
        text = msgspec.json.encode(
            {name: value for name, value in zip(SPAN_COLUMNS, row, strict=True) if value is not None}, enc_hook=str
        ).decode()
        reason = f"span {row[1]} came with different contents; the more complete copy is kept"
        found.update(_refusal(row[_PRODUCER], None, reason, text))
    return found


def refusals(batch: DecodedBatch) -> dict[str, Row]:
    """Return rows of `rejected`, without their time, for what could not be taken of an OTLP request; by digest."""
    found: dict[str, Row] = {}
    for event in batch.rejected:
        found.update(_refusal(batch.producer_id, event.index, event.reason, event.text))
    return found


def _refusal(producer_id: str, index: int | None, reason: str, text: str) -> dict[str, Row]:
    event_id = blake2b(f"{reason}\0{text}".encode("utf-8", "replace"), digest_size=16).hexdigest()
    return {event_id: (producer_id, None, index, reason, text[:MAX_REJECTED_TEXT], event_id)}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value
