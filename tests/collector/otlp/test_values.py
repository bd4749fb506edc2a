"""Attribute values: everything OTLP can say comes out as JSON can hold it, the same from both encodings."""

from __future__ import annotations

import base64
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.protocol.otlp import anyvalue, decode_export
from milepost_collector.protocol.otlp.values import MAX_DEPTH, TOO_DEEP
from tests.collector.otlp.jsonstyles import javascript_json
from tests.collector.otlp.messages import JSON, NOW, attributes, both, decode, make_span, span_from, spans_of, traces

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | text | st.binary(max_size=40)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=8,
)


def expected(value: Any) -> Any:
    """Return what a value is to become."""
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list):
        return [expected(item) for item in value]
    return {key: expected(item) for key, item in value.items()} if isinstance(value, dict) else value


@given(sent=st.dictionaries(text, values, max_size=5))
def test_any_value_comes_out_as_it_went_in(sent: dict[str, Any]) -> None:
    [span] = spans_of(both("traces", traces(make_span(sent))))
    assert span.attributes == expected(sent)
    assert span.problems == []


@given(value=text | st.integers(-(2**63), 2**63 - 1) | st.lists(text, max_size=3), size=st.integers(0, 300))
def test_quick_reading_agrees_with_thorough_reading(value: Any, size: int) -> None:
    [pair] = [item.SerializeToString() for item in attributes({"k" * size: value})]
    assert anyvalue.attributes([pair], []) == dict([anyvalue.key_value(pair)])


@pytest.mark.parametrize("size", [126, 127, 128, 129, 130, 131, 132, 16_383, 16_384, 16_390, 2_097_152, 2_100_000])
def test_texts_around_the_sizes_of_lengths_are_read(size: int) -> None:
    for around in range(size - 8, size + 1):
        [pair] = attributes({"key": "x" * around})
        assert anyvalue.attributes([pair.SerializeToString()], []) == {"key": "x" * around}


def test_last_of_equal_keys_wins() -> None:
    span = make_span()
    span.attributes.extend([*attributes({"a": 1}), *attributes({"a": 2})])
    assert spans_of(both("traces", traces(span)))[0].attributes == {"a": 2}


def nested(depth: int, kind: str) -> Any:
    value: Any = "core"
    for _ in range(depth):
        value = [value] if kind == "list" else {"in": value}
    return value


def core(value: Any) -> tuple[int, Any]:
    depth = 0
    while isinstance(value, list | dict):
        value = value[0] if isinstance(value, list) else value["in"]
        depth += 1
    return depth, value


@pytest.mark.parametrize("kind", ["list", "map"])
@pytest.mark.parametrize("depth", [0, 1, 40, MAX_DEPTH])
def test_value_as_deep_as_allowed_is_whole(kind: str, depth: int) -> None:
    [span] = spans_of(decode_json_nested(depth, kind))
    assert core(span.attributes["deep"]) == (depth, "core")


@pytest.mark.parametrize("kind", ["list", "map"])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 150, 400, 3000])
def test_deeper_value_ends_in_a_text_that_says_so(kind: str, depth: int) -> None:
    [span] = spans_of(decode_json_nested(depth, kind))
    assert core(span.attributes["deep"]) == (MAX_DEPTH, TOO_DEEP)
    assert span.attributes["beside"] == "kept"
    msgspec.json.encode(span)


@pytest.mark.parametrize("kind", ["list", "map"])
@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, 150, 3000])
def test_protobuf_is_cut_at_the_same_depth(kind: str, depth: int) -> None:
    # written by hand: protobuf refuses to write what it would refuse to read
    value = b"\x0a\x04core"
    for _ in range(depth):
        member = b"\x0a" + varint(len(value)) + value
        if kind == "map":
            entry = b"\x0a\x02in\x12" + varint(len(value)) + value
            member = b"\x0a" + varint(len(entry)) + entry
        value = (b"\x2a" if kind == "list" else b"\x32") + varint(len(member)) + member
    found = anyvalue.attributes([b"\x0a\x04deep\x12" + varint(len(value)) + value], [])
    assert core(found["deep"]) == ((depth, "core") if depth <= MAX_DEPTH else (MAX_DEPTH, TOO_DEEP))


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def decode_json_nested(depth: int, kind: str) -> Any:
    value = '{"stringValue": "core"}'
    if kind == "list":
        value = '{"arrayValue": {"values": [' * depth + value + "]}}" * depth
    else:
        value = '{"kvlistValue": {"values": [{"key": "in", "value": ' * depth + value + "}]}}" * depth
    ids = '"traceId": "000102030405060708090a0b0c0d0e0f", "spanId": "08090a0b0c0d0e0f"'
    both_values = f'[{{"key": "deep", "value": {value}}}, {{"key": "beside", "value": {{"stringValue": "kept"}}}}]'
    span = f'{{{ids}, "startTimeUnixNano": "1", "endTimeUnixNano": "1", "attributes": {both_values}}}'
    body = f'{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{span}]}}]}}]}}'
    return decode_export("traces", body.encode(), JSON, NOW)


