"""Transitions as those see them who follow what happens."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from milepost_collector.controller.rows import AskEventRow, BudgetEventRow, DeliverableRow, InstantRow, TransitionRow
from milepost_collector.controller.store.interface import Store
from milepost_collector.errors import InvalidParameterError
from tests.controller.store.rows import NOW, deliverable, finished, insert, instant, task, transition

LATER = count(NOW + 1)


def events(store: Store, position: str, limit: int = 99) -> tuple[list[str], str]:
    """Return the events after a position, and the next position."""
    found, position = store.read(lambda tx: tx.transitions_after(position, limit))
    return [row.event for row in found], position


def test_transitions_of_a_task_come_in_their_order(store: Store) -> None:
    insert(store, transition("t1", event="created"), transition("t2"), transition("t1", event="leased"))
    assert [row.event for row in store.read(lambda tx: tx.transitions("t1"))] == ["created", "leased"]


def test_follower_gets_every_transition_once_in_its_order(store: Store) -> None:
    insert(store, *(transition("t1", event=f"e{number}") for number in range(3)))
    insert(store, transition("t1", event="e3"))
    first, position = events(store, "", 2)
    second, position = events(store, position)
    assert (first, second) == (["e0", "e1"], ["e2", "e3"])
    assert events(store, position) == ([], position)
    insert(store, transition("t1", event="e4"))
    assert events(store, position)[0] == ["e4"]


def test_rolled_back_transition_is_never_seen(store: Store) -> None:
    def fail(tx: object) -> None:
        tx.insert([transition("t1", event="undone")])  # type: ignore[attr-defined]
        raise KeyError("undone")

    with pytest.raises(KeyError):
        store.run(fail)
    insert(store, transition("t1", event="done"))
    assert events(store, "")[0] == ["done"]


@pytest.mark.parametrize("position", ["x", "1", "1.x", "1.2.3"])
def test_position_that_was_not_given_out_is_refused(store: Store, position: str) -> None:
    with pytest.raises(InvalidParameterError, match="position"):
        events(store, position)


def test_pruned_transitions_are_old_and_of_tasks_that_are_gone(store: Store) -> None:
    insert(store, task("t1"), transition("t1"), transition("t2"), transition("t3"), transition("t3", time=NOW + 1))
    store.run(lambda tx: tx.insert_finished([finished("t2")]))
    assert store.run(lambda tx: tx.prune_transitions(NOW + 1, 9)) == 1
    found, _ = store.read(lambda tx: tx.transitions_after("", 9))
    assert [(row.task_id, row.time - NOW) for row in found] == [("t1", 0), ("t2", 0), ("t3", 1)]


def test_number_of_a_pruned_transition_is_not_given_again(store: Store) -> None:
    insert(store, transition("t1"))
    _, position = events(store, "")
    store.run(lambda tx: tx.prune_transitions(NOW + 1, 9))
    insert(store, transition("t2", event="later"))
    assert events(store, position)[0] == ["later"]


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        (TransitionRow, lambda: transition("t1")),
        (InstantRow, lambda: instant("s1", next(LATER))),
        (AskEventRow, lambda: AskEventRow(ask_id="a1", event="opened", time=NOW)),
        (DeliverableRow, lambda: deliverable("t1", "plan", version=next(LATER) - NOW)),
        (BudgetEventRow, lambda: BudgetEventRow(budget_id="b1", key="project:*", per="day", event="hard", time=NOW)),
    ],
)
def test_whoever_begins_at_the_end_of_a_log_finds_what_comes_later(
    store: Store, kind: type, make: Callable[[], Any]
) -> None:
    insert(store, make(), make())
    end = store.read(lambda tx: tx.log_end(kind))
    insert(store, make())
    after = {
        TransitionRow: "transitions_after",
        InstantRow: "instants_after",
        AskEventRow: "ask_events_after",
        DeliverableRow: "deliverables_after",
        BudgetEventRow: "budget_events_after",
    }[kind]
    found, position = store.read(lambda tx: getattr(tx, after)(end, 9))
    assert [type(row) for row in found] == [kind]
    assert store.read(lambda tx: getattr(tx, after)(position, 9))[0] == []


def test_end_of_an_empty_log_is_before_its_first_row(store: Store) -> None:
    end = store.read(lambda tx: tx.log_end(TransitionRow))
    insert(store, transition("t1"))
    assert len(store.read(lambda tx: tx.transitions_after(end, 9))[0]) == 1
