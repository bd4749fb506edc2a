"""Searching over HTTP: lists, histograms, facets, spans of a run, completions, and errors that say where."""

from __future__ import annotations

from typing import Any

import pytest

from milepost.wire import SpanEnded, Usage
from tests.collector.server import Server

BASE_NS = 1_790_000_000_000_000_000
HOUR = 3_600_000_000_000
FAILED, SLOW, PLAIN = (f"{digit}" * 32 for digit in "abc")


def span(run_id: str, number: int, name: str, **more: Any) -> SpanEnded:
    """Return a span, the root if it is the first, that lasts a second."""
    start = BASE_NS + int(run_id[0], 16) * HOUR + number
    given = {"start_time": start, "end_time": start + 10**9, "agent": "writer", **more}
    parent = f"{run_id[0]}{0:015x}" if number else None
    return SpanEnded(run_id=run_id, span_id=f"{run_id[0]}{number:015x}", parent_span_id=parent, name=name, **given)


@pytest.fixture(scope="module")
def recorded(server: Server) -> Server:
    """Give a server that knows three runs."""
    usage = [Usage(model="gpt-4o-mini", input_tokens=900, output_tokens=100, cost_usd=0.5)]
    server.send(
        [
            span(FAILED, 0, "report", kind="agent", status="failed", error_type="TimeoutError", tags=["nightly"]),
            span(FAILED, 1, "Fetch page", kind="tool", status="failed", error_message="connection refused: it's away"),
            span(FAILED, 2, "ask", kind="llm", usage=usage),
            span(SLOW, 0, "report", kind="agent", session_id="s-1"),
            span(SLOW, 1, "ask", kind="llm", end_time=BASE_NS + 50 * HOUR, input={"file": "a.pdf"}),
            span(PLAIN, 0, "triage", kind="agent", agent="reader", user_id="u 1"),
        ]
    )
    return server


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("", {FAILED, SLOW, PLAIN}),
        ("status:failed", {FAILED}),
        ("kind:llm model:gpt-4o* cost>0.05", {FAILED}),
        ('text:"connection refused" name:rep*', {FAILED}),
        ('"it\'s away"', {FAILED}),
        ("span(kind:llm dur>1h)", {SLOW}),
        ("span(kind:llm status:failed)", set()),
        ("kind:llm has:error", {FAILED}),
        ("-kind:llm", {PLAIN}),
        ("agent:reader OR tag:nightly", {FAILED, PLAIN}),
        ("tokens>=1k -started>now", {FAILED}),
        ("started<2026-09-22T02:00:00Z", {FAILED, SLOW}),
        ('tool:"Fetch *" error:Timeout*', {FAILED}),
        ("dur<2s is:ended -session:s-1 -error:*", {PLAIN}),
        ('"\' OR 1=1 --"', set()),
        ("a.pdf", {SLOW}),
    ],
)
def test_runs_are_found_as_is_the_sql_that_the_list_names(recorded: Server, q: str, expected: set[str]) -> None:
    answer = recorded.get("/api/runs", q=q)
    assert {run["run_id"] for run in answer["runs"]} == expected
    assert [row[0] for row in recorded.rows(answer["sql"])] == [run["run_id"] for run in answer["runs"]]


@pytest.mark.parametrize(
    "q",
    [
        "started>2262-04-11T23:47:16.854775807Z", "started<=2262-04-11T23:47:16.854775807Z", "started<1970-01-01",
        "started>now-5000w", "tokens>1e300", "tokens>99999999999999999999", "dur<1e290d",
        r"text:%_\\*", '"$low $limit"',
    ],
)  # fmt: skip
def test_extremes_are_answered(recorded: Server, q: str) -> None:
    answer = recorded.get("/api/runs", q=q)
    assert len(recorded.rows(answer["sql"])) == len(answer["runs"])
    assert len(recorded.get("/api/runs", q=q, sort="name")["runs"]) == len(answer["runs"])
    recorded.get("/api/runs/histogram", q=q, **{"from": "2262-04-11T23:47:16.854775807Z"})
    recorded.get(f"/api/runs/{FAILED}/search", q=q)


def test_search_goes_with_the_other_parameters(recorded: Server) -> None:
    found = recorded.get("/api/runs", q="name:report", status="failed", **{"from": "2020-01-01"})["runs"]
    assert [run["run_id"] for run in found] == [FAILED]


@pytest.mark.parametrize("path", ["/api/runs", "/api/runs/histogram", "/api/runs/facets", f"/api/runs/{SLOW}/search"])
def test_search_that_cannot_be_read_is_a_400_that_says_where(recorded: Server, path: str) -> None:
    answer = recorded.client.get(path, params={"q": "name:x stauts:failed"})
    problem = answer.json()
    assert (answer.status_code, problem["field"], problem["position"], problem["end"]) == (400, "q", 7, 13)
    assert "there is no field stauts (at character 8 of the search); did you mean status?" in problem["detail"]


