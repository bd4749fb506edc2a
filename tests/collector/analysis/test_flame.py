"""Flame pictures: children are within their parents, and sums are those that SQL finds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from milepost.wire import SpanEnded, Usage
from milepost_collector.protocol.flame import Flame
from milepost_collector.traces.analysis import FlameRequest, flame
from milepost_collector.traces.analysis.around import callees, callers
from milepost_collector.traces.analysis.folding import TOP, Spans, fold, self_times, wall_times, without_circles
from milepost_collector.traces.queries import RunFilter, RunIndex
from milepost_collector.traces.queries.pool import read_only
from tests.collector.queries.stories import recorder, runs
from tests.collector.server import Server

pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
quick = settings(max_examples=150, deadline=None)
BASE_NS = 1_790_000_000_000_000_000
MS = 1_000_000


@st.composite
def folded_spans(draw: st.DrawFn) -> Spans:
    """Draw spans by start; some began before their parents, outlive them or overlap."""
    times = sorted(draw(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 15)), max_size=10)))
    count = len(times)
    parents = [draw(st.integers(TOP, count - 1)) for _ in range(count)]
    parents = [TOP if above == place else above for place, above in enumerate(parents)]
    return Spans(
        parents=without_circles(parents),
        keys=[draw(st.integers(0, 2)) for _ in times],
        starts=[start for start, _ in times],
        ends=[start + length for start, length in times],
        amounts=[1.0] * count,
    )


@quick
@given(spans=folded_spans())
def test_wall_time_of_the_top_is_that_of_the_roots(spans: Spans) -> None:
    own = wall_times(spans)
    roots = [place for place, above in enumerate(spans.parents) if above == TOP]
    assert min(own, default=0) >= 0
    assert sum(own) == sum(spans.ends[place] - spans.starts[place] for place in roots)


@quick
@given(spans=folded_spans())
def test_self_time_is_the_time_without_children(spans: Spans) -> None:
    for place, own in enumerate(self_times(spans)):
        inside = range(spans.starts[place], spans.ends[place])
        children = [child for child, above in enumerate(spans.parents) if above == place]
        busy = {at for child in children for at in range(spans.starts[child], spans.ends[child])}
        assert own == len(set(inside) - busy)


@quick
@given(spans=folded_spans())
def test_fold_keeps_every_span_at_its_path(spans: Spans) -> None:
    folded = fold(spans, spans.amounts)
    paths = Counter(path_of(place, spans.parents, spans.keys) for place in range(len(spans.keys)))
    nodes = {path_of(node, folded.parents, folded.keys): count for node, count in enumerate(folded.counts)}
    assert nodes == paths
    assert sum(folded.own) == len(spans.keys)


def path_of(place: int, parents: Any, keys: Any) -> tuple[int, ...]:
    path = []
    while place != TOP:
        path.append(keys[place])
        place = parents[place]
    return tuple(reversed(path))


def check_picture(found: Flame) -> None:
    """Children are after their parents, widest first, and together no wider than them."""
    below: Counter[int | None] = Counter()
    for place, node in enumerate(found.nodes):
        assert node.parent is None or node.parent < place
        below[node.parent] += node.value
    for place, node in enumerate(found.nodes):
        assert below[place] + node.own == pytest.approx(node.value)
    assert below[None] == pytest.approx(found.total)
    assert sum(entry.own for entry in found.table) == pytest.approx(found.total)
    assert all(entry.own <= entry.total * (1 + 1e-9) + 1e-9 for entry in found.table)


SUMS = {
    "cost": "coalesce(sum(cost_usd), 0)",
    "tokens": "coalesce(sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)), 0)",
    "errors": "count(*) FILTER (status IN ('failed', 'lost'))",
}


@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(events=runs(1, 8), by=st.sampled_from(("name", "agent", "model")))
def test_totals_are_those_of_sql(tmp_path: Path, events: list[Any], by: Any) -> None:
    with recorder(tmp_path) as made:
        made.record(events, batch_size=9, sum_up_every=2)
        with made.store.database.reader() as connection, read_only(connection):
            for metric in ("time", "self", "cost", "tokens", "errors"):
                request = FlameRequest(runs=RunFilter(), metric=metric, by=by)  # type: ignore[arg-type]
                found = flame(connection, RunIndex(), request)
                check_picture(found)
                source = "spans" if metric == "errors" else "spans ANTI JOIN uncounted USING (run_id, span_id)"
                if metric in SUMS:
                    expected = connection.execute(f"SELECT {SUMS[metric]} FROM {source}").fetchall()[0][0]
                    assert found.total == pytest.approx(expected)
            ended = connection.execute("SELECT count(*) FROM spans").fetchall()[0][0]
            assert found.span_count == ended == sum(node.count for node in found.nodes)


@pytest.fixture(scope="module")
def recorded(server: Server) -> Server:
    """Give a server with three runs; two of them ask twice, at the same time for a while."""
    for number in range(3):
        run_id = f"{number + 1:032x}"
        times = [(0, 100), (10, 60), (40, 80)]
        server.send(
            SpanEnded(run_id=run_id, span_id=f"{place + 1:016x}", parent_span_id=f"{1:016x}" if place else None,
                      name="ask" if place else "report", kind="llm" if place else "agent", agent=f"agent-{number % 2}",
                      start_time=BASE_NS + (number * 1000 + start) * MS,
                      end_time=BASE_NS + (number * 1000 + end) * MS,
                      usage=[Usage(model="m", input_tokens=10 + place, cost_usd=0.5)] if place else None)
            for place, (start, end) in enumerate(times)
        )  # fmt: skip
    return server


def test_runs_are_folded_by_name(recorded: Server) -> None:
    found = recorded.get("/api/flame", agent="agent-0")
    assert [(node["name"], node["kind"], node["value"], node["count"]) for node in found["nodes"]] == [
        ("report", "agent", 200.0, 2), ("ask", "llm", 140.0, 4),
    ]  # fmt: skip
    assert {entry["name"]: entry["kind"] for entry in found["table"]} == {"report": "agent", "ask": "llm"}
    assert (found["run_count"], found["span_count"], found["is_cut"]) == (2, 6, False)


def test_parallel_work_adds_up_in_self_time(recorded: Server) -> None:
    found = recorded.get("/api/flame", metric="self", agent="agent-1")
    assert [(entry["name"], entry["own"]) for entry in found["table"]] == [("ask", 90.0), ("report", 30.0)]


def test_what_is_cut_is_told_and_the_newest_are_kept(recorded: Server) -> None:
    found = recorded.get("/api/flame", metric="tokens", runs=1)
    assert (found["run_count"], found["is_cut"], found["total"]) == (1, True, 23.0)
    assert recorded.rows(found["run_sql"])[0][0] == f"{3:032x}"


def test_search_chooses_the_runs(recorded: Server) -> None:
    found = recorded.get("/api/flame", q="agent:agent-1 kind:llm", metric="cost", by="model")
    assert [(node["name"], node["value"]) for node in found["nodes"]] == [("(none)", 1.0), ("m", 1.0)]


@quick
@given(spans=folded_spans(), key=st.integers(0, 2))
def test_around_a_key_is_its_outermost_total(spans: Spans, key: int) -> None:
    folded = fold(spans, spans.amounts)
    parts = [path_of(place, spans.parents, spans.keys) for place in range(len(spans.keys))]
    total = sum(key in path for path in parts)
    outermost = [key not in path_of(above, folded.parents, folded.keys) for above in folded.parents]
    below, above = callees(folded, outermost, key), callers(folded, outermost, key, folded.values())
    assert sum(below.own) == total == (above.own[0] if above.own else 0)
    assert all(place > parent for place, parent in enumerate(above.parents))


def test_callers_and_callees_of_a_name_are_told(recorded: Server) -> None:
    found = recorded.get("/api/flame/around", key="ask", agent="agent-1")
    assert [(node["name"], node["value"]) for node in found["callers"]] == [("ask", 70.0), ("report", 70.0)]
    assert [(node["name"], node["value"]) for node in found["callees"]] == [("ask", 70.0)]
    assert recorded.client.get("/api/flame/around", params={"key": "nothing"}).status_code == 400


@pytest.mark.parametrize("wrong", [{"metric": "weather"}, {"by": "kind"}, {"runs": 0}, {"q": "cost>"}])
def test_wrong_questions_are_refused(recorded: Server, wrong: dict[str, Any]) -> None:
    assert recorded.client.get("/api/flame", params=wrong).status_code == 400
