"""Insights say what plain Python says of the same spans, and their SQL gives the same figures at /api/sql."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from milepost.wire import SpanEnded, Usage
from milepost_collector.protocol.insights import Insights
from milepost_collector.protocol.search import parse
from milepost_collector.traces.analysis import InsightsRequest, insights
from milepost_collector.traces.analysis.insights import BUCKETS_MS, MAX_BUCKETS
from milepost_collector.traces.analysis.masking import mask, mask_sql, pattern_of
from milepost_collector.traces.queries.pool import read_only
from tests.collector.queries.stories import BASE_NS, SECOND, recorder, runs
from tests.collector.server import Server

pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
few_examples = settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
RUN = "c0ffee00" * 4


def approx(value: float | None) -> Any:
    return None if value is None else pytest.approx(value, rel=1e-9, abs=1e-12)


def total(values: list[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def middle(values: list[float]) -> float | None:
    known = [value for value in values if value is not None]
    return quantiles(known, n=2, method="inclusive")[0] if len(known) > 1 else (known or [None])[0]


def asked(since: int, length: int) -> dict[str, int]:
    return {"since_ns": BASE_NS + since * SECOND, "until_ns": BASE_NS + (since + length) * SECOND}


@few_examples
@given(events=runs(1, 8), since=st.integers(-5, 200), length=st.integers(1, 400))
def test_figures_are_those_of_plain_python(tmp_path: Path, events: list[Any], since: int, length: int) -> None:
    with recorder(tmp_path) as made:
        made.record(events, batch_size=7, sum_up_every=3)
        request = InsightsRequest(by="kind", limit=500, **asked(since, length))
        with made.store.database.reader() as connection, read_only(connection):
            found = insights(connection, request)
            everything = connection.execute("SELECT run_id, span_id FROM uncounted").fetchall()
    counted = [
        one for one in events
        if isinstance(one, SpanEnded) and request.since_ns <= one.start_time < request.until_ns
        and (one.run_id, one.span_id) not in everything
    ]  # fmt: skip
    for group in found.groups:
        spans = [one for one in counted if one.kind == group.key]
        items = [item for one in spans for item in one.usage or ()]
        assert group.count == group.ended == len(spans)
        assert group.succeeded == sum(one.status in ("completed", "skipped") for one in spans)
        assert group.plain_output_tokens == total([item.output_tokens for item in items])
        assert group.p50_ms == approx(middle([(one.end_time - one.start_time) / 1e6 for one in spans]))
    assert {group.key: group.count for group in found.groups} == Counter(one.kind for one in counted)
    check_sums(found, len(counted))


def check_sums(found: Insights, count: int) -> None:
    """Groups, buckets and all together are the same spans."""
    assert found.totals.count == count == sum(group.count for group in found.groups)
    assert sum(bucket.count for bucket in found.series) == count
    assert found.totals.cost_usd == approx(total([bucket.cost_usd for bucket in found.series]))
    assert len(found.series) <= MAX_BUCKETS
    assert sum(bucket.count for bucket in found.group_series) == sum(group.count for group in found.groups[:8])


@given(length_s=st.integers(1, 10**9), wanted=st.none() | st.sampled_from(BUCKETS_MS))
def test_buckets_are_never_too_many(length_s: int, wanted: int | None) -> None:
    request = InsightsRequest(since_ns=BASE_NS, until_ns=BASE_NS + length_s * SECOND, bucket_ms=wanted)
    width = request.width_ms * 1_000_000
    assert request.until_ns // width - request.since_ns // width < MAX_BUCKETS
    assert wanted is None or request.width_ms >= wanted


MESSAGES = (
    "timeout after 30s for /srv/data/a.pdf", "timeout after 1.5s for /home/u/b.pdf",
    "no model 'x-1' at https://a.example/v1?k=1", "no model 'y' at http://b.example", "can't read it", "",
    "request req_8fK2a9Zq1 of 3f2504e0-4f89-11d3-9a0c-0305e82c3301 failed", "a\nb 12,5 \"q\" `r` C:\\x\\y 0xDEADBEEF01",
)  # fmt: skip


def test_like_messages_are_masked_to_the_same() -> None:
    masked = [mask(message) for message in MESSAGES]
    assert masked[:4] == ["timeout after <n> for <path>"] * 2 + ["no model '…' at <url>"] * 2
    assert masked[4:7] == ["can't read it", "", "request <id> of <id> failed"]
    assert masked[7] == 'a\nb <n> "…" `…` <path> <id>'


@settings(max_examples=40, deadline=None)
@given(messages=st.lists(st.sampled_from(MESSAGES) | st.text("a'\"`/._-:19 \n\\é", max_size=20), max_size=8))
def test_database_masks_as_python_does(messages: list[str]) -> None:
    import duckdb

    with duckdb.connect() as connection:
        sql = f"SELECT {mask_sql('m')} FROM (SELECT unnest($messages::VARCHAR[]) AS m)"
        assert [row[0] for row in connection.execute(sql, {"messages": messages}).fetchall()] == [
            mask(message) for message in messages
        ]


@given(message=st.sampled_from(MESSAGES) | st.text("a'\"/1 …<n>", max_size=12))
def test_pattern_of_a_group_finds_its_messages(message: str) -> None:
    expression = ".*".join(re.escape(part) for part in pattern_of(mask(message), is_cut=False).parts)
    assert re.fullmatch(expression, message, re.DOTALL)


@pytest.fixture(scope="module")
def recorded(server: Server) -> Server:
    """Give a server with two runs: calls that cost, calls that fail in like ways."""
    events: list[Any] = []
    for number in range(2):
        run_id = f"{number + 1:032x}"
        events.append(
            SpanEnded(run_id=run_id, span_id=f"{number:015x}f", name="report", kind="agent", agent="writer",
                      start_time=BASE_NS, end_time=BASE_NS + 9 * SECOND)
        )  # fmt: skip
        events += [
            SpanEnded(run_id=run_id, span_id=f"{number:015x}{step + 1}", parent_span_id=f"{number:015x}f", name="ask",
                      kind="llm", start_time=BASE_NS + step * 60 * SECOND, end_time=BASE_NS + (59 + step * 60) * SECOND,
                      status="failed" if step else "completed", error_type="Timeout" if step else None,
                      error_message=f"no answer within {step + number} s" if step else None,
                      usage=[Usage(model="m'1", input_tokens=100, output_tokens=10, cache_read_tokens=60,
                                   cost_usd=0.25)])
            for step in range(3)
        ]  # fmt: skip
    server.send(events)
    return server


WITHIN = {"from": "2026-09-21T14:00:00Z", "to": "2026-09-21T15:00:00Z"}


@pytest.mark.parametrize("by", ["agent", "name", "model", "task", "kind"])
def test_sql_behind_the_figures_gives_the_same_figures(recorded: Server, by: str) -> None:
    found = recorded.get("/api/insights", by=by, **WITHIN)
    for name in ("groups", "series", "group_series", "errors", "expensive", "slowest"):
        rows = recorded.rows(found["sql"][name])
        assert len(rows) == len(found[name])
        place = {"groups": 1, "series": 1, "group_series": 2}.get(name, 2)
        assert [row[place] for row in rows] == [one["count"] for one in found[name]]
    assert recorded.rows(found["sql"]["totals"])[0][0] == found["totals"]["count"]


def test_only_the_parts_that_are_asked_for_are_read(recorded: Server) -> None:
    everything = recorded.get("/api/insights", by="model", **WITHIN)
    found = recorded.get("/api/insights", by="model", part=["totals", "errors"], percentiles="0", **WITHIN)
    assert set(found["sql"]) == {"totals", "errors"}
    assert (found["groups"], found["series"], found["slowest"]) == ([], [], [])
    assert found["errors"] == everything["errors"]
    without = {name: value for name, value in everything["totals"].items() if not name.endswith("_ms")}
    assert found["totals"] == without


@pytest.mark.parametrize("by", ["agent", "name", "model", "task", "kind"])
def test_search_narrows_every_part_to_its_runs(recorded: Server, by: str) -> None:
    search = f"run:{1:032x}"
    everything = recorded.get("/api/insights", by=by, bucket="1m", **WITHIN)
    found = recorded.get("/api/insights", by=by, bucket="1m", q=search, **WITHIN)
    assert 2 * found["totals"]["count"] == everything["totals"]["count"]
    for name in ("groups", "series", "group_series", "errors", "expensive", "slowest"):
        assert [2 * row["count"] for row in found[name]] == [row["count"] for row in everything[name]]
        for row in found[name]:
            runs = recorded.get("/api/runs", q=row["query"])["runs"]
            assert [run["run_id"] for run in runs] == [f"{1:032x}"]
    assert len(recorded.get("/api/runs", q=found["query"])["runs"]) == (by != "task")


def test_errors_are_counted_over_time(recorded: Server) -> None:
    (group,) = recorded.get("/api/insights", part="errors", **WITHIN)["errors"]
    assert (len(group["over_time"]), sum(group["over_time"])) == (24, group["count"])
    assert [count for count in group["over_time"] if count] == [
        2,
        2,
    ]  # at 14:14:20 and 14:15:20; a stretch begins at 14:15


def test_tokens_are_in_buckets_that_do_not_overlap(recorded: Server) -> None:
    (group,) = recorded.get("/api/insights", by="model", **WITHIN)["groups"]
    assert (group["key"], group["count"], group["succeeded"], group["cost_usd"]) == ("m'1", 6, 2, 1.5)
    assert (group["uncached_input_tokens"], group["cache_read_tokens"], group["plain_output_tokens"]) == (240, 360, 60)


def test_like_errors_are_one_group_with_an_example(recorded: Server) -> None:
    (group,) = recorded.get("/api/insights", **WITHIN)["errors"]
    assert (group["message"], group["count"], group["run_count"]) == ("no answer within <n> s", 4, 2)
    assert (group["example"], group["example_run_id"]) == ("no answer within 3 s", f"{2:032x}")


def test_every_query_is_one(recorded: Server) -> None:
    for by in ("agent", "name", "model", "task", "kind"):
        found = recorded.get("/api/insights", by=by, bucket="1m", **WITHIN)
        lists = [found[name] for name in ("groups", "series", "group_series", "errors", "expensive", "slowest")]
        for row in (row for rows in lists for row in rows):
            assert "2026-09-21T14" in row["query"]
            parse(row["query"])


@pytest.mark.parametrize("by", ["agent", "name", "model", "kind"])
def test_queries_lead_to_the_runs_of_their_rows(recorded: Server, by: str) -> None:
    found = recorded.get("/api/insights", by=by, bucket="1m", **WITHIN)
    for name in ("groups", "series", "errors", "expensive", "slowest"):
        assert found[name]
        for row in found[name]:
            assert len(recorded.get("/api/runs", q=row["query"])["runs"]) == 2, row["query"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"from": "now", "to": "now-1h"},
        {"by": "weather"},
        {"bucket": "2m"},
        {"limit": 0},
        {"part": "x"},
        {"q": "colour:red"},
    ],
)
def test_wrong_questions_are_refused(recorded: Server, wrong: dict[str, Any]) -> None:
    assert recorded.client.get("/api/insights", params=wrong).status_code == 400
