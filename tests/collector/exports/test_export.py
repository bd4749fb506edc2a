"""Runs exported over a socket: what another collector makes of them is what this one has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.wire import Event, Link, SpanEnded, SpanStarted, Usage
from milepost_collector.protocol.exports import Exported, otlp_json
from milepost_collector.protocol.foreign import ForeignSpan, SpanEvent
from milepost_collector.protocol.otlp import decode_export
from tests.collector.exports.pictures import check_profile
from tests.collector.otlp.messages import JSON, PROTOBUF
from tests.collector.server import Server, StartServer

CORPUS = Path(__file__).parents[2] / "corpus"
BASE_NS = 1_790_000_000_123_456_789
RUN, OTHER = "c0ffee00" * 4, "0ddba11" + "5" * 25
# What differs by who sent it and when it came.
COMPARED = "* EXCLUDE (commit_id, producer_id)"
TABLES = {
    "spans": f"SELECT {COMPARED} FROM spans ORDER BY run_id, span_id",
    "events": "SELECT * EXCLUDE (producer_id) FROM events WHERE event_id IS NULL ORDER BY ALL",
    "llm_messages": "SELECT * FROM llm_messages ORDER BY ALL",
    "run_links": "SELECT * FROM run_links ORDER BY ALL",
    "runs": "SELECT * FROM runs ORDER BY run_id",
}

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.just({"base64": "AAE="}),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abé", max_size=3), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
attributes = st.dictionaries(st.text("ab.", min_size=1, max_size=4), values, max_size=4)


@st.composite
def foreign_spans(draw: st.DrawFn) -> ForeignSpan:
    """Draw a span as an exporter sends it."""
    start = BASE_NS + draw(st.integers(0, 1000))
    ids = st.text("0123456789abcdef", min_size=15, max_size=15).map(lambda digits: f"1{digits}")
    return ForeignSpan(
        run_id=RUN,
        span_id="f" * 16,
        parent_span_id=draw(st.none() | ids),
        name=draw(st.text("abc é", max_size=9)),
        start_time=start,
        end_time=start + draw(st.integers(0, 10**12)),
        kind=draw(st.integers(0, 5)),
        status_code=draw(st.integers(0, 2)),
        status_message=draw(st.sampled_from(("", "no such city"))),
        attributes=draw(attributes),
        events=[SpanEvent(name="e", time=start + 1, attributes=one) for one in draw(st.lists(attributes, max_size=2))],
        links=[Link(run_id=OTHER, span_id=one, attributes={"a": 1}) for one in draw(st.lists(ids, max_size=2))],
        scope=draw(st.sampled_from(("", "scope"))),
        scope_version=draw(st.sampled_from(("", "1.0"))),
    )


@settings(max_examples=100, deadline=None)
@given(spans=st.lists(foreign_spans(), max_size=4), resource=attributes)
def test_request_is_read_back_as_it_was_written(spans: list[ForeignSpan], resource: dict[str, Any]) -> None:
    body = b"".join(otlp_json([[Exported(resource, span)] for span in spans]))
    export = decode_export("traces", body, JSON, 0)
    assert not export.rejected
    assert [span for origin in export.origins for span in origin.spans] == spans
    assert all(origin.resource.attributes == (resource or None) for origin in export.origins)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return another server, which what is exported is sent to."""
    running = Server.start(tmp_path_factory.mktemp("fresh"))
    yield running
    running.stop()


def reimported(server: Server, fresh: Server, run_ids: list[str]) -> None:
    for run_id in run_ids:
        body = server.client.get(f"/api/runs/{run_id}/export").content
        answer = fresh.client.post("/v1/traces", content=body, headers={"Content-Type": JSON})
        assert (answer.status_code, answer.json()) == (200, {})


def tables(server: Server) -> dict[str, list[list[Any]]]:
    return {name: parsed(server.rows(query)) for name, query in TABLES.items()}


def parsed(rows: list[list[Any]]) -> list[list[Any]]:
    """Decode JSON columns, whose order of keys is no difference."""
    return [[_parsed(cell) for cell in row] for row in rows]


def _parsed(cell: Any) -> Any:
    try:
        return msgspec.json.decode(cell) if isinstance(cell, str) and cell[:1] in "[{" else cell
    except msgspec.DecodeError:
        return cell


def test_runs_of_instrumented_frameworks_come_back_the_same(start_server: StartServer, tmp_path: Path) -> None:
    server, fresh = start_server(data_dir=tmp_path / "origin"), start_server(data_dir=tmp_path / "fresh")
    for name in ("oi_langgraph.01.binpb", "oi_openai.01.binpb"):
        body = (CORPUS / name).read_bytes()
        server.client.post("/v1/traces", content=body, headers={"Content-Type": PROTOBUF}).raise_for_status()
    reimported(server, fresh, [row[0] for row in server.rows("SELECT run_id FROM runs")])
    assert tables(server) == tables(fresh)
    resources = "SELECT producer_id, attributes FROM producers ORDER BY ALL"
    assert server.rows(resources) == fresh.rows(resources)


