"""One delivery in one transaction, on both databases, with a clock that the test moves."""

from __future__ import annotations

import itertools
import random
import threading
from typing import Any

import msgspec
import pytest

from milepost.wire.tasks import TaskCreate, TaskFilter
from milepost.wire.triggers import RotateRequest, TriggerCreate, TriggerUpdate
from milepost_collector.controller.engine import Engine
from milepost_collector.controller.rows import TriggerEventRow, TriggerPayloadRow, TriggerRow
from milepost_collector.controller.service.ids import Ids
from milepost_collector.controller.store.interface import Find, Store
from milepost_collector.errors import ConflictError, InvalidParameterError, NotFoundError
from milepost_collector.triggers import keeping
from milepost_collector.triggers.errors import TriggerChangedError
from milepost_collector.triggers.recording import MAX_NOTED, Content, Delivery, Done, depth_of, note, record
from milepost_collector.triggers.upkeep import KEPT_MS, MAX_PAYLOADS, forget
from tests.controller.conftest import ManualClock

WEBHOOK: dict[str, Any] = {
    "name": "gh", "kind": "webhook", "task": {"name": "triage"}, "signature": {"scheme": "github"}
}  # fmt: skip
_numbers = itertools.count(1)


class Desk:
    """A store with one trigger."""

    def __init__(self, store: Store, **fields: Any) -> None:
        self.store = store
        request = msgspec.convert({**WEBHOOK, **fields}, TriggerCreate)
        new = keeping.New(id=f"trigger {next(_numbers)}", sealed_secret="sealed")
        self.id = store.run(lambda tx: keeping.create(tx, request, new)).id

    @property
    def row(self) -> TriggerRow:
        return self.store.read(lambda tx: keeping.find(tx, self.id))

    @property
    def events(self) -> list[TriggerEventRow]:
        return self.store.read(lambda tx: tx.find(TriggerEventRow, Find(order=("id",), limit=100_000)))

    def deliver(self, delivery_id: str | None, *, version: int | None = None, **fields: Any) -> Done:
        delivery = msgspec.structs.replace(delivered(delivery_id), **fields)
        wanted = self.row.version if version is None else version
        return self.store.run(lambda tx: record(engine(), tx, self.id, wanted, delivery))


def engine() -> Engine:
    chance = random.Random(next(_numbers))
    return Engine(new_id=Ids(chance), chance=chance)


def delivered(delivery_id: str | None) -> Delivery:
    return Delivery(
        id=f"e{next(_numbers):09}",
        delivery_id=delivery_id,
        request=TaskCreate(name="triage", type="triggered", input={"n": 1}),
        content=Content(headers="{}", body="sealed"),
        size_bytes=7,
    )


def test_delivery_makes_a_task_a_line_and_a_count(store: Store, clock: ManualClock) -> None:
    desk = Desk(store)
    done = desk.deliver("d1")
    assert done.outcome == "accepted"
    assert done.task_id is not None
    assert store.read(lambda tx: tx.tasks([done.task_id or ""]))[done.task_id].type == "triggered"
    (event,) = desk.events
    assert (event.outcome, event.task_id, event.at, event.size_bytes) == ("accepted", done.task_id, clock.now, 7)
    assert (desk.row.accepted, desk.row.last_outcome, desk.row.last_at) == (1, "accepted", clock.now)


def test_same_delivery_makes_one_task_however_often_it_comes(store: Store) -> None:
    desk = Desk(store)
    first = desk.deliver("d1")
    again = [desk.deliver("d1") for _ in range(3)]
    assert {done.task_id for done in again} == {first.task_id}
    assert {done.outcome for done in again} == {"duplicate"}
    assert (desk.row.accepted, desk.row.duplicate) == (1, 3)
    assert store.read(lambda tx: tx.counts(TaskFilter(), group_by="name")) == [("triage", 1)]


