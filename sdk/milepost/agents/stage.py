"""Where handlers run: synchronous ones in threads, asynchronous ones on one event loop in a thread of its own.

The threads are daemons: code that will not stop must not keep the process from exiting. Those of
`concurrent.futures` are joined at the exit.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import threading
from collections.abc import Callable, Coroutine
from queue import SimpleQueue
from typing import Any

__all__ = ["Stage"]

logger = logging.getLogger("milepost.agents")

Job = Callable[[], None]


class Stage:
    """Runs jobs in at most `size` threads, made when they are needed, and coroutines on a loop. One thread gives work.

    Every job and coroutine gets a copy of the context in which the stage was made.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._context = contextvars.copy_context()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself holds them weakly

    def run(self, job: Job) -> None:
        """Run a job in a thread as soon as one is free."""
        self._jobs.put(job)
        if not self._idle.acquire(blocking=False) and self._threads < self._size:
            self._threads += 1
            threading.Thread(target=self._work, name=f"milepost-handler-{self._threads}", daemon=True).start()

    def run_async(self, make: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine on the loop, beside the others there."""
        loop = self._loop or self._start_loop()
        loop.call_soon_threadsafe(self._spawn, loop, make)

    def close(self) -> None:
        """Have idle threads and the loop end; what they are at is left to itself."""
        for _ in range(self._threads):
            self._jobs.put(None)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._context.copy().run(job)
            except Exception:
                logger.exception("a handler's thread goes on after an error of the worker's own")
            del job  # the next may be long in coming, and this one holds its input
            self._idle.release()

    def _spawn(self, loop: asyncio.AbstractEventLoop, make: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = loop.create_task(make(), context=self._context.copy())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _start_loop(self) -> asyncio.AbstractEventLoop:
        loop = self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._run_loop, args=(loop,), name="milepost-loop", daemon=True).start()
        return loop

    def _run_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
        finally:
            with contextlib.suppress(RuntimeError):  # a coroutine that does not stop keeps its generators open
                loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
