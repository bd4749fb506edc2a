"""What one commit does: everything drained from the queue, in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import duckdb
import msgspec
from duckdb import DuckDBPyConnection

from milepost.wire import Resource
from milepost_collector.protocol.batch import DecodedBatch
from milepost_collector.protocol.foreign_rows import Attached
from milepost_collector.protocol.rows import LIVE_COLUMNS, SPAN_COLUMNS, Row, lost_row
from milepost_collector.storage import Database
from milepost_collector.traces.arrow import TIMES
from milepost_collector.traces.contents import ContentIndex, NewContents
from milepost_collector.traces.duplicates import better, is_repeat
from milepost_collector.traces.identity import BatchIndex, SpanIndex
from milepost_collector.traces.lost import PRODUCER, Producer, SpanKey, find_lost
from milepost_collector.traces.statements import Statements
from milepost_collector.traces.usage import RUN, SCOPE, UsageIndex, Verdicts

# What a value that does not fit its column raises, in DuckDB or on the way there through Arrow.
DATA_ERRORS = (duckdb.DataError, duckdb.IntegrityError, duckdb.ProgrammingError, ValueError, TypeError, OverflowError)

# A commit without spans leaves no trace but in `summed`.
LAST_COMMIT = "SELECT greatest(coalesce(max(commit_id), -1), (SELECT up_to FROM summed)) FROM spans"

MAX_PRODUCERS = 10_000  # remembered; those longest silent are looked up in the database again


@dataclass(frozen=True, slots=True)
class Clock:
    """The time, handed in. wall: Unix ns. monotonic: seconds, for durations."""

    wall: Callable[[], int] = time.time_ns
    monotonic: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class Delta:
    """What a commit changed, for live viewers: rows of `spans`, `live_spans` and `events`."""

    spans: list[Row] = field(default_factory=list)
    starts: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """A commit thought through: what to write, and what to remember once it is written."""

    fresh: list[DecodedBatch] = field(default_factory=list)
    spans: list[Row] = field(default_factory=list)
    replaced: list[SpanKey] = field(default_factory=list)  # stored spans of which a more complete copy came
    starts: dict[SpanKey, Row] = field(default_factory=dict)
    leaving: set[SpanKey] = field(default_factory=set)  # live spans that ended
    run_ids: set[str] = field(default_factory=set)
    superseded: list[Row] = field(default_factory=list)  # copies of spans that others are preferred to
    attached: list[Attached] = field(default_factory=list)
    contents: NewContents = field(default_factory=NewContents)
    verdicts: Verdicts = field(default_factory=Verdicts)

    @property
    def events(self) -> list[Row]:
        """The rows of `events`."""
        native = [row for batch in self.fresh for row in batch.events]
        return native + [row for attached in self.attached for row in attached.events] + self.contents.logs

    @property
    def conversations(self) -> list[Row]:
        """The rows of `span_messages`."""
        native = [row for batch in self.fresh for row in batch.conversations]
        of_spans = [row for attached in self.attached for row in attached.conversations]
        return native + of_spans + self.contents.conversations


class Committer:
    """Turns batches into one DuckDB transaction and keeps what must be known to do so.

    Not thread-safe: it belongs to the writer's thread.
    """

    def __init__(self, database: Database, clock: Clock, lost_after_s: float) -> None:
        self._database = database
        self._clock = clock
        self._lost_after_s = lost_after_s
        self._batches = BatchIndex()
        self._spans = SpanIndex()
        self._usage = UsageIndex()
        self._contents = ContentIndex()
        self._producers: dict[str, Producer] = {}
        self.live: dict[SpanKey, Row] = {}
        self.given_up: dict[str, int] = {}  # runs whose worker is lost, and since when, Unix ns
        self.load()

    def load(self) -> None:
        """Read what is running from the database; their producers get the full time to be heard of again."""
        connection = self._database.writer
        self._statements = Statements(connection)
        self._next_commit_id = _scalar(connection, LAST_COMMIT) + 1
        self._unsummed = _scalar(connection, "SELECT count(*) FROM spans WHERE commit_id > (SELECT up_to FROM summed)")
        rows = connection.execute(f"SELECT {_selected(LIVE_COLUMNS)} FROM live_spans").fetchall()
        self.live = {(row[0], row[1]): row for row in rows}
        self._batches, self._spans, self._usage = BatchIndex(), SpanIndex(), UsageIndex()
        self._contents = ContentIndex()
        self._producers = {}
        for producer_id in {row[PRODUCER] for row in rows}:
            self._producer(connection, producer_id)

    def prepare(self) -> None:
        """Learn what makes commits quick; worth the time once, off the path to readiness."""
        self._spans.prepare(self._statements)
        self._contents.prepare(self._statements)

    def commit(self, batches: Sequence[DecodedBatch]) -> tuple[list[bool], Delta]:
        """Store the batches; return for each whether it was new, and what changed.

        Raises:
            duckdb.Error: nothing was stored; the same batches may be given again.
        """
        self._statements.get_ready()
        connection = self._database.writer
        plan = Plan()
        is_new = []
        try:
            for batch in batches:
                is_new.append(self._claim(connection, plan, batch))
                if is_new[-1]:
                    plan.fresh.append(batch)
            if not plan.fresh:
                return is_new, Delta()
            return is_new, self._carry_out(connection, plan, [row for batch in plan.fresh for row in batch.spans])
        except BaseException:
            self._forget(plan)
            raise

    def _claim(self, connection: DuckDBPyConnection, plan: Plan, batch: DecodedBatch) -> bool:
        if batch.digest is None:
            return self._batches.claim(connection, batch.producer_id, batch.sequence)
        again = any(other.digest == batch.digest for other in plan.fresh)
        return not again and self._contents.is_new_request(self._statements, batch.digest)

    def would_commit(self, batch: DecodedBatch) -> bool:
        """Try a batch and take it back; tell whether the database accepts its rows."""
        connection = self._database.writer
        self._statements.get_ready()
        plan = Plan(fresh=[batch], spans=batch.spans, starts={(row[0], row[1]): row for row in batch.starts})
        plan.attached = list(batch.attached.values())
        plan.contents = self._contents.plan(self._statements, [batch], [])
        connection.execute("BEGIN")
        try:
            self._write(plan, [])
        except DATA_ERRORS:
            return False
        finally:
            _roll_back(connection)
        return True

    def close_lost(self) -> Delta:
        """Close the running spans whose producer went away; return what changed.

        Raises:
            duckdb.Error: nothing was stored.
        """
        now_s = self._clock.monotonic()
        lost = find_lost(self.live, self._producers, now_s, self._lost_after_s, self.given_up)
        if not lost:
            return Delta()
        self._statements.get_ready()
        plan = Plan()
        try:
            return self._carry_out(self._database.writer, plan, [lost_row(row, heard) for row, heard in lost])
        except BaseException:
            self._forget(plan)
            raise

    def sum_up(self, at_least: int = 1) -> None:
        """Add spans that arrived to their runs' stored sums, if there are that many.

        Raises:
            duckdb.Error: nothing was stored.
        """
        if self._unsummed < at_least:
            return
        connection = self._database.writer
        connection.execute("BEGIN")
        try:
            self._statements.sum_up(self._next_commit_id - 1)
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise
        self._unsummed = 0

    def trim(self) -> None:
        """Forget what has long not been needed."""
        self._statements.clear()
        self._batches.trim()
        self._spans.trim()
        self._spans.forget(self._usage.trim())  # both know a run, or neither
        self._contents.trim()
        if len(self._producers) > MAX_PRODUCERS:
            needed = {row[PRODUCER] for row in self.live.values()}
            longest_silent = sorted(self._producers.items(), key=lambda item: item[1].heard_at_s)
            for producer_id, _ in longest_silent[: len(self._producers) - MAX_PRODUCERS // 2]:
                if producer_id not in needed:
                    del self._producers[producer_id]

    def _carry_out(self, connection: DuckDBPyConnection, plan: Plan, ended: list[Row]) -> Delta:
        self._plan_spans(connection, plan, ended)
        self._plan_usage(plan)
        by_row = {place: attached for batch in plan.fresh for place, attached in batch.attached.items()}
        plan.attached = [by_row[id(row)] for row in plan.spans if id(row) in by_row] if by_row else []
        plan.contents = self._contents.plan(self._statements, plan.fresh, plan.superseded)
        new_producers = self._new_producers(connection, plan.fresh)
        connection.execute("BEGIN")
        try:
            self._write(plan, new_producers)
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise
        self._remember(plan)
        return Delta(plan.spans, list(plan.starts.values()), plan.events)

    # --- deciding what to write

    def _plan_spans(self, connection: DuckDBPyConnection, plan: Plan, ended: list[Row]) -> None:
        starts = [row for batch in plan.fresh for row in batch.starts]
        plan.run_ids = {row[0] for row in ended}
        foreign = self._spans.load(self._statements, plan.run_ids.union(row[0] for row in starts))
        turning = {row[RUN] for row in ended if row[SCOPE] is not None and self._spans.ended(row[RUN])}
        self._usage.load(self._statements, foreign | turning)
        again = []
        run_id, known = "", set[str]()
        for row in ended:
            if row[0] != run_id:  # spans of a run come together
                run_id, known = row[0], self._spans.ended(row[0])
            if row[1] in known:
                again.append(row)
            else:
                known.add(row[1])
                plan.spans.append(row)
        self._spans.note_added(len(plan.spans))
        if again:
            self._settle(connection, plan, again)
        if self.live:
            plan.leaving = {key for row in ended if (key := (row[0], row[1])) in self.live}
        for row in starts:
            self._plan_start(plan, row)

    def _plan_usage(self, plan: Plan) -> None:
        """Find which spans repeat the usage of others, now that these have come."""
        plan.verdicts = self._usage.add(plan.spans)

    def _plan_start(self, plan: Plan, row: Row) -> None:
        key = (row[0], row[1])
        if row[1] in self._spans.ended(row[0]):
            return
        known = plan.starts.get(key) or self.live.get(key)
        if known is None:
            plan.starts[key] = row
        elif better(row, known):
            plan.starts[key] = row
            if key in self.live:
                plan.leaving.add(key)

    def _settle(self, connection: DuckDBPyConnection, plan: Plan, again: list[Row]) -> None:
        """Decide between copies of a span: the more complete one stands, whichever came first."""
        planned = {(row[0], row[1]): place for place, row in enumerate(plan.spans)}
        for row in again:
            key = (row[0], row[1])
            stands = plan.spans[planned[key]] if key in planned else _stored_span(connection, key)
            wins = better(row, stands)
            if not is_repeat(row, stands):
                plan.superseded.append(stands if wins else row)
            if not wins:
                continue
            if key in planned:
                plan.spans[planned[key]] = row
            else:
                planned[key] = len(plan.spans)
                plan.spans.append(row)
                plan.replaced.append(key)

    # --- writing

    def _write(self, plan: Plan, new_producers: list[Row]) -> None:
        write = self._statements
        if plan.leaving:
            write.delete("live_spans", plan.leaving)
        if plan.replaced:
            write.delete("spans", plan.replaced)
            write.delete_attached(plan.replaced)
        write.insert_spans(plan.spans, self._next_commit_id)
        if plan.replaced:
            write.sum_anew({run_id for run_id, _ in plan.replaced})
        write.insert("live_spans", list(plan.starts.values()))
        write.insert("events", plan.events)
        write.insert("producers", new_producers)
        now = self._clock.wall()
        rejected = [row for batch in plan.fresh if batch.digest is None for row in _rejected(batch, now)]
        write.insert("rejected", rejected + [(now, *row) for row in plan.contents.rejected])
        write.insert("batches", [_batch_row(batch, now) for batch in plan.fresh])
        self._write_foreign(plan)

    def _write_foreign(self, plan: Plan) -> None:
        write, contents = self._statements, plan.contents
        write.insert("span_messages", plan.conversations)
        write.insert("stored_messages", contents.messages)
        write.insert("pieces", contents.pieces)
        write.insert("metrics", contents.points)
        write.insert("run_links", [row for attached in plan.attached for row in attached.links])
        if plan.verdicts.run_ids:
            write.delete_runs("uncounted", plan.verdicts.run_ids)
        write.insert("uncounted", plan.verdicts.rows)

    # --- remembering

    def _producer(self, connection: DuckDBPyConnection, producer_id: str) -> Producer:
        found = self._producers.get(producer_id)
        if found is None:
            row = connection.execute(
                "SELECT epoch_ns(max(received_at)), coalesce(bool_or(closing), false) FROM batches "
                "WHERE producer_id = ?",
                [producer_id],
            ).fetchone()
            heard_time, closed = row or (None, False)
            found = Producer(self._clock.monotonic(), heard_time or 0, closed)
            self._producers[producer_id] = found
        return found

    def _new_producers(self, connection: DuckDBPyConnection, batches: Iterable[DecodedBatch]) -> list[Row]:
        rows: dict[str, Row] = {}
        for batch in batches:
            for producer_id, resource in _origins(batch):
                producer = self._producer(connection, producer_id)
                if producer.heard_time == 0 and producer_id not in rows:
                    rows[producer_id] = _producer_row(producer_id, resource, self._clock.wall())
        return list(rows.values())

    def _remember(self, plan: Plan) -> None:
        if plan.spans:
            self._next_commit_id += 1
            self._unsummed += len(plan.spans)
        for key in plan.leaving:
            del self.live[key]
        self.live.update(plan.starts)
        now_s, now = self._clock.monotonic(), self._clock.wall()
        for batch in plan.fresh:
            for producer_id, _ in _origins(batch):
                self._producers[producer_id].hear(batch.heartbeat, now_s, now)
        self._contents.note(plan.fresh, plan.contents)

    def _forget(self, plan: Plan) -> None:
        self._spans.forget(plan.run_ids)
        self._usage.forget(plan.run_ids)
        for batch in plan.fresh:
            if batch.digest is None:
                self._batches.release(batch.producer_id, batch.sequence)


def _scalar(connection: DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None  # an aggregate without GROUP BY answers one row
    return int(row[0])


def _stored_span(connection: DuckDBPyConnection, key: SpanKey) -> Row:
    query = f"SELECT {_selected(SPAN_COLUMNS)} FROM spans WHERE run_id = ? AND span_id = ?"
    row = connection.execute(query, list(key)).fetchone()
    assert row is not None, f"span {key} is in the index and not in the table"
    return row


def _roll_back(connection: DuckDBPyConnection) -> None:
    try:
        connection.execute("ROLLBACK")
    except duckdb.Error:
        # The failure ended the transaction itself (a fatal one the whole instance); the writer reopens it.
        return


def _selected(columns: tuple[str, ...]) -> str:
    """Return a select list that reads back what was written: times as integers, ns."""
    return ", ".join(f"epoch_ns({name})" if name in TIMES else name for name in columns)


def _origins(batch: DecodedBatch) -> Iterable[tuple[str, Resource]]:
    return batch.origins.items() if batch.digest is not None else ((batch.producer_id, batch.resource),)


def _batch_row(batch: DecodedBatch, now: int) -> Row:
    closing = batch.heartbeat is not None and batch.heartbeat.closing
    sequence = batch.sequence if batch.digest is None else None
    counts = batch.accepted, len(batch.rejected), batch.dropped
    return batch.producer_id, sequence, batch.digest, now, *counts, closing


def _rejected(batch: DecodedBatch, now: int) -> list[Row]:
    return [
        (now, batch.producer_id, batch.sequence, event.index, event.reason, event.text, None)
        for event in batch.rejected
    ]


def _producer_row(producer_id: str, of: Resource, now: int) -> Row:
    attributes = msgspec.json.encode(of.attributes, enc_hook=str).decode() if of.attributes else None
    return (
        producer_id, now, of.service_name, of.service_version, of.host_name, of.process_id, of.sdk_name,
        of.sdk_version, of.runtime, attributes,
    )  # fmt: skip
