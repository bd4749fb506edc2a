"""Clients: what starts runs and tasks, and the one that the module's functions use."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags

from milepost._config import Config, ScrubHook
from milepost._context import OWN_KEY, SPAN_KEY, get_current
from milepost._ids import parse_traceparent
from milepost._process import importing, register, unregister
from milepost._producer import Producer
from milepost._span import BaseSpan, Run, Task, begin_run, begin_task
from milepost.errors import ConfigurationError

if TYPE_CHECKING:  # imported by the first use: recording does without
    from milepost._control import Control
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
    )
    from milepost.resources.answers import SqlResult

__all__ = ["Client", "current_span", "default_client", "make_default", "producer_here", "redirect", "start_task_here"]

logger = logging.getLogger("milepost")


class Client:
    """Starts runs and tasks, explicitly, and asks the collector: hands it tasks and schedules, and follows them.

    Without settings it is a handle on the process-wide client that `init` or the environment configured; with settings
    it has a queue, a thread and a connection of its own. May be used from any thread, and survives a fork.

    Raises:
        ConfigurationError: a setting is malformed or out of range.
    """

    def __init__(
        self,
        *,
        endpoint: str | None = None,
        agent: str | None = None,
        service_name: str | None = None,
        service_version: str | None = None,
        resource_attributes: Mapping[str, str] | None = None,
        capture: bool | None = None,
        disabled: bool | None = None,
        flush_interval_ms: int | None = None,
        flush_events: int | None = None,
        max_queue_events: int | None = None,
        max_queue_bytes: int | None = None,
        max_value_bytes: int | None = None,
        exit_timeout_ms: int | None = None,
        request_timeout_ms: int | None = None,
        scrub: ScrubHook | None = None,
    ) -> None:
        settings = {name: value for name, value in locals().items() if name != "self" and value is not None}
        self._resident: ProducerHolder
        config = Config.from_env(**settings) if settings else None
        self._shared = config is None
        if config is None:
            self._resident = default_client()._resident
        else:
            self._resident = ProducerHolder(Producer(config))
            register(self._resident)

    @classmethod
    def _holding(cls, producer: Producer) -> Client:
        """Return a client of its own around a producer."""
        client = cls.__new__(cls)
        client._shared = False
        client._resident = ProducerHolder(producer)
        register(client._resident)
        return client

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self._resident.producer.config

    def start_run(
        self,
        name: str | None = None,
        *,
        input: Any = None,
        agent: str | None = None,
        session_id: str | None = None,
        user_id: str | None = None,
        tags: Sequence[str] = (),
        attributes: Mapping[str, Any] | None = None,
        kind: str = "agent",
        traceparent: str | None = None,
        task_id: str | None = None,
        attempt: int | None = None,
    ) -> Run:
        """Start a run, nested under the current span if there is one.

        name: None: the agent's. traceparent: W3C Trace Context of the span to nest under, from another process; a
        malformed one is logged and ignored. task_id, attempt: the managed task that this run is an attempt of.
        """
        producer = self._resident.producer
        return begin_run(
            producer,
            name or agent or producer.config.agent_name or "run",
            _remote(traceparent) or current_span(),
            input,
            kind=kind,
            agent=agent,
            session_id=session_id,
            user_id=user_id,
            tags=tags,
            attributes=attributes,
            task_id=task_id,
            attempt=attempt,
        )

    def start_task(
        self, name: str, *, input: Any = None, kind: str = "task", attributes: Mapping[str, Any] | None = None
    ) -> Task:
        """Start a task under the current span; without one it begins a run of its own.

        kind: `task`, or what else the step is: `llm`, `tool`, `retrieval`, `embedding`, `chain`, …
        """
        return begin_task(self._resident.producer, name, current_span(), input, kind, attributes)

    @property
    def tasks(self) -> Tasks:
        """Managed tasks: create, follow, steer and wait for them."""
        return self._resident.control.tasks

    @property
    def asks(self) -> Asks:
        """What tasks and runs put to people: decide, answer, wait for."""
        return self._resident.control.asks

    @property
    def schedules(self) -> Schedules:
        """Schedules, and what became of their instants."""
        return self._resident.control.schedules

    @property
    def triggers(self) -> Triggers:
        """Triggers: webhooks and events that make tasks, and what became of each."""
        return self._resident.control.triggers

    @property
    def agents(self) -> Agents:
        """Agents, their workers and what waits for them."""
        return self._resident.control.agents

    @property
    def teams(self) -> Teams:
        """Teams of agents."""
        return self._resident.control.teams

    @property
    def budgets(self) -> Budgets:
        """Budgets: what tasks may use, and have used."""
        return self._resident.control.budgets

    @property
    def limits(self) -> Limits:
        """How much may run at once, or begin in a stretch of time."""
        return self._resident.control.limits

    @property
    def runs(self) -> Runs:
        """Recorded runs."""
        return self._resident.control.runs

    @property
    def scores(self) -> Scores:
        """Judgements of recorded work by a measure."""
        return self._resident.control.scores

    @property
    def feedback(self) -> Feedback:
        """What people think of recorded work."""
        return self._resident.control.feedback

    @property
    def webhooks(self) -> Webhooks:
        """Who is told what happens."""
        return self._resident.control.webhooks

    def sql(self, query: str, *, limit: int | None = None) -> SqlResult:
        """Ask with SQL: one read-only SELECT in DuckDB's dialect. limit: rows at most; None: the collector's own limit.

        Raises:
            InvalidRequestError: it is not one SELECT, or names what there is not.
        """
        return self._resident.control.sql(query, limit)

    def flush(self, timeout_s: float = 30.0) -> bool:
        """Send everything recorded so far; tell whether the collector has it (or refused it) within the timeout."""
        return self._resident.producer.flush(timeout_s)

    def shutdown(self, timeout_s: float | None = None) -> bool:
        """Send what is left and stop; nothing is recorded from now on.

        timeout_s: None: the exit timeout. Returns whether everything was sent in time.
        """
        resident = self._resident
        resident.close_control()
        sent = resident._own.close(resident.exit_timeout_s if timeout_s is None else timeout_s)
        unregister(resident)
        return sent

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        if not self._shared:
            self.shutdown()


class ProducerHolder:
    """Holds the producer of the process it is in, and knows whether another takes its place for a while."""

    def __init__(self, producer: Producer) -> None:
        self._own = producer
        self._control: Control | None = None
        self._control_lock = threading.Lock()

    @property
    def control(self) -> Control:
        """What asks the collector; made when it is first wanted."""
        with self._control_lock:
            if self._control is None:
                with importing():
                    from milepost._control import Control
                self._control = Control(self._own.config)
            return self._control

    def close_control(self) -> None:
        """Close the connections by which the collector is asked; the next question opens new ones."""
        with self._control_lock:
            if self._control is not None:
                self._control.close()

    @property
    def producer(self) -> Producer:
        return _redirected or self._own

    @property
    def exit_timeout_s(self) -> float:
        return self._own.config.exit_timeout_ms / 1_000

    def after_fork(self) -> None:
        self._own = self._own.fork()
        self._control_lock = threading.Lock()
        self._parents_control, self._control = self._control, None  # kept, for its sockets are the parent's to close

    def finish(self, deadline: float) -> None:
        self.close_control()
        self._own.close(max(deadline - time.monotonic(), 0.0))


_default: Client | None = None
_redirected: Producer | None = None  # takes what every client records, in tests
_default_lock = threading.RLock()


def default_client() -> Client:
    """Return the process-wide client; the environment configures it if nothing has yet. Never raises."""
    return _default or _default_from_environment()


def _default_from_environment() -> Client:
    with _default_lock:
        if _default is None:
            try:
                make_default(Config.from_env())
            except ConfigurationError as error:  # not while setting up, but in the middle of the user's code
                logger.error("nothing is recorded, because %s", error)
                make_default(Config(disabled=True))
        assert _default is not None
        return _default


def _renew_lock() -> None:
    global _default_lock
    _default_lock = threading.RLock()  # a thread that the forked process does not have may have held the old one


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def make_default(config: Config) -> Client:
    """Make a client with these settings the process-wide one, and close the one before."""
    global _default
    client = Client._holding(Producer(config))
    with _default_lock:
        before, _default = _default, client
    if before is not None:
        before.shutdown()
    return client


def redirect(producer: Producer | None) -> Producer | None:
    """Let a producer take what every client records, or with None no longer; return the one that did before."""
    global _redirected
    before, _redirected = _redirected, producer
    return before


def start_task_here(name: str, input: Any, kind: str, attributes: Mapping[str, Any] | None) -> Task:
    """Start a task under the current span, with the client of the innermost span of ours or the process-wide one."""
    context = get_current()
    own: BaseSpan | None = context.get(OWN_KEY)  # type: ignore[assignment]
    producer = producer_here() if own is None or own._producer.heir is not None else own._producer
    return begin_task(producer, name, context.get(SPAN_KEY), input, kind, attributes)


def producer_here() -> Producer:
    """Return the producer of the innermost span of ours, or else the process-wide client's."""
    own = get_current().get(OWN_KEY)
    if isinstance(own, BaseSpan):
        return own._producer.newest
    return _redirected or (_default or default_client())._resident.producer


def current_span() -> object:
    """Return OpenTelemetry's current span; None (or whatever it is) if there is none."""
    return get_current().get(SPAN_KEY)


def _remote(traceparent: str | None) -> Span | None:
    if traceparent is None:
        return None
    parent = parse_traceparent(traceparent)
    if parent is None:
        logger.warning(
            "traceparent ignored: %.80r is not W3C Trace Context, for example 00-<32 hex>-<16 hex>-01", traceparent
        )
        return None
    return NonRecordingSpan(SpanContext(parent.run_id, parent.span_id, True, TraceFlags(TraceFlags.SAMPLED)))
