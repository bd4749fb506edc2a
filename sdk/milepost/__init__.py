"""Milepost records what AI agents do: runs, their tasks, inputs, outputs, tokens and cost.

    import milepost

    @milepost.task
    def parse(path): ...

    @milepost.run
    def report(path):
        pages = parse(path)
        with milepost.start_task("summarise", input={"pages": len(pages)}) as task:
            task.record_usage(model="gpt-4o-mini", input_tokens=812, output_tokens=96)

After set-up, recording neither raises into nor blocks nor slows the code around it: what cannot be sent is dropped,
counted and reported. Functions and objects may be used from any thread and any asyncio task, and across forks.

Reading order: `_api` (the functions below) and `_decorators`; `_span` (runs and tasks) in the `_context` of
OpenTelemetry; `_capture` (values become JSON) and `_scrub`; then the way out: `_producer`, `_buffer`, `_exporter` with
its `_bell`, `_codec`, `_retry` and `_transport`; `_process` (forks and exit). `wire` is what goes over it. Beside that,
`resources`: tasks, schedules, agents and runs as `Client` and `AsyncClient` ask the collector about them, by `_http`;
and `agents`: the worker that does tasks.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from milepost._api import (
    checkpoint,
    current_run,
    current_task,
    flush,
    init,
    log,
    progress,
    record_usage,
    score,
    shutdown,
    start_run,
    start_task,
    traceparent,
)
from milepost._async_client import AsyncClient
from milepost._client import Client
from milepost._decorators import run, task
from milepost._span import Run, Task
from milepost._version import __version__
from milepost.errors import (
    ApiError,
    ApprovalExpired,
    AskNotAnsweredError,
    BatchTimeoutError,
    BudgetExceededError,
    ConfigurationError,
    ConflictError,
    InvalidInputError,
    InvalidRequestError,
    LeaseLost,
    MilepostError,
    NonRetryableError,
    NotFoundError,
    ReportRefusedError,
    RetryLater,
    Skip,
    TaskCancelled,
    TaskNotCompletedError,
    TaskPaused,
    TaskStopped,
    TaskSuspended,
    UnavailableError,
    WaitTimeoutError,
)
from milepost.wire.results import Result

__all__ = [
    "Agent",
    "ApiError",
    "Approval",
    "ApprovalExpired",
    "AskNotAnsweredError",
    "AskOption",
    "AsyncClient",
    "BatchTimeoutError",
    "BudgetExceededError",
    "Client",
    "ConfigurationError",
    "ConflictError",
    "InvalidInputError",
    "InvalidRequestError",
    "LeaseLost",
    "MilepostError",
    "NonRetryableError",
    "NotFoundError",
    "Reply",
    "ReportRefusedError",
    "Result",
    "RetryLater",
    "Run",
    "Skip",
    "Task",
    "TaskCancelled",
    "TaskContext",
    "TaskNotCompletedError",
    "TaskPaused",
    "TaskStopped",
    "TaskSuspended",
    "UnavailableError",
    "WaitTimeoutError",
    "Worker",
    "__version__",
    "checkpoint",
    "current_run",
    "current_task",
    "flush",
    "init",
    "log",
    "otel",
    "progress",
    "record_usage",
    "run",
    "score",
    "shutdown",
    "start_run",
    "start_task",
    "task",
    "testing",
    "traceparent",
]

if TYPE_CHECKING:
    from milepost import otel, testing
    from milepost._asks import Approval, AskOption, Reply
    from milepost.agents.agent import Agent
    from milepost.agents.context import TaskContext
    from milepost.agents.worker import Worker

_ON_FIRST_USE = {  # an application that is merely recorded does without asyncio
    "Agent": "agents.agent",
    "Approval": "_asks",
    "AskOption": "_asks",
    "Reply": "_asks",
    "TaskContext": "agents.context",
    "Worker": "agents.worker",
}


def __getattr__(name: str) -> Any:
    if name in ("otel", "testing"):  # on first use: neither is wanted in an application that is merely recorded
        return importlib.import_module(f"milepost.{name}")
    if name in _ON_FIRST_USE:
        found = getattr(importlib.import_module(f"milepost.{_ON_FIRST_USE[name]}"), name)
        found.__module__ = __name__
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


for _public in list(globals().values()):  # tracebacks and documentation name the public place
    if getattr(_public, "__module__", None) in (
        "milepost._api",
        "milepost._async_client",
        "milepost._client",
        "milepost._decorators",
        "milepost._span",
        "milepost.wire.results",
    ):
        _public.__module__ = __name__
del _public
