"""The one thread that owns the write connection: it drains the queue, commits in groups, then answers."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from milepost.wire import BatchAnswer
from milepost_collector.errors import QueueFullError, StorageError, StorageUnavailableError
from milepost_collector.protocol.batch import DecodedBatch
from milepost_collector.storage import Database
from milepost_collector.traces.commit import DATA_ERRORS, Clock, Committer, Delta
from milepost_collector.traces.lost import give_up

logger = logging.getLogger("milepost.ingest")

MAX_GROUP_ROWS = 20_000  # in one commit: beyond it waiting grows and throughput hardly does
# Spans that queries add up themselves before they are summed in bulk: some milliseconds of a query. Few at a time would
# be no help, a run that goes on for hours would have a row of sums for each of its spans.
SUM_UP_SPANS = 50_000
IDLE_SUM_UP_SPANS = 2_000
TICK_S = 0.5  # how often lost spans are looked for, and idleness is noticed
IDLE_CHECKPOINT_WAL_BYTES = 4 * 1024 * 1024  # with nothing to do, this much write-ahead log is worth a checkpoint

# The disk is full, gone or broken. DuckDB gives the instance up after some of these, so it is opened anew; while that
# fails, too, the connection stays closed.
DISK_ERRORS = (duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.ConnectionException)


Reply = Callable[[BatchAnswer | BaseException], None]


@dataclass(slots=True)
class Pending:
    """A batch waiting for its commit.

    clean: returns the batch without what the database does not accept, given a function that tries a batch.
    reply: called once, from the writer's thread, with the answer or an error.
    """

    batch: DecodedBatch
    clean: Callable[[Callable[[DecodedBatch], bool]], DecodedBatch]
    reply: Reply = lambda _: None


@dataclass(slots=True)
class Work:
    """Something else than batches to write. run: does so in a transaction of its own. reply: called once, with None
    after the commit or with the error; both on the writer's thread."""

    run: Callable[[DuckDBPyConnection], None]
    reply: Callable[[BaseException | None], None]


@dataclass(slots=True)
class Counters:
    """Running totals since the start."""

    committed_batches: int = 0
    committed_events: int = 0
    rejected_events: int = 0
    duplicate_batches: int = 0
    commits: int = 0
    failed_commits: int = 0
    checkpoints: int = 0


