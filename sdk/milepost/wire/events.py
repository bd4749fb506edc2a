"""What travels from a producer to `POST /v1/events`: one `Batch` of events, in msgpack or JSON.

A producer is one process. It numbers its batches from 0, so (producer_id, sequence) names a batch for ever and the
collector stores it once however often it arrives. `SpanStarted` is a hint for the live view; `SpanEnded` is
self-contained, so nothing is lost when the start never arrives. Times are integers, nanoseconds since the Unix epoch.
Ids are lower-case hexadecimal as in W3C Trace Context: 32 digits for a run, 16 for a span.

Wherever a value can be given (`input`, `output`, `body`) there are two spellings: the plain field takes any JSON value
and is meant for people and other languages; the `_json` field takes text that is JSON already and wins when both are
given - the SDK snapshots values as JSON when they are handed over, so encoding them twice would be waste.

The structs are kept out of garbage collection (gc=False): they are trees made by decoding, and a collector that follows
hundreds of thousands of them a second spends a fifth of its time doing so.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

__all__ = [
    "EVENT_KINDS",
    "SCHEMA_VERSION",
    "SPAN_STATUSES",
    "Batch",
    "BatchAnswer",
    "Event",
    "EventKind",
    "Heartbeat",
    "Link",
    "Rejection",
    "Resource",
    "SpanBase",
    "SpanEnded",
    "SpanStarted",
    "Usage",
    "WireEvent",
]

SCHEMA_VERSION = 1

SPAN_STATUSES = ("running", "completed", "failed", "skipped", "cancelled", "lost")
EVENT_KINDS = ("checkpoint", "log", "exception", "progress", "score", "feedback", "event")

RunId = Annotated[str, Meta(min_length=32, max_length=32)]
SpanId = Annotated[str, Meta(min_length=16, max_length=16)]
UnixNano = Annotated[int, Meta(ge=0, le=9_223_372_036_854_775_807)]
Count = Annotated[int, Meta(ge=0, le=9_007_199_254_740_991)]  # exact in JSON readers that use doubles
Attempt = Annotated[int, Meta(ge=0, le=2_147_483_647)]
Dollars = Annotated[float, Meta(ge=0, le=1e9)]  # also keeps NaN and infinities out of sums
EndStatus = Literal["completed", "failed", "skipped", "cancelled", "lost"]
EventKind = Literal["checkpoint", "log", "exception", "progress", "score", "feedback", "event"]


class Resource(Struct, omit_defaults=True, kw_only=True, frozen=True, gc=False):
    """Who produced a batch; the same in every batch of one producer."""

    agent: str | None = None
    service_name: str | None = None
    service_version: str | None = None
    host_name: str | None = None
    process_id: int | None = None
    sdk_name: str | None = None
    sdk_version: str | None = None
    runtime: str | None = None  # "CPython 3.12.4"
    attributes: dict[str, Any] | None = None


class Usage(Struct, omit_defaults=True, kw_only=True, gc=False):
    """Tokens and cost of the calls to one model.

    input_tokens and output_tokens are inclusive totals as in OpenTelemetry's GenAI conventions: cache reads and writes
    lie inside input_tokens, reasoning_tokens inside output_tokens. cost_usd is what the provider or caller reported;
    without it the collector computes the cost from its price table.
    """

    model: str | None = None
    provider: str | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_read_tokens: Count | None = None
    cache_write_tokens: Count | None = None
    reasoning_tokens: Count | None = None
    cost_usd: Dollars | None = None


class Link(Struct, omit_defaults=True, kw_only=True, gc=False):
    """A reference to a span of this or another run."""

    run_id: RunId
    span_id: SpanId
    attributes: dict[str, Any] | None = None


class SpanBase(Struct, omit_defaults=True, kw_only=True, gc=False):
    """What is known of a span when it starts, repeated in full when it ends."""

    run_id: RunId
    span_id: SpanId
    name: str
    start_time: UnixNano
    parent_span_id: SpanId | None = None  # None: the run's root
    kind: str = "task"
    agent: str | None = None  # None: the resource's agent
    session_id: str | None = None
    user_id: str | None = None
    tags: list[str] | None = None
    task_id: str | None = None  # the managed task this run is an attempt of
    attempt: Attempt | None = None
    input: Any = None
    input_json: str | None = None
    attributes: dict[str, Any] | None = None
    links: list[Link] | None = None
    scope: str | None = None  # instrumentation scope, for spans that came through OpenTelemetry


class SpanStarted(SpanBase, gc=False, tag="span_started"):
    """A span began. Only the live view needs it; a later `SpanEnded` replaces it whole."""


class SpanEnded(SpanBase, gc=False, tag="span_ended"):
    """A span ended: the whole span, whatever was sent before."""

    end_time: UnixNano
    status: EndStatus = "completed"
    output: Any = None
    output_json: str | None = None
    usage: list[Usage] | None = None  # one item per model
    error_type: str | None = None
    error_message: str | None = None
    error_stack: str | None = None
    reason: str | None = None  # why it was skipped or cancelled


class Event(Struct, omit_defaults=True, kw_only=True, gc=False, tag="event"):
    """Something that happened at one instant of a run.

    name: the checkpoint's, phase's, score's, exception type's or event's own name. body: a checkpoint's state, a log's
    structured part. fraction: progress in [0, 1].
    """

    run_id: RunId
    time: UnixNano
    kind: EventKind = "event"
    span_id: SpanId | None = None
    name: str | None = None
    severity: str | None = None  # trace, debug, info, warn, error, fatal
    message: str | None = None
    fraction: Annotated[float, Meta(ge=0, le=1)] | None = None
    body: Any = None
    body_json: str | None = None
    attributes: dict[str, Any] | None = None


class Heartbeat(Struct, omit_defaults=True, kw_only=True, gc=False, tag="heartbeat"):
    """The producer lives.

    open_spans: the ids of every span still open when the heartbeat was made; the collector closes the producer's other
    running spans as lost. None says nothing about them. closing: the process is going away and ends no further span.
    """

    time: UnixNano
    open_spans: list[SpanId] | None = None
    closing: bool = False


WireEvent = SpanStarted | SpanEnded | Event | Heartbeat


class Batch(Struct, omit_defaults=True, kw_only=True, gc=False):
    """One request. dropped: events this producer has had to drop since it started (a running total)."""

    producer_id: Annotated[str, Meta(min_length=1, max_length=64)]
    sequence: Count
    events: list[WireEvent]
    schema_version: int = SCHEMA_VERSION
    dropped: Count = 0
    resource: Resource = Resource()


class Rejection(Struct):
    """An event that was not stored: its place in the batch and why."""

    index: int
    reason: str


class BatchAnswer(Struct):
    """The answer to a batch, sent after the commit. duplicate: the batch had been stored before and changed nothing."""

    accepted: int
    rejected: list[Rejection]
    duplicate: bool = False
