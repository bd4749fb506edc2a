"""Batches of tasks: what is asked of them, and the handles that `create_many` returns."""

from __future__ import annotations

import time
from collections.abc import Callable

from milepost.errors import BatchTimeoutError, UnavailableError
from milepost.resources._bound import AsyncSender, Sender
from milepost.resources._exchange import Flow, Sleep
from milepost.resources._operation import Operation, path_of, query_of
from milepost.resources._wait import LONGEST_AWAY_S, poll_delay_s
from milepost.wire.batches import BatchAnswer, BatchList, BatchProgress

__all__ = ["AsyncBatch", "Batch", "get", "list_batches", "waiting"]


def get(batch: str) -> Operation[BatchProgress]:
    """Return how far a batch is.

    Raises:
        NotFoundError: there is no such batch.
    """
    return Operation(method="GET", path=path_of("batches", batch), answer=BatchProgress, repeatable=True)


def list_batches(*, limit: int = 50) -> Operation[BatchList]:
    """Return the newest batches, and how far they are. limit: 200 at most."""
    return Operation(
        method="GET", path=path_of("batches"), answer=BatchList, query=query_of({"limit": limit}), repeatable=True
    )


def waiting(
    batch: str,
    *,
    timeout_s: float | None,
    ask: Callable[[Operation[BatchProgress]], Flow[BatchProgress]],
    clock: Callable[[], float],
    told: Callable[[BatchProgress], None] | None = None,
) -> Flow[BatchProgress]:
    """Ask for a batch until all of it is finished, and return how it ended. told: gets what is seen on the way.

    Raises:
        BatchTimeoutError: it is not finished after timeout_s.
        UnavailableError: the collector was away for a minute, or until the timeout.
    """
    operation, began = get(batch), clock()
    answered = began
    while True:
        seen: BatchProgress | None = None
        try:
            seen = yield from ask(operation)
            answered = clock()
        except UnavailableError:
            if clock() - answered > LONGEST_AWAY_S or (timeout_s is not None and clock() - began >= timeout_s):
                raise
        if seen is not None and told is not None:
            told(seen)
        if seen is not None and seen.finished >= seen.total:
            return seen
        waited = clock() - began
        if seen is not None and timeout_s is not None and waited >= timeout_s:
            raise BatchTimeoutError(seen, timeout_s)
        yield Sleep(poll_delay_s(waited, timeout_s))


class Batch:
    """Tasks that were made together. id: of the batch. ids: of the tasks, in the order in which they were given."""

    def __init__(self, sender: Sender, made: BatchAnswer) -> None:
        """Made by `client.tasks.create_many`."""
        self._sender = sender
        self.id, self.ids = made.batch, made.ids

    def progress(self) -> BatchProgress:
        """Return how far it is.

        Raises:
            UnavailableError: the collector is away or overloaded.
        """
        return self._sender.send(get(self.id))

    def wait(
        self, *, timeout_s: float | None = None, told: Callable[[BatchProgress], None] | None = None
    ) -> BatchProgress:
        """Wait until all of its tasks are finished, however they end, and return how many ended how.

        timeout_s: None: as long as it takes. told: is called with what is seen on the way.

        Raises:
            BatchTimeoutError: it is not finished after timeout_s; it goes on.
        """
        flow = waiting(self.id, timeout_s=timeout_s, ask=self._sender.ask, clock=time.monotonic, told=told)
        return self._sender.run(flow)

    def __repr__(self) -> str:
        return f"Batch({self.id!r}, {len(self.ids)} tasks)"


class AsyncBatch:
    """Tasks that were made together. id: of the batch. ids: of the tasks, in the order in which they were given."""

    def __init__(self, sender: AsyncSender, made: BatchAnswer) -> None:
        """Made by `client.tasks.create_many`."""
        self._sender = sender
        self.id, self.ids = made.batch, made.ids

    async def progress(self) -> BatchProgress:
        """Return how far it is.

        Raises:
            UnavailableError: the collector is away or overloaded.
        """
        return await self._sender.send(get(self.id))

    async def wait(
        self, *, timeout_s: float | None = None, told: Callable[[BatchProgress], None] | None = None
    ) -> BatchProgress:
        """Wait until all of its tasks are finished, however they end, and return how many ended how.

        timeout_s: None: as long as it takes. told: is called with what is seen on the way.

        Raises:
            BatchTimeoutError: it is not finished after timeout_s; it goes on.
        """
        flow = waiting(self.id, timeout_s=timeout_s, ask=self._sender.ask, clock=time.monotonic, told=told)
        return await self._sender.run(flow)

    def __repr__(self) -> str:
        return f"AsyncBatch({self.id!r}, {len(self.ids)} tasks)"
