"""What `Client` asks the collector, beside what it records: its resources, over connections of their own."""

from __future__ import annotations

from milepost._config import Config
from milepost._http import BlockingSender
from milepost.resources import (
    Agents,
    Asks,
    Budgets,
    Feedback,
    Limits,
    Runs,
    Schedules,
    Scores,
    Tasks,
    Teams,
    Triggers,
    Webhooks,
    _runs,
)
from milepost.resources.answers import SqlResult

__all__ = ["Control"]


class Control:
    """Every resource of a client. May be used from any thread; not across a fork."""

    def __init__(self, config: Config) -> None:
        self._sender = BlockingSender(config.endpoint, config.request_timeout_ms / 1_000)
        self.tasks = Tasks(self._sender)
        self.asks = Asks(self._sender)
        self.schedules = Schedules(self._sender)
        self.triggers = Triggers(self._sender)
        self.agents = Agents(self._sender)
        self.teams = Teams(self._sender)
        self.budgets = Budgets(self._sender)
        self.limits = Limits(self._sender)
        self.runs = Runs(self._sender)
        self.scores = Scores(self._sender)
        self.feedback = Feedback(self._sender)
        self.webhooks = Webhooks(self._sender)

    def sql(self, query: str, limit: int | None) -> SqlResult:
        """Return the answer to one SELECT."""
        return self._sender.send(_runs.sql(query, limit=limit))

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        self._sender.close()