@pytest.fixture(scope="module")
def recorded(server: Server) -> Server:
    """Give a server with a run of Milepost's own API."""
    usage = [Usage(model="some-model", input_tokens=100, output_tokens=20, cache_read_tokens=30, cost_usd=0.5)]
    shared: dict[str, Any] = {"run_id": RUN, "end_time": BASE_NS + 9000}
    server.send([
        SpanEnded(**shared, span_id="1" * 16, name="report", kind="agent", start_time=BASE_NS, agent="writer",
                  session_id="s", user_id="u", tags=["nightly"], output={"ok": True}, task_id="t-1", attempt=2),
        SpanEnded(**shared, span_id="2" * 16, parent_span_id="1" * 16, name="ask", kind="llm", start_time=BASE_NS + 1,
                  usage=usage, input="why", output="because", attributes={"depth": 2}),
        SpanEnded(**shared, span_id="3" * 16, parent_span_id="1" * 16, name="fetch", start_time=BASE_NS + 2,
                  status="failed", error_type="OSError", error_message="gone", error_stack="line 1", input=[1, "x"],
                  links=[Link(run_id=RUN, span_id="2" * 16)]),
        SpanEnded(**shared, span_id="4" * 16, parent_span_id="1" * 16, name="stop", start_time=BASE_NS + 3,
                  status="cancelled", reason="enough"),
        SpanStarted(run_id=RUN, span_id="5" * 16, parent_span_id="1" * 16, name="still", start_time=BASE_NS + 4),
        Event(run_id=RUN, span_id="2" * 16, time=BASE_NS + 7, kind="checkpoint", name="page", body={"page": 12}),
    ])  # fmt: skip
    return server


def test_run_of_our_own_api_keeps_what_other_tools_have_words_for(recorded: Server, fresh: Server) -> None:
    reimported(recorded, fresh, [RUN])
    kept = (
        "run_id, span_id, parent_span_id, name, kind, status, start_time, end_time, agent, session_id, user_id, tags, "
        "model, input_tokens, output_tokens, cache_read_tokens, cost_usd, cost_source, error_stack, input, output"
    )
    query = f"SELECT {kept} FROM spans WHERE span_id <> '{'2' * 16}' ORDER BY span_id"
    assert fresh.rows(query) == recorded.rows(query)
    call = f"SELECT {kept.removesuffix(', input, output')} FROM spans WHERE run_id = '{RUN}' AND kind = 'llm'"
    assert fresh.rows(call) == recorded.rows(call)
    told = "SELECT error_type, error_message FROM spans WHERE run_id = '" + RUN + "' AND status = 'failed'"
    assert fresh.rows(told) == [["OSError", "gone"]]


def test_checkpoints_go_along_as_events(recorded: Server, fresh: Server) -> None:
    reimported(recorded, fresh, [RUN])
    query = "SELECT name, attributes->>'$.\"milepost.kind\"' FROM events WHERE run_id = '" + RUN + "'"
    assert fresh.rows(query) == [["page", "checkpoint"]]


def test_pictures_hold_every_span_of_the_run(recorded: Server) -> None:
    trace = recorded.get(f"/api/runs/{RUN}/export", format="chrome")["traceEvents"]
    assert [event["name"] for event in trace if event["ph"] == "X"] == ["report", "ask", "fetch", "stop", "still"]
    assert [event["ph"] for event in trace if event["name"] == "link"] == ["s", "f"]
    file = recorded.get(f"/api/runs/{RUN}/export", format="speedscope")
    assert sum(check_profile(profile, len(file["shared"]["frames"])) for profile in file["profiles"]) == 5


def test_summary_tells_the_run_on_a_page(recorded: Server) -> None:
    answer = recorded.client.get(f"/api/runs/{RUN}/export", params={"format": "markdown"})
    assert answer.headers["content-type"].startswith("text/markdown")
    assert answer.headers["content-disposition"] == f'attachment; filename="{RUN}.md"'
    for part in ("# report", "- Cost: $0.5", "- fetch (task, failed", "- **fetch**: OSError: gone", '{"ok":true}'):
        assert part in answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [(f"{'0' * 32}/export", 404), ("nothex/export", 400), (f"{RUN}/export?format=pdf", 400),
     (f"{RUN}/export?budget=1", 400)],
)  # fmt: skip
def test_what_cannot_be_exported_is_refused(recorded: Server, path: str, status: int) -> None:
    answer = recorded.client.get(f"/api/runs/{path}")
    assert answer.status_code == status
    assert json.loads(answer.content)["detail"]