def test_delivery_handed_over_by_many_at_once_makes_one_task(store: Store) -> None:
    desk = Desk(store)
    version, found = desk.row.version, []
    threads = 4 if store.dialect == "postgresql" else 1  # SQLite has one writer

    def deliver() -> None:
        for number in range(10):
            found.append(desk.deliver(f"d{number}", version=version))

    workers = [threading.Thread(target=deliver) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    accepted = [done for done in found if done.outcome == "accepted"]
    assert len(found) == 10 * threads
    assert len(accepted) == len({done.task_id for done in found}) == 10


def test_same_id_at_another_trigger_is_another_delivery(store: Store) -> None:
    first, second = Desk(store), Desk(store, name="other")
    assert first.deliver("d1").task_id != second.deliver("d1").task_id


def test_rate_is_limited_until_the_minute_is_over(store: Store, clock: ManualClock) -> None:
    desk = Desk(store, rate_limit=2)
    assert [desk.deliver(f"d{number}").outcome for number in range(2)] == ["accepted", "accepted"]
    clock.advance(20_000)
    limited = desk.deliver("d2")
    assert (limited.outcome, limited.task_id, limited.retry_after_s) == ("limited", None, 40)
    assert desk.deliver("d1").outcome == "duplicate"  # what is known is answered all the same
    clock.advance(39_999)
    assert desk.deliver("d2").retry_after_s == 1
    clock.advance(1)
    assert desk.deliver("d2").outcome == "accepted"


def test_refused_task_is_a_failure_with_its_reason(store: Store) -> None:
    desk = Desk(store)
    request = TaskCreate(name="triage", dependencies=["nothing"])
    done = desk.deliver("d1", request=request)
    assert (done.outcome, done.task_id) == ("failed", None)
    assert "nothing" in done.reason
    assert desk.events[0].reason == done.reason
    assert desk.deliver("d1").outcome == "accepted"  # it made none, so it may come again


def test_lines_that_make_no_task_are_bounded_and_counted(store: Store, clock: ManualClock) -> None:
    desk = Desk(store)
    for _ in range(MAX_NOTED + 5):
        desk.deliver(None, request=None, outcome="filtered", reason="no")
    assert (len(desk.events), desk.row.filtered) == (MAX_NOTED, MAX_NOTED + 5)
    clock.advance(60_000)
    assert desk.deliver(None, request=None, outcome="filtered").event_id is not None


def test_change_of_the_trigger_is_noticed(store: Store) -> None:
    desk = Desk(store)
    store.run(lambda tx: keeping.update(tx, desk.id, TriggerUpdate(description="other")))
    with pytest.raises(TriggerChangedError, match="'gh' was changed"):
        desk.deliver("d1", version=1)
    assert desk.events == []


def test_deleted_trigger_takes_nothing(store: Store) -> None:
    desk = Desk(store)
    desk.deliver("d1")
    assert store.run(lambda tx: keeping.delete(tx, "gh")) is False
    with pytest.raises(NotFoundError):
        desk.deliver("d2", version=1)
    assert desk.events == store.read(lambda tx: tx.find(TriggerPayloadRow, Find())) == []


def test_event_that_is_told_again_leaves_no_trace(store: Store) -> None:
    desk = Desk(store)
    desk.deliver("t1", is_event=True)
    before = desk.row
    assert desk.deliver("t1", is_event=True).outcome == "duplicate"
    assert (desk.row, len(desk.events)) == (before, 1)


def test_depth_counts_triggers_behind_a_task(store: Store) -> None:
    desk = Desk(store)
    first = desk.deliver("d1")
    second = desk.deliver("d2", depth=store.read(lambda tx: depth_of(tx, first.task_id or "")))
    assert store.read(lambda tx: depth_of(tx, second.task_id or "")) == 2
    assert store.read(lambda tx: depth_of(tx, "another")) == 0


def test_turned_away_delivery_is_noted_without_anything_of_it(store: Store) -> None:
    desk = Desk(store)
    store.run(lambda tx: note(tx, desk.id, "e1", "refused", "no signature", size_bytes=9))
    (event,) = desk.events
    assert (event.outcome, event.reason, event.delivery_id, event.size_bytes) == ("refused", "no signature", None, 9)
    assert desk.row.refused == 1


def test_payloads_are_forgotten_before_lines_and_lines_in_time(store: Store, clock: ManualClock) -> None:
    desk = Desk(store, keep_payload_days=1)
    desk.deliver("d1")
    Desk(store, name="none", keep_payload_days=0).deliver("d1")
    assert store.read(lambda tx: tx.count(TriggerPayloadRow, Find())) == 1
    clock.advance(86_400_000 + 1)
    assert store.run(forget) is False
    assert store.read(lambda tx: tx.count(TriggerPayloadRow, Find())) == 0
    assert len(desk.events) == 2
    clock.advance(KEPT_MS)
    store.run(forget)
    assert desk.events == []


def test_only_the_newest_payloads_of_a_trigger_are_kept(store: Store) -> None:
    desk = Desk(store)
    rows = [
        TriggerPayloadRow(event_id=f"e{number:05}", trigger_id=desk.id, expires_at=2**42, headers="{}", body="")
        for number in range(MAX_PAYLOADS + 3)
    ]
    store.run(lambda tx: tx.insert(rows))
    store.run(forget)
    kept = store.read(lambda tx: tx.find(TriggerPayloadRow, Find(order=("event_id",), limit=100_000)))
    assert kept == rows[3:]


def test_name_is_taken_once(store: Store) -> None:
    desk = Desk(store)
    with pytest.raises(ConflictError, match="there is a trigger 'gh'"):
        Desk(store)
    Desk(store, name="other")
    with pytest.raises(ConflictError):
        store.run(lambda tx: keeping.update(tx, "other", TriggerUpdate(name="gh")))
    assert keeping_name(store, desk.id) == "gh"


def keeping_name(store: Store, trigger: str) -> str:
    return store.read(lambda tx: keeping.find(tx, trigger)).name


def test_rotation_keeps_what_was_for_the_overlap(store: Store, clock: ManualClock) -> None:
    desk = Desk(store)
    before = desk.row
    request = RotateRequest(renew_address=True, overlap_ms=1_000)
    store.run(lambda tx: keeping.rotate(tx, desk.id, request, "new"))
    after = desk.row
    assert (after.secret, after.previous_secret) == ("new", "sealed")
    assert after.previous_hook_id == before.hook_id != after.hook_id
    assert (after.previous_until, after.version) == (clock.now + 1_000, before.version + 1)


def test_rotation_of_the_address_alone_leaves_the_secret_of_an_earlier_one(store: Store) -> None:
    desk = Desk(store)
    store.run(lambda tx: keeping.rotate(tx, desk.id, RotateRequest(), "new"))
    store.run(lambda tx: keeping.rotate(tx, desk.id, RotateRequest(renew_secret=False, renew_address=True), None))
    assert (desk.row.secret, desk.row.previous_secret) == ("new", "sealed")


def test_event_trigger_has_nothing_to_rotate(store: Store) -> None:
    desk = Desk(store, name="on", kind="event", event="run.failed", signature=None)
    with pytest.raises(InvalidParameterError, match="only a webhook"):
        store.run(lambda tx: keeping.rotate(tx, desk.id, RotateRequest(), "new"))


def test_events_count_from_when_they_were_asked_for(store: Store, clock: ManualClock) -> None:
    desk = Desk(store, name="on", kind="event", event="run.failed", signature=None)
    made_at = desk.row.armed_at
    clock.advance(5)
    store.run(lambda tx: keeping.update(tx, desk.id, TriggerUpdate(where="cost>1")))
    assert desk.row.armed_at == made_at
    store.run(lambda tx: keeping.update(tx, desk.id, TriggerUpdate(event="run.*")))
    assert desk.row.armed_at == clock.now
    clock.advance(5)
    store.run(lambda tx: keeping.enable(tx, desk.id, False))
    store.run(lambda tx: keeping.enable(tx, desk.id, True))
    assert desk.row.armed_at == clock.now


def test_scheme_cannot_be_changed_under_a_secret(store: Store) -> None:
    desk = Desk(store)
    request = msgspec.convert({"signature": {"scheme": "bearer"}}, TriggerUpdate)
    with pytest.raises(InvalidParameterError, match="make a new trigger"):
        store.run(lambda tx: keeping.update(tx, desk.id, request))
