"""Snapshots: any value, at any size, becomes valid JSON within the limit, and nothing raises."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import math
import pathlib
import uuid
from collections import OrderedDict, namedtuple
from types import SimpleNamespace

import msgspec
import numpy as np
import pydantic
import pydantic.v1
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost._capture import clean_text, cut_text, exception_stack, plain, snapshot, snapshot_json

LIMIT = 4_096


def json_of(value, limit=LIMIT):
    text = snapshot_json(snapshot(value, limit))
    assert len(text) <= limit
    return msgspec.json.decode(text)


class HostileText:
    def __repr__(self):
        raise RuntimeError("no repr")

    __str__ = __repr__

    def __eq__(self, other):
        raise RuntimeError("no comparison")

    __hash__ = None


class HostileExit:
    def __repr__(self):
        raise SystemExit(3)


class HostileClass:
    @property
    def __class__(self):
        raise RuntimeError("no class")


class HostileMapping(dict):
    def items(self):
        raise RuntimeError("no items")


class HostileInt(int):
    def __le__(self, other):
        raise RuntimeError("no comparison")

    __ge__ = __lt__ = __gt__ = __le__


class EndlessMapping(OrderedDict):
    def items(self):
        return ((index, index) for index in iter(int, 1))


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    label: str = "p"


class Place:
    """What attrs makes of a class with one field, as far as it is read."""

    __attrs_attrs__ = (SimpleNamespace(name="name"),)

    def __init__(self, name):
        self.name = name

    def __eq__(self, other):
        return self.name == other.name

    __hash__ = None


class Model(pydantic.BaseModel):
    a: int
    tags: list[str] = []


class OldModel(pydantic.v1.BaseModel):
    b: int


class Packed(msgspec.Struct):
    c: int


Pair = namedtuple("Pair", "left right")

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)) | st.binary()
hostile_kinds = (HostileText, HostileExit, HostileMapping, HostileInt, EndlessMapping)
hostile = st.sampled_from(hostile_kinds).map(lambda kind: kind()) | st.sampled_from([Point, len])
anything = st.recursive(
    scalars | hostile | st.decimals() | st.datetimes() | st.uuids() | st.complex_numbers(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.binary() | st.tuples(st.integers()), inner)
        | st.sets(st.integers())
        | st.builds(Point, inner)
        | st.builds(Place, inner)
    ),
    max_leaves=30,
)


@given(anything, st.integers(256, 3_000))
def test_any_value_becomes_valid_json_within_the_limit(value, limit):
    json_of(value, limit)


@given(st.text(st.characters(codec=None), min_size=1), st.integers(256, 600))
def test_any_text_fits_however_much_its_escapes_take(text, limit):
    assert isinstance(json_of(text * 400, limit), str)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_values)
def test_json_values_within_the_limit_are_exact(value):
    assert json_of(value, 2**20) == value


@given(json_values)
def test_the_slow_way_agrees_with_the_fast_one(value):
    assert plain(value, 2**20) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        ({"a": math.inf}, {"a": None}),
        ((1, 2), [1, 2]),
        (2**64, "18446744073709551616"),
        ({"n": -(2**70)}, {"n": "-1180591620717411303424"}),
        (10**5_000, "<whole number of 16610 bits>"),
        ({3, 1}, [1, 3]),
        ({1: "a", None: "b", (1, 2): "c", False: "d"}, {"1": "a", "None": "b", "(1, 2)": "c", "False": "d"}),
        (Colour.RED, "red"),
        (Point(1), {"x": 1, "label": "p"}),
        (Place("x"), {"name": "x"}),
        (Model(a=1, tags=["t"]), {"a": 1, "tags": ["t"]}),
        (OldModel(b=2), {"b": 2}),
        (Packed(3), {"c": 3}),
        (Pair(1, "r"), {"left": 1, "right": "r"}),
        (ValueError("bad"), {"type": "ValueError", "message": "bad"}),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.timedelta(seconds=90), "0:01:30"),
        (decimal.Decimal("1.50"), "1.50"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pathlib.Path("/a/b"), "/a/b"),
        (fractions.Fraction(1, 3), "Fraction(1, 3)"),
        (b"abc", "<3 bytes: base64 YWJj>"),
        (Model, f"<class {__name__}.Model>"),
        ("a\ud800b", "a\ufffdb"),
        ({"k\udfff": "\ud83d\ude00"}, {"k\ufffd": "\U0001f600"}),
        (np.float64(1.5), 1.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (HostileText(), "<HostileText: its repr raises RuntimeError>"),
        (HostileExit(), "<HostileExit: its repr raises SystemExit>"),
        (HostileClass(), "<HostileClass: RuntimeError while reading it>"),
        (HostileMapping(a=1), "<HostileMapping: RuntimeError while reading it>"),
    ],
    ids=lambda part: type(part).__name__,  # some of these refuse to be shown
)
def test_known_kinds_are_recorded_by_their_content(value, expected):
    assert json_of(value) == expected


def test_array_is_recorded_by_shape_and_head():
    array = np.arange(12, dtype="int32").reshape(3, 4)
    assert json_of(array) == {"type": "ndarray", "dtype": "int32", "shape": [3, 4], "head": list(range(8))}


def test_empty_array_and_nan_are_recorded():
    assert json_of(np.zeros((0, 3)))["head"] == []
    assert json_of(np.array([np.nan, 1.0]))["head"] == [None, 1.0]


def test_bytes_are_cut_to_their_head():
    assert json_of(b"x" * 10_000_000).startswith("<10000000 bytes: base64 eHh4")


def test_cycle_is_named_where_it_closes():
    cyclic: dict = {"name": "a"}
    cyclic["self"] = [cyclic]
    assert json_of(cyclic) == {"name": "a", "self": ["<cycle>"]}


def test_the_same_object_twice_is_no_cycle():
    shared = [1]
    assert json_of({"a": shared, "b": shared, "c": Point(1)}) == {"a": [1], "b": [1], "c": {"x": 1, "label": "p"}}


def test_depth_is_bounded():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    assert "deeper than 24 levels" in str(json_of(deep))
    while deep:  # taken apart by hand: freeing it recursively is CPython's own problem
        deep = deep.pop()


def test_long_text_says_how_long_it_was():
    assert json_of("x" * 10_000).endswith("… [cut: 10000 characters in all]")


def test_long_list_says_what_is_left_out():
    kept = json_of(list(range(100_000)))
    assert kept[:3] == [0, 1, 2]
    assert kept[-1].endswith("of 100000 items left out")


def test_long_dict_says_what_is_left_out():
    kept = json_of({str(index): index for index in range(100_000)})
    assert kept["…"].endswith("of 100000 items left out")


def test_snapshot_does_not_follow_later_changes():
    value = {"items": [1]}
    kept = snapshot(value, LIMIT)
    value["items"].append(2)
    assert msgspec.json.decode(snapshot_json(kept)) == {"items": [1]}


@given(st.text(st.characters(codec=None)), st.integers(60, 100))
def test_cut_text_is_encodable_and_short(text, limit):
    assert len(cut_text(text * 5, limit).encode()) >= 0
    assert len(cut_text(text * 5, limit)) <= limit + 5


@given(st.text())
def test_clean_text_changes_nothing_that_utf8_can_express(text):
    assert clean_text(text) == text


def test_stack_of_a_hostile_exception_does_not_raise():
    class Hostile(Exception):
        def __str__(self):
            raise RuntimeError("no text")

    assert "Hostile" in exception_stack(Hostile())


def test_long_stack_keeps_both_ends():
    stack = exception_stack(ValueError("x" * 200_000))
    assert len(stack) < 70_000
    assert "characters in all" in stack
