"""The collector's HTTP API as the commands use it; every failure becomes one clear line and exit code 1."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from milepost._http import BlockingSender
from milepost.errors import ApiError
from milepost.resources import Agents, Budgets, Feedback, Limits, Schedules, Scores, Tasks, Teams, Triggers, Webhooks
from milepost.resources._exchange import Flow, Patience
from milepost.resources._operation import Operation, query_of
from milepost_collector.cli.groups import as_click_error

T = TypeVar("T")
ARROW_STREAM = "application/vnd.apache.arrow.stream"
TIMEOUT_S = 60.0
# A person who typed the wrong address wants to know at once; a collector that is busy is worth a second try.
PATIENCE = Patience(max_retries=3, when_unreached=False)


class CollectorClient:
    """A connection to one collector, used from one thread; the command that made it closes it when it ends.

    get, post and post_for_arrow raise click.ClickException with a remedy when the collector is away, refuses, or is
    something else; the resources raise ApiError, of which `ControlGroup` makes the same.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint.rstrip("/")
        check_address(self.endpoint)
        self._sender = BlockingSender(self.endpoint, TIMEOUT_S, PATIENCE)
        if (context := click.get_current_context(silent=True)) is not None:
            context.call_on_close(self._sender.close)
        self.tasks = Tasks(self._sender)
        self.schedules = Schedules(self._sender)
        self.triggers = Triggers(self._sender)
        self.agents = Agents(self._sender)
        self.teams = Teams(self._sender)
        self.budgets = Budgets(self._sender)
        self.limits = Limits(self._sender)
        self.scores = Scores(self._sender)
        self.feedback = Feedback(self._sender)
        self.webhooks = Webhooks(self._sender)

    def get(self, path: str, answer: type[T], **params: Any) -> T:
        """GET a JSON answer; parameters that are None or empty are left out."""
        operation = Operation(method="GET", path=path, answer=answer, query=query_of(params), repeatable=True)
        return self._send(operation)

    def post(self, path: str, body: Any, answer: type[T]) -> T:
        """POST a value as JSON and return the JSON answer."""
        return self._send(Operation(method="POST", path=path, answer=answer, body=body))

    def post_for_arrow(self, path: str, body: Any) -> bytes:
        """POST a value as JSON and return the answer as an Arrow IPC stream."""
        return self._send(Operation(method="POST", path=path, answer=bytes, body=body, accept=ARROW_STREAM))

    def follow(self, flow: Callable[[Callable[[Operation[Any]], Flow[Any]]], Flow[T]]) -> T:
        """Carry out a flow that asks again and again; it gets how to ask. Raises ApiError, as the resources do."""
        return self._sender.run(flow(self._sender.ask))

    def is_ready(self) -> bool:
        """Tell whether a collector answers and is ready; never raises for one that is away."""
        try:
            self._sender.send(Operation(method="GET", path="/readyz", answer=bytes))
        except ApiError:
            return False
        return True

    def _send(self, operation: Operation[T]) -> T:
        with _one_line_errors():
            return self._sender.send(operation)


def person() -> str | None:
    """Return the name of who is at the terminal, to be kept with what they do; None if the system knows none."""
    try:
        return getpass.getuser()[:200]
    except (OSError, KeyError, ImportError):  # no such variable, and the user's number has no name (or there are none)
        return None


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except ApiError as error:
        raise as_click_error(error) from error


def check_address(endpoint: str) -> None:
    """Raise click.UsageError when an endpoint is not an address of HTTP."""
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.UsageError(f"endpoint {endpoint!r} is not an http:// or https:// address")
