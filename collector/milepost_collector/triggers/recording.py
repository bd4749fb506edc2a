"""One delivery in one transaction: the task, the line in the log and the counts become durable together, or not at all.

Deliveries of a trigger take turns: its row is locked first. So however many collectors and connections hand the same
delivery over at once, one of them makes the task and the others find it.
"""

from __future__ import annotations

from msgspec import Struct

from milepost.errors import MilepostError
from milepost.wire.tasks import TaskCreate
from milepost.wire.triggers import Outcome
from milepost_collector.controller.engine import Created, Engine
from milepost_collector.controller.rows import TriggerEventRow, TriggerPayloadRow, TriggerRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.errors import NotFoundError
from milepost_collector.triggers.definitions import definition_of
from milepost_collector.triggers.errors import TriggerChangedError

MINUTE_MS = 60_000
DAY_MS = 86_400_000
# Lines of one outcome that makes no task, in a minute: further ones are only counted, or a sender could fill the disk.
MAX_NOTED = 60


class Content(Struct, kw_only=True, frozen=True):
    """What came, to be kept. headers: JSON, without secrets. body: sealed."""

    headers: str
    body: str


class Delivery(Struct, kw_only=True, frozen=True):
    """A delivery that has been verified and read. id: of the line in the log. request: what the task is made from; None
    when none is to be made: then outcome and reason say why. replay_of, by: of a replay, which is never a duplicate.
    is_event: an event may be told again by whoever follows; that it was known is nobody's business."""

    id: str
    delivery_id: str | None
    request: TaskCreate | None
    outcome: Outcome = "accepted"
    reason: str = ""
    content: Content | None = None
    size_bytes: int = 0
    depth: int = 0
    replay_of: str | None = None
    by: str | None = None
    is_event: bool = False


class Done(Struct, kw_only=True, frozen=True):
    """What became of a delivery. event_id: None when no line was written. retry_after_s: of one that is limited."""

    outcome: Outcome
    reason: str = ""
    event_id: str | None = None
    task_id: str | None = None
    retry_after_s: int = 0


def record(engine: Engine, tx: Tx, trigger_id: str, version: int, delivery: Delivery) -> Done:
    """Do what a delivery asks for. version: of the trigger, as the delivery was read by it.

    Raises:
        NotFoundError: there is no such trigger any more.
        TriggerChangedError: it has been changed meanwhile.
    """
    row = locked(tx, trigger_id)
    if row.version != version:
        raise TriggerChangedError(f"trigger {row.name!r} was changed")
    if delivery.is_event and _earlier(tx, row.id, delivery.delivery_id) is not None:
        return Done(outcome="duplicate")
    done = _decide(engine, tx, row, delivery)
    _count(tx, row, done.outcome)
    if done.outcome in ("accepted", "failed", "limited") and delivery.content is not None and done.event_id is not None:
        _keep(tx, row, done.event_id, delivery.content)
    return done


def note(tx: Tx, trigger_id: str, event_id: str, outcome: Outcome, reason: str, *, size_bytes: int = 0) -> None:
    """Write down a delivery that was turned away before it was read."""
    row = locked(tx, trigger_id)
    _write(tx, row, Delivery(id=event_id, delivery_id=None, request=None, size_bytes=size_bytes), outcome, reason)
    _count(tx, row, outcome)


def locked(tx: Tx, trigger_id: str) -> TriggerRow:
    """Return a trigger that nobody else changes until the end of the transaction.

    Raises:
        NotFoundError: there is none of this id.
    """
    found = tx.find(TriggerRow, Find(equal={"id": trigger_id}, limit=1), lock=True)
    if not found:
        raise NotFoundError("trigger", trigger_id)
    return found[0]


def depth_of(tx: Tx, task_id: str) -> int:
    """Return how many triggers followed from one another up to a task; 0: none made it."""
    query = Find(equal={"task_id": task_id, "outcome": "accepted"}, order=("id",), limit=1)
    return next((event.depth + 1 for event in tx.find(TriggerEventRow, query)), 0)


