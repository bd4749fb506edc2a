"""A run's conversation over the socket: what was new in each call, and what other spans say already."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.wire import SpanEnded
from milepost_collector.traces.queries.turns import _news
from tests.collector.server import Server

BASE_NS = 1_790_000_000_000_000_000


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def span(run_id: str, number: int, *, parent: int | None = None, **attributes: Any) -> dict[str, Any]:
    """Return a span in OTLP's JSON. given, answered: its messages; other fields are attributes."""
    messages = {"given": "gen_ai.input.messages", "answered": "gen_ai.output.messages"}
    error = attributes.pop("error", None)
    named = {messages.get(name, name.replace("__", ".")): value for name, value in attributes.items()}
    return {
        "traceId": run_id,
        "spanId": f"{number:016x}",
        "parentSpanId": "" if parent is None else f"{parent:016x}",
        "name": f"call {number}",
        "startTimeUnixNano": str(BASE_NS + number * 1000),
        "endTimeUnixNano": str(BASE_NS + number * 1000 + 500),
        "status": {"code": 2, "message": error} if error else {},
        "attributes": [
            {"key": key, "value": {"stringValue": value if isinstance(value, str) else json.dumps(value)}}
            for key, value in ({"gen_ai.operation.name": "chat"} | named).items()
        ],
    }


def send(server: Server, *spans: dict[str, Any]) -> None:
    body = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": spans}]}]}
    answer = server.client.post("/v1/traces", json=body)
    assert answer.status_code == 200, answer.text


def tool(run_id: str, number: int, **attributes: Any) -> dict[str, Any]:
    return span(run_id, number, gen_ai__operation__name="execute_tool", **attributes)


@pytest.fixture
def run_id() -> str:
    return uuid.uuid4().hex


def turns(server: Server, run_id: str, **parameters: Any) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while cursor is not None:
        page = server.get(f"/api/runs/{run_id}/messages", cursor=cursor, **parameters)
        found += page["turns"]
        cursor = page["next_cursor"]
    return found


def texts(items: list[dict[str, Any]]) -> list[str]:
    return [part["content"] for item in items for part in item["parts"]]


@pytest.mark.parametrize("limit", [1, 200])
def test_each_call_tells_only_what_was_new(server: Server, run_id: str, limit: int) -> None:
    system, ask, answer = said("system", "be brief"), said("user", "warm?"), said("assistant", "yes")
    again = said("user", "yes")
    send(
        server,
        span(run_id, 1, given=[system, ask], answered=[answer]),
        span(run_id, 2, given=[system, ask, answer, ask], answered=[answer]),
        span(run_id, 3, given=[system, ask, answer, again], answered=[answer]),
    )
    found = turns(server, run_id, limit=limit)
    assert [texts(turn.get("input", [])) for turn in found] == [["be brief", "warm?"], ["warm?"], ["yes"]]
    assert [texts(turn["output"]) for turn in found] == [["yes"]] * 3
    assert [turn.get("repeated", 0) for turn in found] == [0, 3, 3]


def test_tool_calls_stand_between_with_arguments_results_and_errors(server: Server, run_id: str) -> None:
    send(
        server,
        span(run_id, 1, given=[said("user", "warm?")], answered=[said("assistant", "let me see")]),
        tool(run_id, 2, gen_ai__tool__call__id="c1", gen_ai__tool__call__arguments={"city": "Paris"},
             gen_ai__tool__call__result="x" * 500),
        tool(run_id, 3, error="no such city"),
        span(run_id, 4, gen_ai__operation__name="invoke_workflow"),
    )  # fmt: skip
    _, called, failed = turns(server, run_id, payload_limit=100)
    assert (called["sent"]["value"], called["call_id"]) == ({"city": "Paris"}, "c1")
    assert called["returned"] == {"bytes": 502, "head": '"' + "x" * 99}
    assert failed == {"span_id": f"{3:016x}", "error_message": "no such city"}


def test_a_call_that_several_spans_tell_of_is_told_once(server: Server, run_id: str) -> None:
    talk = {"given": [said("user", "warm?")], "answered": [said("assistant", "yes")]}
    send(
        server,
        span(run_id, 1, gen_ai__operation__name="invoke_agent", **talk),
        span(run_id, 2, parent=1, **talk),
    )
    (turn,) = turns(server, run_id)
    assert turn["span_id"] == f"{2:016x}"


def test_values_that_are_no_messages_come_as_they_were_captured(server: Server, run_id: str) -> None:
    called = SpanEnded(
        run_id=run_id, span_id="a" * 16, start_time=BASE_NS, end_time=BASE_NS + 1, name="ask", kind="llm",
        input={"prompt": "warm?"}, output="yes",
    )  # fmt: skip
    server.send([called])
    (turn,) = turns(server, run_id)
    assert (turn["sent"]["value"], turn["returned"]["value"]) == ({"prompt": "warm?"}, "yes")


def test_large_messages_come_without_their_parts(server: Server, run_id: str) -> None:
    send(server, span(run_id, 1, given=[said("user", "word " * 100)], answered=[said("assistant", "yes")]))
    (turn,) = turns(server, run_id, payload_limit=100)
    (message,) = turn["input"]
    assert "parts" not in message
    assert message["bytes"] > 500
    whole = server.get(f"/api/messages/{message['message_id']}")
    assert texts([whole]) == ["word " * 100]


def test_refusals_name_what_is_wrong(server: Server, run_id: str) -> None:
    send(server, span(run_id, 1))
    other = uuid.uuid4().hex
    assert server.client.get(f"/api/runs/{other}/messages").status_code == 404
    answer = server.client.get(f"/api/runs/{run_id}/messages", params={"cursor": "nonsense"})
    assert (answer.status_code, answer.json()["field"]) == (400, "cursor")


CALLS = st.lists(
    st.tuples(st.lists(st.sampled_from("abcd"), max_size=6), st.lists(st.sampled_from("xyz"), max_size=2)), max_size=8
)


@given(CALLS)
def test_nothing_is_lost_and_what_is_left_out_was_seen_before(calls: list[tuple[list[str], list[str]]]) -> None:
    seen: set[str] = set()
    told = [(str(place), place, "llm", given, answered) for place, (given, answered) in enumerate(calls)]
    for (_, _, _, sent, answered), new in zip(told, _news(told), strict=True):
        assert [*sent[: new.repeated], *new.sent] == sent
        assert set(sent[: new.repeated]) <= seen
        assert new.answered == answered
        seen.update(sent, answered)


@given(st.lists(st.sampled_from("abx"), min_size=1, max_size=30))
def test_a_growing_conversation_is_told_once_from_beginning_to_end(messages: list[str]) -> None:
    calls = [
        (str(place), place, "llm", messages[:place], messages[place : place + 1])
        for place in range(1, len(messages), 2)
    ]
    retold = [message for new in _news(calls) for message in (*new.sent, *new.answered)]
    assert retold == messages[: len(retold)]
