"""Tasks and what belongs to them: found, moved to the history and back, forgotten."""

from __future__ import annotations

from milepost_collector.controller.rows import DependencyRow, IdempotencyRow, PayloadRow
from milepost_collector.controller.store.interface import Store
from tests.controller.conftest import ManualClock
from tests.controller.store import rows
from tests.controller.store.rows import NOW, finished, insert, task


def test_tasks_are_found_by_id_and_what_does_not_exist_is_left_out(store: Store) -> None:
    insert(store, task("t1"), task("t2"), task("t3"))
    assert store.run(lambda tx: tx.tasks(["t3", "t1", "gone"])) == {"t1": task("t1"), "t3": task("t3")}
    assert store.run(lambda tx: tx.tasks(["t1"], lock=False)) == {"t1": task("t1")}
    assert store.run(lambda tx: tx.finished(["t1"])) == {}


def test_finished_task_is_in_the_history_only(store: Store) -> None:
    insert(store, task("t1"))
    store.run(lambda tx: tx.finish([finished("t1")]))
    assert store.read(lambda tx: tx.tasks(["t1"])) == {}
    assert store.read(lambda tx: tx.finished(["t1"], lock=False)) == {"t1": finished("t1")}


def test_reopened_task_is_live_only(store: Store) -> None:
    store.run(lambda tx: tx.insert_finished([finished("t1")]))
    store.run(lambda tx: tx.reopen([task("t1", attempt=3)]))
    assert store.read(lambda tx: tx.finished(["t1"])) == {}
    assert store.read(lambda tx: tx.tasks(["t1"])) == {"t1": task("t1", attempt=3)}


def test_forgotten_task_takes_what_belongs_to_it_along(store: Store) -> None:
    for task_id in ("t1", "t2"):
        belongings = [PayloadRow(task_id=task_id), DependencyRow(task_id=task_id, upstream_id="t0")]
        insert(store, rows.assignment(task_id), rows.attempt(task_id, 1), rows.checkpoint(task_id, 1), *belongings)
        insert(store, task(task_id), rows.step(task_id, "load"), rows.transition(task_id))
    store.run(lambda tx: tx.forget(["t1"]))

    def kept(task_id: str) -> list[bool]:
        return store.read(
            lambda tx: [
                bool(found)
                for found in (
                    tx.tasks([task_id]), tx.payloads([task_id]), tx.assignments([task_id]), tx.attempts([task_id]),
                    tx.dependencies([task_id]), tx.checkpoints(task_id), tx.steps(task_id), tx.transitions(task_id),
                )
            ]
        )  # fmt: skip

    assert kept("t1") == [False] * 7 + [True]  # transitions are pruned later: those who follow them must see the end
    assert kept("t2") == [True] * 8


def test_forgotten_finished_task_is_gone(store: Store) -> None:
    store.run(lambda tx: tx.insert_finished([finished("t1"), finished("t2")]))
    store.run(lambda tx: tx.forget(["t1", "gone"]))
    assert list(store.read(lambda tx: tx.finished(["t1", "t2"]))) == ["t2"]


def test_due_deadlines_are_those_that_are_over_and_not_acted_on(store: Store, clock: ManualClock) -> None:
    insert(
        store,
        task("t1", deadline_at=NOW),
        task("t2", deadline_at=NOW - 1),
        task("t3", deadline_at=NOW + 1),
        task("t4", deadline_at=NOW, stop="deadline"),
        task("t5", deadline_at=NOW, stop="pause"),
        task("t6"),
    )
    assert store.run(lambda tx: tx.due_deadlines(9)) == ["t2", "t1", "t5"]
    assert store.run(lambda tx: tx.due_deadlines(1)) == ["t2"]
    clock.advance(1)
    assert store.run(lambda tx: tx.due_deadlines(9)) == ["t2", "t1", "t5", "t3"]


def test_coming_deadlines_are_the_soonest_that_are_not_known_to_be_at_risk(store: Store) -> None:
    deadlines = {"t1": NOW + 9, "t2": NOW + 5, "t3": NOW + 10, "t4": NOW + 2}
    insert(
        store,
        *(
            task(task_id, deadline_at=at, at_risk_at=NOW if at == NOW + 2 else None)
            for task_id, at in deadlines.items()
        ),
    )
    assert [row.id for row in store.read(lambda tx: tx.coming_deadlines(NOW + 9, 9))] == ["t2", "t1"]
    assert [row.id for row in store.read(lambda tx: tx.coming_deadlines(NOW + 9, 1))] == ["t2"]


