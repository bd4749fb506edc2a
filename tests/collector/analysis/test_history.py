"""One run beside those of its name that went before."""

from __future__ import annotations

from typing import Any

import pytest

from milepost.wire import SpanEnded, Usage
from tests.collector.server import Server

BASE_NS = 1_790_000_000_000_000_000
MS = 1_000_000


def run_of(number: int, steps: dict[str, int]) -> list[SpanEnded]:
    """Return a run with these steps and how many ms they took."""
    run_id, start = f"{number + 1:032x}", BASE_NS + number * 1000 * MS
    root = SpanEnded(run_id=run_id, span_id="f" * 16, name="report", kind="agent", start_time=start,
                     end_time=start + 100 * MS)  # fmt: skip
    return [root, *(
        SpanEnded(run_id=run_id, span_id=f"{place + 1:016x}", parent_span_id="f" * 16, name=name,
                  start_time=start + place, end_time=start + place + length * MS,
                  usage=[Usage(model="m", cost_usd=length / 10)])
        for place, (name, length) in enumerate(steps.items())
    )]  # fmt: skip


@pytest.fixture(scope="module")
def recorded(server: Server) -> Server:
    """Give a server with four runs before one that is slow, has a new step and lacks one."""
    for number in range(4):
        server.send(run_of(number, {"fetch": 10 + number, "check": 5}))
    server.send(run_of(4, {"fetch": 13, "write": 7}))
    return server


def rows(server: Server, **more: Any) -> dict[str, dict[str, Any]]:
    found = server.get("/api/compare/history", run=f"{5:032x}", **more)
    return {" / ".join(row["path"]): row for row in found["rows"]}


def test_step_is_placed_among_those_before(recorded: Server) -> None:
    row = rows(recorded)["report / fetch"]
    assert (row["count"], row["run_count"]) == (1, 4)
    assert row["duration_ms"] == pytest.approx(
        {"value": 13, "low": 10, "median": 11.5, "p90": 12.7, "p99": 12.97, "high": 13, "rank": 0.75}
    )
    assert (row["run_id"], row["span_id"], row["kind"]) == (f"{5:032x}", f"{1:016x}", "task")
    assert row["cost_usd"]["value"] == pytest.approx(1.3)


def test_new_and_missing_steps_are_told(recorded: Server) -> None:
    found = rows(recorded)
    assert found["report / write"]["is_new"]
    check = found["report / check"]
    assert (check["count"], check["run_count"], check["is_missing"]) == (0, 4, True)
    assert check["duration_ms"] == {"low": 5, "median": 5, "p90": 5, "p99": 5, "high": 5}
    assert (check["run_id"], check["span_id"]) == (f"{4:032x}", f"{2:016x}")


def test_only_the_last_runs_before_it_count(recorded: Server) -> None:
    assert rows(recorded, last=1)["report / fetch"]["duration_ms"]["median"] == 13
    first = recorded.get("/api/compare/history", run=f"{1:032x}")
    assert (first["others"], first["truncated"]) == ([], False)


@pytest.mark.parametrize(
    ("asked", "status"), [({}, 400), ({"run": "c" * 32}, 404), ({"run": "c" * 32, "last": 0}, 400)]
)
def test_wrong_questions_are_refused(recorded: Server, asked: dict[str, Any], status: int) -> None:
    assert recorded.client.get("/api/compare/history", params=asked).status_code == status
