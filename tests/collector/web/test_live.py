"""The live stream over a socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import httpx
import pytest

from milepost.wire import SpanEnded, SpanStarted
from milepost_collector.traces.feed import LiveMessage
from milepost_collector.web.live import encode_message, event_stream
from tests.collector.server import Server, StartServer

RUN = "ab" * 16
STARTED = SpanStarted(run_id=RUN, span_id="1" * 16, name="report", start_time=1_790_000_000_000_000_000)


def messages(answer: httpx.Response) -> Iterator[dict[str, str]]:
    """Yield events but for pings, which come whenever nothing else does for a while."""
    return (event for event in events(answer) if event["event"] != "ping")


def events(answer: httpx.Response) -> Iterator[dict[str, str]]:
    """Yield events as {"id", "event", "data"}; comments are left out."""
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield fields
            fields = {}


def test_stream_tells_of_a_span_after_its_commit(server: Server) -> None:
    run_id = "a5" * 16
    report = SpanStarted(run_id=run_id, span_id="1" * 16, name="report", start_time=1_790_000_000_000_000_000)
    with server.client.stream("GET", "/api/live", params={"runs": 1, "run_id": run_id}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        stream = messages(answer)
        assert next(stream)["event"] == "hello"
        server.send([report])
        told: dict[str, str] = {}
        while "spans" not in told or f'"run_id":"{run_id}"' not in told.get("runs", ""):  # other runs are told, too
            message = next(stream)
            told[message["event"]] = message["data"]
    assert told.keys() == {"runs", "spans"}
    assert '"name":"report"' in told["spans"]


def test_reader_that_comes_back_gets_what_it_missed(server: Server) -> None:
    run_id = "cd" * 16
    with server.client.stream("GET", "/api/live", params={"run_id": run_id}) as answer:
        last = next(messages(answer))["id"]
    server.send([SpanStarted(run_id=run_id, span_id="2" * 16, name="missed", start_time=1_790_000_000_000_000_000)])
    headers = {"Last-Event-ID": last}
    with server.client.stream("GET", "/api/live", params={"run_id": run_id}, headers=headers) as answer:
        stream = messages(answer)
        assert next(stream)["event"] == "hello"
        assert '"name":"missed"' in next(stream)["data"]


def test_reader_of_another_collector_is_told_to_start_anew(server: Server) -> None:
    with server.client.stream("GET", "/api/live?runs=1", headers={"Last-Event-ID": "feedbeef-7"}) as answer:
        stream = messages(answer)
        assert [next(stream)["event"], next(stream)["event"]] == ["hello", "reset"]


@pytest.mark.parametrize("query", ["run_id=x", "runs=maybe", "nope=1"])
def test_stream_with_wrong_parameters_is_refused(server: Server, query: str) -> None:
    assert server.client.get(f"/api/live?{query}").status_code == 400


def test_server_stops_within_two_seconds_with_open_streams(start_server: StartServer) -> None:
    stopping = start_server()
    with ExitStack() as open_streams:
        client = open_streams.enter_context(httpx.Client(base_url=stopping.url))
        for _ in range(3):
            answer = open_streams.enter_context(client.stream("GET", "/api/live?runs=1"))
            assert next(messages(answer))["event"] == "hello"
        begin = time.monotonic()
        stopping.stop()
        assert time.monotonic() - begin < 2


async def silence() -> AsyncIterator[LiveMessage]:
    yield LiveMessage("a-1", "hello", b"{}")
    await asyncio.Event().wait()


async def test_silent_stream_gets_pings_and_ends_when_told() -> None:
    stopping = asyncio.Event()
    stream = event_stream(silence(), stopping, keep_alive_s=0.01)
    assert await anext(stream) == b"id: a-1.0\nevent: hello\ndata: {}\n\n"
    assert await anext(stream) == b"id: a-1.1\nevent: ping\ndata: {}\n\n"
    assert (await anext(stream)).startswith(b"id: a-1.2\n")
    stopping.set()
    assert [piece async for piece in stream] == []


async def test_stream_ends_with_its_feed() -> None:
    async def short() -> AsyncIterator[LiveMessage]:
        yield LiveMessage("a-1", "hello", b"{}")

    pieces = [piece async for piece in event_stream(short(), asyncio.Event(), keep_alive_s=5)]
    assert [piece.split(b"\n")[1] for piece in pieces] == [b"event: hello", b"event: ping"]


def test_message_is_one_event() -> None:
    message = LiveMessage("b-2", "runs", b'{"a":1}')
    assert encode_message(message, 5) == b'id: b-2.5\nevent: runs\ndata: {"a":1}\n\n'


def test_reader_that_asks_again_and_again_misses_nothing(server: Server) -> None:
    run_id = "c0" * 16
    asked = {"run_id": run_id, "follow": 0}
    first = list(events(server.client.get("/api/live", params=asked)))
    assert [message["event"] for message in first] == ["hello", "ping"]
    told: list[str] = []
    last = first[-1]["id"]
    for number in range(3):
        name = f"part {number}"
        server.send(
            [SpanStarted(run_id=run_id, span_id=f"{number + 1:016x}", name=name, start_time=1_790_000_000_000_000_000)]
        )
        while not any(name in data for data in told):
            answer = list(events(server.client.get("/api/live", params={**asked, "last_event_id": last})))
            assert [message["event"] for message in answer[1:-1]] == ["spans"] * (len(answer) - 2)
            told += [message["data"] for message in answer]
            last = answer[-1]["id"]
    assert sum("part" in data for data in told) == 3


def test_span_is_streamed_when_it_ends(server: Server) -> None:
    ended = SpanEnded(run_id="ef" * 16, span_id="3" * 16, name="done", start_time=10**18, end_time=10**18 + 5)
    with server.client.stream("GET", "/api/live", params={"run_id": "ef" * 16}) as answer:
        stream = messages(answer)
        next(stream)
        server.send([ended])
        assert '"status":"completed"' in next(stream)["data"]


@pytest.mark.parametrize("path", ["/api/runs", f"/api/runs/{RUN}", f"/api/runs/{RUN}/spans", f"/api/runs/{RUN}/events"])
def test_answer_names_where_the_stream_goes_on_when_asked_to(server: Server, path: str) -> None:
    server.send([STARTED])
    assert "milepost-live-position" not in server.client.get(path).headers
    position = server.client.get(path, params={"live": 1}).headers["milepost-live-position"]
    other = SpanStarted(
        run_id=RUN, span_id=f"{len(path):016x}", name=f"after {path}", start_time=1_790_000_000_000_000_001
    )
    server.send([other])
    wanted = {"runs": 1, "last_event_id": position} | ({} if path == "/api/runs" else {"run_id": RUN})
    with server.client.stream("GET", "/api/live", params=wanted) as answer:
        stream = messages(answer)
        assert next(stream)["event"] == "hello"
        told = next(stream)
        while path != "/api/runs" and "after" not in told["data"]:
            told = next(stream)
        assert told["event"] in ("runs", "spans")
