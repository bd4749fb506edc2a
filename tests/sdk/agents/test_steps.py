"""Steps are known again by name and input."""

from __future__ import annotations

import dataclasses
import functools

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.agents.steps import StepLedger, remembered_result
from milepost.agents.values import digest_of, kept_json
from milepost.errors import ReportRefusedError
from milepost.wire.worker import StepMemory

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)


class Page(msgspec.Struct):
    number: int


class Model(pydantic.BaseModel):
    number: int


@dataclasses.dataclass
class Record:
    number: int


def remember(calls):
    """Return a ledger that remembers what another one was asked."""
    first = StepLedger([])
    steps = [
        StepMemory(name=name, input_digest=first.next(name, value)[0], attempt=1, result=place)
        for place, (name, value) in enumerate(calls)
    ]
    return StepLedger(steps)


@given(st.lists(st.tuples(st.sampled_from("ab"), JSON), max_size=6))
def test_same_calls_are_all_remembered_each_by_its_own_result(calls):
    again = remember(calls)
    assert [again.next(name, value)[1].result for name, value in calls] == list(range(len(calls)))


def test_repeated_call_is_a_step_of_its_own():
    ledger = remember([("poll", ["x"]), ("poll", ["x"])])
    assert [memory and memory.result for _, memory in (ledger.next("poll", ["x"]) for _ in range(3))] == [0, 1, None]


@pytest.mark.parametrize("call", [("fetch", ["y"]), ("get", ["x"])])
def test_other_name_or_input_is_not_remembered(call):
    assert remember([("fetch", ["x"])]).next(*call)[1] is None


@given(st.dictionaries(st.text(), JSON, min_size=2, max_size=5))
def test_order_of_keys_makes_no_difference(value):
    assert digest_of(value, 0) == digest_of(dict(reversed(value.items())), 0)


def test_input_without_a_json_form_is_refused_with_what_to_do():
    with pytest.raises(TypeError, match=r"functools\.partial"):
        StepLedger([]).next("connect", [object()])


def structs() -> list[Page]: ...
def models() -> Model: ...
def records() -> Record: ...
def anything(): ...
async def later() -> Page: ...
def odd() -> object: ...


@pytest.mark.parametrize(
    ("function", "kept", "expected"),
    [
        (structs, [{"number": 1}], [Page(1)]),
        (models, {"number": 1}, Model(number=1)),
        (records, {"number": 1}, Record(1)),
        (later, {"number": 1}, Page(1)),
        (anything, {"number": 1}, {"number": 1}),
        (odd, {"number": 1}, {"number": 1}),
        (functools.partial(structs), [1], [1]),
    ],
)
def test_remembered_result_is_what_the_annotation_says(function, kept, expected):
    assert remembered_result(function, kept) == (True, expected)


def test_result_that_fits_no_longer_is_not_used():
    assert remembered_result(structs, [{"page": 1}]) == (False, None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, b"null"),
        ({"a": float("nan")}, b'{"a":null}'),
        (Page(1), b'{"number":1}'),
        (Model(number=1), b'{"number":1}'),
        (Record(1), b'{"number":1}'),
        ({1: "a"}, b'{"1":"a"}'),
    ],
)
def test_values_are_kept_as_json(value, text):
    assert bytes(kept_json(value, "result", 100)) == text


def test_numpys_values_are_kept_as_json():
    numpy = pytest.importorskip("numpy")
    kept = kept_json({"a": numpy.arange(2), "b": numpy.float64(1.5)}, "result", 100)
    assert bytes(kept) == b'{"a":[0,1],"b":1.5}'


@pytest.mark.parametrize(
    ("value", "problem"),
    [("x" * 200, "202 bytes and the collector keeps 100"), (object(), "object has no JSON form"), ("\ud800", "JSON")],
)
def test_values_that_cannot_be_kept_are_refused(value, problem):
    with pytest.raises(ReportRefusedError, match=problem):
        kept_json(value, "checkpoint", 100)
