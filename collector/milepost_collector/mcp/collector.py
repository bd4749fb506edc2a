"""The collector as the tools ask it."""

from __future__ import annotations

from typing import Any, TypeVar

from milepost._http import AwaitedSender
from milepost.resources import AsyncAsks, AsyncTasks
from milepost.resources._exchange import Patience
from milepost.resources._operation import Operation, path_of, query_of
from milepost_collector.protocol.api import SqlRequest, SqlResult

T = TypeVar("T")
TIMEOUT_S = 60.0


class Collector:
    """A connection to one collector, for one event loop. Every method raises ApiError with what the collector said."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint.rstrip("/")
        self._sender = AwaitedSender(self.endpoint, TIMEOUT_S, Patience(max_retries=2, when_unreached=False))
        self.tasks = AsyncTasks(self._sender)
        self.asks = AsyncAsks(self._sender)

    async def get(self, *path: str, answer: type[T], **params: Any) -> T:
        """GET `/api/…`; parameters that are None or empty are left out."""
        return await self._sender.send(
            Operation(method="GET", path=path_of(*path), answer=answer, query=query_of(params), repeatable=True)
        )

    async def sql(self, query: str, limit: int) -> SqlResult:
        """Return the rows of one read-only SELECT."""
        body = SqlRequest(sql=query, limit=limit)
        return await self._sender.send(Operation(method="POST", path="/api/sql", answer=SqlResult, body=body))

    async def close(self) -> None:
        """Close the connections."""
        await self._sender.close()