def test_histogram_counts_by_aligned_buckets(recorded: Server) -> None:
    window = {"from": "2026-09-22T00:00:00Z", "to": "2026-09-22T04:00:00Z"}
    answer = recorded.get("/api/runs/histogram", buckets=4, **window)
    assert answer["bucket_ms"] == 3_600_000
    assert [(bucket["start"][11:16], bucket["statuses"]) for bucket in answer["buckets"]] == [
        ("00:00", {"failed": 1}), ("01:00", {"completed": 1}), ("02:00", {"completed": 1}), ("03:00", {}),
    ]  # fmt: skip
    assert (answer["buckets"][0]["cost_usd"], answer["buckets"][0]["input_tokens"]) == (0.5, 900)
    assert [row[1:3] for row in recorded.rows(answer["sql"])] == [["failed", 1], ["completed", 1], ["completed", 1]]


def test_histogram_reaches_from_the_first_run_to_the_present(recorded: Server) -> None:
    answer = recorded.get("/api/runs/histogram", q="name:report", buckets=200)
    assert sum(bucket["runs"] for bucket in answer["buckets"]) == 2
    assert len(answer["buckets"]) <= 200
    assert recorded.get("/api/runs/histogram", q="name:nobody")["buckets"] == []


def test_facets_leave_their_own_term_out(recorded: Server) -> None:
    facets = {one["field"]: one for one in recorded.get("/api/runs/facets", q="status:failed")["facets"]}
    values = {field: {value["value"]: value["runs"] for value in one["values"]} for field, one in facets.items()}
    assert values == {
        "status": {"completed": 2, "failed": 1}, "agent": {"writer": 1}, "name": {"report": 1}, "user": {},
        "model": {"gpt-4o-mini": 1}, "kind": {"agent": 1, "llm": 1, "tool": 1}, "tool": {"Fetch page": 1},
        "session": {}, "tag": {"nightly": 1}, "error": {"TimeoutError": 1}, "service": {},
    }  # fmt: skip
    for field, one in facets.items():
        assert dict(recorded.rows(one["sql"])) == values[field]


def test_facets_of_all_runs_are_in_order_and_limited(recorded: Server) -> None:
    (kinds, agents) = recorded.get("/api/runs/facets", field=["kind", "agent"], limit=2)["facets"]
    assert kinds["values"] == [{"value": "agent", "runs": 3}, {"value": "llm", "runs": 2}]
    assert agents["values"] == [{"value": "writer", "runs": 2}, {"value": "reader", "runs": 1}]
    assert recorded.rows(kinds["sql"]) == [["agent", 3], ["llm", 2]]
    assert recorded.client.get("/api/runs/facets", params={"field": "nope"}).status_code == 400


@pytest.mark.parametrize(
    ("q", "expected"),
    [("", [0, 1, 2]), ("kind:llm cost>0.05", [2]), ("status:failed -kind:agent", [1]), ("refused OR ask", [1, 2])],
)
def test_spans_of_a_run_are_found(recorded: Server, q: str, expected: list[int]) -> None:
    answer = recorded.get(f"/api/runs/{FAILED}/search", q=q)
    ids = [f"a{number:015x}" for number in expected]
    assert (answer["span_ids"], answer["count"]) == (ids, len(ids))
    assert [row[1] for row in recorded.rows(answer["sql"])] == ids


def test_spans_beyond_the_limit_are_counted(recorded: Server) -> None:
    answer = recorded.get(f"/api/runs/{FAILED}/search", limit=1)
    assert (len(answer["span_ids"]), answer["count"]) == (1, 3)
    assert recorded.client.get(f"/api/runs/{'d' * 32}/search").status_code == 404


@pytest.mark.parametrize(
    ("q", "start", "expected"),
    [
        ("kind:", 5, {"agent": 3, "llm": 2, "tool": 1}),
        ("a -agent:w", 9, {"writer": 2}),
        ("user:", 5, {'"u 1"': 1}),
        ("tool:fe", 5, {'"Fetch page"': 1}),
        ("status:c", 7, {"completed": 2, "cancelled": None}),
        ("star", 0, {"started>": None}),
        ("text:x", 5, {}),
    ],
)
def test_completion_offers_recorded_values(
    recorded: Server, q: str, start: int, expected: dict[str, int | None]
) -> None:
    answer = recorded.get("/api/search/complete", q=q)
    assert (answer["start"], answer["end"]) == (start, len(q))
    assert {offer["text"]: offer.get("runs") for offer in answer["offers"]} == expected
