"""Batches: many tasks made in one transaction, once however often the call is repeated."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import msgspec

from milepost.wire.batches import BatchAnswer, BatchCreate
from milepost_collector.controller.engine.creation import Creator
from milepost_collector.controller.engine.unit import Unit, names_in
from milepost_collector.controller.rows import BatchRow
from milepost_collector.controller.store.interface import Find
from milepost_collector.errors import InvalidParameterError

_encode = msgspec.json.Encoder(order="deterministic").encode


def create(
    unit: Unit, creator: Creator, request: BatchCreate, new_id: Callable[[int], str], *, by: str | None = None
) -> BatchAnswer:
    """Make the tasks of a batch, or return those that the same call has made.

    Raises:
        InvalidParameterError: a task names another batch; or what refuses a task.
        MilepostError: a task is refused; then none is made.
    """
    batch = request.batch or new_id(unit.now)
    digest = _digest(request)
    for row in unit.tx.find(BatchRow, Find(equal={"id": batch, "digest": digest}, limit=1)) if request.batch else []:
        return BatchAnswer(ids=names_in(row.task_ids), batch=batch)
    for task in request.tasks:
        if task.batch not in (None, batch):
            raise InvalidParameterError("tasks.batch", task.batch, f"leave it out, or use that of the call, {batch}")
        task.batch = batch
    ids = [creator.create(unit, task, by=by).task_id for task in request.tasks]
    unit.add(_row(batch, digest, unit.now, ids, request, by))
    return BatchAnswer(ids=ids, batch=batch)


def forget(unit: Unit, before: int, limit: int) -> int:
    """Remove what is known of calls before an instant; return how many."""
    old = unit.tx.find(BatchRow, Find(before={"created_at": before}, order=("created_at", "id", "digest"), limit=limit))
    if old:
        unit.tx.delete(old)
    return len(old)


def _row(batch: str, digest: str, now: int, ids: Sequence[str], request: BatchCreate, by: str | None) -> BatchRow:
    return BatchRow(
        id=batch,
        digest=digest,
        created_at=now,
        task_count=len(ids),
        task_ids=_encode(ids).decode(),
        created_by=by or next((task.created_by for task in request.tasks if task.created_by), None),
    )


def _digest(request: BatchCreate) -> str:
    """Return what makes a call the same as another; a repeat may come from another span."""
    plain = [msgspec.structs.replace(task, traceparent=None, batch=None) for task in request.tasks]
    return hashlib.sha256(_encode(plain)).hexdigest()
