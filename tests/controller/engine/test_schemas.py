"""Schemas of asks: refusals are told clearly, and neither schemas nor what is checked by them can hang a collector."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.controller.engine.schemas import check_schema, check_value
from milepost_collector.errors import InvalidParameterError

RECURSIVE = {"properties": {"c": {"$ref": "#"}}}


def refused(value: Any, schema: dict[str, Any]) -> str:
    """Return what is told of a value that does not fit a schema."""
    check_schema(schema)
    with pytest.raises(InvalidParameterError) as told:
        check_value("value", value, schema)
    return str(told.value)


@pytest.mark.timeout(5)
@pytest.mark.parametrize("pattern", ["(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*a){20}$", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_pattern_that_backtracking_would_never_end_on_answers_at_once(pattern: str) -> None:
    told = refused("a" * 40 + "!", {"type": "string", "pattern": pattern})
    assert "does not match" in told
    refused("a" * 100_000 + "!", {"properties": {}, "not": {}, "patternProperties": {pattern: {"type": "string"}}})


@pytest.mark.timeout(5)
def test_names_are_matched_at_once_too() -> None:
    schema = {"patternProperties": {"(a+)+$": {}}, "additionalProperties": False}
    assert "Additional properties" in refused({"a" * 40 + "!": 1}, schema)


@pytest.mark.parametrize("pattern", ["(?=a)b", "(?!a)", "(?<=a)b", r"(a)\1", "(a", r"\d{1000}{1000}"])
def test_pattern_that_needs_backtracking_is_refused_when_it_is_asked(pattern: str) -> None:
    with pytest.raises(InvalidParameterError, match="without look-around and backreferences"):
        check_schema({"properties": {"n": {"pattern": pattern}}})


def test_patterns_know_unicode_and_are_not_anchored() -> None:
    check_value("value", "año", {"pattern": "^[a-z\u00f1]+$"})
    check_value("value", "in the middle", {"pattern": "the"})
    check_value("value", "INV-2024", {"pattern": r"^INV-\d{4}$"})


@pytest.mark.timeout(5)
def test_references_that_unfold_without_end_are_refused() -> None:
    doubling = {f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(40)}
    with pytest.raises(InvalidParameterError, match="unfold to more than 100000 parts"):
        check_schema({"$ref": "#/$defs/a0", "$defs": doubling | {"a40": {}}})


@pytest.mark.timeout(5)
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("length", [150, 5_000])
def test_references_that_lead_far_are_taken_or_refused_in_whatever_order_they_stand(length: int, order: int) -> None:
    steps = {f"a{i}": {"$ref": f"#/$defs/a{i + 1}"} for i in range(length)[::order]}
    schema = {"$defs": steps | {f"a{length}": {"type": "string"}}, "$ref": "#/$defs/a0"}
    if length < 200:
        assert "is not of type" in refused(1, schema)
    else:
        with pytest.raises(InvalidParameterError, match="nested deeper than 200 levels"):
            check_schema(schema)


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "schema",
    [RECURSIVE, {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"type": "number"}, RECURSIVE | {"type": "object"}]}}}],
)
def test_circles_through_parts_of_the_value_are_taken_and_end(schema: dict[str, Any]) -> None:
    deep: Any = 1
    for _ in range(500):
        deep = {"c": deep}
    check_schema(schema)
    check_value("value", deep, schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$dynamicRef": "#"},
        {"not": {"$ref": "#"}},
        {"anyOf": [{"type": "string"}, {"$ref": "#"}]},
        {"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}},
        {"if": {"$ref": "#/$defs/b"}, "$defs": {"b": {"then": {"$ref": "#/$defs/c"}}, "c": {"$ref": "#/$defs/b"}}},
        {"dependentSchemas": {"x": {"$ref": "#"}}},
        {"properties": {"items": {"$ref": "#/properties/items"}}},
        {"items": {"prefixItems": [True, {"oneOf": [{"$ref": "#/items/prefixItems/1"}]}]}},
    ],
)
def test_circles_that_stay_at_one_place_of_the_value_are_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError, match="leads back to itself at the same place of the answer"):
        check_schema(schema)


def test_constants_that_look_like_circles_are_none() -> None:
    check_schema({"properties": {"a": {"const": {"$ref": "#/properties/a/const"}}}})


def test_base_of_its_own_that_leads_nowhere_is_refused_when_it_is_asked() -> None:
    inner = {"$id": "https://example.org/inner", "$ref": "#/$defs/whole"}
    with pytest.raises(InvalidParameterError, match="whole"):
        check_schema({"$defs": {"whole": {}}, "allOf": [inner]})


@pytest.fixture
def asked_for() -> Iterator[tuple[str, list[str]]]:
    """Give the address of a server and the paths that it was asked for."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", paths
        server.shutdown()
        thread.join()


def test_nothing_outside_of_a_schema_is_read(asked_for: tuple[str, list[str]]) -> None:
    url, paths = asked_for
    for schema in (
        {"$schema": f"{url}/dialect"},
        {"$id": f"{url}/base", "properties": {"x": {"$id": "other", "minimum": 1}}},
    ):
        check_schema(schema)
        check_value("value", {"x": 2}, schema)
    for schema in (
        {"$ref": f"{url}/x"},
        {"$id": f"{url}/base", "allOf": [{"$id": "y", "$ref": "#/z"}]},
        {"$ref": "file:///etc/hostname"},
    ):
        with pytest.raises(InvalidParameterError):
            check_schema(schema)
    assert paths == []


@pytest.mark.parametrize(
    ("value", "schema", "told"),
    [
        ({"age": -1}, {"properties": {"age": {"minimum": 0}}}, "value.age -1 is not valid; -1 is less than"),
        ([{"a b": "x"}], {"items": {"properties": {"a b": {"type": "integer"}}}}, "value[0]['a b']"),
        ("Q9", {"enum": ["Q2", "Q3"]}, '"Q9" is not one of "Q2" or "Q3"'),
        ({"b": 1}, {"anyOf": [{"required": ["a"]}, {"type": "string"}]}, 'of 2 ways: "a" is a required property; or'),
        ({"a": {"b": 1}}, {"required": ["z"], "properties": {"a": {"maxProperties": 0}}}, '"z" is a required property'),
        ("x" * 5_000, {"enum": ["y" * 5_000]}, "…"),
    ],
)  # fmt: skip
def test_refusal_names_the_place_and_the_reason(value: Any, schema: dict[str, Any], told: str) -> None:
    said = refused(value, schema)
    assert told in said
    assert len(said) < 1_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(value=JSON)
def test_value_fits_itself_and_nothing_that_forbids_it(value: Any) -> None:
    value = msgspec.json.decode(msgspec.json.encode(value))  # as it comes by HTTP
    check_value("value", value, {"const": value})
    with pytest.raises(InvalidParameterError):
        check_value("value", value, {"not": {"const": value}})


@given(
    schema=st.dictionaries(
        st.sampled_from(["type", "pattern", "$ref", "items", "anyOf", "minimum", "$id", "$anchor"]), JSON
    )
)
def test_whatever_calls_itself_a_schema_is_taken_or_refused(schema: dict[str, Any]) -> None:
    with suppress(InvalidParameterError):
        check_schema(schema)
        check_value("value", {"x": [1, "y"]}, schema)
