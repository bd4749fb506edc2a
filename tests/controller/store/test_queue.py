"""The queue and the leases."""

from __future__ import annotations

from typing import Any

import pytest

from milepost_collector.controller.rows import AgentRow, AssignmentRow, LimitRow
from milepost_collector.controller.store.interface import Candidate, ClaimQuery, Polling, Queued, Store, Usage
from tests.controller.conftest import ManualClock
from tests.controller.store import rows
from tests.controller.store.rows import NOW, assignment, insert, insert_queued, leased, task

HELD_MS = 10_000


def candidates(store: Store, **query: Any) -> list[str]:
    """Return the ids of the tasks that an agent `etl` may take."""
    found = store.run(lambda tx: tx.candidates(ClaimQuery(**{"agent": "etl", "limit": 9, **query})))
    return [row.assignment.task_id for row in found]


def lease_of(store: Store, task_id: str) -> AssignmentRow:
    """Return a task's only assignment."""
    (row,) = store.read(lambda tx: tx.assignments([task_id]))[task_id]
    return row


def test_candidates_come_in_the_order_of_the_queue(store: Store) -> None:
    insert_queued(
        store,
        assignment("t1", agent="etl", order_at=3),
        assignment("t2", order_at=2),
        assignment("t4", team="data", order_at=1),
        assignment("t3", order_at=1),
    )
    assert candidates(store, teams=("data", "ops")) == ["t3", "t4", "t2", "t1"]
    assert candidates(store, teams=("data",), limit=2) == ["t3", "t4"]


def test_candidates_are_rows_as_they_are_stored(store: Store) -> None:
    row = assignment("t1", agent="etl", key="k", failures=2)
    insert_queued(store, row)
    assert store.run(lambda tx: tx.candidates(ClaimQuery(agent="etl"))) == [Candidate(row, rows.task("t1"))]


def test_candidates_are_for_the_agent_its_teams_or_anybody(store: Store) -> None:
    insert_queued(store, assignment("t1", agent="other"), assignment("t2", team="ops"), assignment("t3"))
    assert candidates(store) == ["t3"]
    assert candidates(store, agent="other") == ["t1", "t3"]
    assert candidates(store, teams=("ops",)) == ["t2", "t3"]


def test_candidates_are_ready(store: Store) -> None:
    states = ["waiting", "delayed", "leased", "completed", "failed", "cancelled"]
    insert_queued(store, *(assignment(f"t-{state}", state=state) for state in states))
    assert candidates(store) == []


def test_candidates_do_not_avoid_the_agent(store: Store) -> None:
    insert_queued(store, assignment("t1", avoid="etl"), assignment("t2", avoid="other"), assignment("t3"))
    assert candidates(store) == ["t2", "t3"]


def test_candidates_have_names_that_the_worker_handles(store: Store) -> None:
    insert_queued(store, assignment("t1", name="load"), assignment("t2", agent="etl"), assignment("t3"))
    assert candidates(store, names=("load",)) == ["t1"]
    assert candidates(store, names=()) == []


def test_candidates_leave_saturated_keys_and_names_out(store: Store) -> None:
    insert_queued(store, assignment("t1", key="k"), assignment("t2", name="load"), assignment("t3", key="l"))
    assert candidates(store, without_keys=("k", "z")) == ["t2", "t3"]
    assert candidates(store, without_names=("load",), without_keys=("l",)) == ["t1"]


def test_several_assignments_of_a_task_are_found_apart(store: Store) -> None:
    insert(store, task("t1"), assignment("t1", agent="etl"), assignment("t1", position=1, agent="other"))
    assert [row.position for row in store.read(lambda tx: tx.assignments(["t1"]))["t1"]] == [0, 1]
    (found,) = store.run(lambda tx: tx.candidates(ClaimQuery(agent="other", limit=9)))
    assert found.assignment.position == 1


def test_held_leases_are_those_of_the_worker(store: Store) -> None:
    insert_queued(store, leased("t2"), leased("t1"), leased("t3", "w2"), assignment("t4", worker_id="w1"))
    assert [row.task_id for row in store.read(lambda tx: tx.held_by("w1"))] == ["t1", "t2"]


def test_delayed_assignments_become_ready_when_their_time_has_come(store: Store, clock: ManualClock) -> None:
    insert_queued(store, *(assignment(f"t{at}", state="delayed", ready_at=NOW + at) for at in (0, 1, 2)))
    assert store.run(lambda tx: tx.promote(9)) == 1
    clock.advance(2)
    assert store.run(lambda tx: tx.promote(1)) == 1
    assert [lease_of(store, task_id).state for task_id in ("t0", "t1", "t2")] == ["ready", "ready", "delayed"]


