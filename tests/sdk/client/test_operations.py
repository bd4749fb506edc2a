"""What is asked, as values: arguments become paths, queries and bodies, or are refused before anything is sent."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sdk.client.samples import NOW, TASK

from milepost.errors import InvalidRequestError
from milepost.resources import _agents, _runs, _schedules, _tasks, _triggers
from milepost.resources._operation import encode_body, path_of, query_of
from milepost.wire.tasks import Dependency, TaskCreate


def body(operation: Any) -> Any:
    return msgspec.json.decode(encode_body(operation.body))


def test_create_says_what_was_given():
    operation = _tasks.create(
        name="Transform Data",
        agent="etl-agent",
        dependencies=[TASK, "t-2", {"task_id": "t-3", "output_as": "pages"}],
        priority="urgent",
        deadline="2026-12-31T23:59:59Z",
        settings={"max_retries": 5, "timeout_ms": 300_000, "retry_delay_ms": 10_000},
    )
    assert (operation.method, operation.path) == ("POST", "/api/tasks")
    assert body(operation) == {
        "name": "Transform Data",
        "agent": "etl-agent",
        "dependencies": ["t-1", "t-2", {"task_id": "t-3", "output_as": "pages"}],
        "priority": "urgent",
        "deadline": "2026-12-31T23:59:59Z",
        "settings": {"max_retries": 5, "timeout_ms": 300_000, "retry_delay_ms": 10_000},
    }


@dataclasses.dataclass
class Order:
    """An input of the user's own type."""

    day: str


class Page(msgspec.Struct):
    """Another one."""

    number: int


def test_create_takes_inputs_of_the_user_s_types():
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model("Model", size=(int, ...))(size=3)
    operation = _tasks.create("x", input={"order": Order("mon"), "pages": [Page(1)], "model": model, "when": NOW})
    assert body(operation)["input"] == {
        "order": {"day": "mon"},
        "pages": [{"number": 1}],
        "model": {"size": 3},
        "when": "2026-11-21T12:00:00Z",
    }


def test_an_input_without_a_json_form_is_refused():
    with pytest.raises(InvalidRequestError, match="has no JSON form: object is not supported; use text"):
        encode_body(_tasks.create("x", input=object()).body)


def test_deadline_in_another_zone_stays_the_same_instant():
    operation = _tasks.create("x", deadline=datetime(2026, 7, 1, 2, tzinfo=timezone(timedelta(hours=2))))
    assert datetime.fromisoformat(body(operation)["deadline"]) == datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "field", "value", "said"),
    [
        ({"name": ""}, "name", "", "expected `str` of length >= 1"),
        ({"settings": {"max_retries": -1}}, "settings.max_retries", -1, "expected `int` >= 0"),
        ({"settings": {"retries": 1}}, "settings", {"retries": 1}, "unknown field `retries`"),
        ({"priority": "high!"}, "priority", "high!", "invalid enum value"),
        ({"deadline": "tomorrow"}, "deadline", "tomorrow", "invalid RFC3339"),
        ({"deadline": datetime(2026, 12, 31)}, "deadline", datetime(2026, 12, 31), "has no time zone"),
        ({"tags": ["a", 1]}, "tags[1]", 1, "expected `str`"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], field: str, value: object, said: str):
    with pytest.raises(InvalidRequestError, match=said) as caught:
        _tasks.create(**{"name": "x"} | fields)
    assert (caught.value.field, caught.value.value, caught.value.status) == (field, value, None)


def test_many_tasks_name_the_place_of_the_wrong_one():
    with pytest.raises(InvalidRequestError, match=r"tasks\[1\]: settings.max_retries: expected"):
        _tasks.create_many([{"name": "a"}, {"name": "b", "settings": {"max_retries": "x"}}])