def _decide(engine: Engine, tx: Tx, row: TriggerRow, delivery: Delivery) -> Done:
    if (earlier := _earlier(tx, row.id, delivery.delivery_id)) is not None:
        task_id = earlier.task_id
        return _write(tx, row, delivery, "duplicate", f"it made task {task_id} before", task_id=task_id)
    if delivery.request is None:
        return _write(tx, row, delivery, delivery.outcome, delivery.reason)
    if (wait_s := _wait_s(tx, row)) > 0:
        limit = definition_of(row).rate_limit
        reason = f"{limit} tasks were made within a minute, the limit"
        return _write(tx, row, delivery, "limited", reason, retry_after_s=wait_s)
    (made,) = engine.create(tx, [delivery.request])
    if isinstance(made, MilepostError):
        return _write(tx, row, delivery, "failed", str(made))
    assert isinstance(made, Created)
    return _write(tx, row, delivery, "accepted", "", task_id=made.task_id)


def _earlier(tx: Tx, trigger_id: str, delivery_id: str | None) -> TriggerEventRow | None:
    if delivery_id is None:
        return None
    wanted = {"trigger_id": trigger_id, "delivery_id": delivery_id, "outcome": "accepted"}
    return next(iter(tx.find(TriggerEventRow, Find(equal=wanted, limit=1))), None)


def _wait_s(tx: Tx, row: TriggerRow) -> int:
    """Return how long until another task may be made, seconds rounded up; 0: now."""
    query = Find(
        equal={"trigger_id": row.id, "outcome": "accepted"}, since={"at": tx.now - MINUTE_MS + 1}, order=("at", "id"),
        limit=1,
    )  # fmt: skip
    if tx.count(TriggerEventRow, query) < definition_of(row).rate_limit:
        return 0
    (oldest,) = tx.find(TriggerEventRow, query)
    return max(-(-(oldest.at + MINUTE_MS - tx.now) // 1_000), 1)


def _write(
    tx: Tx,
    row: TriggerRow,
    delivery: Delivery,
    outcome: Outcome,
    reason: str,
    *,
    task_id: str | None = None,
    retry_after_s: int = 0,
) -> Done:
    event_id = delivery.id if outcome == "accepted" or _may_note(tx, row.id, outcome) else None
    if event_id is not None:
        event = TriggerEventRow(
            id=event_id,
            trigger_id=row.id,
            at=tx.now,
            outcome=outcome,
            delivery_id=delivery.delivery_id,
            reason=reason[:2_000],
            task_id=task_id,
            depth=delivery.depth,
            size_bytes=delivery.size_bytes,
            replay_of=delivery.replay_of,
            by=delivery.by,
        )
        tx.insert([event])
    return Done(outcome=outcome, reason=reason, event_id=event_id, task_id=task_id, retry_after_s=retry_after_s)


def _may_note(tx: Tx, trigger_id: str, outcome: Outcome) -> bool:
    query = Find(equal={"trigger_id": trigger_id, "outcome": outcome}, since={"at": tx.now - MINUTE_MS + 1})
    return tx.count(TriggerEventRow, query) < MAX_NOTED


def _keep(tx: Tx, row: TriggerRow, event_id: str, content: Content) -> None:
    days = definition_of(row).keep_payload_days
    if days:
        expires_at = tx.now + days * DAY_MS
        kept = TriggerPayloadRow(
            event_id=event_id, trigger_id=row.id, expires_at=expires_at, headers=content.headers, body=content.body
        )
        tx.insert([kept])


def _count(tx: Tx, row: TriggerRow, outcome: Outcome) -> None:
    setattr(row, outcome, getattr(row, outcome) + 1)
    row.last_at, row.last_outcome = tx.now, outcome
    tx.update([row])