class Writer:
    """Commits what is put into its queue. `put` is thread-safe; everything else happens on the writer's own thread.

    on_delta: called after every commit with what changed. is_expecting: whether batches are on their way here;
    then a moment without any is no time for what is put off until nothing happens.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        lost_after_s: float,
        max_waiting_bytes: int,
        checkpoint_wal_bytes: int,
        on_delta: Callable[[Delta], None],
        is_expecting: Callable[[], bool] = lambda: False,
    ) -> None:
        self._database = database
        self._committer = Committer(database, clock, lost_after_s)
        self._clock = clock
        self._max_waiting_bytes = max_waiting_bytes
        self._checkpoint_wal_bytes = checkpoint_wal_bytes
        self._on_delta = on_delta
        self._is_expecting = is_expecting
        self._queue: deque[Pending] = deque()
        self._works: deque[Work] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._ticked_at_s = clock.monotonic()
        self.queued_bytes = 0
        self.available = True
        self.counters = Counters()
        self._thread = threading.Thread(target=self._run, name="milepost-writer", daemon=True)

    @property
    def live_spans(self) -> int:
        """How many spans are running."""
        return len(self._committer.live)

    @property
    def queued_batches(self) -> int:
        """How many batches wait."""
        return len(self._queue)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Commit what is queued, then end the thread. Safe to call twice."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def put(self, pending: Pending) -> None:
        """Queue a batch.

        Raises:
            QueueFullError: too many bytes wait already.
        """
        with self._changed:
            # A batch alone is always taken: a limit below the largest body would refuse it for ever.
            if self._queue and self.queued_bytes + pending.batch.size > self._max_waiting_bytes:
                raise QueueFullError(self.queued_bytes, self._max_waiting_bytes)
            self._queue.append(pending)
            self.queued_bytes += pending.batch.size
            self._changed.notify()

    def put_work(self, work: Work) -> None:
        """Queue something else than a batch; it comes after the next commit.

        Raises:
            StorageUnavailableError: the thread is being stopped.
        """
        with self._changed:
            if self._stopping:
                raise StorageUnavailableError(self._database.path, "the collector stops")
            self._works.append(work)
            self._changed.notify()

    def give_up(self, runs: Mapping[str, int]) -> None:
        """Have what still runs of these runs closed as lost soon: their worker is gone, since that time in Unix ns."""
        with self._changed:
            give_up(self._committer.given_up, runs)
            self._changed.notify()

    # --- the thread

    def _run(self) -> None:
        self._guarded(self._committer.prepare)
        while True:
            group = self._take()
            if group:
                self._store(group)
            worked = self._do_works()
            if self._stopping and not group and not worked:
                self._guarded(self._committer.sum_up)
                return
            self._housekeep(idle=not group and not worked and not self._is_expecting())

    def _take(self) -> list[Pending]:
        with self._changed:
            if not self._queue and not self._works and not self._stopping:
                self._changed.wait(TICK_S)
            group: list[Pending] = []
            rows = 0
            while self._queue and rows < MAX_GROUP_ROWS:
                pending = self._queue.popleft()
                self.queued_bytes -= pending.batch.size
                rows += pending.batch.row_count
                group.append(pending)
            return group

    def _store(self, group: list[Pending]) -> None:
        try:
            self._commit(group)
        except DATA_ERRORS as error:
            self._store_singly(group, error)
        except (*DISK_ERRORS, duckdb.TransactionException) as error:
            self._give_up(group, error)
        except duckdb.OutOfMemoryException:
            self._store_without_readers(group)
        except Exception as error:  # the thread must outlive a defect, and the sender must hear of it
            logger.exception("commit of %d batches failed", len(group))
            self.counters.failed_commits += 1
            _reply_all(group, error)

    def _commit(self, group: list[Pending]) -> None:
        is_new, delta = self._committer.commit([pending.batch for pending in group])
        self.available = True
        self._count(group, is_new)
        for pending, new in zip(group, is_new, strict=True):
            accepted = pending.batch.accepted if new else 0
            pending.reply(BatchAnswer(accepted, pending.batch.rejections if new else [], duplicate=not new))
        self._on_delta(delta)

    def _store_singly(self, group: list[Pending], error: BaseException) -> None:
        """A value somewhere in the group does not fit: commit one by one, then without the event that holds it."""
        if len(group) > 1:
            for pending in group:
                self._store([pending])
            return
        pending = group[0]
        logger.warning("a batch of %s holds a value that cannot be stored: %s", pending.batch.producer_id, error)
        cleaned = pending.clean(self._committer.would_commit)
        try:
            self._commit([Pending(cleaned, pending.clean, pending.reply)])
        except Exception as still:
            logger.exception("a batch of %s cannot be stored", pending.batch.producer_id)
            self.counters.failed_commits += 1
            pending.reply(still)

    def _store_without_readers(self, group: list[Pending]) -> None:
        """Memory ran out: events go before queries."""
        logger.warning("memory limit reached during a commit; running queries are stopped")
        self._database.interrupt_readers()
        try:
            self._commit(group)
        except duckdb.Error as error:
            self._give_up(group, error)

    def _give_up(self, group: list[Pending], error: BaseException) -> None:
        logger.error("commit of %d batches failed, senders will retry: %s", len(group), error)
        self.counters.failed_commits += 1
        self.available = False
        unavailable = StorageUnavailableError(self._database.path, str(error).partition("\n")[0])
        _reply_all(group, unavailable)
        self._reopen()

    def _reopen(self) -> None:
        try:
            self._database.reopen()
            self._committer.load()
            self._committer.prepare()
        except (StorageError, duckdb.Error) as error:
            logger.error("database cannot be reopened yet: %s", error)

    def _do_works(self) -> bool:
        worked = bool(self._works)
        while self._works:
            work = self._works.popleft()
            try:
                work.run(self._database.writer)
            except (*DISK_ERRORS, duckdb.TransactionException) as error:
                self._give_up([], error)
                work.reply(StorageUnavailableError(self._database.path, str(error).partition("\n")[0]))
            except Exception as error:  # the thread must outlive a defect, and whoever asked must hear of it
                work.reply(error)
            else:
                self.available = True
                work.reply(None)
        return worked

    def _count(self, group: list[Pending], is_new: list[bool]) -> None:
        counters = self.counters
        counters.commits += 1
        for pending, new in zip(group, is_new, strict=True):
            if new:
                counters.committed_batches += 1
                counters.committed_events += pending.batch.accepted
                counters.rejected_events += len(pending.batch.rejected)
            else:
                counters.duplicate_batches += 1

    # --- between commits

    def _housekeep(self, *, idle: bool) -> None:
        now_s = self._clock.monotonic()
        due = now_s - self._ticked_at_s >= TICK_S
        if due or idle:
            self._ticked_at_s = now_s
            self._guarded(self._close_lost)
            self._committer.trim()
        self._guarded(lambda: self._committer.sum_up(IDLE_SUM_UP_SPANS if idle else SUM_UP_SPANS))
        if due or idle:
            self._guarded(lambda: self._checkpoint_if_worth_it(idle=idle))

    def _close_lost(self) -> None:
        delta = self._committer.close_lost()
        if delta.spans:
            logger.info("%d running spans closed as lost", len(delta.spans))
            self._on_delta(delta)

    def _checkpoint_if_worth_it(self, *, idle: bool) -> None:
        # A checkpoint stops commits for about 1 µs a row, so under load it is put off until the log is large: then the
        # few requests it delays are far fewer than one in a hundred.
        limit = IDLE_CHECKPOINT_WAL_BYTES if idle else self._checkpoint_wal_bytes
        if self._database.wal_bytes() >= limit:
            self._database.checkpoint()
            self.counters.checkpoints += 1

    def _guarded(self, work: Callable[[], Any]) -> None:
        try:
            work()
        except duckdb.Error as error:
            logger.error("housekeeping failed, will be tried again: %s", error)
            if isinstance(error, DISK_ERRORS):
                self.available = False
                self._reopen()


def _reply_all(group: list[Pending], error: BaseException) -> None:
    for pending in group:
        pending.reply(error)
