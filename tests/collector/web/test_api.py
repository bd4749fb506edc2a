"""The JSON API over a socket: what was sent is what is answered."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pyarrow
import pyarrow.csv
import pyarrow.parquet
import pytest

from milepost.wire import Batch, Event, SpanEnded, SpanStarted, Usage
from milepost_collector.protocol.api import EventMarks, RunDetail, RunSpans, SpanDetail, SpanSkeleton
from tests.collector.server import Server

RUN = "c0ffee00" * 4
ATTEMPT = "feedbeef" * 4
BASE_NS = 1_790_000_000_123_456_789


def span_id(number: int) -> str:
    return f"{number:016x}"


@pytest.fixture(scope="module")
def recorded(server: Server) -> Server:
    """Give a server that knows one run: a root that runs, an ended task, a checkpoint, two logs."""
    server.send(
        [
            SpanStarted(
                run_id=RUN, span_id=span_id(1), name="report", kind="agent", start_time=BASE_NS, agent="writer"
            ),
            SpanEnded(
                run_id=RUN,
                span_id=span_id(2),
                parent_span_id=span_id(1),
                name="summarise",
                start_time=BASE_NS + 5,
                end_time=BASE_NS + 1_000_005,
                input={"pages": 3},
                output="x" * 1000,
                attributes={"depth": 2},
                tags=["nightly"],
                usage=[Usage(model="some-model", input_tokens=10, output_tokens=2, cost_usd=0.5)],
            ),
            Event(run_id=RUN, span_id=span_id(2), time=BASE_NS + 7, kind="checkpoint", name="page", body={"page": 12}),
            Event(run_id=RUN, span_id=span_id(2), time=BASE_NS + 9, kind="log", message="first", severity="info"),
            Event(run_id=RUN, time=BASE_NS + 9, kind="log", message="second"),
        ]
    )
    return server


def test_run_is_listed_with_its_sums(recorded: Server) -> None:
    (run,) = recorded.get("/api/runs", agent="writer", text="pages")["runs"]
    assert (run["run_id"], run["status"], run["start_time"]) == (RUN, "running", "2026-09-21T14:13:20.123456789Z")
    assert (run["span_count"], run["live_span_count"], run["cost_usd"], run["tags"]) == (2, 1, 0.5, ["nightly"])


def test_run_header_names_producers_and_counts(recorded: Server) -> None:
    detail = msgspec.convert(recorded.get(f"/api/runs/{RUN.upper()}"), RunDetail)
    assert (detail.event_count, detail.checkpoint_count) == (3, 1)
    assert [(producer.producer_id, producer.dropped) for producer in detail.producers] == [("producer", 0)]


def test_spans_come_in_order_of_start_with_running_ones(recorded: Server) -> None:
    spans = msgspec.convert(recorded.get(f"/api/runs/{RUN}/spans"), RunSpans)
    assert spans.origin == "2026-09-21T14:13:20.123456789Z"
    assert [(span.name, span.start_ns, span.end_ns) for span in spans.spans] == [
        ("report", 0, None),
        ("summarise", 5, 1_000_005),
    ]


def test_spans_come_as_arrow_stream_with_metadata(recorded: Server) -> None:
    answer = recorded.client.get(f"/api/runs/{RUN}/spans", headers={"Accept": "application/vnd.apache.arrow.stream"})
    table = pyarrow.ipc.open_stream(answer.content).read_all()
    absent = {"tool", "task_id", "attempt", "time_to_first_token_ms", "cache_read_tokens", "cache_write_tokens"}
    assert table.column_names == [name for name in SpanSkeleton.__struct_fields__ if name not in absent]
    assert table.schema.metadata == {b"run_id": RUN.encode(), b"origin": b"2026-09-21T14:13:20.123456789Z"}
    assert table.column("start_ns").to_pylist() == [0, 5]


def test_spans_say_what_few_spans_have(server: Server) -> None:
    usage = Usage(model="some-model", input_tokens=9, cache_read_tokens=4)
    server.send(
        [
            SpanEnded(
                run_id=ATTEMPT,
                span_id=span_id(1),
                name="again",
                start_time=BASE_NS,
                end_time=BASE_NS + 5,
                task_id="T1",
                attempt=2,
                usage=[usage],
            )
        ]
    )
    answer = server.client.get(f"/api/runs/{ATTEMPT}/spans", headers={"Accept": "application/vnd.apache.arrow.stream"})
    (span,) = pyarrow.ipc.open_stream(answer.content).read_all().to_pylist()
    assert (span["task_id"], span["attempt"], span["cache_read_tokens"]) == ("T1", 2, 4)
    assert "tool" not in span
    assert server.get(f"/api/runs/{ATTEMPT}/spans")["spans"][0]["attempt"] == 2


def test_span_has_its_payloads_usage_and_events(recorded: Server) -> None:
    answer = recorded.get(f"/api/spans/{span_id(2)}")
    assert answer == recorded.get(f"/api/spans/{span_id(2)}", run_id=RUN)
    assert answer.keys() == set(SpanDetail.__struct_fields__)
    assert (answer["usage"][0]["cost_source"], answer["cost_usd"]) == ("reported", 0.5)
    assert answer["input"] == {"bytes": 11, "value": {"pages": 3}}
    assert answer["attributes"] == {"depth": 2}
    assert [event["kind"] for event in answer["events"]] == ["checkpoint", "log"]


def test_large_payload_comes_as_its_head(recorded: Server) -> None:
    answer = recorded.get(f"/api/spans/{span_id(2)}", run_id=RUN, payload_limit=10)
    assert answer["output"] == {"bytes": 1002, "head": '"' + "x" * 9}


def test_running_span_has_no_end(recorded: Server) -> None:
    answer = recorded.get(f"/api/spans/{span_id(1)}", run_id=RUN)
    assert (answer["status"], answer["end_time"], answer["duration_ms"]) == ("running", None, None)


def test_events_are_paged_without_gap_when_times_are_equal(recorded: Server) -> None:
    found, cursor = [], ""
    while cursor is not None:
        page = recorded.get(f"/api/runs/{RUN}/events", limit=1, cursor=cursor)
        found += [event.get("message", event.get("name")) for event in page["events"]]
        cursor = page["next_cursor"]
    assert found == ["page", "first", "second"]


@pytest.mark.parametrize(
    ("narrowed", "expected"),
    [({"kind": "checkpoint"}, ["page"]), ({"span_id": span_id(2)}, ["page", "first"]), ({"kind": "nope"}, [])],
)
def test_events_are_narrowed(recorded: Server, narrowed: dict[str, str], expected: list[str]) -> None:
    page = recorded.get(f"/api/runs/{RUN}/events", **narrowed)
    assert [event.get("message", event.get("name")) for event in page["events"]] == expected


def test_marks_say_when_events_were_and_nothing_else(recorded: Server) -> None:
    events = recorded.get(f"/api/runs/{RUN}/events", kind="log")["events"]
    marks = recorded.get(f"/api/runs/{RUN}/marks")
    assert marks.keys() == set(EventMarks.__struct_fields__)
    assert marks["origin"] == events[0]["time"]
    assert marks["severity"] == [event.get("severity") for event in events]
    assert (marks["kind"], marks["truncated"]) == (["log"] * len(events), False)
    assert {len(marks[column]) for column in ("offset_ns", "span_id", "kind", "severity")} == {len(events)}


def test_marks_of_a_run_without_events_are_none(recorded: Server) -> None:
    marks = recorded.get(f"/api/runs/{'0' * 32}/marks")
    assert (marks["origin"], marks["offset_ns"], marks["truncated"]) == (None, [], False)


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        (f"/api/runs/{'0' * 32}", 404, "there is no run '000"),
        (f"/api/runs/{'0' * 32}/spans", 404, "there is no run '000"),
        (f"/api/spans/{'0' * 16}", 404, "there is no span '000"),
        ("/api/runs/abc", 400, "run_id 'abc' is not valid; use 32 hexadecimal digits"),
        (f"/api/runs/{RUN}/events?cursor=nope", 400, "start again without it"),
        (f"/api/spans/{span_id(1)}?run_id=x", 400, "use 32 hexadecimal digits"),
        ("/api/runs?limit=501", 400, "limit '501' is not valid; expected `int` <= 500"),
        ("/api/runs?status=done", 400, "status 'done' is not valid; use one of running"),
        ("/api/runs?from=yesterday", 400, "from 'yesterday' is not valid"),
        ("/api/runs?sort=colour", 400, "sort 'colour' is not valid; use one of start_time"),
        ("/api/runs?stauts=failed", 400, "this parameter is unknown; there are status, name"),
        ("/api/nope", 404, "there is nothing at /api/nope"),
        ("/v1/nope", 404, "there is nothing at /v1/nope"),
        ("/v1/events", 405, "GET is not allowed for /v1/events; use POST"),
    ],
)
def test_error_is_a_problem_that_says_what_to_do(server: Server, path: str, status: int, detail: str) -> None:
    answer = server.client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert detail in problem["detail"]


def test_empty_parameters_count_as_absent(recorded: Server) -> None:
    assert recorded.get("/api/runs?status=&name=&cursor=&limit=")["runs"]


def test_answer_has_the_format_of_the_batch(server: Server) -> None:
    batch = {"producer_id": "json", "sequence": 0, "events": []}
    as_json = server.client.post("/v1/events", json=batch)
    assert as_json.json() == {"accepted": 0, "rejected": [], "duplicate": False}
    body = msgspec.msgpack.encode(Batch(producer_id="json", sequence=0, events=[]))
    again = server.client.post("/v1/events", content=body, headers={"Content-Type": "application/x-msgpack"})
    assert msgspec.msgpack.decode(again.content) == {"accepted": 0, "rejected": [], "duplicate": True}


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [("application/json", b"{", 400), ("application/msgpack", b"\xc1", 400), ("text/plain", b"hello", 415)],
)
def test_body_that_is_no_batch_is_refused(server: Server, content_type: str, body: bytes, status: int) -> None:
    answer = server.client.post("/v1/events", content=body, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_sql_answers_in_every_format(recorded: Server) -> None:
    sql = {"sql": f"SELECT name, cost_usd, tags, start_time FROM spans WHERE run_id = '{RUN}'"}
    read: dict[str, Any] = {
        "application/vnd.apache.arrow.stream": lambda body: pyarrow.ipc.open_stream(body).read_all(),
        "application/vnd.apache.parquet": lambda body: pyarrow.parquet.read_table(io.BytesIO(body)),
    }
    for media_type, reader in read.items():
        answer = recorded.client.post("/api/sql", json=sql, headers={"Accept": media_type})
        assert answer.headers["content-type"] == media_type
        assert reader(answer.content).column("tags").to_pylist() == [["nightly"]]
    answer = recorded.client.post("/api/sql", json=sql, headers={"Accept": "text/csv"})
    assert answer.text.splitlines() == [
        "name,cost_usd,tags,start_time",
        'summarise,0.5,"[""nightly""]",2026-09-21T14:13:20.123456794Z',
    ]


def test_format_nobody_makes_is_not_acceptable(server: Server) -> None:
    answer = server.client.post("/api/sql", json={"sql": "SELECT 1"}, headers={"Accept": "image/png"})
    assert answer.status_code == 406


def test_empty_collector_answers_empty_lists(start_server: Any) -> None:
    empty = start_server()
    sql = "SELECT * FROM runs WHERE true ORDER BY start_time DESC NULLS LAST, run_id LIMIT 50"
    assert empty.get("/api/runs") == {"runs": [], "next_cursor": None, "sql": sql}
    assert empty.get(f"/api/runs/{RUN}/events") == {"run_id": RUN, "events": [], "next_cursor": None}


@pytest.mark.slow
def test_hundred_thousand_spans_stream_whole(server: Server) -> None:
    run_id = "abcd" * 8
    for begin in range(0, 100_000, 5000):
        server.send(
            SpanEnded(run_id=run_id, span_id=span_id(n + 1), name="s", start_time=BASE_NS + n, end_time=BASE_NS + n + 1)
            for n in range(begin, begin + 5000)
        )
    spans = msgspec.json.decode(server.client.get(f"/api/runs/{run_id}/spans").content, type=RunSpans).spans
    assert [span.start_ns for span in spans] == list(range(100_000))
