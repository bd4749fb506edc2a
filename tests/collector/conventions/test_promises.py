"""What holds of any span: nothing raises, counts fit each other, and order means nothing."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost import wire
from milepost_collector.protocol.conventions import SHIPPED
from milepost_collector.protocol.conventions.table import Kind
from milepost_collector.protocol.foreign import SpanEvent
from milepost_collector.protocol.normalised import Normalised
from tests.collector.conventions.builders import said

KINDS = set(Kind.__args__)  # type: ignore[attr-defined]
TABLE = SHIPPED.table
COUNTS = [name for names in TABLE.counts.values() for name in names]
DOCUMENTS = [document.attribute for document in TABLE.documents]
GENERAL = [name for fields in TABLE.by_kind.values() for names in fields.values() for name in names]
NAMES = sorted({name for name, _, _ in TABLE.places()} | set(GENERAL) | {"logfire.msg", "input.mime_type", "mine"})
KEYS = sorted({key for document in TABLE.documents for keys in document.fields.values() for key in keys})
VALUES = sorted(
    {value for rule in TABLE.kinds for value in rule.values} | {"unknown", "ERROR", "None", "nan", "1e999", '"'}
)

numbers = st.one_of(st.integers(-(2**70), 2**70), st.integers(0, 300), st.sampled_from([2**53 - 1, 2**53, 2**60]))
scalars = st.one_of(
    st.none(), st.booleans(), numbers, st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20),
    st.sampled_from(VALUES), numbers.map(str),
)  # fmt: skip
usages = st.dictionaries(st.sampled_from(KEYS), scalars, max_size=8)
jsons = st.recursive(
    scalars | usages,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
texts = st.builds(
    lambda value, write: write(value), jsons, st.sampled_from([repr, lambda one: msgspec.json.encode(one).decode()])
)
values = st.one_of(jsons, texts)
attributes = st.dictionaries(st.sampled_from(NAMES), values, max_size=15) | st.dictionaries(
    st.sampled_from(COUNTS + DOCUMENTS), st.one_of(numbers, numbers.map(str), usages, usages.map(repr)), max_size=10
)
events = st.builds(
    SpanEvent,
    name=st.sampled_from(["exception", "First Token Stream Event", "other"]),
    time=st.integers(0, 2**63),
    attributes=st.dictionaries(
        st.sampled_from(["exception.type", "exception.message", "exception.escaped"]), values, max_size=3
    ),
)
spans = st.fixed_dictionaries(
    {
        "attributes": attributes,
        "name": st.text(max_size=30) | st.sampled_from(["chat", "unknown", "agent run", "{x}", "invoke_agent a"]),
        "scope": st.sampled_from(["", "pydantic-ai", "gcp.vertex.agent", "app"]),
        "status_code": st.integers(0, 2),
        "status_message": st.text(max_size=20),
        "events": st.lists(events, max_size=3),
        "start_time": st.integers(0, 2**63),
        "end_time": st.none() | st.integers(0, 2**63),
    }
)


@settings(max_examples=200)
@given(spans)
def test_any_span_is_read(made: dict[str, Any]) -> None:
    found = said(**made)
    assert found.kind in KINDS
    assert found.status in ("completed", "failed", "cancelled", "skipped")
    assert found.name or not made["name"]
    assert all(value is None or isinstance(value, str) for value in (*found[3:10], found.response_id, *found[14:22]))
    for text in (found.input, found.output):
        assert text is None or msgspec.json.decode(text, type=msgspec.Raw) is not None
    assert found.time_to_first_token_ms is None or 0 <= found.time_to_first_token_ms <= 1e9


@settings(max_examples=200)
@given(spans)
def test_counts_lie_inside_each_other(made: dict[str, Any]) -> None:
    usage = said(**made).usage
    if usage is None:
        return
    msgspec.convert(msgspec.to_builtins(usage), wire.Usage)  # checks every count and the cost against its range
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    assert cached == 0 or cached <= (usage.input_tokens or 0)
    assert not usage.reasoning_tokens or usage.reasoning_tokens <= (usage.output_tokens or 0)


@given(spans, st.randoms(use_true_random=False))
def test_order_of_attributes_means_nothing(made: dict[str, Any], random: Any) -> None:
    names = list(made["attributes"])
    random.shuffle(names)
    shuffled = {**made, "attributes": {name: made["attributes"][name] for name in names}}
    assert said(**made) == said(**shuffled)


@given(attributes, st.dictionaries(st.text(min_size=30, max_size=40), values, max_size=5))
def test_what_the_table_does_not_know_changes_nothing(known: dict[str, Any], unknown: dict[str, Any]) -> None:
    assert said(known) == said({**unknown, **known})


def test_more_shapes_of_spans_than_are_remembered_are_read() -> None:
    for number in range(5000):
        names = [name for bit, name in enumerate(COUNTS[:13]) if number >> bit & 1]
        found: Normalised = said(dict.fromkeys(names, number % 7))
        assert (found.usage is None) is (not names)