def test_prepared_task_gets_a_key_and_the_current_span():
    operation = _tasks.prepared(_tasks.create("x"), new_key=lambda: "k-1", traceparent="00-tp")
    assert operation.key == "k-1"
    assert operation.repeatable
    assert body(operation) == {"name": "x", "traceparent": "00-tp"}


def test_prepared_task_keeps_the_caller_s_key_and_span():
    made = _tasks.create("x", idempotency_key="mine", traceparent="00-mine")
    operation = _tasks.prepared(made, new_key=lambda: "other", traceparent="00-other")
    assert operation.key == "mine"
    assert body(operation) == {"name": "x", "idempotency_key": "mine", "traceparent": "00-mine"}


def test_prepared_batch_has_a_name_by_which_it_is_made_once():
    made = _tasks.create_many([TaskCreate(name="1"), {"name": "2", "idempotency_key": "mine"}])
    operation = _tasks.prepared(made, new_key=lambda: "new", traceparent=None)
    assert body(operation) == {"tasks": [{"name": "1"}, {"name": "2", "idempotency_key": "mine"}], "batch": "new"}
    assert operation.repeatable
    named = _tasks.prepared(_tasks.create_many([], batch="nightly"), new_key=lambda: "new", traceparent=None)
    assert body(named)["batch"] == "nightly"


def test_other_operations_are_sent_as_they_are():
    operation = _tasks.cancel("t-1")
    assert _tasks.prepared(operation, new_key=lambda: "k", traceparent="00-tp") is operation


def test_update_tells_what_is_cleared_from_what_stays():
    assert body(_tasks.update(TASK, agent=None, tags=["a"])) == {"agent": None, "tags": ["a"]}
    assert body(_tasks.update(TASK, dependencies=[TASK, Dependency(task_id="u")])) == {
        "dependencies": ["t-1", {"task_id": "u"}]
    }


def test_run_without_an_input_keeps_the_task_s():
    assert body(_tasks.run("t-1")) == {}
    assert body(_tasks.run("t-1", input=None)) == {"input": None}


def test_interventions_say_what_and_who():
    redirected = _tasks.redirect("t-1", team="night", reason="late", by="ann")
    assert (redirected.path, body(redirected)) == (
        "/api/tasks/t-1/redirect", {"team": "night", "reason": "late", "by": "ann"},
    )  # fmt: skip
    completed = _tasks.complete("t-1", result={"pages": 3}, by="ann")
    assert (completed.path, body(completed)) == ("/api/tasks/t-1/complete", {"result": {"pages": 3}, "by": "ann"})
    changed = _tasks.update("t-1", input=None, team="night", interrupt=True, by="ann")
    assert body(changed) == {"input": None, "team": "night", "interrupt": True, "by": "ann"}


def test_retry_says_to_whom_and_with_what():
    assert body(_tasks.retry("t-1", reassign=True, context={"hint": 1})) == {"reassign": True, "context": {"hint": 1}}


def test_filters_take_one_value_or_several():
    one = _tasks.listing(status="failed", created_from=NOW, page_size=5).operation.query
    several = _tasks.listing(status=["failed", "cancelled"], tag=("a", "b")).operation.query
    assert dict(one) == {"status": "failed", "from": "2026-11-21T12:00:00Z", "sort": "-created_at", "limit": "5"}
    assert [pair for pair in several if pair[0] in ("status", "tag")] == [
        ("status", "failed"),
        ("status", "cancelled"),
        ("tag", "a"),
        ("tag", "b"),
    ]


def test_unknown_filter_is_refused():
    with pytest.raises(InvalidRequestError, match="unknown field `colour`"):
        _tasks.listing(colour="red")


def test_bulk_without_a_filter_needs_to_be_meant():
    with pytest.raises(InvalidRequestError, match="delete without a filter matches every task; give a filter"):
        _tasks.bulk("delete")
    assert body(_tasks.bulk("delete", every_task=True)) == {"action": "delete", "filter": {}}


