"""The client for asyncio: asks the collector what `Client` asks it, without blocking the event loop."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from milepost._client import default_client
from milepost._config import Config
from milepost._process import importing

if TYPE_CHECKING:
    from milepost.resources import (
        AsyncAgents,
        AsyncAsks,
        AsyncBudgets,
        AsyncFeedback,
        AsyncLimits,
        AsyncRuns,
        AsyncSchedules,
        AsyncScores,
        AsyncTasks,
        AsyncTeams,
        AsyncTriggers,
        AsyncWebhooks,
    )
    from milepost.resources.answers import SqlResult

__all__ = ["AsyncClient"]


class AsyncClient:
    """Asks the collector about tasks, schedules, agents, limits and runs, and hands it work; every method is awaited.

    Without settings it asks the collector of the process-wide client, that `init` or the environment named. Runs are
    recorded with `milepost.start_run` and its like, which do not block. For one event loop, and any of its tasks;
    `async with` or `aclose` closes its connections.

    Raises:
        ConfigurationError: a setting is malformed or out of range.
    """

    def __init__(self, *, endpoint: str | None = None, request_timeout_ms: int | None = None) -> None:
        with importing():
            from milepost._http import AwaitedSender
            from milepost.resources import (
                AsyncAgents,
                AsyncAsks,
                AsyncBudgets,
                AsyncFeedback,
                AsyncLimits,
                AsyncRuns,
                AsyncSchedules,
                AsyncScores,
                AsyncTasks,
                AsyncTeams,
                AsyncTriggers,
                AsyncWebhooks,
            )

        config = _config(endpoint, request_timeout_ms)
        self._sender = AwaitedSender(config.endpoint, config.request_timeout_ms / 1_000)
        self._tasks = AsyncTasks(self._sender)
        self._asks = AsyncAsks(self._sender)
        self._schedules = AsyncSchedules(self._sender)
        self._triggers = AsyncTriggers(self._sender)
        self._agents = AsyncAgents(self._sender)
        self._teams = AsyncTeams(self._sender)
        self._budgets = AsyncBudgets(self._sender)
        self._limits = AsyncLimits(self._sender)
        self._runs = AsyncRuns(self._sender)
        self._scores = AsyncScores(self._sender)
        self._feedback = AsyncFeedback(self._sender)
        self._webhooks = AsyncWebhooks(self._sender)

    @property
    def tasks(self) -> AsyncTasks:
        """Managed tasks: create, follow, steer and wait for them."""
        return self._tasks

    @property
    def asks(self) -> AsyncAsks:
        """What tasks and runs put to people: decide, answer, wait for."""
        return self._asks

    @property
    def schedules(self) -> AsyncSchedules:
        """Schedules, and what became of their instants."""
        return self._schedules

    @property
    def triggers(self) -> AsyncTriggers:
        """Triggers: webhooks and events that make tasks, and what became of each."""
        return self._triggers

    @property
    def agents(self) -> AsyncAgents:
        """Agents, their workers and what waits for them."""
        return self._agents

    @property
    def teams(self) -> AsyncTeams:
        """Teams of agents."""
        return self._teams

    @property
    def budgets(self) -> AsyncBudgets:
        """Budgets: what tasks may use, and have used."""
        return self._budgets

    @property
    def limits(self) -> AsyncLimits:
        """How much may run at once, or begin in a stretch of time."""
        return self._limits

    @property
    def runs(self) -> AsyncRuns:
        """Recorded runs."""
        return self._runs

    @property
    def scores(self) -> AsyncScores:
        """Judgements of recorded work by a measure."""
        return self._scores

    @property
    def feedback(self) -> AsyncFeedback:
        """What people think of recorded work."""
        return self._feedback

    @property
    def webhooks(self) -> AsyncWebhooks:
        """Who is told what happens."""
        return self._webhooks

    async def sql(self, query: str, *, limit: int | None = None) -> SqlResult:
        """Ask with SQL: one read-only SELECT in DuckDB's dialect. limit: rows at most; None: the collector's own limit.

        Raises:
            InvalidRequestError: it is not one SELECT, or names what there is not.
        """
        from milepost.resources import _runs

        return await self._sender.send(_runs.sql(query, limit=limit))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sender.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.aclose()


def _config(endpoint: str | None, request_timeout_ms: int | None) -> Config:
    if endpoint is None and request_timeout_ms is None:
        return default_client().config
    return Config.from_env(endpoint=endpoint, request_timeout_ms=request_timeout_ms)
