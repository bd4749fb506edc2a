"""What happens to asks, of runs and of tasks, on the live stream."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from milepost_collector.traces import feed
from tests.collector.managed.facts import House, ask_event
from tests.collector.server import Server
from tests.collector.web.test_live import messages


def post(server: Server, path: str, **body: Any) -> Any:
    answer = server.client.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


def ask(server: Server, **fields: Any) -> str:
    """Ask on behalf of a run that no task stands behind, one of its own, and return the ask's id."""
    made: str = post(server, "/api/asks", **{"run_id": secrets.token_hex(16), "key": "k", "title": "?", **fields})["id"]
    return made


@contextmanager
def told(server: Server, **wanted: Any) -> Iterator[Iterator[dict[str, Any]]]:
    """Follow the stream and give the events of asks it tells, one by one."""
    with server.client.stream("GET", "/api/live", params={"asks": 1, **wanted}) as answer:
        stream = messages(answer)
        assert next(stream)["event"] == "hello"
        yield (event for message in stream if message["event"] == "asks" for event in events_of(message))


def events_of(message: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(message["data"])["events"]
    return found


def test_everything_that_happens_to_an_ask_of_a_run_is_told(server: Server) -> None:
    run_id = secrets.token_hex(16)
    with told(server) as events:
        ask_id = ask(server, run_id=run_id, approvers=["ann", "bob"], quorum=2)
        opened = next(events)
        assert opened == {"ask_id": ask_id, "event": "opened", "time": opened["time"], "run_id": run_id}
        post(server, f"/api/asks/{ask_id}/received", by="ann")
        assert (next(events)["event"]) == "received"
        post(server, f"/api/asks/{ask_id}/delegate", to=["ann", "cleo"], by="bob")
        delegated = next(events)
        assert (delegated["event"], delegated["by"], delegated["reason"]) == ("delegated", "bob", "to ann, cleo")
        post(server, f"/api/asks/{ask_id}/decide", decision="approve", by="ann")
        assert (next(events)["event"]) == "decided"
        post(server, f"/api/asks/{ask_id}/decide", decision="approve", by="cleo")
        assert (next(events)["event"]) == "approved"


def test_expiry_is_told_by_itself(server: Server) -> None:
    with told(server) as events:
        ask_id = ask(server, timeout_ms=100)
        assert [(event["ask_id"], event["event"]) for event in (next(events), next(events))] == [
            (ask_id, "opened"), (ask_id, "expired"),
        ]  # fmt: skip


def test_events_are_told_beside_whatever_else_is_followed(server: Server) -> None:
    with told(server, run_id="cd" * 16) as events:
        ask_id = ask(server)
        assert next(events)["ask_id"] == ask_id


def test_reader_that_follows_from_an_answer_s_position_misses_nothing(server: Server) -> None:
    position = server.client.get("/api/runs", params={"live": 1}).headers["Milepost-Live-Position"]
    ask_id = ask(server)
    with server.client.stream("GET", "/api/live", params={"asks": 1, "runs": 1, "last_event_id": position}) as answer:
        stream = messages(answer)
        assert next(stream)["event"] == "hello"
        assert [event["ask_id"] for event in events_of(next(stream))] == [ask_id]


async def test_more_than_a_list_would_be_is_told_as_a_reset(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MAX_FACTS_PER_TICK", 3)
    stream = house.ingest.feed.subscribe(runs=False, run_id=None, last_event_id=None, asks=True)
    assert (await anext(stream)).event == "hello"
    await house.record(asks=[ask_event(number) for number in range(4)])
    assert (await anext(stream)).event == "reset"
    await house.record(asks=[ask_event(5)])
    assert (await anext(stream)).event == "asks"
    await stream.aclose()  # type: ignore[attr-defined]  # an async generator in fact
