"""Whole rows of every table: written, changed, removed."""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from milepost_collector.controller.rows import (
    AgentRow,
    AskEventRow,
    AskRow,
    AssignmentRow,
    AttemptRow,
    BatchRow,
    BudgetEventRow,
    BudgetHoldRow,
    BudgetPeriodRow,
    BudgetRow,
    BudgetRunRow,
    BudgetTurnRow,
    ChargeRow,
    CheckpointRow,
    ContentRow,
    DecisionRow,
    DeliverableRow,
    DeliveryRow,
    DeliveryTryRow,
    DependencyRow,
    IdempotencyRow,
    InstantRow,
    LimitRow,
    LinkRow,
    PayloadRow,
    PositionRow,
    RateRow,
    ReservationRow,
    Row,
    ScheduleRow,
    StartedRunRow,
    StepRow,
    TaskRow,
    TeamRow,
    TransitionRow,
    TriggerEventRow,
    TriggerPayloadRow,
    TriggerRow,
    WebhookRow,
    WorkerRow,
)
from milepost_collector.controller.store.interface import Find, Store, Tx
from milepost_collector.controller.store.tables import TABLES
from milepost_collector.errors import DuplicateRowError
from tests.controller.store import rows
from tests.controller.store.rows import NOW, insert

LOGS = (TransitionRow, AskEventRow, BudgetEventRow)  # a row's key is the number that the database gives it
ONE_OF_EACH: list[Row] = [
    rows.task("t1", tags='["a"]', progress=0.25, deadline_at=NOW),
    PayloadRow(task_id="t1", input='{"null": "null"}', context="null"),
    rows.leased("t1", key="k", phase="null"),
    rows.attempt("t1", 1, result="true", error_message="naïve ✓ \U0001f600"),
    DependencyRow(task_id="t1", upstream_id="t0", output_as="x"),
    rows.checkpoint("t1", 1, name="half"),
    rows.step("t1", "load"),
    rows.transition("t1", reason="it's; -- a 'text'"),
    IdempotencyRow(key="k", digest="d", task_id="t1", created_at=NOW),
    AgentRow(name="etl", paused=True, paused_by="ann"),
    rows.worker("w1", any_task=True, process_id=2**40),
    LimitRow(scope="key", value="*", rate=3, per_ms=1_000),
    RateRow(scope="key", value="k", begun="[]"),
    rows.schedule("s1", paused=True),
    rows.instant("s1", NOW),
    rows.ask("a1", action='{"null": "null"}', edited=True, expires_at=NOW),
    DecisionRow(ask_id="a1", number=1, decision="approve", at=NOW, via="api", by="ann"),
    LinkRow(id="l1", ask_id="a1", approver="ann", token_digest="ab", created_at=NOW, expires_at=NOW, used_at=NOW),
    AskEventRow(ask_id="a1", event="opened", time=NOW, reason="it's"),
    TriggerRow(
        id="g1", name="n", kind="webhook", definition="{}", created_at=NOW, updated_at=NOW, armed_at=NOW, hook_id="h"
    ),
    TriggerEventRow(id="e1", trigger_id="g1", at=NOW, outcome="duplicate", delivery_id="d", task_id="t1"),
    TriggerPayloadRow(event_id="e1", trigger_id="g1", expires_at=NOW, headers='{"a": "null"}', body="sealed"),
    PositionRow(follower="triggers", source="runs", position="7"),
    rows.webhook("h1", reason="it's", failing_since=NOW),
    DeliveryRow(
        id="d1",
        webhook_id="h1",
        event_id="e1",
        type="task.failed",
        status="waiting",
        time=NOW,
        created_at=NOW,
        payload='{"a": "ö"}',
        next_at=NOW,
        claim=2,
    ),
    DeliveryTryRow(delivery_id="d1", number=1, at=NOW, duration_ms=3, error="it's"),
    StartedRunRow(run_id="r1", told_at=NOW),
    rows.deliverable("t1", "naïve.pdf", by="ann"),
    ContentRow(sha256="aa", key="k", size_bytes=2**40, stored_at=NOW, used_at=NOW),
    TeamRow(name="ops", created_at=NOW, updated_at=NOW, fallback='{"person": "ann"}'),
    BatchRow(id="b1", digest="d", created_at=NOW, task_count=1, task_ids='["t1"]'),
    rows.budget("b1", limit_usd=10**18, ends_at=NOW, used_tokens=7),
    BudgetPeriodRow(budget_id="b1", period="2026-01-01", ended_at=NOW, used_usd=10**18),
    BudgetRunRow(run_id="r1", lineage='["project:*"]', began_at=NOW, agent="amy"),
    ChargeRow(budget_id="b1", run_id="r1", period="", used_usd=1),
    ReservationRow(run_id="r1", number=1, budgets='["b1"]', created_at=NOW, free_at=NOW, left_usd=2),
    BudgetHoldRow(task_id="t1", position=0, budget_id="b1", held_at=NOW, ask_id="a1"),
    BudgetTurnRow(task_id="t1", budget_id="b1", granted_at=NOW, limit_tokens=9),
    BudgetEventRow(budget_id="b1", key="project:*", per="day", event="soft", time=NOW, reason="it's"),
]


