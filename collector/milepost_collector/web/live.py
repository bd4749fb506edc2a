"""`GET /api/live`: server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import StreamingResponse

from milepost_collector.traces.feed import LiveMessage
from milepost_collector.web.parameters import LiveParameters, checked_id, parse
from milepost_collector.web.state import services

KEEP_ALIVE_S = 15.0
_COMMENT = b": keep-alive\n\n"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def live(request: Request) -> StreamingResponse:
    """Tell what changes, as it is committed.

    Events: `hello` first; `runs`, summaries of runs that changed (runs=1); `spans` and `events` of one run (run_id=…);
    `tasks`, transitions of managed tasks in their order (tasks=1); `reset`, when something was missed and everything
    has to be fetched anew. A reader that comes back with Last-Event-ID, for the same things and soon enough, is told
    all that it missed. Transitions are told once they are committed and recorded; a task's row in `managed_tasks` and
    its answer from /api/tasks are at least as new.

    A reader that is slow is not waited for: `LiveFeed` keeps a bounded backlog for it and then says `reset`.
    """
    wanted = parse(request.query_params, LiveParameters)
    run_id = checked_id("run_id", wanted.run_id, 32) if wanted.run_id else None
    shared = services(request)
    last_event_id = request.headers.get("last-event-id")
    messages = shared.ingest.feed.subscribe(
        runs=wanted.runs, run_id=run_id, last_event_id=last_event_id, tasks=wanted.tasks
    )
    body = event_stream(messages, shared.stopping, KEEP_ALIVE_S)
    return StreamingResponse(body, media_type="text/event-stream", headers=_HEADERS)


async def event_stream(
    messages: AsyncIterator[LiveMessage], stopping: asyncio.Event, keep_alive_s: float
) -> AsyncIterator[bytes]:
    """Encode messages until they end or `stopping` is set, with a comment after every `keep_alive_s` of silence."""
    stop: asyncio.Future[Any] = asyncio.ensure_future(stopping.wait())
    upcoming: asyncio.Future[Any] | None = None
    async with aclosing(messages):  # type: ignore[type-var]  # an async generator in fact
        try:
            while not stopping.is_set():
                upcoming = upcoming or asyncio.ensure_future(anext(messages))
                await asyncio.wait({upcoming, stop}, timeout=keep_alive_s, return_when=asyncio.FIRST_COMPLETED)
                if not upcoming.done():
                    if not stopping.is_set():
                        yield _COMMENT
                    continue
                message, upcoming = upcoming.result(), None
                yield encode_message(message)
        except StopAsyncIteration:
            return
        finally:
            stop.cancel()
            if upcoming is not None:
                upcoming.cancel()
                await asyncio.gather(upcoming, return_exceptions=True)


def encode_message(message: LiveMessage) -> bytes:
    """Write a message as server-sent events want it; its data is JSON and so has no line break."""
    return f"id: {message.id}\nevent: {message.event}\ndata: ".encode() + message.data + b"\n\n"
