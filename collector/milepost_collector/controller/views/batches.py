"""Batches: how far they are."""

from __future__ import annotations

from milepost.wire.batches import BatchList, BatchProgress
from milepost.wire.tasks import FINISHED_STATUSES, TaskFilter
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.estimates import MIN_SAMPLES
from milepost_collector.controller.rows import BatchRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.errors import NotFoundError

SCANNED = 1_000  # newest calls that a list of batches is put together from


def batches(tx: Tx, *, limit: int) -> BatchList:
    """Return the newest batches that calls have made."""
    rows = tx.find(BatchRow, Find(order=("created_at", "id", "digest"), descending=True, limit=SCANNED))
    ids = list(dict.fromkeys(row.id for row in rows))[:limit]
    return BatchList(batches=[_progress(tx, one, [row for row in rows if row.id == one]) for one in ids])


def batch(tx: Tx, batch_id: str) -> BatchProgress:
    """Return how far a batch is.

    Raises:
        NotFoundError: no task belongs to it and no call has made it.
    """
    rows = tx.find(BatchRow, Find(equal={"id": batch_id}, order=("created_at", "digest")))
    found = _progress(tx, batch_id, rows)
    if not rows and not found.total:
        raise NotFoundError("batch", batch_id)
    return found


def _progress(tx: Tx, batch_id: str, rows: list[BatchRow]) -> BatchProgress:
    counts = {str(value): count for value, count in tx.counts(TaskFilter(batch=[batch_id]), group_by="status")}
    total, finished = sum(counts.values()), sum(counts.get(status, 0) for status in FINISHED_STATUSES)
    first = min(rows, key=lambda row: row.created_at, default=None)
    return BatchProgress(
        id=batch_id,
        total=total,
        finished=finished,
        counts=counts,
        created_at=to_datetime(first.created_at) if first else None,
        created_by=first.created_by if first else None,
        estimated_completion=to_datetime(_expected(tx, batch_id, total - finished)),
    )


def _expected(tx: Tx, batch_id: str, left: int) -> int | None:
    """Return when a batch will be finished at the pace it has had; None: it is, or too few of it are to tell."""
    began, done = tx.pace_of_batch(batch_id) if left else (None, 0)
    if began is None or done < MIN_SAMPLES:
        return None
    return tx.now + left * max(tx.now - began, 1) // done
