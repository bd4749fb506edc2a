"""Runs and tasks: spans that implement OpenTelemetry's interface and end with an outcome of their own.

Starting and ending one is the hot path of the SDK. It takes no lock, formats nothing and encodes nothing but the value
it was given; `export`, which does the rest, runs in the exporter's thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, overload

from opentelemetry.trace import Span, StatusCode

from milepost import wire
from milepost._annotations import AnnotatedSpan, EndStatus, Severity
from milepost._capture import Snapshot, snapshot
from milepost._context import OWN_KEY, SPAN_KEY, Context, attach, get_current
from milepost._ids import format_traceparent, run_text, span_text
from milepost._outcome import outcome_of
from milepost._process import importing
from milepost._records import LATEST_TIME
from milepost._stops import heed, requested

if TYPE_CHECKING:
    from milepost._asks import Approval, ApprovalFields, AskFields, KeyLedger, Reply
    from milepost._codec import Codec
    from milepost._producer import Producer

T = TypeVar("T")

__all__ = ["BaseSpan", "Run", "Severity", "Task", "begin_run", "begin_task"]

_SPAN_BYTES = 600  # what a span takes beside its values
_LARGEST_ATTEMPT = 2**31 - 1  # the wire's


class BaseSpan(AnnotatedSpan):
    """What runs and tasks share: a timed node of a run.

    Every method may be called from any thread, and none raises or blocks once the span exists. A span ends once: by
    `complete`, `fail`, `skip` or `cancel`, or at the end of its `with` block; a second end is logged and ignored.
    """

    _enclosing_run: Run | None = None
    _parent_id: int
    _exported = False  # the exporter has sent its end
    _output: Snapshot | None = None
    _outer: Context | None = None
    _reason: object = None
    _agent: str | None = None
    _managed_task_id: str | None = None
    _attempt: int | None = None

    def __init__(self, producer: Producer, name: str, parent: object, input: Any, kind: str) -> None:
        """Start a span. Use `start_run` and `start_task`; the signature of this constructor may change."""
        self._producer = producer
        self._name = name
        self._kind = kind
        if type(parent) is Task or type(parent) is Run:  # not isinstance: ABCMeta's costs a tenth of it all
            self._run_id = parent._run_id
            self._parent_id = parent._span_id
            self._enclosing_run = parent if type(parent) is Run else parent._enclosing_run
            if parent._trace_state is not None:
                self._trace_state = parent._trace_state
        else:
            self._join(parent)
        self._span_id = producer.new_span_id()
        self._input = snapshot(input, producer.max_value_bytes) if input is not None and producer.captures else None
        self._start_time = producer.now()

    def _join(self, parent: object) -> None:
        """Take the run from a span of another library, or begin one."""
        context = parent.get_span_context() if isinstance(parent, Span) else None
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

    def start_task(
        self, name: str, *, input: Any = None, kind: str = "task", attributes: Mapping[str, Any] | None = None
    ) -> Task:
        """Start a task directly under this span, whatever the current span is; see `milepost.start_task`."""
        return begin_task(self._producer.newest, name, self, input, kind, attributes)

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
            if error_message:
                self._error_message = self._kept_text(error_message)
            self._error_type = error_type or self._error_type
            self._finish("failed", output)

    def skip(self, reason: str | None = None) -> None:
        """End it as skipped: there was nothing to do, for example because the result was cached."""
        if self._is_open("skip"):
            self._reason = None if reason is None else self._kept_text(reason)
            self._finish("skipped")

    def cancel(self, reason: str | None = None) -> None:
        """End it as cancelled: it was stopped from outside before it was done."""
        if self._is_open("cancel"):
            self._reason = None if reason is None else self._kept_text(reason)
            self._finish("cancelled")

    def end(self, end_time: int | None = None) -> None:
        """End it as OpenTelemetry does: failed if `set_status` said so, completed otherwise.

        end_time: nanoseconds since the Unix epoch; None: now.
        """
        self._finish_by_itself(end_time=end_time)

    def _finish_by_itself(self, output: Any = None, end_time: int | None = None) -> None:
        """End it where its code has come to its end: `set_status` may have said that it went wrong."""
        self._finish("failed" if self._reported_status is StatusCode.ERROR else "completed", output, end_time)

    def _finish(self, status: EndStatus, output: Any = None, end_time: int | None = None) -> None:
        if self._end_time:
            self._is_open(status)
            return
        producer = self._producer
        size = _SPAN_BYTES + self._more_bytes
        if output is not None and producer.captures:
            self._output = snapshot(output, producer.max_value_bytes)
            size += _weight(self._output)
        if self._input is not None:
            size += _weight(self._input)
        self._status = status
        now = end_time if type(end_time) is int and end_time <= LATEST_TIME else producer.now()
        # Last: the exporter takes a span whose end time is set for complete. Wall clocks step back; spans do not.
        self._end_time = now if now > self._start_time else self._start_time
        producer.ended(self, size)

    # --- with blocks --------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Make it the current span until the end of the block, which ends it if nothing else has."""
        if self._producer.recording:
            outer = self._outer = get_current()
            attach(Context({**outer, SPAN_KEY: self, OWN_KEY: self}))
        return self

    # Not `bool`: type checkers would take every block for one that may go on after an exception, and ask for a return
    # behind it. What is swallowed is Skip, which OpenTelemetry's spans do not know.
    def __exit__(  # type: ignore[override]
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> bool | None:
        outer = self._outer
        # Restored by value, not by token: a generator may be closed in another context than it was entered in.
        if outer is not None and get_current().get(SPAN_KEY) is self:
            attach(outer)
        if exc_val is None:
            if not self._end_time:
                self._finish_by_itself()
            return None
        return self._end_by(exc_val)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> bool | None:
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
            **(self._error(codec) if self._status == "failed" else {}),
            reason=codec.message(self._reason),
        )

    def _error(self, codec: Codec) -> dict[str, Any]:
        return {
            "error_type": codec.optional_name(self._error_type),
            "error_message": codec.message(self._error_message),
            "error_stack": self._error_stack,
        }

    def _common(self, codec: Codec) -> dict[str, Any]:
        agent = self._agent or (self._enclosing_run._agent if self._enclosing_run else None)
        attempt = self._attempt
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
            "attempt": attempt if type(attempt) is int and 0 <= attempt <= _LARGEST_ATTEMPT else None,
            "input_json": codec.json(self._input, "input"),
            "attributes": codec.attributes(self._attributes),
            "links": [codec.link(link) for link in self._links] if self._links else None,
        }


