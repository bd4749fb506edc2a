"""What a commit stores once by its content: messages, pieces, log records, metric points, refusals, OTLP requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from milepost_collector.protocol.batch import DecodedBatch
from milepost_collector.protocol.rows import Row
from milepost_collector.traces.digests import DigestIndex
from milepost_collector.traces.duplicates import refusals, superseded
from milepost_collector.traces.statements import Statements

Value = TypeVar("Value")


@dataclass(slots=True)
class NewContents:
    """Rows of a commit that the database does not have yet. rejected: without the time they came."""

    messages: list[Row] = field(default_factory=list)
    pieces: list[Row] = field(default_factory=list)
    logs: list[Row] = field(default_factory=list)
    conversations: list[Row] = field(default_factory=list)
    points: list[Row] = field(default_factory=list)
    rejected: list[Row] = field(default_factory=list)


class ContentIndex:
    """Knows what is stored. Not thread-safe: it belongs to the writer's thread."""

    def __init__(self) -> None:
        self._messages = DigestIndex("stored_messages", "message_id")
        self._pieces = DigestIndex("pieces", "piece_id")
        self._logs = DigestIndex("events", "event_id")
        self._points = DigestIndex("metrics", "point_id")
        self._rejected = DigestIndex("rejected", "event_id")
        self._requests = DigestIndex("batches", "digest")
        self._all = (self._messages, self._pieces, self._logs, self._points, self._rejected, self._requests)

    def prepare(self, statements: Statements) -> None:
        """Learn what is stored; worth the time once."""
        for index in self._all:
            index.prepare(statements)

    def is_new_request(self, statements: Statements, digest: str) -> bool:
        """Tell whether an OTLP request was never stored."""
        return bool(self._requests.new(statements, [digest]))

    def plan(self, statements: Statements, batches: Sequence[DecodedBatch], losers: Iterable[Row]) -> NewContents:
        """Return what is new in the batches. losers: copies of spans that others are preferred to."""
        logs = _fresh(self._logs, statements, _joined(batch.logs for batch in batches))
        rejected = _joined([superseded(losers), *(refusals(batch) for batch in batches if batch.digest is not None)])
        pieces = _fresh(self._pieces, statements, _joined(batch.contents.pieces for batch in batches))
        return NewContents(
            messages=list(_fresh(self._messages, statements, _joined(b.contents.messages for b in batches)).values()),
            pieces=list(pieces.items()),
            logs=[event for event, _ in logs.values()],
            conversations=[conversation for _, conversation in logs.values() if conversation is not None],
            points=list(_fresh(self._points, statements, _joined(batch.points for batch in batches)).values()),
            rejected=list(_fresh(self._rejected, statements, rejected).values()),
        )

    def note(self, batches: Sequence[DecodedBatch], stored: NewContents) -> None:
        """Remember what has been stored."""
        self._requests.note(batch.digest for batch in batches if batch.digest is not None)
        places = ((self._messages, stored.messages, 0), (self._pieces, stored.pieces, 0), (self._logs, stored.logs, -1),
                  (self._points, stored.points, -1), (self._rejected, stored.rejected, -1))  # fmt: skip
        for index, rows, place in places:
            index.note(row[place] for row in rows)

    def trim(self) -> None:
        """Forget what has long not been needed."""
        for index in self._all:
            index.trim()


def _joined(parts: Iterable[Mapping[str, Value]]) -> dict[str, Value]:
    return {digest: value for part in parts for digest, value in part.items()}


def _fresh(index: DigestIndex, statements: Statements, found: dict[str, Value]) -> dict[str, Value]:
    if not found:
        return found
    new = index.new(statements, found)
    return found if len(new) == len(found) else {digest: value for digest, value in found.items() if digest in new}