FIND: dict[type[Row], Callable[[Tx], Sequence[Row]]] = {
    TaskRow: lambda tx: list(tx.tasks(["t1"]).values()),
    PayloadRow: lambda tx: list(tx.payloads(["t1"]).values()),
    AssignmentRow: lambda tx: tx.assignments(["t1"]).get("t1", []),
    AttemptRow: lambda tx: tx.attempts(["t1"]).get("t1", []),
    DependencyRow: lambda tx: tx.dependencies(["t1"]).get("t1", []),
    CheckpointRow: lambda tx: tx.checkpoints("t1"),
    StepRow: lambda tx: tx.steps("t1"),
    TransitionRow: lambda tx: tx.transitions("t1"),
    IdempotencyRow: lambda tx: list(tx.idempotency(["k"]).values()),
    AgentRow: lambda tx: tx.agents(),
    WorkerRow: lambda tx: tx.workers(),
    LimitRow: lambda tx: tx.limits(),
    RateRow: lambda tx: tx.rates(),
    ScheduleRow: lambda tx: tx.schedules(after=None, limit=9),
    InstantRow: lambda tx: tx.instants("s1", statuses=(), before=None, limit=9),
    AskRow: lambda tx: tx.find(AskRow, Find(equal={"id": "a1"})),
    DecisionRow: lambda tx: tx.find(DecisionRow, Find(equal={"ask_id": "a1"})),
    LinkRow: lambda tx: tx.find(LinkRow, Find(equal={"id": "l1"})),
    AskEventRow: lambda tx: tx.find(AskEventRow, Find(equal={"ask_id": "a1"})),
    TriggerRow: lambda tx: tx.find(TriggerRow, Find(equal={"id": "g1"})),
    TriggerEventRow: lambda tx: tx.find(TriggerEventRow, Find(equal={"id": "e1"})),
    TriggerPayloadRow: lambda tx: tx.find(TriggerPayloadRow, Find(equal={"event_id": "e1"})),
    PositionRow: lambda tx: tx.find(PositionRow, Find(equal={"follower": "triggers"})),
    WebhookRow: lambda tx: tx.find(WebhookRow, Find(equal={"id": "h1"})),
    DeliveryRow: lambda tx: tx.find(DeliveryRow, Find(equal={"id": "d1"})),
    DeliveryTryRow: lambda tx: tx.find(DeliveryTryRow, Find(equal={"delivery_id": "d1"})),
    StartedRunRow: lambda tx: tx.find(StartedRunRow, Find(equal={"run_id": "r1"})),
    DeliverableRow: lambda tx: tx.find(DeliverableRow, Find(equal={"owner": "t1"})),
    ContentRow: lambda tx: tx.find(ContentRow, Find(equal={"sha256": "aa"})),
    TeamRow: lambda tx: tx.find(TeamRow, Find(equal={"name": "ops"})),
    BatchRow: lambda tx: tx.find(BatchRow, Find(equal={"id": "b1"})),
    BudgetRow: lambda tx: tx.find(BudgetRow, Find(equal={"id": "b1"})),
    BudgetPeriodRow: lambda tx: tx.find(BudgetPeriodRow, Find(equal={"budget_id": "b1"})),
    BudgetRunRow: lambda tx: tx.find(BudgetRunRow, Find(equal={"run_id": "r1"})),
    ChargeRow: lambda tx: tx.find(ChargeRow, Find(equal={"run_id": "r1"})),
    ReservationRow: lambda tx: tx.find(ReservationRow, Find(equal={"run_id": "r1"})),
    BudgetHoldRow: lambda tx: tx.find(BudgetHoldRow, Find(equal={"budget_id": "b1"})),
    BudgetTurnRow: lambda tx: tx.find(BudgetTurnRow, Find(equal={"task_id": "t1"})),
    BudgetEventRow: lambda tx: tx.find(BudgetEventRow, Find(equal={"budget_id": "b1"})),
}


