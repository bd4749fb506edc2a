"""`milepost.Agent`: a name, and the functions that do the tasks given to it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, overload

from milepost._config import Config
from milepost.agents.handlers import Handler, HandlerTable
from milepost.agents.traits import Traits
from milepost.errors import ConfigurationError

if TYPE_CHECKING:
    from milepost.agents.worker import Worker

__all__ = ["Agent"]

logger = logging.getLogger("milepost.agents")

F = TypeVar("F", bound=Callable[..., Any])

_LONGEST_NAME = 200
_MOST_SLOTS = 10_000


class Agent:
    """An agent whose tasks this program does.

        agent = milepost.Agent("etl-agent")

        @agent.task("Extract Data")
        def extract(ctx: milepost.TaskContext, url: str) -> dict[str, int]: ...

        agent.serve(concurrency=8)

    Any number of processes may serve the same agent. teams: tasks that name one of these teams are for it too.
    capabilities, labels: what tasks may need of their agent, as `sql` and `{"region": "eu"}`.

    Raises:
        ConfigurationError: a name is empty or longer than 200 characters; a capability or label has a space or `=` in
            it, or more than 100 characters.
    """

    def __init__(
        self,
        name: str,
        *,
        teams: Sequence[str] = (),
        capabilities: Sequence[str] = (),
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self._name = _checked("agent", name)
        self._teams = [_checked("teams", team) for team in ([teams] if isinstance(teams, str) else teams)]
        self._traits = Traits.of(capabilities, labels or {})
        self._handlers = HandlerTable()

    @property
    def name(self) -> str:
        """Its name, under which tasks are given to it."""
        return self._name

    @property
    def teams(self) -> list[str]:
        """The teams it belongs to."""
        return list(self._teams)

    @property
    def capabilities(self) -> list[str]:
        """What it is able to, sorted."""
        return list(self._traits.capabilities)

    @property
    def labels(self) -> dict[str, str]:
        """What tasks may choose it by beside that."""
        return dict(self._traits.labels)

    @property
    def tasks(self) -> list[str]:
        """The names of the tasks that it has handlers for, sorted."""
        return self._handlers.names

    @overload
    def task(self, function: F, /) -> F: ...
    @overload
    def task(self, name: str | None = None, /, *, any: bool = False) -> Callable[[F], F]: ...
    def task(self, name: Any = None, /, *, any: bool = False) -> Any:
        """Declare the function that does the tasks of a name: `@agent.task("Extract Data")`; bare: the function's name.

        any: it does the tasks of every name that has no function of its own.

        The function may be synchronous, and then runs in a thread, or asynchronous, and then runs on an event loop that
        it shares. A parameter `ctx`, or one annotated as `TaskContext`, gets the task's context. One other parameter
        gets the input as a whole, of the type that it is annotated with (msgspec.Struct, dataclass, TypedDict, pydantic
        model, …), or the field of its name if the input is an object with no other; several get the fields of their
        names. What it returns is the task's result, kept as JSON; what it
        raises fails the attempt. The function itself stays as it is.

        Raises:
            ConfigurationError: the name is taken, or the function's parameters cannot be filled from JSON.
        """
        if callable(name):
            return self._declare(name.__name__, name, _locals_of_caller())
        if any and name is not None:
            raise ConfigurationError("task", f"a handler is for {name!r} or for any name, not for both")
        local_names = _locals_of_caller()
        return lambda function: self._declare(
            None if any else function.__name__ if name is None else name, function, local_names
        )

    def _declare(self, name: str | None, function: F, local_names: dict[str, Any]) -> F:
        if name is not None:
            _checked("task", name)
        self._handlers.add(name, Handler(function, local_names))
        return function

    def serve(self, *, concurrency: int = 8, endpoint: str | None = None, drain_timeout_s: float = 30.0) -> None:
        """Take tasks and do them until SIGTERM or SIGINT; then finish what is under way, and return.

        concurrency: attempts at once. endpoint: the collector's address; None: that of `init`, MILEPOST_ENDPOINT or
        the default. drain_timeout_s: what takes longer after the signal is asked to save its state and pause; a second
        signal does so at once. While the collector is away the work goes on, and is reported later. Call it after
        forking, in every process that is to work. In another thread than the main one no signals are handled.

        Raises:
            ConfigurationError: a setting is out of range, the agent has no tasks, or the collector refuses it.
        """
        worker = self._make_worker(concurrency, endpoint)
        with _stopped_by_signals(worker):
            worker.start()
            worker.wait()
            worker.stop(drain_timeout_s)
        if worker.failure is not None:
            raise worker.failure

    def serve_in_background(self, *, concurrency: int = 8, endpoint: str | None = None) -> Worker:
        """Take tasks and do them in threads of this process, and return the worker, which stops as a context manager.

        For tests and for programs with a main thread of their own; signals are theirs to handle. See `serve`.

        Raises:
            ConfigurationError: a setting is out of range, or the agent has no tasks.
        """
        worker = self._make_worker(concurrency, endpoint)
        worker.start()
        return worker

    def _make_worker(self, concurrency: int, endpoint: str | None) -> Worker:
        slots = _checked_slots(concurrency)
        if not len(self._handlers):
            raise ConfigurationError("agent", f"{self._name!r} has no tasks; declare one with @agent.task")
        from milepost.agents.worker import Worker

        address = _recording_endpoint(endpoint)
        return Worker(self._name, self._teams, self._handlers, traits=self._traits, concurrency=slots, endpoint=address)

    def __repr__(self) -> str:
        return f"Agent({self._name!r}, tasks={self.tasks!r})"


def _checked(setting: str, name: object) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
        raise ConfigurationError(setting, f"must be a text of 1 to {_LONGEST_NAME} characters, got {name!r:.300}")
    return name


def _checked_slots(number: object) -> int:
    if type(number) is not int or not 1 <= number <= _MOST_SLOTS:
        raise ConfigurationError("concurrency", f"must be a whole number from 1 to {_MOST_SLOTS}, got {number!r}")
    return number


def _locals_of_caller() -> dict[str, Any]:
    """Return the local names where `@agent.task` stands, by which annotations are understood in functions too."""
    frame = sys._getframe(2)
    return {} if frame.f_locals is frame.f_globals else dict(frame.f_locals)


def _recording_endpoint(endpoint: str | None) -> str:
    """Return the collector's address, and let what is recorded go there too unless that was settled before."""
    from milepost import _client

    if endpoint is None:
        return _client.default_client().config.endpoint
    address = Config.from_env(endpoint=endpoint).endpoint
    if _client._default is None:
        _client.make_default(Config.from_env(endpoint=address))
    elif (recorded := _client._default.config.endpoint) != address:
        logger.warning("tasks come from %s, but runs are recorded at %s as `init` said", address, recorded)
    return address


@contextmanager
def _stopped_by_signals(worker: Worker) -> Iterator[None]:
    """Stop a worker by SIGTERM and SIGINT inside of the block, if this is the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        if worker.is_elsewhere:  # a process that a handler forked is to end by the signal, as it would without us
            signal.signal(number, before[signal.Signals(number)] or signal.SIG_DFL)
            os.kill(os.getpid(), number)
        else:
            worker.ask_to_stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
