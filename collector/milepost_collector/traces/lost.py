"""Which running spans are lost: their producer closed, fell silent, or says it does not know them, or their run was
given up. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from milepost.wire import Heartbeat
from milepost_collector.protocol.rows import LIVE_COLUMNS, Row

PRODUCER = LIVE_COLUMNS.index("producer_id")
SPAN = LIVE_COLUMNS.index("span_id")
START = LIVE_COLUMNS.index("start_time")
RUN = LIVE_COLUMNS.index("run_id")

MAX_GIVEN_UP = 10_000  # runs remembered, for starts of spans that arrive after their run was given up

OTLP_PRODUCER = "otlp-"  # how the ids of producers that OTLP knows by their resource begin
SILENT_S = 3600.0

SpanKey = tuple[str, str]


@dataclass(slots=True)
class Producer:
    """The last that was heard of a process. heard_at_s: monotonic; heard_time: Unix ns of the collector's clock."""

    heard_at_s: float
    heard_time: int
    closed: bool = False
    latest: Heartbeat | None = None  # of the heartbeats that named the open spans
    before: Heartbeat | None = None  # the one before it

    def hear(self, heartbeat: Heartbeat | None, now_s: float, now: int) -> None:
        """Take note of a batch and of the heartbeat in it."""
        self.heard_at_s, self.heard_time = now_s, max(now, self.heard_time)
        if heartbeat is None:
            return
        self.closed = self.closed or heartbeat.closing
        if heartbeat.open_spans is not None and (self.latest is None or heartbeat.time > self.latest.time):
            self.before, self.latest = self.latest, heartbeat

    def has_forgotten(self, span_id: str, start_time: int) -> bool:
        """Tell whether two heartbeats in a row should have named the span and did not: its end was dropped.

        One is not enough: a heartbeat may overtake the batch with the end.
        """
        return all(
            beat is not None and beat.time > start_time and span_id not in (beat.open_spans or ())
            for beat in (self.before, self.latest)
        )


def find_lost(
    live: Mapping[SpanKey, Row],
    producers: Mapping[str, Producer],
    now_s: float,
    lost_after_s: float,
    given_up: Mapping[str, int],
) -> list[tuple[Row, int]]:
    """Return the running spans to close as lost, each with when that was, or when its producer was last heard of.

    given_up: runs whose worker is known to be lost, and since when; times are Unix ns.
    """
    return [
        (row, at)
        for row in live.values()
        if (at := _lost_at(row, producers.get(row[PRODUCER]), now_s, lost_after_s, given_up)) is not None
    ]


def give_up(known: dict[str, int], runs: Mapping[str, int]) -> None:
    """Note runs whose worker is lost, and forget those noted first when they are too many."""
    known.update(runs)
    for run_id in list(known)[: max(len(known) - MAX_GIVEN_UP, 0)]:
        del known[run_id]


def _lost_at(
    row: Row, producer: Producer | None, now_s: float, lost_after_s: float, given_up: Mapping[str, int]
) -> int | None:
    since = given_up.get(row[RUN])
    if since is not None:
        return max(since, int(row[START]))
    if producer is None or not _is_lost(row, producer, now_s, lost_after_s):
        return None
    return producer.heard_time


def _is_lost(row: Row, producer: Producer, now_s: float, lost_after_s: float) -> bool:
    # OpenTelemetry's exporters send no heartbeats: nothing is heard of them while all their spans run.
    patience_s = max(lost_after_s, SILENT_S) if row[PRODUCER].startswith(OTLP_PRODUCER) else lost_after_s
    if producer.closed or now_s - producer.heard_at_s > patience_s:
        return True
    return producer.has_forgotten(row[SPAN], row[START])
