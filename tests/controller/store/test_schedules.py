"""Schedules and their ledger."""

from __future__ import annotations

from typing import Any

from milepost_collector.controller.rows import InstantRow
from milepost_collector.controller.store.interface import Store
from tests.controller.conftest import ManualClock
from tests.controller.store.rows import NOW, insert, instant, schedule


def nominals(found: list[InstantRow]) -> list[int]:
    """Return how long after NOW instants are."""
    return [row.nominal - NOW for row in found]


def listed(store: Store, **query: Any) -> list[int]:
    """Return which of a schedule's instants are listed."""
    given = {"statuses": (), "before": None, "limit": 9}
    return nominals(store.read(lambda tx: tx.instants("s1", **{**given, **query})))


def test_schedules_are_listed_by_name_in_pages(store: Store) -> None:
    insert(store, *(schedule(f"s{number}", name=name) for number, name in enumerate(("b", "B", "ä", "a"))))
    first = [row.name for row in store.read(lambda tx: tx.schedules(after=None, limit=3))]
    assert first == ["B", "a", "b"]
    assert [row.name for row in store.read(lambda tx: tx.schedules(after="b", limit=3))] == ["ä"]


def test_schedules_are_searched_in_name_and_description(store: Store) -> None:
    insert(store, schedule("s1", name="Nightly 100%"), schedule("s2", description="nightly"), schedule("s3"))
    assert [row.id for row in store.read(lambda tx: tx.schedules(after=None, limit=9, text="NIGHT"))] == ["s1", "s2"]
    assert [row.id for row in store.read(lambda tx: tx.schedules(after=None, limit=9, text="0%"))] == ["s1"]


def test_schedule_is_found_by_id_before_name(store: Store) -> None:
    insert(store, schedule("s1", name="s2"), schedule("s2", name="nightly"))
    found = store.run(lambda tx: [tx.schedule(given) for given in ("s1", "s2", "nightly", "gone")])
    assert [row and row.id for row in found] == ["s1", "s2", "s2", None]


def test_due_schedules_are_those_whose_instant_has_come(store: Store, clock: ManualClock) -> None:
    insert(store, schedule("s1", next_at=NOW), schedule("s2", next_at=NOW + 1), schedule("s3"))
    assert [row.id for row in store.run(lambda tx: tx.due_schedules(9))] == ["s1"]
    clock.advance(1)
    assert [row.id for row in store.run(lambda tx: tx.due_schedules(9))] == ["s1", "s2"]
    assert [row.id for row in store.run(lambda tx: tx.due_schedules(1))] == ["s1"]


def test_instant_is_written_once(store: Store) -> None:
    assert store.run(lambda tx: tx.insert_instant(instant("s1", NOW)))
    assert not store.run(lambda tx: tx.insert_instant(instant("s1", NOW, status="missed")))
    assert store.run(lambda tx: tx.insert_instant(instant("s2", NOW)))
    assert [row.status for row in store.read(lambda tx: tx.instants("s1", statuses=(), before=None, limit=9))] == [
        "fired"
    ]


def test_instants_are_listed_newest_first_in_pages(store: Store) -> None:
    insert(store, *(instant("s1", NOW + at) for at in range(4)), instant("s2", NOW))
    assert listed(store) == [3, 2, 1, 0]
    assert listed(store, limit=2) == [3, 2]
    assert listed(store, before=NOW + 2) == [1, 0]


def test_instants_are_listed_by_status(store: Store) -> None:
    insert(store, *(instant("s1", NOW + at, status=status) for at, status in enumerate(("fired", "missed", "late"))))
    assert listed(store, statuses=["fired", "late"]) == [2, 0]


def test_instants_between_include_the_first_and_exclude_the_last(store: Store) -> None:
    insert(store, *(instant("s1", NOW + at) for at in range(4)))
    assert nominals(store.read(lambda tx: tx.instants_between("s1", NOW + 1, NOW + 3))) == [1, 2]


def test_queued_instants_come_oldest_first(store: Store) -> None:
    insert(store, *(instant("s1", NOW + at, status="queued") for at in (2, 1, 3)), instant("s1", NOW))
    assert nominals(store.read(lambda tx: tx.queued_instants("s1", 2))) == [1, 2]


def test_pruned_instants_are_old_and_not_queued(store: Store) -> None:
    insert(store, *(instant("s1", NOW + at) for at in range(4)), instant("s1", NOW - 1, status="queued"))
    assert store.run(lambda tx: tx.prune_instants(NOW + 3, 2)) == 2
    assert store.run(lambda tx: tx.prune_instants(NOW + 3, 9)) == 1
    assert listed(store) == [3, -1]


def test_changed_instant_is_followed_again(store: Store) -> None:
    insert(store, instant("s1", NOW, status="queued"), instant("s1", NOW + 1))
    before, position = store.read(lambda tx: tx.instants_after("", 9))
    store.run(lambda tx: tx.update([instant("s1", NOW, status="fired", task_id="t1")]))
    after, _ = store.read(lambda tx: tx.instants_after(position, 9))
    assert [(row.nominal - NOW, row.status) for row in before] == [(0, "queued"), (1, "fired")]
    assert [(row.nominal - NOW, row.status) for row in after] == [(0, "fired")]
    assert len(listed(store)) == 2


def test_number_of_a_removed_instant_is_not_given_again(store: Store) -> None:
    insert(store, instant("s1", NOW))
    _, position = store.read(lambda tx: tx.instants_after("", 9))
    store.run(lambda tx: tx.prune_instants(NOW + 1, 9))
    insert(store, instant("s1", NOW + 1))
    found, _ = store.read(lambda tx: tx.instants_after(position, 9))
    assert nominals(found) == [1]