@pytest.mark.parametrize("ending", ["expires_at", "timeout_at", "cut_off_at"])
def test_lease_ends_by_expiry_timeout_or_cut_off(store: Store, clock: ManualClock, ending: str) -> None:
    later = {"expires_at": NOW + 99, "timeout_at": NOW + 99, "cut_off_at": NOW + 99}
    insert_queued(store, leased("t1", **{**later, ending: NOW + 5}), leased("t2", expires_at=NOW + 99))
    clock.advance(4)
    assert store.run(lambda tx: tx.ended_leases(9)) == []
    clock.advance(1)
    assert [row.task_id for row in store.run(lambda tx: tx.ended_leases(9))] == ["t1"]


def test_ended_leases_are_no_more_than_asked_for(store: Store) -> None:
    insert_queued(store, *(leased(f"t{number}", expires_at=NOW) for number in range(5)))
    assert len(store.run(lambda tx: tx.ended_leases(2))) == 2


def test_usage_counts_live_leases_only(store: Store) -> None:
    insert_queued(
        store,
        leased("t1", key="k"),
        leased("t2", key="k", name="load"),
        leased("t3", held_by="other"),
        assignment("t4", key="k", held_by="etl"),
    )
    expected = Usage(agents={"etl": 2, "other": 1}, names={"extract": 2, "load": 1}, keys={"k": 2})
    assert store.read(lambda tx: tx.usage()) == expected


def test_queued_counts_assignments_by_agent_team_and_state(store: Store) -> None:
    insert_queued(store, assignment("t1", agent="etl"), assignment("t2", agent="etl"), assignment("t3", team="ops"))
    found = sorted(store.read(lambda tx: tx.queued()), key=lambda queued: queued.agent or "")
    assert found == [
        Queued(agent=None, team="ops", state="ready", count=1),
        Queued(agent="etl", team=None, state="ready", count=2),
    ]


def test_nothing_is_due_in_an_empty_store(store: Store) -> None:
    assert store.read(lambda tx: tx.next_due()) is None


@pytest.mark.parametrize(
    "row",
    [
        assignment("t1", state="delayed", ready_at=NOW + 7),
        leased("t1", expires_at=NOW + 7),
        leased("t1", expires_at=NOW + 9, timeout_at=NOW + 7),
        leased("t1", expires_at=NOW + 9, cut_off_at=NOW + 7),
        task("t1", deadline_at=NOW + 7),
        rows.schedule("s1", next_at=NOW + 7),
    ],
)
def test_next_due_is_the_least_of_everything_that_falls_due(store: Store, row: Any) -> None:
    insert(store, row, rows.schedule("s2", next_at=NOW + 8), task("t2", deadline_at=NOW, stop="deadline"))
    assert store.read(lambda tx: tx.next_due()) == NOW + 7


def test_silent_workers_have_not_polled_and_hold_nothing(store: Store) -> None:
    insert(store, *(rows.worker(worker_id, last_poll_at=NOW - 5) for worker_id in ("w1", "w2")), rows.worker("w3"))
    insert_queued(store, leased("t1", "w2"))
    assert [row.id for row in store.read(lambda tx: tx.silent_workers(NOW))] == ["w1"]
    assert store.read(lambda tx: tx.silent_workers(NOW - 5)) == []


def test_agents_and_workers_are_found_by_name_and_id(store: Store) -> None:
    insert(store, AgentRow(name="b"), AgentRow(name="a"), rows.worker("w2", agent="b"), rows.worker("w1", agent="b"))
    assert [row.name for row in store.read(lambda tx: tx.agents())] == ["a", "b"]
    assert [row.id for row in store.read(lambda tx: tx.workers())] == ["w1", "w2"]
    assert store.read(lambda tx: (tx.agent("b"), tx.agent("z"))) == (AgentRow(name="b"), None)
    assert store.read(lambda tx: (tx.worker("w1"), tx.worker("z"))) == (rows.worker("w1", agent="b"), None)


def test_polling_worker_comes_with_what_decides_whether_it_gets_work(store: Store) -> None:
    insert(store, AgentRow(name="b", paused=True), rows.worker("w1", agent="b"), rows.worker("w2", agent="a"))
    assert store.run(lambda tx: tx.polling("w1")) == Polling(rows.worker("w1", agent="b"), True, False, False)
    insert(store, LimitRow(scope="agent", value="*", concurrency=1))
    assert store.read(lambda tx: tx.polling("w2")) == Polling(rows.worker("w2", agent="a"), False, True, False)
    assert store.run(lambda tx: tx.polling("z")) is None


def test_poll_is_noted_beside_what_others_change_of_the_agent(store: Store) -> None:
    insert(store, AgentRow(name="b", paused=True, served_at=1))
    store.run(lambda tx: tx.note_poll("b", served=False))
    assert store.read(lambda tx: tx.agent("b")) == AgentRow(name="b", paused=True, last_poll_at=NOW, served_at=1)
    store.run(lambda tx: tx.note_poll("b", served=True))
    assert store.read(lambda tx: tx.agent("b")) == AgentRow(name="b", paused=True, last_poll_at=NOW, served_at=NOW)
