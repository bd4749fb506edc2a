"""Stored spans read again: what was sent comes back, and what has not changed stays as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from milepost.wire import Resource
from milepost_collector.protocol.foreign import ForeignSpan
from milepost_collector.protocol.foreign_rows import Contents, span_rows
from milepost_collector.protocol.otlp import decode_export
from milepost_collector.protocol.price_file import parse_prices
from milepost_collector.protocol.pricing import BUNDLED, PriceBook
from milepost_collector.protocol.renormalise import changed_columns, renormalise
from milepost_collector.protocol.rows import EVENT_COLUMNS, SPAN_COLUMNS
from milepost_collector.protocol.stored_spans import stored_span

CORPUS = Path(__file__).parents[2] / "corpus"
PRODUCER = "otlp-0123456789abcdef"
BODIES = sorted(
    path for path in CORPUS.glob("*.[0-9][0-9].*") if ".logs." not in path.name and "received" not in path.name
)
RESOURCE = Resource(service_name="weather")
OWN = PriceBook(parse_prices('[[prices]]\nmodel = "*"\ninput = 1\noutput = 1\n'))

Stored = tuple[dict[str, Any], list[dict[str, Any]], dict[str, str]]


def spans_of(path: Path) -> list[ForeignSpan]:
    """Return the ended spans of a body."""
    content_type = "application/json" if path.suffix == ".json" else "application/x-protobuf"
    origins = decode_export("traces", path.read_bytes(), content_type, 0).origins
    return [span for origin in origins for span in origin.spans if span.end_time is not None]


def store(span: ForeignSpan) -> Stored:
    """Return a span's row, the rows of its events and the pieces they refer to, as the database gives them back."""
    contents = Contents()
    row, attached = span_rows(span, RESOURCE, PRODUCER, contents)
    events = [dict(zip(EVENT_COLUMNS, event, strict=True)) for event in (attached.events if attached else ())]
    return dict(zip(SPAN_COLUMNS, row, strict=True)), events, contents.pieces


@pytest.mark.parametrize("path", BODIES, ids=lambda path: path.name)
def test_span_comes_back_as_it_was_sent(path: Path) -> None:
    for span in spans_of(path):
        found = stored_span(*store(span))
        said_too = [problem for problem in found.problems if problem not in span.problems]
        assert msgspec.structs.asdict(found) == {
            **msgspec.structs.asdict(span), "problems": [*span.problems, *said_too], "name": found.name,
        }  # fmt: skip
        assert found.name == span.name or not span.name or len(span.name) > 1000


@pytest.mark.parametrize("path", BODIES, ids=lambda path: path.name)
def test_span_of_today_stays_as_it_is(path: Path) -> None:
    for span in spans_of(path):
        row, events, pieces = store(span)
        again, _ = renormalise(row, events, pieces, RESOURCE, Contents(), OWN)
        assert changed_columns(row, again) == []


def test_usage_that_is_new_is_priced_with_the_book() -> None:
    span = next(span for span in spans_of(CORPUS / "oi_openai.01.binpb") if "llm.token_count.prompt" in span.attributes)
    row, events, pieces = store(span)
    before = {**row, "usage": None, "cost_usd": None, "cost_source": None}
    again, _ = renormalise(before, events, pieces, RESOURCE, Contents(), OWN)
    known = dict(zip(SPAN_COLUMNS, again, strict=True))
    assert known["cost_usd"] == pytest.approx((known["input_tokens"] + known["output_tokens"]) / 1e6)
    assert '"price_id":"milepost.toml *"' in known["usage"]


def test_attributes_whose_piece_is_missing_are_an_error() -> None:
    found = (store(span) for span in spans_of(CORPUS / "oi_langgraph.01.binpb"))
    row, events, _ = next(stored for stored in found if stored[2])
    with pytest.raises(LookupError):
        renormalise(row, events, {}, RESOURCE, Contents(), BUNDLED)
