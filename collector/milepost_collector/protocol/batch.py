"""A request as rows, ready to be committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from milepost.wire import Heartbeat, Rejection, Resource
from milepost_collector.protocol.foreign_rows import Attached, Contents, Row
from milepost_collector.protocol.rejected import RejectedEvent


@dataclass(slots=True)
class DecodedBatch:
    """A batch as rows.

    A native batch is known by (producer_id, sequence), an OTLP request by its digest. size: bytes of the body, for the
    queue's limit. attached: what hangs on a span, by the identity (`id`) of its row. logs, points: rows by the digest
    that is their identity; a log's second row is its messages, if it carries any. origins: the resources, by producer.
    """

    producer_id: str
    sequence: int
    dropped: int
    resource: Resource
    size: int = 0
    digest: str | None = None
    spans: list[Row] = field(default_factory=list)
    starts: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    conversations: list[Row] = field(default_factory=list)
    heartbeat: Heartbeat | None = None  # the latest one
    accepted: int = 0
    rejected: list[RejectedEvent] = field(default_factory=list)
    contents: Contents = field(default_factory=Contents)
    attached: dict[int, Attached] = field(default_factory=dict)
    logs: dict[str, tuple[Row, Row | None]] = field(default_factory=dict)
    points: dict[str, Row] = field(default_factory=dict)
    origins: dict[str, Resource] = field(default_factory=dict)

    @property
    def rejections(self) -> list[Rejection]:
        """The rejected events as the sender is told."""
        return [Rejection(event.index, event.reason) for event in self.rejected]

    @property
    def row_count(self) -> int:
        """How many rows it will write, about."""
        return len(self.spans) + len(self.starts) + len(self.events) + len(self.logs) + len(self.points)


def event_batch(rows: Sequence[Row]) -> DecodedBatch:
    """Return rows that name themselves as a batch, which is known by their names."""
    logs: dict[str, tuple[Row, Row | None]] = {row[-1]: (row, None) for row in rows}
    digest = blake2b("\0".join(["events", *logs]).encode(), digest_size=16).hexdigest()
    batch = DecodedBatch(producer_id="api", sequence=0, dropped=0, resource=Resource(), digest=digest, logs=logs)
    batch.accepted = len(logs)
    return batch
