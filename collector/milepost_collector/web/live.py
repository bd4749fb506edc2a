"""`GET /api/live`: server-sent events."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import StreamingResponse

from milepost_collector.traces.feed import LiveMessage
from milepost_collector.web.parameters import LiveParameters, checked_id, parse
from milepost_collector.web.state import services

KEEP_ALIVE_S = 10.0
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def live(request: Request) -> StreamingResponse:
    """Tell what changes, as it is committed.

    Events: `hello` first; `runs`, summaries of runs that changed (runs=1); `spans` and `events` of one run (run_id=…);
    `tasks`, transitions of managed tasks in their order (tasks=1); `asks`, what happened to asks (asks=1); `reset`,
    when something was missed and everything has to be fetched anew; `ping`, when there is nothing
    else to tell for a while, and last of all with follow=0. The number after the dot of an id counts the messages of a
    connection, so that a reader sees that one is missing. A reader that comes back with Last-Event-ID, for the same
    things and soon enough, is told all that it missed. Transitions are told once they are committed and recorded; a
    task's row in `managed_tasks` and its answer from /api/tasks are at least as new.

    A reader that is slow is not waited for: `LiveFeed` keeps a bounded backlog for it and then says `reset`.
    """
    wanted = parse(request.query_params, LiveParameters)
    run_id = checked_id("run_id", wanted.run_id, 32) if wanted.run_id else None
    shared = services(request)
    last_event_id = request.headers.get("last-event-id", wanted.last_event_id)
    messages = shared.ingest.feed.subscribe(
        runs=wanted.runs,
        run_id=run_id,
        last_event_id=last_event_id,
        tasks=wanted.tasks,
        asks=wanted.asks,
        follow=wanted.follow,
    )
    body = event_stream(messages, shared.stopping, KEEP_ALIVE_S)
    return StreamingResponse(body, media_type="text/event-stream", headers=_HEADERS)


async def event_stream(
    messages: AsyncIterator[LiveMessage], stopping: asyncio.Event, keep_alive_s: float
) -> AsyncIterator[bytes]:
    """Encode messages, numbered from 0, until they end or `stopping` is set.

    A `ping` follows after every `keep_alive_s` of silence and after the last message; it resumes where that one does.
    """
    stop: asyncio.Future[Any] = asyncio.ensure_future(stopping.wait())
    upcoming: asyncio.Future[Any] | None = None
    ping = LiveMessage("", "ping", b"{}")
    numbers = itertools.count()
    async with aclosing(messages):  # type: ignore[type-var]  # an async generator in fact
        try:
            while not stopping.is_set():
                upcoming = upcoming or asyncio.ensure_future(anext(messages))
                await asyncio.wait({upcoming, stop}, timeout=keep_alive_s, return_when=asyncio.FIRST_COMPLETED)
                if not upcoming.done():
                    if not stopping.is_set():
                        yield encode_message(ping, next(numbers))
                    continue
                message, upcoming = upcoming.result(), None
                ping = LiveMessage(message.id, "ping", b"{}")
                yield encode_message(message, next(numbers))
        except StopAsyncIteration:
            yield encode_message(ping, next(numbers))
        finally:
            stop.cancel()
            if upcoming is not None:
                upcoming.cancel()
                await asyncio.gather(upcoming, return_exceptions=True)


def encode_message(message: LiveMessage, number: int) -> bytes:
    """Write a message as server-sent events want it; its data is JSON and so has no line break."""
    return f"id: {message.id}.{number}\nevent: {message.event}\ndata: ".encode() + message.data + b"\n\n"
