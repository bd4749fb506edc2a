"""Scores and feedback over HTTP, from OpenTelemetry, and out again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.wire import Event, SpanEnded
from milepost.wire.evaluation import score_attributes
from tests.collector.server import Server

RUN, SPAN, OTHER = "c0ffee01" * 4, "00000000000000a1", "00000000000000a2"
NS = 1_790_000_000_000_000_000


@pytest.fixture(scope="module")
def judged(server: Server) -> Server:
    """Return a server that holds a run with two spans."""
    root = SpanEnded(run_id=RUN, span_id=SPAN, name="answer", kind="agent", start_time=NS, end_time=NS + 10)
    call = SpanEnded(run_id=RUN, span_id=OTHER, parent_span_id=SPAN, name="call", start_time=NS + 1, end_time=NS + 2)
    server.send([root, call])
    return server


def post(server: Server, path: str, **body: Any) -> Any:
    """Return the answer to a POST."""
    return server.client.post(path, json=body)


def test_score_is_kept_listed_and_in_sql(judged: Server) -> None:
    kept = post(judged, "/api/scores", run_id=RUN, span_id=OTHER, name="relevance", value=0.25, label="off topic",
                explanation="it tells of\ncats", source="llm", by="judge-2", time="2026-11-21T07:30:00.5Z")  # fmt: skip
    assert kept.status_code == 201, kept.text
    score = kept.json()
    assert judged.get("/api/scores", run_id=RUN, name="relevance")["scores"] == [score]
    assert judged.get("/api/scores", run_id=RUN, name="relevance", source="human")["scores"] == []
    row = judged.rows(
        'SELECT score_id, span_id, time::VARCHAR, value, label, explanation, source, "by" FROM scores '
        "WHERE name = 'relevance'"
    )
    assert row == [
        [score["id"], OTHER, "2026-11-21 07:30:00.5", 0.25, "off topic", "it tells of\ncats", "llm", "judge-2"]
    ]


def test_same_key_is_the_same_score(judged: Server) -> None:
    first = post(judged, "/api/scores", run_id=RUN, name="once", value=1, idempotency_key="mine 1")
    again = post(judged, "/api/scores", run_id=RUN, name="once", value=1, idempotency_key="mine 1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert judged.rows("SELECT count(*) FROM scores WHERE name = 'once'") == [[1]]


def test_feedback_is_kept_listed_and_in_sql(judged: Server) -> None:
    kept = post(judged, "/api/feedback", run_id=RUN, rating=4, text="good", issues=["slow", "dear"], by="ann")
    assert kept.status_code == 201, kept.text
    assert judged.get("/api/feedback", run_id=RUN)["feedback"][0] == kept.json()
    stored = judged.rows(f"""SELECT rating, text, issues, "by" FROM feedback WHERE run_id = '{RUN}'""")
    assert stored == [[4, "good", ["slow", "dear"], "ann"]]


def test_feedback_on_a_task_is_found_by_it(judged: Server) -> None:
    task_id = post(judged, "/api/tasks", name="triage").json()["id"]
    kept = post(judged, "/api/feedback", task_id=task_id, rating=5)
    assert kept.status_code == 201, kept.text
    assert (kept.json()["task_id"], kept.json()["run_id"]) == (task_id, None)
    assert judged.get("/api/feedback", task_id=task_id)["feedback"] == [kept.json()]


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/api/scores", {"name": "x", "value": 1}, 400, "name a run or a task"),
        ("/api/scores", {"run_id": RUN, "name": "x"}, 400, "give a value, a label or both"),
        ("/api/scores", {"run_id": "0" * 32, "name": "x", "value": 1}, 404, "there is no run"),
        ("/api/scores", {"run_id": RUN, "span_id": "f" * 16, "name": "x", "value": 1}, 404, "there is no span"),
        ("/api/scores", {"task_id": "nothing", "name": "x", "value": 1}, 404, "nothing"),
        ("/api/scores", {"run_id": RUN, "name": "x", "value": "much"}, 400, "value"),
        ("/api/scores", {"run_id": RUN, "name": "x", "value": 1, "source": "cat"}, 400, "source"),
        ("/api/scores", {"run_id": RUN, "name": "x", "value": 1, "time": "2026-11-21T07:30:00"}, 400, "with a zone"),
        ("/api/scores", {"run_id": RUN, "name": "x" * 201, "value": 1}, 400, "name"),
        ("/api/feedback", {"run_id": RUN, "rating": 6}, 400, "rating"),
        ("/api/feedback", {"run_id": RUN}, 400, "give a rating, a text or issues"),
    ],
)
def test_refusals_name_what_is_wrong(judged: Server, path: str, body: dict[str, Any], status: int, said: str) -> None:
    refused = post(judged, path, **body)
    assert refused.status_code == status, refused.text
    assert said in refused.text


def test_pages_hold_every_score_once(judged: Server) -> None:
    for number in range(7):
        moment = f"2026-11-2{number // 3}T00:00:00Z"  # several at the same time
        assert post(judged, "/api/scores", run_id=RUN, name="paged", value=number, time=moment).status_code == 201
    pages = [judged.get("/api/scores", name="paged", limit=2)]
    for _ in range(3):
        pages.append(judged.get("/api/scores", name="paged", limit=2, cursor=pages[-1]["next_cursor"]))
    assert [page["next_cursor"] is None for page in pages] == [False, False, False, True]
    found = [score for page in pages for score in page["scores"]]
    assert len({score["id"] for score in found}) == len(found) == 7
    assert [score["time"] for score in found] == sorted((score["time"] for score in found), reverse=True)
    wrong = judged.client.get("/api/scores", params={"name": "other", "limit": 2, "cursor": pages[0]["next_cursor"]})
    assert wrong.status_code == 400


@settings(max_examples=20, deadline=None)
@given(
    name=st.text("abc é", min_size=1, max_size=20).filter(lambda text: text == text.strip()),
    value=st.none() | st.floats(-1e9, 1e9),
    label=st.none() | st.sampled_from(["good", 'a "quoted" one', "日本"]),
)
def test_score_of_the_sdk_is_the_score_of_the_api(
    judged: Server, name: str, value: float | None, label: str | None
) -> None:
    attributes = score_attributes(name, value, label, "human", "ann")
    event = Event(run_id=RUN, span_id=SPAN, time=NS, kind="score", name=name, message="why", attributes=attributes)
    judged.send([event])
    kept = judged.get("/api/scores", run_id=RUN, span_id=SPAN, name=name)["scores"]
    got = {key: kept[0][key] for key in ("name", "value", "label", "explanation", "source", "by")}
    assert {"name": name, "explanation": "why", "source": "human", "by": "ann"}.items() <= got.items()
    assert any(score["value"] == value and score["label"] == label for score in kept)


def otlp_value(value: Any) -> dict[str, Any]:
    """Return a value as OTLP/JSON spells it."""
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}


def test_evaluations_of_opentelemetry_come_in_and_go_out(server: Server) -> None:
    run, span = "d00dfeed" * 4, "00000000000000b1"
    said = {
        "gen_ai.evaluation.name": "grounded",
        "gen_ai.evaluation.score.value": 0.5,
        "gen_ai.evaluation.score.label": "partly",
        "gen_ai.evaluation.explanation": "half of it is in the sources " * 20,
        "gen_ai.response.id": "resp-1",
    }
    attributes = [{"key": key, "value": otlp_value(value)} for key, value in said.items()]
    event = {"name": "gen_ai.evaluation.result", "timeUnixNano": str(NS), "attributes": attributes}
    traced = {"traceId": run, "spanId": span, "name": "chat", "startTimeUnixNano": str(NS),
              "endTimeUnixNano": str(NS + 5), "events": [event]}  # fmt: skip
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [traced]}]}]}
    assert server.client.post("/v1/traces", json=body).status_code == 200
    record = {"traceId": run, "spanId": span, "eventName": "gen_ai.evaluation.result", "timeUnixNano": str(NS + 1),
              "attributes": attributes}  # fmt: skip
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    assert server.client.post("/v1/logs", json=logs).status_code == 200
    scores = server.get("/api/scores", run_id=run)["scores"]
    assert [(score["name"], score["value"], score["label"], score["source"]) for score in scores] == [
        ("grounded", 0.5, "partly", "code")
    ] * 2
    assert all(score["explanation"] == said["gen_ai.evaluation.explanation"] for score in scores)
    exported = json.loads(server.client.get(f"/api/runs/{run}/export", params={"format": "otlp"}).text)
    events = exported["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["events"]
    assert [one["name"] for one in events] == ["gen_ai.evaluation.result"] * 2
    for one in events:
        sent = {item["key"]: next(iter(item["value"].values())) for item in one["attributes"]}
        assert said.items() <= sent.items()


def test_score_of_a_whole_run_leaves_with_its_root(server: Server) -> None:
    run, root, child = ("9d" * 16, "9d" * 8, "9e" * 8)
    inner = SpanEnded(run_id=run, span_id=child, parent_span_id=root, name="call", start_time=NS, end_time=NS + 2)
    outer = SpanEnded(run_id=run, span_id=root, name="answer", start_time=NS + 1, end_time=NS + 10)
    server.send([inner, outer], producer_id="whole runs")
    body = {"run_id": run, "name": "useful", "value": 1.0, "explanation": "as a whole"}
    assert server.client.post("/api/scores", json=body).status_code == 201
    exported = json.loads(server.client.get(f"/api/runs/{run}/export", params={"format": "otlp"}).text)
    spans = [span for part in exported["resourceSpans"] for scope in part["scopeSpans"] for span in scope["spans"]]
    events = {span["spanId"]: [one["name"] for one in span.get("events", ())] for span in spans}
    assert events == {child: [], root: ["gen_ai.evaluation.result"]}