def without_sequence(found: Sequence[Row]) -> list[Row]:
    """Return rows without the numbers that the database gave."""
    kinds = (TransitionRow, InstantRow, AskEventRow, DeliverableRow, BudgetEventRow)
    given = [row for row in found if isinstance(row, kinds)]
    assert all(row.sequence > 0 for row in given)
    return [msgspec.structs.replace(row, sequence=0) if row in given else row for row in found]


def changed(row: Row) -> Row:
    """Return a row with the same key and every other value set to None, if it may be, or another one."""
    other: dict[str, Any] = {}
    hints = typing.get_type_hints(type(row))
    for field in set(row.__struct_fields__) - set(TABLES[type(row)][1]) - {"sequence"}:
        if type(None) in typing.get_args(hints[field]):
            other[field] = None
        elif hints[field] in (int, bool):
            other[field] = not getattr(row, field) if hints[field] is bool else 7
    return msgspec.structs.replace(row, **other)


def table_name(row: Row) -> str:
    """Return the name of a row's table."""
    return TABLES[type(row)][0].name


def test_every_table_has_a_row_in_these_tests() -> None:
    assert [type(row) for row in ONE_OF_EACH] == list(TABLES) == list(FIND)


@pytest.mark.parametrize("row", ONE_OF_EACH, ids=table_name)
def test_inserted_row_is_read_back_as_it_was(store: Store, row: Row) -> None:
    insert(store, row)
    assert without_sequence(store.read(FIND[type(row)])) == [row]


@pytest.mark.parametrize("row", ONE_OF_EACH, ids=table_name)
def test_updated_row_is_read_back_changed(store: Store, row: Row) -> None:
    insert(store, row)
    (found,) = store.read(FIND[type(row)])
    store.run(lambda tx: tx.update([changed(found)]))
    assert without_sequence(store.read(FIND[type(row)])) == without_sequence([changed(found)])


@pytest.mark.parametrize("row", [row for row in ONE_OF_EACH if not isinstance(row, LOGS)], ids=table_name)
def test_upsert_inserts_and_then_updates(store: Store, row: Row) -> None:
    store.run(lambda tx: tx.upsert([row]))
    (found,) = store.read(FIND[type(row)])
    store.run(lambda tx: tx.upsert([changed(found)]))
    assert without_sequence(store.read(FIND[type(row)])) == without_sequence([changed(found)])


@pytest.mark.parametrize("row", ONE_OF_EACH, ids=table_name)
def test_deleted_row_is_gone(store: Store, row: Row) -> None:
    insert(store, row)
    store.run(lambda tx: tx.delete(FIND[type(row)](tx)))
    assert store.read(FIND[type(row)]) == []


@pytest.mark.parametrize("row", [row for row in ONE_OF_EACH if not isinstance(row, LOGS)], ids=table_name)
def test_insert_of_a_taken_key_is_refused_and_leaves_nothing(store: Store, row: Row) -> None:
    insert(store, row)
    with pytest.raises(DuplicateRowError, match=r"refused a row .*; load the one"):
        insert(store, rows.task("t2"), row)
    assert store.read(lambda tx: tx.tasks(["t2"])) == {}


def test_rows_of_several_tables_are_written_together(store: Store) -> None:
    many = [rows.task(f"t{number}") for number in range(1, 30)]
    insert(store, *many, *(rows.assignment(row.id) for row in many), *(rows.transition(row.id) for row in many))
    ids = [row.id for row in many]
    assert store.read(lambda tx: tx.tasks(ids)) == {row.id: row for row in many}
    assert len(store.read(lambda tx: tx.assignments(ids))) == 29


