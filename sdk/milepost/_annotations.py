"""What is said about a span while it is open: events, usage, attributes, and OpenTelemetry's way to say them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from opentelemetry.trace import Span, SpanContext, Status, StatusCode, TraceFlags, TraceState

from milepost import wire
from milepost._capture import exception_stack, message_of, plain, text_of, weight_of
from milepost._guard import never_raise
from milepost._ids import run_text, span_text
from milepost._records import LATEST_TIME, EventRecord
from milepost._stops import heed, requested
from milepost._usage import UsageTotals
from milepost.wire.evaluation import ScoreSource, feedback_attributes, score_attributes

if TYPE_CHECKING:
    from milepost._producer import Producer

__all__ = ["AnnotatedSpan", "EndStatus", "Severity", "type_name"]

logger = logging.getLogger("milepost")

Severity = Literal["trace", "debug", "info", "warn", "error", "fatal"]
EndStatus = Literal["completed", "failed", "skipped", "cancelled"]

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_MAX_ATTRIBUTES = 1_000
_MAX_LINKS = 100
_LINK_BYTES = 300
_MAX_TEXT = 16_000  # of a message or a reason


class AnnotatedSpan(Span):
    """The part of a run or task that describes it. Its methods may be called from any thread and never raise.

    With one exception: in the handler of a managed task that is to stop, they say so by raising `TaskStopped`, once.
    """

    _producer: Producer
    _name: str
    _run_id: int
    _span_id: int

    # What few spans have is declared on the class: a start then writes only what every span has.
    _end_time: int = 0
    _status: EndStatus = "completed"
    _attributes: dict[str, Any] | None = None
    _usage: UsageTotals | None = None
    _links: list[wire.Link] | None = None
    _trace_state: TraceState | None = None
    _context: SpanContext | None = None
    _reported_status: StatusCode | None = None  # by set_status, as instrumentations do
    _error_type: str | None = None
    _error_message: str | None = None
    _error_stack: str | None = None
    _session_id: str | None = None
    _user_id: str | None = None
    _tags: Sequence[str] | None = None
    _more_bytes = 0  # of attributes and texts

    @never_raise
    def checkpoint(self, state: Any, *, name: str | None = None) -> None:
        """Record state by which a later attempt can resume; name: which of several kinds of state it is."""
        if requested:
            heed(self)
        self._record("checkpoint", name=name, body=self._producer.capture(state))

    @never_raise
    def log(self, message: str, *, severity: Severity = "info", **fields: Any) -> None:
        """Record a line of log with structured fields."""
        if requested:
            heed(self)
        body = self._producer.capture(fields) if fields else None
        self._record("log", message=message, severity=_severity(severity), body=body)

    @never_raise
    def progress(self, fraction: float | None = None, phase: str | None = None) -> None:
        """Record how far it is.

        fraction: done, from 0 to 1; a number outside is moved to the nearer end. phase: what it is doing.
        """
        if requested:
            heed(self)
        done = None if fraction is None or fraction != fraction else min(max(float(fraction), 0.0), 1.0)
        self._record("progress", fraction=done, name=phase)

    @never_raise
    def score(
        self,
        name: str,
        value: float | None = None,
        *,
        label: str | None = None,
        explanation: str | None = None,
        source: ScoreSource = "code",
        by: str | None = None,
    ) -> None:
        """Record a judgement of the work by one measure; may be called after the end, too.

        value, label: at least one of them, as 0.9 and "relevant". source: who judged, `human`, `llm` or `code`; by: its
        name.
        """
        number = None if value is None or value != value else float(value)
        attributes = self._copied(score_attributes(name, number, label, source, by))
        self._record("score", name=name, message=explanation, attributes=attributes)

    @never_raise
    def feedback(
        self, rating: int | None = None, text: str | None = None, *, issues: Sequence[str] = (), by: str | None = None
    ) -> None:
        """Record what a person thinks of the work; rating: 1 to 5, which is best. issues: what was wrong, by name."""
        stars = None if rating is None else min(max(int(rating), 1), 5)
        named = [issues] if isinstance(issues, str) else list(issues)
        self._record("feedback", message=text, attributes=self._copied(feedback_attributes(stars, named, by)))

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
        """Add the tokens of one model call to a span that is open; calls to the same model and provider are summed.

        Token numbers are inclusive totals: cache reads and writes lie inside input_tokens, reasoning_tokens inside
        output_tokens. cost_usd: what the provider charged; None: the collector computes it from its price table.
        """
        if requested:
            heed(self)
        if not self._is_open("record_usage"):
            return
        tokens = {
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "cache_read_tokens": cache_read_tokens,
            "cache_write_tokens": cache_write_tokens,
            "reasoning_tokens": reasoning_tokens,
        }
        # By setdefault, which is atomic: of two threads at their first call neither may lose its numbers.
        usage: UsageTotals = self._usage or self.__dict__.setdefault("_usage", UsageTotals())
        usage.add(model, provider, tokens, cost_usd)

    def add_tags(self, *tags: str) -> None:
        """Add words by which runs are found again."""
        self._add_tags(tags)

    @never_raise
    def _add_tags(self, tags: Sequence[str]) -> None:
        if self._is_open("add_tags"):
            tags = (tags,) if isinstance(tags, str) else tags
            self._tags = list(dict.fromkeys([*(self._tags or ()), *tags]))

    @never_raise
    def set_session(self, session_id: str) -> None:
        """Set the conversation or session it belongs to."""
        if self._is_open("set_session"):
            self._session_id = session_id

    @never_raise
    def set_user(self, user_id: str) -> None:
        """Set the person it is done for."""
        if self._is_open("set_user"):
            self._user_id = user_id

    def _record(self, kind: wire.EventKind, *, time: int | None = None, **parts: Any) -> None:
        producer = self._producer
        moment = time if type(time) is int and 0 <= time <= LATEST_TIME else producer.now()
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
            self._more_bytes += 64 + weight_of(kept)

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
        """Refer to a span of this or another run; a span keeps the first 100 links."""
        if context.is_valid and self._is_open("add_link") and len(self._links or ()) < _MAX_LINKS:
            link = wire.Link(run_id=run_text(context.trace_id), span_id=span_text(context.span_id))
            link.attributes = self._copied(attributes)
            self._links = [*(self._links or ()), link]
            self._more_bytes += _LINK_BYTES + weight_of(link.attributes)

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
                self._error_message = self._kept_text(text)

    @never_raise
    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Record an exception that was met. The span goes on; `fail` is what ends it."""
        name, message, stack = _described(exception)
        if not self._end_time:  # a late exception happened all the same, but it is not what the span ended by
            self._keep_error(name, message, stack)
        kept = (self._copied(attributes) or {}) | {"exception.stacktrace": stack, "exception.escaped": escaped}
        self._record("exception", time=timestamp, name=name, message=message, severity="error", attributes=kept)

    def _copied(self, attributes: Mapping[str, Any] | None) -> dict[str, Any] | None:
        limit = self._producer.config.max_value_bytes
        return {key: _attribute(value, limit) for key, value in attributes.items()} if attributes else None

    def _is_open(self, intent: str) -> bool:
        if self._end_time:
            logger.warning(
                "%s of span %r ignored: it has ended as %s already", intent, self._name, self._status,
                extra={"run_id": run_text(self._run_id), "span_id": span_text(self._span_id)},
            )  # fmt: skip
            return False
        return True

    @never_raise
    def _note_error(self, error: object) -> None:
        if isinstance(error, BaseException):
            self._keep_error(*_described(error))
        elif error is not None:
            self._error_message = self._kept_text(error)

    def _keep_error(self, name: str, message: str, stack: str | None) -> None:
        self._error_type, self._error_message, self._error_stack = name, message, stack
        self._more_bytes += len(message) + len(stack or "")

    def _kept_text(self, value: object) -> str:
        """Return a message or reason as it is now, and count what it takes."""
        text = text_of(value, _MAX_TEXT)
        self._more_bytes += len(text)
        return text


def _described(error: BaseException) -> tuple[str, str, str | None]:
    """Return an exception's type, text and traceback."""
    return type_name(error), message_of(error), exception_stack(error) if error.__traceback__ else None


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


def type_name(error: BaseException) -> str:
    """Return the qualified name of an exception's type; those of Python itself go without their module."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