def attribute_from_json(value: str) -> Any:
    ids = '"traceId": "000102030405060708090a0b0c0d0e0f", "spanId": "08090a0b0c0d0e0f"'
    span = f'{{{ids}, "attributes": [{{"key": "a", "value": {value}}}]}}'
    body = f'{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{span}]}}]}}]}}'
    export = decode_export("traces", body.encode("utf-8", "surrogatepass"), JSON, NOW)
    assert export.rejected == []
    return spans_of(export)[0].attributes["a"]


@pytest.mark.parametrize(
    ("sent", "becomes"),
    [
        ('{"intValue": 42}', 42),
        ('{"intValue": "42"}', 42),
        ('{"intValue": "-9223372036854775808"}', -(2**63)),
        ('{"intValue": 1e3}', 1000),
        ('{"intValue": "1e3"}', 1000),
        ('{"intValue": 9223372036854775808}', 9.223372036854775808e18),
        ('{"intValue": "many"}', "many"),
        ('{"doubleValue": 1}', 1.0),
        ('{"doubleValue": "1.5"}', 1.5),
        ('{"doubleValue": "NaN"}', "NaN"),
        ('{"doubleValue": "-Infinity"}', "-Infinity"),
        ('{"doubleValue": NaN}', "NaN"),
        ('{"doubleValue": -Infinity}', "-Infinity"),
        ('{"doubleValue": null}', None),
        ('{"stringValue": ""}', ""),
        ('{"stringValue": "\\ud83d\\ude00"}', "\U0001f600"),
        ('{"stringValue": "a\\ud800b"}', "a\ufffdb"),
        ('{"stringValue": "nul \\u0000"}', "nul \0"),
        ('{"boolValue": false}', False),
        ('{"bytesValue": "-_8"}', {"base64": "+/8="}),
        ('{"arrayValue": {}}', []),
        ('{"arrayValue": {"values": [{}, null, {"intValue": 0}]}}', [None, None, 0]),
        ('{"kvlistValue": {}}', {}),
        ("{}", None),
        ("null", None),
        ('{"stringValue": "kept", "newValue": {"x": [1]}}', "kept"),
        ('{"string_value": "snake"}', "snake"),
    ],
)
def test_spelling_of_json_is_understood(sent: str, becomes: Any) -> None:
    found = attribute_from_json(sent)
    assert (found, type(found)) == (becomes, type(becomes))


def test_javascript_numbers_and_nulls_are_understood() -> None:
    sent = {"big": 2**60 + 1, "nan": math.nan, "list": [1, math.inf, None]}
    [span] = spans_of(decode("traces", traces(make_span(sent)), javascript_json))
    assert span.attributes == {"big": 2**60, "nan": None, "list": [1, None, None]}


def test_text_that_is_not_utf8_is_replaced_and_noted() -> None:
    body = traces(make_span({"bad": "m?nster", "good": "x"}, name="n?me")).SerializeToString()
    body = body.replace(b"m?nster", b"m\xfcnster").replace(b"n?me", b"n\xffme")
    [span] = spans_of(decode_export("traces", body, "application/x-protobuf", NOW))
    assert span.attributes == {"bad": "m\ufffdnster", "good": "x"}
    assert span.name == "n\ufffdme"
    assert any("'bad' is not UTF-8" in problem for problem in span.problems)


def test_damaged_attribute_costs_only_itself() -> None:
    body = traces(make_span({"bad": "12345678", "good": "x"})).SerializeToString()
    body = body.replace(b"\x0a\x0812345678", b"\x0a\x0912345678")
    [span] = spans_of(decode_export("traces", body, "application/x-protobuf", NOW))
    assert span.attributes == {"good": "x"}
    assert "attribute 0 is damaged" in span.problems[0]


@given(sent=st.dictionaries(text, values, min_size=1, max_size=3), data=st.data())
def test_any_bytes_are_read_or_left_out_with_a_note(sent: dict[str, Any], data: st.DataObject) -> None:
    changes = st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), max_size=3)
    bent = [bytearray(item.SerializeToString()) for item in attributes(sent)]
    for pair in bent:
        for at, byte in data.draw(changes):
            pair[at % len(pair)] = byte
    problems: list[str] = []
    found = anyvalue.attributes([bytes(pair) for pair in bent], problems)
    assert found or problems
    msgspec.json.encode(found)


def test_attribute_that_is_damaged_and_not_utf8_is_left_out() -> None:
    problems: list[str] = []
    pair = b"\x0a\x02\xff\xff\x12\x04\x2a\x02\x0a\x09"
    assert anyvalue.attributes([pair, *[item.SerializeToString() for item in attributes({"a": 1})]], problems) == {
        "a": 1
    }
    assert "attribute 0 is damaged" in problems[0]


def test_values_of_one_span_are_not_shared_with_another() -> None:
    for _ in range(2):
        span = span_from(attribute_values={"list": ["a"], "map": {"k": ["v"]}})
        span.attributes["list"].append("changed")
        span.attributes["map"]["k"] = "changed"
    assert span_from(attribute_values={"list": ["a"]}).attributes == {"list": ["a"]}