def test_nothing_is_written_for_no_rows(store: Store) -> None:
    store.run(lambda tx: (tx.insert([]), tx.update([]), tx.upsert([]), tx.delete([])))
    assert store.read(lambda tx: tx.tasks([])) == {}


def test_live_task_cannot_be_finished_nor_a_finished_one_live(store: Store) -> None:
    with pytest.raises(DuplicateRowError, match="tasks_are_not_finished"):
        insert(store, rows.finished("t1"))
    with pytest.raises(DuplicateRowError, match="history_is_finished"):
        store.run(lambda tx: tx.insert_finished([rows.task("t1")]))


def test_last_of_several_rows_with_the_same_key_is_kept(store: Store) -> None:
    insert(store, rows.task("t1"), rows.task("t2"))
    store.run(lambda tx: tx.update([rows.task("t1", phase="a"), rows.task("t2"), rows.task("t1", phase="b")]))
    store.run(lambda tx: tx.upsert([AgentRow(name="etl", served_at=1), AgentRow(name="etl", served_at=2)]))
    assert store.read(lambda tx: tx.tasks(["t1"])) == {"t1": rows.task("t1", phase="b")}
    assert store.read(lambda tx: tx.agents()) == [AgentRow(name="etl", served_at=2)]


def test_several_rows_of_each_table_are_written_changed_and_removed(store: Store) -> None:
    both = [[row, _renamed(row)] for row in ONE_OF_EACH]
    insert(store, *(row for pair in both for row in pair))
    store.run(lambda tx: tx.update([row for pair in both for row in pair if not isinstance(row, LOGS)]))
    store.run(lambda tx: tx.upsert([row for pair in both for row in pair if not isinstance(row, LOGS)]))
    for row in ONE_OF_EACH:
        assert without_sequence(store.read(FIND[type(row)]))[0] == row
    store.run(lambda tx: tx.delete([row for pair in both for row in pair]))
    remaining = [row for row in ONE_OF_EACH if store.read(FIND[type(row)])]
    assert [type(row) for row in remaining] == list(LOGS)  # these rows do not know their number


def _renamed(row: Row) -> Row:
    named = (*TABLES[type(row)][1], "task_id", "ask_id", "budget_id")
    key = next(name for name in named if isinstance(getattr(row, name, None), str))
    has_name = isinstance(row, ScheduleRow | TriggerRow | WebhookRow)
    uniques: dict[type[Row], str] = {AskRow: "owner", BudgetRow: "key", LinkRow: "token_digest"}
    others = {uniques[type(row)]: "z2"} if type(row) in uniques else {}
    return msgspec.structs.replace(row, **{key: "z2", "name": "z2"} if has_name else {key: "z2", **others})


def test_block_writes_what_was_asked_for_in_it(store: Store) -> None:
    insert(store, rows.task("t1"), rows.task("t2"), rows.assignment("t2"))

    def write(tx: Tx) -> None:
        with tx.together():
            tx.insert([rows.task("t3"), rows.assignment("t3")])
            tx.insert([rows.task("t4"), rows.transition("t4")])
            tx.update([rows.task("t1", phase="second")])
            tx.finish([rows.finished("t2")])
            tx.delete([rows.assignment("t2")])

    store.run(write)
    found = store.read(lambda tx: tx.tasks(["t1", "t2", "t3", "t4"]))
    assert {task_id: row.phase for task_id, row in found.items()} == {"t1": "second", "t3": None, "t4": None}
    assert list(store.read(lambda tx: tx.finished(["t2"]))) == ["t2"]
    assert list(store.read(lambda tx: tx.assignments(["t2", "t3"]))) == ["t3"]
    assert [row.event for row in store.read(lambda tx: tx.transitions("t4"))] == ["created"]


def test_nothing_is_written_of_a_block_that_raises(store: Store) -> None:
    def fail(tx: Tx) -> None:
        with tx.together():
            tx.insert([rows.task("t1"), rows.transition("t1")])
            raise KeyError("broken")

    answers = store.run_each([fail, lambda tx: tx.insert([rows.task("t2")])])
    assert isinstance(answers[0], KeyError)
    assert list(store.read(lambda tx: tx.tasks(["t1", "t2"]))) == ["t2"]
