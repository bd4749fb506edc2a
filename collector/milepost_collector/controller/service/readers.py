"""Reading beside the writers: a few threads, each question with a snapshot of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from milepost_collector.controller.store.interface import Store, Tx
from milepost_collector.errors import ControllerBusyError

T = TypeVar("T")

THREADS = 3
MAX_WAITING = 500


class Readers:
    """Answers questions off the event loop that it belongs to."""

    def __init__(self, store: Store, *, threads: int = THREADS, max_waiting: int = MAX_WAITING) -> None:
        self._store = store
        self._max_waiting = max_waiting
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="milepost-controller-reader")
        self._waiting = 0

    async def run(self, question: Callable[[Tx], T]) -> T:
        """Return what a function finds in a snapshot of all that is committed.

        Raises:
            ControllerBusyError: too many questions wait already.
            StorageUnavailableError: the store cannot be read.
        """
        if self._waiting >= self._max_waiting:
            raise ControllerBusyError(self._waiting, self._max_waiting)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._store.read, question)
        finally:
            self._waiting -= 1

    def stop(self) -> None:
        """Answer what was asked, then end the threads. Blocks; safe to call twice."""
        self._pool.shutdown()
