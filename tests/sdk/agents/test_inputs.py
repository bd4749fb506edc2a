"""A task's input as the arguments of its handler."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any, TypedDict

import msgspec
import pydantic
import pytest

import milepost
from milepost.agents.handlers import Handler
from milepost.errors import ConfigurationError, InvalidInputError


class Order(msgspec.Struct):
    item: str
    count: int = 1


@dataclasses.dataclass
class Point:
    x: int


class Movie(TypedDict):
    year: int


class Model(pydantic.BaseModel):
    pages: list[int] = []


def arguments(function, value):
    """Return what a handler is called with, but for the context."""
    return Handler(function, {}).arguments(None, value)


def whole(kind):
    """Return a handler with one parameter of a type."""

    def handle(thing):
        return thing

    handle.__annotations__ = {"thing": kind}
    return handle


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Order, {"item": "pen"}, Order("pen")),
        (Point, {"x": 1}, Point(1)),
        (Movie, {"year": 1999}, {"year": 1999}),
        (Model, {"pages": [1, 2]}, Model(pages=[1, 2])),
        (Model | None, None, None),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (list[int], [1], [1]),
        (str, "text", "text"),
        (Any, {"a": [1]}, {"a": [1]}),
        (datetime.date, "2026-02-03", datetime.date(2026, 2, 3)),
    ],
)
def test_only_parameter_takes_the_whole_input_as_its_type(kind, value, expected):
    assert arguments(whole(kind), value) == {"thing": expected}


def test_only_parameter_without_annotation_takes_the_input_as_it_is():
    def handle(thing): ...

    assert arguments(handle, {"a": 1}) == {"thing": {"a": 1}}


@pytest.mark.parametrize(
    ("kind", "field"), [(dict[str, int], {"a": 1}), (Order, {"item": "pen"}), (Model, {"pages": [1]}), (Any, 1)]
)
def test_only_field_of_the_only_parameters_name_is_what_it_takes(kind, field):
    assert arguments(whole(kind), {"thing": field}) == arguments(whole(kind), field)


def test_type_with_a_field_of_the_parameters_name_takes_the_whole():
    def handle(item: Order): ...

    assert arguments(handle, {"item": "pen"}) == {"item": Order("pen")}


def test_only_parameter_that_no_object_fits_takes_the_field_of_its_name():
    def handle(url: str, ctx=None): ...

    assert arguments(handle, {"url": "here"}) == {"url": "here", "ctx": None}


def test_several_parameters_take_the_fields_of_their_names():
    def handle(order: Order, ctx, model: Model, count: int = 3): ...

    bound = arguments(handle, {"order": {"item": "pen"}, "model": {"pages": [4]}})
    assert bound == {"order": Order("pen"), "model": Model(pages=[4]), "count": 3, "ctx": None}


def test_variable_keywords_take_what_no_parameter_does():
    def handle(a: int, **rest): ...

    assert arguments(handle, {"a": 1, "b": 2}) == {"a": 1, "b": 2}


def test_handler_without_parameters_is_called_whatever_the_input_is():
    def handle(): ...

    assert arguments(handle, {"a": 1}) == {}


def test_missing_input_leaves_defaults():
    def one(order: Order = Order("pen")): ...  # noqa: B008  # a default that handlers may have
    def two(a: int = 1, b: int = 2): ...

    assert arguments(one, None) == {}
    assert arguments(two, None) == {"a": 1, "b": 2}


def test_context_is_known_by_its_type_too():
    def handle(task: milepost.TaskContext, url: str): ...

    assert arguments(handle, {"url": "here"}) == {"task": None, "url": "here"}


@pytest.mark.parametrize(
    ("kind", "value", "field", "culprit"),
    [
        (Order, {"item": 3}, "$.item", 3),
        (Order, {}, "$.item", None),
        (Order, None, "$", None),
        (Order, {"item": "pen", "count": "many"}, "$.count", "many"),
        (Model, {"pages": [1, "two"]}, "$.pages[1]", "two"),
        (dict[str, Model], {"a": {"pages": 1}}, "$.a.pages", 1),
        (list[Point], [{"x": 1}, {"x": None}], "$[1].x", None),
        (str, 3, "$", 3),
    ],
)
def test_wrong_input_names_field_and_value(kind, value, field, culprit):
    if kind == dict[str, Model]:
        field, culprit = "$[...].pages", None  # msgspec does not say which key
    with pytest.raises(InvalidInputError) as caught:
        arguments(whole(kind), value)
    assert (caught.value.field, caught.value.value) == (field, culprit)
    assert field in str(caught.value)


@pytest.mark.parametrize(("value", "field"), [({"a": 1, "z": 2}, "$.z"), ({"b": 1}, "$.b"), ([1], "$"), ({}, "$.a")])
def test_fields_that_do_not_match_the_parameters_are_named(value, field):
    def handle(a: int, c: int = 1): ...

    with pytest.raises(InvalidInputError) as caught:
        arguments(handle, value)
    assert caught.value.field == field


def test_annotations_may_name_local_types():
    class Local(msgspec.Struct):
        a: int

    agent = milepost.Agent("local")

    @agent.task("with a local type")
    def handle(thing: Local) -> None: ...

    assert agent._handlers.find("with a local type").arguments(None, {"a": 1}) == {"thing": Local(1)}


class Opaque:
    pass


def unreadable(thing: Missing): ...  # noqa: F821  # the point


def positional(thing, /): ...


def variable(*things): ...


def generator():
    yield 1


def two_structs(thing: Order | Point): ...


def opaque(thing: Opaque): ...


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (unreadable, "annotations cannot be read"),
        (positional, "by name"),
        (variable, "by name"),
        (generator, "is a generator"),
        (two_structs, "'thing'"),
        (opaque, "Opaque cannot be made from JSON"),
    ],
)
def test_handler_that_cannot_be_called_is_refused_when_declared(function, problem):
    with pytest.raises(ConfigurationError, match=problem):
        milepost.Agent("strict").task(function)
