"""One action on all tasks that match: some hundred in a transaction, so that nobody else waits for long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from milepost.wire.tasks import BulkAnswer, BulkRefusal, BulkRequest, TaskFilter
from milepost_collector.controller.engine import Engine
from milepost_collector.controller.store.interface import Tx

CHUNK = 500  # tasks in one transaction
MAX_REFUSALS = 100  # that an answer names
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Place(Struct, kw_only=True, frozen=True):
    """How far a bulk action is. wanted: narrowed to tasks that were there when it began. after: the last one seen."""

    wanted: TaskFilter
    after: str | None = None
    is_end: bool = False


class Bulk:
    """A bulk action under way. answer: what became of it so far."""

    def __init__(self, request: BulkRequest) -> None:
        self._request = request
        self._place: Place | None = None
        self.answer = BulkAnswer(matched=0, changed=0, refused=0, refusals=[], dry_run=request.dry_run)

    @property
    def is_done(self) -> bool:
        """Whether every task has been seen."""
        return self._place is not None and self._place.is_end

    def step(self, engine: Engine, tx: Tx) -> tuple[Place, list[tuple[str, str | None]]]:
        """Do the next chunk in a transaction; nothing is noted until `take`, for it may be rolled back."""
        place = self._place or Place(wanted=_narrowed(self._request.filter, tx.now))
        ids = tx.matching_ids(place.wanted, after=place.after, limit=CHUNK)
        request = self._request
        refusals = engine.bulk(tx, request.action, ids, request.arguments, dry_run=request.dry_run) if ids else []
        after = ids[-1] if ids else place.after
        return Place(wanted=place.wanted, after=after, is_end=len(ids) < CHUNK), list(zip(ids, refusals, strict=True))

    def take(self, place: Place, outcomes: list[tuple[str, str | None]]) -> None:
        """Note what a chunk did, now that it is durable."""
        self._place = place
        answer = self.answer
        refused = [BulkRefusal(task_id=task_id, reason=reason) for task_id, reason in outcomes if reason is not None]
        answer.matched += len(outcomes)
        answer.refused += len(refused)
        answer.changed += len(outcomes) - len(refused)
        answer.refusals += refused[: MAX_REFUSALS - len(answer.refusals)]


def _narrowed(wanted: TaskFilter, now: int) -> TaskFilter:
    """Leave out what is created from now on: tasks that the action itself causes would be matched too."""
    end = _EPOCH + timedelta(milliseconds=now + 1)
    if wanted.created_to is not None and wanted.created_to < end:
        return wanted
    return msgspec.structs.replace(wanted, created_to=end)
