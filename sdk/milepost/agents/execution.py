"""A handler at work on one attempt: recorded as a run from its beginning to its end, which is then reported."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from milepost._client import default_client
from milepost._span import begin_run
from milepost.agents.attempt import Attempt
from milepost.agents.context import TaskContext
from milepost.agents.endings import ending_of, failure_of
from milepost.agents.outbox import Outbox
from milepost.agents.values import kept_json
from milepost.errors import NonRetryableError, TaskStopped, TaskSuspended
from milepost.wire.asks import AskDefinition
from milepost.wire.worker import AttemptAsked, AttemptCompleted, AttemptReport

__all__ = ["Execution"]

logger = logging.getLogger("milepost.agents")


class Execution:
    """What surrounds the call of a handler. agent: the name to record. on_over: hears that the code has returned."""

    def __init__(self, attempt: Attempt, agent: str, outbox: Outbox, on_over: Callable[[Attempt], None]) -> None:
        self._attempt = attempt
        self._agent = agent
        self._outbox = outbox
        self._on_over = on_over
        self._result: Any = None

    def perform(self) -> None:
        """Call a synchronous handler."""
        if not self._attempt.claim():
            return
        with self:
            function, arguments = self._call()
            self._result = function(**arguments)

    async def perform_async(self) -> None:
        """Call an asynchronous handler, in a task of its own."""
        if not self._attempt.claim():
            return
        with self:
            task = asyncio.current_task()
            assert task is not None
            self._attempt.run_as(task)
            function, arguments = self._call()
            self._result = await function(**arguments)

    def _call(self) -> tuple[Callable[..., Any], dict[str, Any]]:
        attempt = self._attempt
        if attempt.handler is None:
            raise NonRetryableError(
                f"agent {self._agent!r} has no handler for tasks named {attempt.lease.name!r}; "
                "declare one with @agent.task, or name another agent"
            )
        attempt.check(may_pause=True)  # it may have been cancelled between its lease and now
        context = TaskContext(attempt, self._outbox)
        return attempt.handler.function, attempt.handler.arguments(context, attempt.lease.input)

    def __enter__(self) -> Self:
        lease = self._attempt.lease
        origin = {"milepost.origin_run_id": lease.origin_run_id, "milepost.origin_span_id": lease.origin_span_id}
        run = begin_run(
            default_client()._resident.producer,
            lease.name,
            None,
            lease.input,
            agent=lease.agent or self._agent,
            tags=lease.tags,
            attributes={name: value for name, value in origin.items() if value} if lease.origin_run_id else None,
            task_id=lease.task_id,
            attempt=lease.attempt,
            run_id=_run_number(lease.run_id),
        )
        run._is_served = True
        self._attempt.begin(run)
        run.__enter__()
        _log("started", self._attempt)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> bool:
        attempt = self._attempt
        attempt.finish()
        report: AttemptReport | None
        try:
            report = self._end(exc_val)
        except Exception as problem:  # whatever it is, an attempt that is not reported would be held for ever
            logger.exception("the end of task %s, attempt %d, cannot be worked out", *attempt.key)
            report = failure_of(problem, attempt.lease, time.time())
        self._on_over(attempt)
        if report is not None and not attempt.gone:
            self._outbox.put(attempt, report)
        _log(_status_of(report), attempt, report)
        return True  # the handler's exception has become a report

    def _end(self, error: BaseException | None) -> AttemptReport | None:
        """End the run, and return what is to be reported."""
        attempt = self._attempt
        task_id, number = attempt.key
        if attempt.suspension is not None and attempt.asked not in ("cancel", "lost"):
            return self._end_suspended(attempt.suspension, error)
        if error is None:
            try:
                kept = kept_json(self._result, "result", self._outbox.max_value_bytes)
            except ValueError as refused:
                error = refused
            else:
                attempt.run.complete(self._result)
                attempt.run.__exit__(None, None, None)
                return AttemptCompleted(task_id=task_id, attempt=number, result=kept)
        if attempt.run.__exit__(
            type(error), error, error.__traceback__
        ):  # it is milepost.Skip: there was nothing to do
            return AttemptCompleted(task_id=task_id, attempt=number)
        return ending_of(error, attempt.lease, attempt.asked, time.time())

    def _end_suspended(self, ask: AskDefinition, error: BaseException | None) -> AttemptReport:
        """End the run of an attempt that asks: whatever its code made of being told, it cannot go on unanswered."""
        attempt = self._attempt
        if not isinstance(error, TaskStopped):
            logger.warning("task %s, attempt %d, caught milepost.TaskSuspended; let it pass", *attempt.key)
        stop = TaskSuspended(f"asked: {ask.title}")
        attempt.run.__exit__(type(stop), stop, None)
        task_id, number = attempt.key
        return AttemptAsked(task_id=task_id, attempt=number, ask=ask)


def _run_number(run_id: str) -> int | None:
    try:
        return int(run_id, 16) or None
    except ValueError:  # then the run gets an id of its own, and is found by its task's
        logger.warning("run id ignored: %.80r is not hexadecimal", run_id)
        return None


def _status_of(report: AttemptReport | None) -> str:
    return "lost" if report is None else str(type(report).__struct_config__.tag)


def _log(event: str, attempt: Attempt, report: AttemptReport | None = None) -> None:
    """Write a line of log; the command line shows it with its own words."""
    if logger.isEnabledFor(logging.INFO):
        lease = attempt.lease
        duration_ms = (time.monotonic() - attempt.started_at) * 1_000
        extra = {
            "milepost_event": event,
            "task_id": lease.task_id,
            "task_name": lease.name,
            "attempt": lease.attempt,
            "duration_ms": duration_ms,
            "report": report,
        }
        took = "" if event == "started" else f" after {duration_ms:.0f} ms"
        logger.info("%s: %s (%s, attempt %d)%s", event, lease.name, lease.task_id, lease.attempt, took, extra=extra)
