"""What travels between agents, clients and a collector: structs that both sides encode and decode with msgspec.

Read `events` (batches of run and span events, `POST /v1/events`), then `tasks` and `attempts` (managed tasks and what
became of them),
`schedules`, `agents` (agents, workers and limits), `worker` (how a worker polls for attempts and reports on them),
`asks` (what a run puts to a person), `webhooks` (who is told what happens), `deliverables` (what a task hands over),
and `scores` (what is thought of recorded work; `evaluation` says how it is kept).
"""

from milepost.wire.events import (
    EVENT_KINDS,
    SCHEMA_VERSION,
    SPAN_STATUSES,
    Batch,
    BatchAnswer,
    Event,
    EventKind,
    Heartbeat,
    Link,
    Rejection,
    Resource,
    SpanBase,
    SpanEnded,
    SpanStarted,
    Usage,
    WireEvent,
)

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