def test_durations_are_of_the_newest_completed_tasks_of_the_name(store: Store) -> None:
    ended = [finished(f"t{number}", started_at=NOW - number, finished_at=NOW + number) for number in range(1, 4)]
    others = [
        finished("f", status="failed", started_at=NOW),
        finished("o", name="other", started_at=NOW),
        finished("n", finished_at=NOW + 9),
    ]
    store.run(lambda tx: tx.insert_finished([*ended, *others]))
    assert [one.run_ms for one in store.read(lambda tx: tx.ended("extract", 2))] == [6, 4]


def test_expired_history_is_the_oldest_that_finished_before(store: Store) -> None:
    store.run(lambda tx: tx.insert_finished([finished(f"t{age}", finished_at=NOW - age) for age in range(4)]))
    assert store.read(lambda tx: tx.expired_history(NOW - 1, 9)) == ["t3", "t2"]
    assert store.read(lambda tx: tx.expired_history(NOW - 1, 1)) == ["t3"]


def test_unfinished_tasks_of_a_schedule_are_the_live_ones(store: Store) -> None:
    insert(store, task("t1", schedule_id="s1"), task("t2", schedule_id="s2"), task("t3", schedule_id="s1"))
    store.run(lambda tx: tx.insert_finished([finished("t4", schedule_id="s1")]))
    assert [row.id for row in store.read(lambda tx: tx.unfinished_of("s1"))] == ["t1", "t3"]


def test_attempts_come_newest_first(store: Store) -> None:
    insert(store, rows.attempt("t1", 1), rows.attempt("t2", 5), rows.attempt("t1", 10), rows.attempt("t3", 1))
    found = store.read(lambda tx: tx.attempts(["t1", "t2"]))
    assert {task_id: [row.attempt for row in ended] for task_id, ended in found.items()} == {"t1": [10, 1], "t2": [5]}


def test_dependencies_are_found_from_both_ends(store: Store) -> None:
    edges = [DependencyRow(task_id=task_id, upstream_id=upstream) for task_id, upstream in ("ba", "ca", "cb", "dc")]
    insert(store, *edges)
    assert store.read(lambda tx: tx.dependencies(["c", "a"])) == {"c": edges[1:3]}
    assert store.read(lambda tx: tx.dependents(["a", "d"])) == {"a": edges[:2]}


def test_checkpoints_are_found_by_each_of_their_numbers(store: Store) -> None:
    saved = [
        rows.checkpoint("t1", 1),
        rows.checkpoint("t1", 2, position=1, attempt=2, attempt_sequence=1),
        rows.checkpoint("t1", 3, attempt=3, attempt_sequence=1),
    ]
    insert(store, *saved, rows.checkpoint("t2", 9))
    assert store.read(lambda tx: tx.checkpoints("t1")) == saved
    assert store.read(lambda tx: tx.newest_checkpoint("t1", 0)) == saved[2]
    assert store.read(lambda tx: tx.newest_checkpoint("t1", 7)) is None
    assert store.read(lambda tx: tx.checkpoint_of("t1", 2, 1)) == saved[1]
    assert store.read(lambda tx: tx.checkpoint_of("t1", 2, 2)) is None
    assert store.read(lambda tx: (tx.last_sequence("t1"), tx.last_sequence("gone"))) == (3, 0)


def test_steps_are_those_of_the_task_or_of_one_assignment(store: Store) -> None:
    first, second = rows.step("t1", "load"), rows.step("t1", "load", position=1)
    insert(store, second, first, rows.step("t2", "load"))
    assert store.read(lambda tx: tx.steps("t1")) == [first, second]
    assert store.read(lambda tx: tx.steps("t1", 1)) == [second]


def test_idempotency_keys_are_found_and_pruned_by_age(store: Store) -> None:
    keys = [IdempotencyRow(key=key, digest="d", task_id="t1", created_at=NOW + at) for at, key in enumerate("abc")]
    insert(store, *keys)
    assert store.read(lambda tx: tx.idempotency(["b", "z"])) == {"b": keys[1]}
    assert store.run(lambda tx: tx.prune_idempotency(NOW + 2, 1)) == 1
    assert store.run(lambda tx: tx.prune_idempotency(NOW + 2, 9)) == 1
    assert list(store.read(lambda tx: tx.idempotency(["a", "b", "c"]))) == ["c"]
