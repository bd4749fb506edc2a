"""The functions of `milepost` itself: they act on the process-wide client and on the current span."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry import trace

from milepost._client import Client, default_client, make_default, start_task_here
from milepost._config import Config, ScrubHook
from milepost._context import OWN_KEY, SPAN_KEY, get_current
from milepost._ids import format_traceparent
from milepost._span import BaseSpan, Run, Severity, Task
from milepost.wire.evaluation import ScoreSource

__all__ = [
    "checkpoint",
    "current_own",
    "current_run",
    "current_task",
    "flush",
    "init",
    "log",
    "progress",
    "record_usage",
    "score",
    "shutdown",
    "start_run",
    "start_task",
    "traceparent",
]

logger = logging.getLogger("milepost")


def init(
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
) -> Client:
    """Configure the process-wide client; what is not given comes from the environment, then from the defaults.

    Not calling it at all is fine: the first run or task does it. Calling it again closes the client before.

    Raises:
        ConfigurationError: a setting or variable is malformed or out of range.
    """
    return make_default(Config.from_env(**locals()))


def start_run(
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
    """Start a run with the process-wide client; see `Client.start_run`.

    In a `with` block it is the current span and ends with the block; as a plain object it ends when told to.
    """
    return default_client().start_run(
        name,
        input=input,
        agent=agent,
        session_id=session_id,
        user_id=user_id,
        tags=tags,
        attributes=attributes,
        kind=kind,
        traceparent=traceparent,
        task_id=task_id,
        attempt=attempt,
    )


def start_task(
    name: str, *, input: Any = None, kind: str = "task", attributes: Mapping[str, Any] | None = None
) -> Task:
    """Start a task under the current span; without one it begins a run of its own.

    In a `with` block it is the current span and ends with the block; as a plain object it ends when told to.
    kind: `task`, or what else the step is: `llm`, `tool`, `retrieval`, `embedding`, `chain`, …
    """
    return start_task_here(name, input, kind, attributes)


def current_run() -> Run | None:
    """Return the innermost run of this process that the calling code is in, or None."""
    own = current_own()
    return own if own is None or isinstance(own, Run) else own._enclosing_run


def current_task() -> Task | None:
    """Return the innermost task that the calling code is in; None outside of tasks, also directly inside a run."""
    own = current_own()
    return own if isinstance(own, Task) else None


def traceparent() -> str | None:
    """Return W3C Trace Context of the current span, whoever made it, for `start_run(traceparent=…)` elsewhere."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return format_traceparent(context.trace_id, context.span_id, context.trace_flags)


def checkpoint(state: Any, *, name: str | None = None) -> None:
    """Record state by which a later attempt can resume, in the current task or run."""
    if (own := _current_or_none("checkpoint")) is not None:
        own.checkpoint(state, name=name)


def log(message: str, *, severity: Severity = "info", **fields: Any) -> None:
    """Record a line of log with structured fields, in the current task or run."""
    if (own := _current_or_none("log")) is not None:
        own.log(message, severity=severity, **fields)


def progress(fraction: float | None = None, phase: str | None = None) -> None:
    """Record how far the current task or run is; fraction: done, from 0 to 1. phase: what it is doing."""
    if (own := _current_or_none("progress")) is not None:
        own.progress(fraction, phase)


def score(
    name: str,
    value: float | None = None,
    *,
    label: str | None = None,
    explanation: str | None = None,
    source: ScoreSource = "code",
    by: str | None = None,
) -> None:
    """Record a judgement of the current task or run by one measure, as `score("relevance", 0.9, source="llm")`."""
    if (own := _current_or_none("score")) is not None:
        own.score(name, value, label=label, explanation=explanation, source=source, by=by)


def record_usage(
    *,
    model: str | None = None,
    provider: str | None = None,
    input_tokens: int | None = None,
    output_tokens: int | None = None,
    cache_read_tokens: int | None = None,
    cache_write_tokens: int | None = None,
    reasoning_tokens: int | None = None,
    cost_usd: float | None = None,
) -> None:
    """Add the tokens of one model call to the current task or run; see `Task.record_usage`."""
    if (own := _current_or_none("record_usage")) is not None:
        own.record_usage(
            model=model,
            provider=provider,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cache_read_tokens=cache_read_tokens,
            cache_write_tokens=cache_write_tokens,
            reasoning_tokens=reasoning_tokens,
            cost_usd=cost_usd,
        )


def flush(timeout_s: float = 30.0) -> bool:
    """Send everything recorded so far; tell whether the collector has it (or refused it) within the timeout."""
    return default_client().flush(timeout_s)


def shutdown(timeout_s: float | None = None) -> bool:
    """Send what is left and stop recording; timeout_s: None: the exit timeout. Not needed before the process exits."""
    return default_client().shutdown(timeout_s)


def current_own() -> BaseSpan | None:
    """Return the innermost span of ours that the calling code is in."""
    context = get_current()
    span = context.get(SPAN_KEY)
    own = span if isinstance(span, BaseSpan) else context.get(OWN_KEY)
    return own if isinstance(own, BaseSpan) else None


def _current_or_none(function: str) -> BaseSpan | None:
    own = current_own()
    if own is None:
        logger.debug("%s ignored: it was called outside of every run and task", function)
    return own
