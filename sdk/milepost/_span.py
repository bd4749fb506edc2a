"""Runs and tasks: spans that implement OpenTelemetry's interface and end with an outcome of their own.

Starting and ending one is the hot path of the SDK. It takes no lock, formats nothing and encodes nothing but the value
it was given; `export`, which does the rest, runs in the exporter's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from opentelemetry.trace import Span, SpanContext, Status, StatusCode, TraceFlags, TraceState

from milepost import wire
from milepost._capture import Snapshot, exception_stack, message_of, plain
from milepost._context import OWN_KEY, SPAN_KEY, Context, attach, get_current
from milepost._guard import never_raise
from milepost._ids import format_traceparent, run_text, span_text
from milepost._outcome import outcome_of
from milepost._records import EventRecord
from milepost._usage import UsageTotals

if TYPE_CHECKING:
    from milepost._codec import Codec
    from milepost._producer import Producer

__all__ = ["BaseSpan", "Run", "Severity", "Task", "begin_run", "begin_task"]

logger = logging.getLogger("milepost")

Severity = Literal["trace", "debug", "info", "warn", "error", "fatal"]
EndStatus = Literal["completed", "failed", "skipped", "cancelled"]

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_SPAN_BYTES = 600  # what a span takes beside its values
_MAX_ATTRIBUTES = 1_000


class BaseSpan(Span):
    """What runs and tasks share: a timed node of a run.

    Every method may be called from any thread, and none raises or blocks once the span exists. A span ends once: by
    `complete`, `fail`, `skip` or `cancel`, or at the end of its `with` block; a second end is logged and ignored.
    """

    # What few spans have is declared on the class: a start then writes only what every span has.
    _enclosing_run: Run | None = None
    _run_id: int
    _parent_id: int
    _end_time: int = 0
    _exported = False  # the exporter has sent its end
    _status: EndStatus = "completed"
    _output: Snapshot | None = None
    _attributes: dict[str, Any] | None = None
    _usage: UsageTotals | None = None
    _links: list[wire.Link] | None = None
    _trace_state: TraceState | None = None
    _context: SpanContext | None = None
    _outer: Context | None = None
    _reported_status: StatusCode | None = None  # by set_status, as instrumentations do
    _error_type: str | None = None
    _error_message: str | None = None
    _error_stack: str | None = None
    _reason: object = None
    _agent: str | None = None
    _session_id: str | None = None
    _user_id: str | None = None
    _tags: Sequence[str] | None = None
    _managed_task_id: str | None = None
    _attempt: int | None = None
    _more_bytes = 0  # of attributes and texts
    _default_kind: ClassVar[str] = "task"

    def __init__(self, producer: Producer, name: str, parent: Span | None, input: Any, kind: str) -> None:
        """Start a span. Use `start_run` and `start_task`; the signature of this constructor may change."""
        self._producer = producer
        self._name = name
        self._kind = kind
        self._join(parent)
        self._span_id = producer.new_span_id()
        self._input = None if input is None else producer.capture(input)
        self._start_time = producer.now()

    def _join(self, parent: Span | None) -> None:
        """Take the run and the parent's id from the parent, or begin a run."""
        if type(parent) is Task or type(parent) is Run:
            self._run_id = parent._run_id
            self._parent_id = parent._span_id
            self._enclosing_run = parent if type(parent) is Run else parent._enclosing_run
            if parent._trace_state is not None:
                self._trace_state = parent._trace_state
            return
        context = None if parent is None else parent.get_span_context()
        if context is None or not context.is_valid:
            self._run_id = self._producer.new_run_id()
            self._parent_id = 0
            return
        self._run_id = context.trace_id
        self._parent_id = context.span_id
        self._trace_state = context.trace_state or None

    # --- identity -----------------------------------------------------------------------------------------------

    @property
    def run_id(self) -> str:
        """The run's id, which is its trace id: 32 hexadecimal digits."""
        return run_text(self._run_id)

    @property
    def span_id(self) -> str:
        """This span's id: 16 hexadecimal digits."""
        return span_text(self._span_id)

    @property
    def parent_span_id(self) -> str | None:
        """The id of the span it nests under; None: it is the root of its run."""
        return span_text(self._parent_id) if self._parent_id else None

    @property
    def name(self) -> str:
        return self._name

    @property
    def kind(self) -> str:
        return self._kind

    @property
    def traceparent(self) -> str:
        """W3C Trace Context of this span; hand it to another process to nest that process's spans under this one."""
        return format_traceparent(self._run_id, self._span_id)

    @property
    def status(self) -> str:
        """`running` until it ends; then `completed`, `failed`, `skipped` or `cancelled`."""
        return self._status if self._end_time else "running"

    # --- ends ---------------------------------------------------------------------------------------------------

    def complete(self, output: Any = None) -> None:
        """End it as completed, with what it produced."""
        self._finish("completed", output)

    def fail(
        self,
        error: BaseException | str | None = None,
        *,
        error_message: str | None = None,
        error_type: str | None = None,
        output: Any = None,
    ) -> None:
        """End it as failed, by an exception (its type, text and traceback are recorded) or by a message."""
        if self._is_open("fail"):
            self._note_error(error)
            self._error_message = error_message or self._error_message
            self._error_type = error_type or self._error_type
            self._finish("failed", output)

    def skip(self, reason: str | None = None) -> None:
        """End it as skipped: there was nothing to do, for example because the result was cached."""
        if self._is_open("skip"):
            self._reason = reason
            self._finish("skipped")

    def cancel(self, reason: str | None = None) -> None:
        """End it as cancelled: it was stopped from outside before it was done."""
        if self._is_open("cancel"):
            self._reason = reason
            self._finish("cancelled")

    def end(self, end_time: int | None = None) -> None:
        """End it as OpenTelemetry does: failed if `set_status` said so, completed otherwise.

        end_time: nanoseconds since the Unix epoch; None: now.
        """
        self._finish("failed" if self._reported_status is StatusCode.ERROR else "completed", end_time=end_time)

    def _finish(self, status: EndStatus, output: Any = None, end_time: int | None = None) -> None:
        if self._end_time:
            self._is_open(status)
            return
        producer = self._producer
        size = _SPAN_BYTES + self._more_bytes
        if output is not None:
            kept = self._output = producer.capture(output)
            if type(kept) is bytes or type(kept) is str:
                size += len(kept)
        kept = self._input
        if type(kept) is bytes or type(kept) is str:
            size += len(kept)
        self._status = status
        now = end_time if type(end_time) is int else producer.now()
        # Last: the exporter takes a span whose end time is set for complete. Wall clocks step back; spans do not.
        self._end_time = now if now > self._start_time else self._start_time
        producer.ended(self, size)

    def _is_open(self, intent: str) -> bool:
        if self._end_time:
            logger.warning(
                "%s of span %r ignored: it has ended as %s already", intent, self._name, self._status,
                extra={"run_id": self.run_id, "span_id": self.span_id},
            )  # fmt: skip
            return False
        return True

    @never_raise
    def _note_error(self, error: object) -> None:
        if isinstance(error, BaseException):
            self._error_type = _type_name(error)
            self._error_message = message_of(error)
            self._error_stack = exception_stack(error) if error.__traceback__ else None
            self._more_bytes += len(self._error_stack or "") + len(self._error_message)
        elif error is not None:
            self._error_message = str(plain(error, 16_000))
            self._more_bytes += len(self._error_message)

    # --- what happens meanwhile ---------------------------------------------------------------------------------

    @never_raise
    def checkpoint(self, state: Any, *, name: str | None = None) -> None:
        """Record state by which a later attempt can resume; name: which of several kinds of state it is."""
        self._record("checkpoint", name=name, body=self._producer.capture(state))

    @never_raise
    def log(self, message: str, *, severity: Severity = "info", **fields: Any) -> None:
        """Record a line of log with structured fields."""
        body = self._producer.capture(fields) if fields else None
        self._record("log", message=message, severity=_severity(severity), body=body)

    @never_raise
    def progress(self, fraction: float | None = None, phase: str | None = None) -> None:
        """Record how far it is.

        fraction: done, from 0 to 1; a number outside is moved to the nearer end. phase: what it is doing.
        """
        done = None if fraction is None or fraction != fraction else min(max(float(fraction), 0.0), 1.0)
        self._record("progress", fraction=done, name=phase)

    @never_raise
    def record_usage(
        self,
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
        """Add the tokens of one model call; calls to the same model and provider are summed.

        Token numbers are inclusive totals: cache reads and writes lie inside input_tokens, reasoning_tokens inside
        output_tokens. cost_usd: what the provider charged; None: the collector computes it from its price table.
        """
        tokens = {
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "cache_read_tokens": cache_read_tokens,
            "cache_write_tokens": cache_write_tokens,
            "reasoning_tokens": reasoning_tokens,
        }
        if self._usage is None:
            self._usage = UsageTotals()
        self._usage.add(model, provider, tokens, cost_usd)

    @never_raise
    def add_tags(self, *tags: str) -> None:
        """Add words by which runs are found again."""
        self._tags = list(dict.fromkeys([*(self._tags or ()), *tags]))

    @never_raise
    def set_session(self, session_id: str) -> None:
        """Set the conversation or session it belongs to."""
        self._session_id = session_id

    @never_raise
    def set_user(self, user_id: str) -> None:
        """Set the person it is done for."""
        self._user_id = user_id

    def _record(self, kind: wire.EventKind, *, time: int | None = None, **parts: Any) -> None:
        producer = self._producer
        moment = producer.now() if time is None else time
        producer.happened(EventRecord(self._run_id, self._span_id, moment, kind, **parts))

    # --- OpenTelemetry ------------------------------------------------------------------------------------------

    def get_span_context(self) -> SpanContext:
        """Return the ids under which OpenTelemetry nests and propagates; always sampled."""
        if self._context is None:
            self._context = SpanContext(self._run_id, self._span_id, False, _SAMPLED, self._trace_state)
        return self._context

    def is_recording(self) -> bool:
        return not self._end_time and self._producer.recording

    @never_raise
    def set_attribute(self, key: str, value: Any) -> None:
        """Set one attribute; a span keeps the first 1,000."""
        if self._end_time and not self._is_open("set_attribute"):
            return
        attributes = self._attributes
        if attributes is None:
            attributes = self._attributes = {}
        if len(attributes) < _MAX_ATTRIBUTES or key in attributes:
            attributes[key] = kept = _attribute(value, self._producer.config.max_value_bytes)
            self._more_bytes += 64 + (len(kept) if type(kept) is str else 0)

    @never_raise
    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set several attributes."""
        for key, value in attributes.items():
            self.set_attribute(key, value)

    @never_raise
    def add_event(self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None) -> None:
        """Record an OpenTelemetry event; timestamp: nanoseconds since the Unix epoch."""
        kept = self._copied(attributes)
        kind: wire.EventKind = "exception" if name == "exception" else "event"
        self._record(kind, time=timestamp, name=name, attributes=kept)

    @never_raise
    def add_link(self, context: SpanContext, attributes: Mapping[str, Any] | None = None) -> None:
        """Refer to a span of this or another run."""
        if context.is_valid:
            link = wire.Link(run_id=run_text(context.trace_id), span_id=span_text(context.span_id))
            link.attributes = self._copied(attributes)
            self._links = [*(self._links or ()), link]

    @never_raise
    def update_name(self, name: str) -> None:
        if self._is_open("update_name"):
            self._name = name

    @never_raise
    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set what `end` and the end of the `with` block make of it: ERROR means failed."""
        code = status.status_code if isinstance(status, Status) else status
        text = status.description if isinstance(status, Status) else description
        if self._is_open("set_status") and self._reported_status is not StatusCode.OK:  # OK is final in OpenTelemetry
            self._reported_status = code
            if code is StatusCode.ERROR and text and not self._error_message:
                self._error_message = text

    @never_raise
    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Record an exception that was met. The span goes on; `fail` is what ends it."""
        self._note_error(exception)
        name, message, stack = self._error_type, self._error_message, self._error_stack
        kept = (self._copied(attributes) or {}) | {"exception.stacktrace": stack, "exception.escaped": escaped}
        self._record("exception", time=timestamp, name=name, message=message, severity="error", attributes=kept)

    def _copied(self, attributes: Mapping[str, Any] | None) -> dict[str, Any] | None:
        limit = self._producer.config.max_value_bytes
        return {key: _attribute(value, limit) for key, value in attributes.items()} if attributes else None

    # --- with blocks --------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Make it the current span until the end of the block, which ends it if nothing else has."""
        if self._producer.recording:
            outer = self._outer = get_current()
            attach(Context({**outer, SPAN_KEY: self, OWN_KEY: self}))
        return self

    def __exit__(  # type: ignore[override]  # a skipped block swallows its Skip; OpenTelemetry's spans swallow nothing
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> bool:
        outer = self._outer
        # Restored by value, not by token: a generator may be closed in another context than it was entered in.
        if outer is not None and get_current().get(SPAN_KEY) is self:
            attach(outer)
        if exc_val is None:
            if not self._end_time:
                self.end()
            return False
        return self._end_by(exc_val)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> bool:
        return self.__exit__(exc_type, exc_val, exc_tb)

    def _end_by(self, error: BaseException) -> bool:
        """End it by an exception that left its code; tell whether the exception goes no further."""
        status, reason = outcome_of(error)
        if not self._end_time:
            self._reason = reason
            if status == "failed":
                self._note_error(error)
            self._finish(status)
        return status == "skipped"

    # --- export: the exporter's thread --------------------------------------------------------------------------

    def export(self, codec: Codec) -> wire.SpanStarted | wire.SpanEnded | None:
        """Return its start while it is open, its whole self once it has ended, and nothing after that."""
        if self._exported:
            return None
        if not self._end_time:
            return wire.SpanStarted(**self._common(codec))
        self._exported = True
        self._producer.open.discard(self._span_id)
        return wire.SpanEnded(
            **self._common(codec),
            end_time=self._end_time,
            status=self._status,
            output_json=codec.json(self._output, "output"),
            usage=self._usage.items() if self._usage else None,
            error_type=self._error_type,
            error_message=codec.message(self._error_message),
            error_stack=self._error_stack,
            reason=codec.message(self._reason),
        )

    def _start_bytes(self) -> int:
        kept = self._input
        return _SPAN_BYTES + (len(kept) if type(kept) is bytes or type(kept) is str else 0)

    def _common(self, codec: Codec) -> dict[str, Any]:
        agent = self._agent or (self._enclosing_run._agent if self._enclosing_run else None)
        return {
            "run_id": run_text(self._run_id),
            "span_id": span_text(self._span_id),
            "parent_span_id": self.parent_span_id,
            "name": codec.name(self._name),
            "kind": codec.name(self._kind),
            "start_time": self._start_time,
            "agent": codec.optional_name(agent),
            "session_id": codec.optional_name(self._session_id),
            "user_id": codec.optional_name(self._user_id),
            "tags": [codec.name(tag) for tag in self._tags] if self._tags else None,
            "task_id": codec.optional_name(self._managed_task_id),
            "attempt": self._attempt,
            "input_json": codec.json(self._input, "input"),
            "attributes": codec.attributes(self._attributes),
            "links": self._links,
        }


class Task(BaseSpan):
    """A step of a run, or with another `kind` any timed part of it. Made by `start_task`."""

    def start_task(
        self, name: str, *, input: Any = None, kind: str = "task", attributes: Mapping[str, Any] | None = None
    ) -> Task:
        """Start a task under this one, whatever the current span is."""
        return begin_task(self._producer.newest, name, self, input, kind, attributes)


class Run(BaseSpan):
    """One execution of an agent: the root of a timeline, or an agent working inside another's run.

    Made by `start_run`. A run that ends leaves its open tasks open: what they came to is not known and not made up.
    """

    def start_task(
        self, name: str, *, input: Any = None, kind: str = "task", attributes: Mapping[str, Any] | None = None
    ) -> Task:
        """Start a task of this run, directly under it, whatever the current span is."""
        return begin_task(self._producer.newest, name, self, input, kind, attributes)


def begin_task(
    producer: Producer, name: str, parent: Span | None, input: Any, kind: str, attributes: Mapping[str, Any] | None
) -> Task:
    """Start a task under a parent; without one it begins a run of its own."""
    task = Task(producer, name, parent, input, kind)
    if attributes:
        task.set_attributes(attributes)
    producer.started(task, task._start_bytes())
    return task


def begin_run(
    producer: Producer,
    name: str,
    parent: Span | None,
    input: Any,
    *,
    kind: str = "agent",
    agent: str | None = None,
    session_id: str | None = None,
    user_id: str | None = None,
    tags: Sequence[str] = (),
    attributes: Mapping[str, Any] | None = None,
    task_id: str | None = None,
    attempt: int | None = None,
) -> Run:
    """Start a run: nested if there is a parent."""
    run = Run(producer, name, parent, input, kind)
    run._agent, run._session_id, run._user_id = agent, session_id, user_id
    run._managed_task_id, run._attempt = task_id, attempt
    run.add_tags(*tags)
    if attributes:
        run.set_attributes(attributes)
    producer.started(run, run._start_bytes())
    return run


def _attribute(value: Any, limit: int) -> Any:
    """Return an attribute's value as it is now: scalars by reference, everything else rebuilt."""
    kind = type(value)
    if value is None or kind is int or kind is bool or kind is float or (kind is str and len(value) <= limit):
        return value
    return plain(value, limit)


def _severity(name: str) -> str:
    known = {"warning": "warn", "critical": "fatal", "notset": "trace"}
    lower = str(name).lower()
    severity = known.get(lower, lower)
    return severity if severity in ("trace", "debug", "info", "warn", "error", "fatal") else "info"


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