def test_bulk_is_repeated_only_when_nothing_changes():
    assert not _tasks.bulk("cancel", tag="a", arguments={"reason": "r"}).repeatable
    assert _tasks.bulk("cancel", tag="a", dry_run=True).repeatable


def test_schedule_is_made_from_cron_and_zone():
    operation = _schedules.create("nightly", cron="0 2 * * *", zone="Europe/Berlin", task={"name": "Extract"})
    assert body(operation)["cadence"] == {"cron": "0 2 * * *", "zone": "Europe/Berlin"}
    assert body(operation)["task"] == {"name": "Extract"}


@pytest.mark.parametrize("cadence", [{}, {"zone": "UTC"}, {"cron": "* * * * *", "every_ms": 60_000}])
def test_cadence_has_exactly_one_rule(cadence: dict[str, Any]):
    with pytest.raises(InvalidRequestError, match="exactly one of cron, every_ms and at"):
        _schedules.preview(**cadence)


def test_limit_s_value_may_hold_any_character():
    assert _agents.delete_limit("key", "customer/42 ä").path == "/api/limits/key/customer%2F42%20%C3%A4"


def test_runs_are_asked_for_by_relative_times_too():
    query = dict(_runs.listing(since="now-24h", until=NOW, status="failed").operation.query)
    assert (query["from"], query["to"], query["status"]) == ("now-24h", "2026-11-21T12:00:00Z", "failed")


@given(st.text(min_size=1).filter(lambda text: text not in (".", "..") and text.isprintable()))
def test_any_name_is_one_part_of_the_path(name: str):
    path = path_of("schedules", name)
    assert path.count("/") == 3
    assert unquote(path.rpartition("/")[2]) == name


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_name_that_no_path_holds_is_refused(name: str):
    with pytest.raises(InvalidRequestError, match="not a name or an id of tasks"):
        _tasks.get(name)


@given(st.dictionaries(st.text(min_size=1), st.none() | st.lists(st.text()) | st.integers() | st.booleans()))
def test_query_leaves_out_what_is_not_given(given_values: dict[str, Any]):
    pairs = query_of(given_values)
    assert all(value != "" for _, value in pairs)
    assert {name for name, _ in pairs} <= {name for name, value in given_values.items() if value not in (None, [])}


def test_trigger_is_asked_for_in_short_forms():
    mapping = {"title": "/issue/title"}
    hook = body(_triggers.create("gh", signature="github", task={"name": "triage"}, mapping=mapping))
    assert (hook["kind"], hook["signature"]) == ("webhook", {"scheme": "github"})
    assert hook["mapping"] == [{"name": "title", "pointer": "/issue/title"}]
    event = body(_triggers.create("f", event="run.failed", where="cost>1", task={"name": "t"}))
    assert (event["kind"], event["event"], "signature" in event) == ("event", "run.failed", False)


def test_trigger_is_tried_as_it_would_be_created():
    tried = body(
        _triggers.dry_run(None, signature="github", task={"name": "t"}, mapping={"a": "/b"}, headers={"X": "y"})
    )
    assert (tried["kind"], tried["payload"], tried["headers"]) == ("webhook", None, {"X": "y"})
    assert tried["definition"]["mapping"] == [{"name": "a", "pointer": "/b"}]
    assert body(_triggers.dry_run({}, event="run.failed", task={"name": "t"}))["kind"] == "event"


def test_trigger_s_mapping_can_be_taken_away():
    assert body(_triggers.update("gh", mapping=None)) == {"mapping": None}
    assert body(_triggers.update("gh")) == {}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"signature": "sha1"}, "signature.scheme"),
        ({"signature": "github", "mapping": {"a": "b"}}, "mapping[0].pointer"),
        ({"event": "failed"}, "event"),
    ],
)
def test_malformed_trigger_is_refused_before_it_is_sent(fields: dict[str, Any], field: str):
    with pytest.raises(InvalidRequestError) as caught:
        _triggers.create("gh", task={"name": "triage"}, **fields)
    assert caught.value.field == field