class Task(BaseSpan):
    """A step of a run, or with another `kind` any timed part of it. Made by `start_task`."""


class Run(BaseSpan):
    """One execution of an agent: the root of a timeline, or an agent working inside another's run.

    Made by `start_run`. A run that ends leaves its open tasks open: what they came to is not known and not made up.

    Beside what it records, a run may ask people; other than recording, that waits, and raises what goes wrong.
    """

    _ask_keys: KeyLedger | None = None
    _is_served = False  # a worker does it for a task: its handler asks by its context

    def ask_approval(self, title: str, details: str = "", **more: Unpack[ApprovalFields]) -> Approval:
        """Ask for an approval, wait for what becomes of it, and return that.

        It takes the arguments of `TaskContext.ask_approval`; `on_expiry` is `continue` or `fail`. While it waits, the
        collector may be restarted; asked again in the same run with the same key and action, it is the same ask.

        Raises:
            ApprovalExpired: nobody answered in time, and `on_expiry` is `fail`.
            ApiError: the collector refuses the ask, or was away for a minute beyond its timeout.
            RuntimeError: it would block the event loop, or a worker does the run: use `ctx.ask_approval` there.
            ValueError: an argument is out of range.
        """
        with importing():
            from milepost import _run_asks
        return _run_asks.ask_approval(self, title, details, **more)

    async def aask_approval(self, title: str, details: str = "", **more: Unpack[ApprovalFields]) -> Approval:
        """Do what `ask_approval` does, from asynchronous code."""
        with importing():
            from milepost import _run_asks
        return await _run_asks.aask_approval(self, title, details, **more)

    @overload
    def ask(self, question: str, details: str = "", *, schema: type[T], **more: Unpack[AskFields]) -> Reply[T]: ...
    @overload
    def ask(
        self, question: str, details: str = "", *, schema: Mapping[str, Any] | None = None, **more: Unpack[AskFields]
    ) -> Reply[Any]: ...
    def ask(self, question: str, details: str = "", *, schema: Any = None, **more: Unpack[AskFields]) -> Reply[Any]:
        """Ask a question, wait for the answer, and return it; the arguments are those of `TaskContext.ask`.

        Raises:
            ApprovalExpired: nobody answered in time, and `on_expiry` is `fail`.
            ApiError: the collector refuses the ask, or was away for a minute beyond its timeout.
            RuntimeError: it would block the event loop, or a worker does the run: use `ctx.ask` there.
            TypeError: the schema's type has no JSON Schema.
            ValueError: an argument is out of range.
        """
        with importing():
            from milepost import _run_asks
        return _run_asks.ask(self, question, details, schema=schema, **more)

    @overload
    async def aask(
        self, question: str, details: str = "", *, schema: type[T], **more: Unpack[AskFields]
    ) -> Reply[T]: ...
    @overload
    async def aask(
        self, question: str, details: str = "", *, schema: Mapping[str, Any] | None = None, **more: Unpack[AskFields]
    ) -> Reply[Any]: ...
    async def aask(
        self, question: str, details: str = "", *, schema: Any = None, **more: Unpack[AskFields]
    ) -> Reply[Any]:
        """Do what `ask` does, from asynchronous code."""
        with importing():
            from milepost import _run_asks
        return await _run_asks.aask(self, question, details, schema=schema, **more)


def begin_task(
    producer: Producer, name: str, parent: object, input: Any, kind: str, attributes: Mapping[str, Any] | None
) -> Task:
    """Start a task under a parent, if that is a span; otherwise it begins a run of its own."""
    if requested:
        heed(parent)
    task = Task(producer, name, parent, input, kind)
    if attributes:
        task.set_attributes(attributes)
    if producer.recording:
        kept = task._input
        producer.open.add(task._span_id)
        producer.buffer.put_start(task, _SPAN_BYTES if kept is None else _SPAN_BYTES + _weight(kept))
    return task


def begin_run(
    producer: Producer,
    name: str,
    parent: object,
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
    run_id: int | None = None,
) -> Run:
    """Start a run: nested if there is a parent; otherwise under the id that is given or a new one."""
    if requested:
        heed(parent)
    run = Run(producer, name, parent, input, kind)
    if run_id is not None and parent is None:
        run._run_id = run_id
    outer = run._enclosing_run
    run._agent = agent or (outer._agent if outer is not None else None)
    run._session_id, run._user_id = session_id, user_id
    run._managed_task_id, run._attempt = task_id, attempt
    if tags:
        run._add_tags(tags)
    if attributes:
        run.set_attributes(attributes)
    if producer.recording:
        producer.open.add(run._span_id)
        producer.buffer.put_start(run, _SPAN_BYTES + _weight(run._input))
    return run


def _weight(kept: Snapshot | None) -> int:
    """Return about how many bytes a snapshot takes beside its span."""
    return len(kept) if type(kept) is bytes or type(kept) is str else 0
