"""Sessions over HTTP: what the runs of each come to, in any order, page by page."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from milepost.wire import SpanEnded, SpanStarted, Usage
from milepost_collector.traces.queries.sessions import SESSION_SORT_KEYS
from tests.collector.server import Server

BASE_NS = 1_790_000_000_000_000_000
MINUTE = 60 * 10**9


def run(number: int, session: str | None, **more: Any) -> SpanEnded:
    """Return the only span of a run that starts in the given minute and takes a second."""
    start = BASE_NS + number * MINUTE
    given = {"start_time": start, "end_time": start + 10**9, "agent": "writer", "session_id": session, **more}
    return SpanEnded(run_id=f"{number:032x}", span_id=f"{number:016x}", name=f"turn {number}", **given)


def used(tokens: int, cost: float) -> list[Usage]:
    """Return the usage of one call."""
    return [Usage(model="m", input_tokens=tokens, output_tokens=1, cost_usd=cost)]


@pytest.fixture(scope="module")
def recorded(server: Server) -> Server:
    """Give a server that knows three sessions and a run without one."""
    server.send(
        [
            run(1, "chat", usage=used(100, 0.25), user_id="ada"),
            run(2, "chat", usage=used(50, 0.5), status="failed"),
            run(3, "chat", agent="reader", kind="agent"),
            run(4, "batch", usage=used(900, 0.1)),
            run(5, None),
            SpanStarted(run_id="f" * 32, span_id="f" * 16, name="open", start_time=BASE_NS, session_id="live"),
        ]
    )
    return server


def sessions(server: Server, **query: Any) -> list[dict[str, Any]]:
    """Return a page of sessions."""
    found: list[dict[str, Any]] = server.get("/api/runs/sessions", **query)["sessions"]
    return found


def test_session_sums_its_runs_up(recorded: Server) -> None:
    chat = next(one for one in sessions(recorded) if one["session_id"] == "chat")
    assert chat == {
        "session_id": "chat", "run_count": 3, "start_time": "2026-09-21T14:14:20.000000000Z",
        "last_time": "2026-09-21T14:16:20.000000000Z", "end_time": "2026-09-21T14:16:21.000000000Z",
        "status": "completed", "name": "turn 3", "statuses": {"completed": 2, "failed": 1},
        "agents": ["reader", "writer"], "users": ["ada"], "error_count": 1, "input_tokens": 150, "output_tokens": 2,
        "cache_read_tokens": None, "cost_usd": 0.75, "unpriced_count": 0,
    }  # fmt: skip


def test_session_of_a_running_run_has_no_end(recorded: Server) -> None:
    live = next(one for one in sessions(recorded) if one["session_id"] == "live")
    assert (live["status"], live["end_time"], live["cost_usd"]) == ("running", None, None)


def test_only_runs_that_are_asked_for_count(recorded: Server) -> None:
    (chat,) = sessions(recorded, q="status:failed")
    assert (chat["session_id"], chat["run_count"], chat["cost_usd"]) == ("chat", 1, 0.5)
    assert sessions(recorded, q="agent:nobody") == []


@pytest.mark.parametrize("sort", [sign + key for key in SESSION_SORT_KEYS for sign in ("", "-")])
def test_pages_hold_every_session_once_in_order(recorded: Server, sort: str) -> None:
    whole = sessions(recorded, sort=sort)
    paged: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        answer = recorded.get("/api/runs/sessions", sort=sort, limit=1, cursor=cursor)
        paged += answer["sessions"]
        cursor = answer["next_cursor"]
    assert paged == whole
    assert len(whole) == 3
    values = [one.get(sort.removeprefix("-")) for one in whole]
    known = [value for value in values if value is not None]
    assert values == known + [None] * (len(values) - len(known))
    assert all((a >= b) if sort.startswith("-") else (a <= b) for a, b in pairwise(known))


def test_sql_finds_the_same_sessions(recorded: Server) -> None:
    answer = recorded.get("/api/runs/sessions", sort="-cost_usd", limit=2)
    assert [row[0] for row in recorded.rows(answer["sql"])] == [one["session_id"] for one in answer["sessions"]]


@pytest.mark.parametrize("wrong", [{"sort": "colour"}, {"limit": 0}, {"cursor": "x"}, {"q": "stauts:failed"}])
def test_what_cannot_be_asked_is_refused(recorded: Server, wrong: dict[str, Any]) -> None:
    assert recorded.client.get("/api/runs/sessions", params=wrong).status_code == 400
