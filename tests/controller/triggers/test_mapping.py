"""From payloads to tasks: pointers, conditions, fields of the input."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from milepost.wire.tasks import TaskCreate
from milepost.wire.triggers import Condition, InputField, Signature, TriggerDefinition
from milepost_collector.errors import InvalidParameterError, MalformedBodyError, UnsupportedEncodingError
from milepost_collector.triggers import payloads, pointer
from milepost_collector.triggers.definitions import check, definition_text
from milepost_collector.triggers.errors import DeliveryFailedError
from milepost_collector.triggers.mapping import request_of, why_filtered

# RFC 6901, section 5
RFC_DOCUMENT = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
}
RFC_POINTERS = {
    "": RFC_DOCUMENT, "/foo": ["bar", "baz"], "/foo/0": "bar", "/": 0, "/a~1b": 1, "/c%d": 2, "/e^f": 3, "/g|h": 4,
    "/i\\j": 5, '/k"l': 6, "/ ": 7, "/m~0n": 8,
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def definition(**fields: Any) -> TriggerDefinition:
    task = fields.pop("task", {"name": "triage"})
    return msgspec.convert({"task": task, "signature": {"scheme": "github"}, **fields}, TriggerDefinition)


def made(payload: Any, headers: dict[str, str] | None = None, **fields: Any) -> TaskCreate:
    return request_of(definition(**fields), "gh", payload, headers or {})


def places(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """Return every place in a value with what is there."""
    found = [(path, value)]
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in children:
        found += places(inner, f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}")
    return found


@pytest.mark.parametrize(("text", "expected"), RFC_POINTERS.items())
def test_pointer_means_what_the_rfc_says(text: str, expected: Any) -> None:
    assert pointer.at(text, RFC_DOCUMENT) == expected


@given(JSON)
def test_every_place_of_a_value_has_a_pointer(value: Any) -> None:
    for path, inner in places(value):
        assert pointer.at(path, value) == inner


@pytest.mark.parametrize("text", ["/foo/2", "/foo/-", "/foo/01", "/foo/+1", "/foo/²", "/foo/bar", "/nope", "/foo/0/x"])
def test_pointer_to_nothing_finds_nothing(text: str) -> None:
    assert pointer.at(text, RFC_DOCUMENT) is UNSET


def test_without_a_mapping_the_payload_is_the_input() -> None:
    assert made({"a": 1}).input == {"a": 1}
    assert made([1, 2]).input == [1, 2]
    assert made({"a": 1}, task={"name": "t", "input": {"a": 0, "b": 2}}).input == {"a": 1, "b": 2}


def test_mapping_makes_fields_of_places_headers_and_constants() -> None:
    fields = [
        {"name": "title", "pointer": "/issue/title"},
        {"name": "event", "header": "X-GitHub-Event"},
        {"name": "source", "value": "github"},
        {"name": "labels", "pointer": "/issue/labels", "default": []},
        {"name": "gone", "pointer": "/nope"},
        {"name": "whole", "pointer": ""},
    ]
    payload = {"issue": {"title": "It fails"}}
    request = made(payload, {"x-github-event": "issues"}, mapping=fields, task={"name": "t", "input": {"kept": 1}})
    assert request.input == {
        "kept": 1, "title": "It fails", "event": "issues", "source": "github", "labels": [], "whole": payload
    }  # fmt: skip


def test_null_is_something_and_needs_no_default() -> None:
    fields = [{"name": "who", "pointer": "/assignee", "default": "nobody", "required": True}]
    assert made({"assignee": None}, mapping=fields).input == {"who": None}


def test_required_field_that_is_missing_makes_no_task() -> None:
    with pytest.raises(DeliveryFailedError, match="'title' is required, and there is nothing at /issue/title"):
        made({}, mapping=[{"name": "title", "pointer": "/issue/title", "required": True}])


def test_task_is_triggered_and_says_by_what() -> None:
    request = made({"n": 7, "text": "x" * 300, "on": True}, key_from="/n", description_from="/text")
    assert (request.type, request.created_by, request.idempotency_key) == ("triggered", "trigger gh", None)
    assert (request.key, request.description) == ("7", "x" * 300)
    assert made({"text": "x" * 300}, key_from="/text").key == "x" * 200
    assert made({"on": True}, key_from="/on", task={"name": "t", "key": "own"}).key == "own"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"pointer": "/action", "equals": "opened"}, True),
        ({"pointer": "/action", "equals": "closed"}, False),
        ({"pointer": "/action", "one_of": ["closed", "opened"]}, True),
        ({"pointer": "/n", "equals": 1}, True),
        ({"pointer": "/n", "equals": True}, False),  # 1 is not true in JSON, as it is in Python
        ({"pointer": "/on", "equals": 1}, False),
        ({"pointer": "/on", "equals": True}, True),
        ({"pointer": "/none", "equals": None}, True),
        ({"pointer": "/nope", "equals": None}, False),
        ({"pointer": "/none", "exists": True}, True),
        ({"pointer": "/nope", "exists": False}, True),
        ({"pointer": "/nope", "exists": True}, False),
        ({"header": "X-Kind", "equals": "issues"}, True),
        ({"header": "X-Other", "exists": True}, False),
    ],
)
def test_condition_holds_or_not(condition: dict[str, Any], holds: bool) -> None:
    payload = {"action": "opened", "n": 1, "on": True, "none": None}
    reason = why_filtered(definition(conditions=[condition]), payload, {"x-kind": "issues"})
    assert (reason is None) == holds
    if reason is not None:
        assert "wanted is" in reason


@pytest.mark.parametrize(
    ("header", "kind"),
    [(None, payloads.JSON), ("application/json; charset=utf-8", payloads.JSON),
     ("application/cloudevents+json", payloads.JSON),
     ("application/x-www-form-urlencoded", payloads.FORM)],
)  # fmt: skip
def test_media_type_is_read(header: str | None, kind: str) -> None:
    assert payloads.media_type(header) == kind


def test_other_media_type_is_refused() -> None:
    with pytest.raises(UnsupportedEncodingError, match="text/html"):
        payloads.media_type("text/html")


def test_form_becomes_an_object() -> None:
    form = b"a=1&b=x&b=y&empty=&text=%C3%A9"
    assert payloads.parse(form, payloads.FORM) == {"a": "1", "b": ["x", "y"], "empty": "", "text": "é"}


def test_form_that_carries_json_stands_for_it() -> None:
    assert payloads.parse(b"payload=%7B%22action%22%3A%22opened%22%7D", payloads.FORM) == {"action": "opened"}
    assert payloads.parse(b"payload=plain", payloads.FORM) == {"payload": "plain"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"{", payloads.JSON), (b"\xff", payloads.JSON), (b"", payloads.JSON), (b"[" * 100_000, payloads.JSON),
     (b"a=%ff", payloads.FORM), (b"&".join([b"a=1"] * 1_001), payloads.FORM), (b"payload={", payloads.FORM)],
    ids=range(7),
)  # fmt: skip
def test_malformed_body_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(MalformedBodyError):
        payloads.parse(body, kind)


@pytest.mark.parametrize(
    ("kind", "fields", "field"),
    [
        ("webhook", {"signature": None}, "signature"),
        ("webhook", {"event": "run.failed"}, "event"),
        ("webhook", {"conditions": [{"pointer": "/a"}]}, "conditions[0]"),
        ("webhook", {"conditions": [{"pointer": "/a", "header": "x", "equals": 1}]}, "conditions[0]"),
        ("webhook", {"conditions": [{"pointer": "/a", "equals": 1, "exists": True}]}, "conditions[0]"),
        ("webhook", {"mapping": [{"name": "a"}]}, "mapping[0]"),
        ("webhook", {"mapping": [{"name": "a", "value": 1, "pointer": ""}]}, "mapping[0]"),
        ("webhook", {"mapping": [{"name": "a", "pointer": ""}, {"name": "a", "pointer": ""}]}, "mapping"),
        ("webhook", {"mapping": [], "task": {"name": "t", "input": 3}}, "task.input"),
        ("webhook", {"task": {"name": "t", "agent": "a", "team": "b"}}, "team"),
        ("event", {}, "signature"),
        ("event", {"signature": None}, "event"),
        ("event", {"signature": None, "event": "run.started"}, "event"),
        ("event", {"signature": None, "event": "sky.falls"}, "event"),
        ("event", {"signature": None, "event": "task.failed", "where": "kind:llm"}, "where"),
        ("event", {"signature": None, "event": "task.failed", "where": "span(kind:llm)"}, "where"),
        ("event", {"signature": None, "event": "task.failed", "where": "cost>"}, "q"),
        (
            "event",
            {"signature": None, "event": "run.*", "mapping": [{"name": "a", "header": "x"}]},
            "mapping[0].header",
        ),
    ],
)
def test_definition_that_contradicts_itself_is_refused(kind: str, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        check(kind, definition(**fields))
    assert caught.value.field == field


def test_definition_is_kept_as_it_was() -> None:
    given_one = definition(
        mapping=[{"name": "a", "pointer": "", "default": None}],
        conditions=[{"pointer": "/a", "one_of": [1, None]}],
        task={"name": "t", "settings": {"max_retries": 0}},
    )
    assert msgspec.json.decode(definition_text(given_one), type=TriggerDefinition) == given_one
    assert given_one.mapping == [InputField(name="a", pointer="", default=None)]
    assert given_one.conditions == [Condition(pointer="/a", one_of=[1, None])]
    assert given_one.signature == Signature(scheme="github")
