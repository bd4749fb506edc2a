"""Stored spans by the present convention table. Pure: rows in, rows out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from milepost.wire import Resource
from milepost_collector.protocol.api import UsageItem
from milepost_collector.protocol.conventions import normalise
from milepost_collector.protocol.foreign_rows import Attached, Contents, Row, span_rows
from milepost_collector.protocol.pricing import PriceBook, reprice, total
from milepost_collector.protocol.rows import SPAN_COLUMNS
from milepost_collector.protocol.stored_spans import Values, stored_span

# What Milepost's SDK may have known of a span beside its attributes: a table that says nothing does not take it away.
KEPT = ("agent", "session_id", "user_id", "tags", "error_type", "error_message", "error_stack", "reason")
NEVER_SAID = ("task_id", "attempt")
_OF_USAGE = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "cost_usd",
    "cost_source", "usage",
)  # fmt: skip
_JSON = frozenset({"attributes", "links", "usage"})

_decode_usage = msgspec.json.Decoder(list[UsageItem]).decode
_encode = msgspec.json.Encoder().encode


def renormalise(
    stored: Values,
    events: Sequence[Values],
    pieces: Mapping[str, str],
    resource: Resource,
    contents: Contents,
    book: PriceBook,
) -> tuple[Row, Attached]:
    """Return a stored span's row as the present table would make it, and what hangs on it.

    stored: its row of `spans`. events: its rows of `events`. contents: takes the messages and pieces it refers to.
    Usage that is the same keeps its price.

    Raises:
        LookupError: a piece of its attributes is missing.
    """
    span = stored_span(stored, events, pieces)
    if span.problems:
        again = normalise(span, resource).problems
        span.problems = [problem for problem in span.problems if problem not in again]
    row, attached = span_rows(span, resource, stored["producer_id"], contents)
    known = dict(zip(SPAN_COLUMNS, row, strict=True))
    from_sdk = not str(stored["producer_id"]).startswith("otlp-")
    for column in KEPT:
        if stored[column] is not None and (from_sdk or known[column] is None):
            known[column] = stored[column]
    known.update({column: stored[column] for column in NEVER_SAID})
    _settle_usage(stored, known, book)
    return tuple(known.values()), attached or Attached()


def changed_columns(stored: Values, row: Row) -> list[str]:
    """Return the columns in which a row differs from the stored one; the order of attributes is no difference."""
    return [name for name, value in zip(SPAN_COLUMNS, row, strict=True) if not _same(name, stored[name], value)]


def _same(name: str, old: Any, new: Any) -> bool:
    if old == new or old is None or new is None or name not in _JSON:
        return bool(old == new)
    return bool(msgspec.json.decode(old) == msgspec.json.decode(new))


def _settle_usage(stored: Values, known: dict[str, Any], book: PriceBook) -> None:
    """Price usage that is new with the book, and leave what is the same as it was."""
    if known["usage"] is None:
        return
    fresh = _decode_usage(known["usage"])
    before = _decode_usage(stored["usage"]) if stored["usage"] else []
    if [_stated(item) for item in fresh] == [_stated(item) for item in before]:
        known.update({column: stored[column] for column in _OF_USAGE})
        return
    priced = reprice(fresh, stored["start_time"], book)
    known["usage"] = _encode(priced).decode()
    sums = total(priced)
    known["cost_usd"], known["cost_source"] = sums.cost_usd, sums.cost_source


def _stated(item: UsageItem) -> tuple[Any, ...]:
    reported = item.cost_usd if item.cost_source == "reported" else None
    counts = (item.input_tokens, item.output_tokens, item.cache_read_tokens, item.cache_write_tokens)
    return item.model, item.provider, *counts, item.reasoning_tokens, reported
