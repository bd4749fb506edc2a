"""Who may say what to an ask, what it must fit, and what becomes of asks that nobody answers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from milepost.wire.asks import AskFilter, AskOption
from milepost_collector.controller import views
from milepost_collector.controller.engine.asks import MAX_ASKS
from milepost_collector.errors import ConflictError, InvalidParameterError, NotApproverError, ValueTooLargeError
from tests.controller.engine.house import House, Worker

PAY = {"tool": "pay", "amount": 100}
AGE = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}, "required": ["age"]}


def convert(options: list[dict[str, Any]]) -> list[AskOption]:
    """Return options as the wire has them."""
    return msgspec.convert(options, list[AskOption])


def asked(house: House, worker: Worker, **given: Any) -> tuple[str, str]:
    """Return a task whose attempt has asked, and the ask."""
    task_id = house.create()
    assert worker.ask(worker.take(), **given) == "applied"
    return task_id, house.asks(task_id=task_id)[0].id


def answer(house: House, worker: Worker) -> Any:
    """Return the answer that the next lease brings."""
    (lease,) = worker.poll().leases
    return lease.answers[-1]


# Approvers, quorum, delegation.


def test_only_approvers_decide(house: House) -> None:
    ask_id = house.ask_for_run(approvers=["ann", "team:finance"])
    with pytest.raises(InvalidParameterError, match="say who you are"):
        house.decide(ask_id)
    with pytest.raises(NotApproverError, match="not bob's to decide"):
        house.decide(ask_id, by="bob")
    with pytest.raises(NotApproverError):
        house.decide(ask_id, by="bob", team="sales")
    house.decide(ask_id, by="bob", team="finance")
    assert [(one.by, one.team) for one in house.ask(ask_id).decisions] == [("bob", "finance")]


def test_quorum_counts_different_people_who_agree(house: House) -> None:
    ask_id = house.ask_for_run(quorum=2, action=PAY)
    with pytest.raises(InvalidParameterError, match="2 different people"):
        house.decide(ask_id)
    house.decide(ask_id, by="ann")
    with pytest.raises(ConflictError, match="ann has approved"):
        house.decide(ask_id, by="ann")
    assert (house.ask(ask_id).status, house.ask(ask_id).approvals) == ("open", 1)
    house.decide(ask_id, by="bob")
    assert (house.ask(ask_id).status, house.ask(ask_id).approvals) == ("approved", 2)
    assert house.ask_events(ask_id) == ["opened", "received", "decided", "approved"]


def test_one_rejection_rejects(house: House) -> None:
    ask_id = house.ask_for_run(quorum=3)
    house.decide(ask_id, by="ann")
    house.decide(ask_id, "reject", by="bob", reason="no")
    assert house.ask(ask_id).status == "rejected"


def test_edit_begins_the_count_anew_and_changes_the_digest(house: House) -> None:
    ask_id = house.ask_for_run(quorum=2, action=PAY)
    digest = house.ask(ask_id).action_digest
    house.decide(ask_id, by="ann", action_digest=digest)
    house.decide(ask_id, "edit", by="bob", action=PAY | {"amount": 50}, action_digest=digest)
    ask = house.ask(ask_id)
    assert (ask.approvals, ask.edited_action, ask.action) == (1, PAY | {"amount": 50}, PAY)
    with pytest.raises(ConflictError, match="another by now"):
        house.decide(ask_id, by="ann", action_digest=digest)
    house.decide(ask_id, by="ann", action_digest=ask.edited_digest)
    told = house.ask(ask_id).answer
    assert told is not None
    assert (told.status, told.edited, told.action["amount"]) == ("approved", True, 50)


def test_different_options_do_not_add_up(house: House) -> None:
    options = [{"name": "card"}, {"name": "wire"}, {"name": "never", "approves": False}]
    ask_id = house.ask_for_run(quorum=2, options=convert(options))
    with pytest.raises(InvalidParameterError, match="choose one of card, wire"):
        house.decide(ask_id, by="ann")
    house.decide(ask_id, by="ann", option="card")
    house.decide(ask_id, by="bob", option="wire")
    assert house.ask(ask_id).status == "open"
    house.decide(ask_id, "answer", by="carol", option="wire")
    told = house.ask(ask_id).answer
    assert told is not None
    assert (told.status, told.option) == ("approved", "wire")


def test_option_that_does_not_approve_rejects(house: House) -> None:
    ask_id = house.ask_for_run(options=convert([{"name": "yes"}, {"name": "no", "approves": False}]))
    with pytest.raises(InvalidParameterError, match="does not approve"):
        house.decide(ask_id, option="no")
    house.decide(ask_id, "answer", option="no")
    assert house.ask(ask_id).status == "rejected"


def test_delegation_replaces_the_approvers(house: House) -> None:
    ask_id = house.ask_for_run(approvers=["ann"])
    with pytest.raises(NotApproverError):
        house.delegate(ask_id, "bob", by="bob")
    house.delegate(ask_id, "bob", by="ann", reason="away")
    with pytest.raises(NotApproverError):
        house.decide(ask_id, by="ann")
    house.decide(ask_id, by="bob")
    assert [(one.decision, one.by, one.to) for one in house.ask(ask_id).decisions] == [
        ("delegate", "ann", ["bob"]),
        ("approve", "bob", []),
    ]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"quorum": 2, "approvers": ["ann"]}, "quorum"),
        ({"quorum": 2, "kind": "question"}, "quorum"),
        ({"options": [{"name": "x"}, {"name": "x"}]}, "options"),
        ({"options": [{"name": "x", "approves": False}]}, "options"),
        ({"on_expiry": "cancel"}, "on_expiry"),
        ({"kind": "question", "schema": {"type": "numeral"}}, "schema.$.type"),
        ({"kind": "question", "schema": {"$ref": "https://example.org/schema"}}, "schema.$ref"),
        ({"kind": "question", "schema": {"$ref": "#/$defs/x"}}, "schema.$ref"),
        ({"kind": "question", "schema": {"items": {"pattern": "("}}}, "schema.pattern"),
        ({"kind": "question", "schema": {"patternProperties": {"[": {}}}}, "schema.pattern"),
        (
            {"kind": "question", "schema": {"properties": {"pattern": {"minimum": "x"}}}},
            "schema.$.properties.pattern.minimum",
        ),
    ],
)
def test_ask_that_cannot_be_answered_is_refused(house: House, given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        house.ask_for_run(**given | ({"options": convert(given["options"])} if "options" in given else {}))
    assert refused.value.field == field


def test_limits_of_size_and_number_hold(house: House) -> None:
    with pytest.raises(ValueTooLargeError, match="action has"):
        house.ask_for_run(action="x" * 300_000)
    for number in range(MAX_ASKS):
        house.ask_for_run(key=str(number))
    with pytest.raises(ConflictError, match=f"has made {MAX_ASKS} asks"):
        house.ask_for_run(key="one more")


# Questions.


def test_answer_must_fit_the_schema(house: House, worker: Worker) -> None:
    _, ask_id = asked(house, worker, kind="question", schema=AGE)
    with pytest.raises(InvalidParameterError, match=r"value\.age -1"):
        house.decide(ask_id, "answer", value={"age": -1})
    with pytest.raises(InvalidParameterError, match='"age" is a required property'):
        house.decide(ask_id, "answer", value={})
    with pytest.raises(InvalidParameterError, match="this ask is a question"):
        house.decide(ask_id, "approve")
    house.decide(ask_id, "answer", value={"age": 7})
    assert answer(house, worker).value == {"age": 7}


def test_question_may_be_declined(house: House, worker: Worker) -> None:
    _, ask_id = asked(house, worker, kind="question", schema=AGE)
    house.decide(ask_id, "reject", reason="none of your business")
    told = answer(house, worker)
    assert (told.status, told.value, told.reason) == ("rejected", None, "none of your business")


def test_edited_action_must_fit_the_schema(house: House) -> None:
    ask_id = house.ask_for_run(action=PAY, schema={"properties": {"amount": {"maximum": 100}}})
    with pytest.raises(InvalidParameterError, match=r"action\.amount 200"):
        house.decide(ask_id, "edit", action=PAY | {"amount": 200})
    with pytest.raises(InvalidParameterError, match="give the action"):
        house.decide(ask_id, "edit")
    house.decide(ask_id, "edit", action=PAY)  # as it was: nothing is edited
    told = house.ask(ask_id).answer
    assert told is not None
    assert (told.status, told.edited, told.action) == ("approved", False, PAY)


# Time.


def test_expiry_is_no_rejection(house: House, worker: Worker) -> None:
    task_id, ask_id = asked(house, worker, timeout_ms=5_000)
    house.pass_time(4_999)
    assert house.ask(ask_id).status == "open"
    house.pass_time(1)
    assert (house.ask(ask_id).status, house.status(task_id)) == ("expired", "pending")
    assert answer(house, worker).status == "expired"
    with pytest.raises(ConflictError, match="is expired since"):
        house.decide(ask_id)


def test_expiry_wakes_the_clock(house: House, worker: Worker) -> None:
    asked(house, worker, timeout_ms=5_000)
    assert house.store.read(lambda tx: tx.next_due()) == house.clock.now + 5_000


@pytest.mark.parametrize("is_paused", [False, True])
@pytest.mark.parametrize(
    ("policy", "status", "error"), [("fail", "failed", "ApprovalExpired"), ("cancel", "cancelled", None)]
)
def test_expiry_may_end_the_task(
    house: House, worker: Worker, policy: str, status: str, error: str | None, is_paused: bool
) -> None:
    task_id, ask_id = asked(house, worker, timeout_ms=5_000, on_expiry=policy)
    if is_paused:
        house.pause(task_id)
    house.pass_time(5_000)
    task = house.task(task_id)
    assert (task.status, task.error_type) == (status, error)
    assert "nobody has answered 'Go on?' in 5 s" in str(task.reason)
    assert house.ask(ask_id).status == "expired"


def test_expiry_of_one_of_several_agents_fails_only_what_cannot_complete(house: House) -> None:
    task_id = house.create(agents=["a", "b"], settings={"completion": "any"})
    a, b = house.worker("a"), house.worker("b")
    a.ask(a.take(), timeout_ms=1_000, on_expiry="fail")
    of_b = b.take()
    b.start(of_b)
    house.pass_time(1_000)
    assert house.status(task_id) == "in_progress"
    b.complete(of_b)
    assert house.status(task_id) == "completed"


def test_ask_that_nobody_receives_alarms_once(house: House, worker: Worker) -> None:
    _, silent = asked(house, worker, key="silent")
    _, seen = asked(house, worker, key="seen")
    house.receive_ask(seen, by="ann")
    house.receive_ask(seen, by="bob")
    assert house.store.read(lambda tx: tx.next_due()) == house.clock.now + 300_000
    house.pass_time(300_000)
    house.pass_time(300_000)
    assert house.ask_events(silent) == ["opened", "alarmed"]
    assert house.ask_events(seen) == ["opened", "received"]
    assert house.ask(silent).alarmed_at is not None


def test_ask_taken_back_lets_the_code_go_on(house: House, worker: Worker) -> None:
    _, ask_id = asked(house, worker)
    house.cancel_ask(ask_id, by="ann", reason="not needed")
    told = answer(house, worker)
    assert (told.status, told.reason, told.by) == ("cancelled", "not needed", "ann")


def test_asks_are_forgotten_with_what_asked_them(house: House, worker: Worker) -> None:
    month_ms = 31 * 86_400_000
    task_id, ask_id = asked(house, worker)
    of_run, still_open = house.ask_for_run(key="closed"), house.ask_for_run(key="open")
    house.decide(ask_id)
    house.decide(of_run)
    worker.complete(worker.take())
    house.pass_time(month_ms)
    house.pass_time(60_000)
    assert [ask.id for ask in house.asks()] == [still_open]
    assert house.ask_events(ask_id) == house.ask_events(of_run) == []
    assert house.ask_events(still_open) == ["opened", "alarmed"]
    assert task_id


def test_inbox_shows_open_asks_by_expiry_and_then_the_newest(house: House) -> None:
    late = house.ask_for_run(key="late", timeout_ms=60_000)
    never = house.ask_for_run(key="never", approvers=["ann"])
    soon = house.ask_for_run(key="soon", timeout_ms=30_000, title="Spend 10 % of it?")
    first, second = (house.ask_for_run(key=key) for key in ("first", "second"))
    house.decide(first)
    house.clock.advance(10)
    house.decide(second)
    assert [ask.id for ask in house.asks()] == [soon, late, never, second, first]
    assert [ask.id for ask in house.asks(status=["open"], approver=["bob"])] == [soon, late]
    assert [ask.id for ask in house.asks(approver=["ann"], status=["open"])] == [soon, late, never]
    assert [ask.id for ask in house.asks(text="10 % OF")] == [soon]
    assert [ask.id for ask in house.asks(run_id="f" * 32)] == []


def test_pages_of_the_inbox_are_the_whole(house: House) -> None:
    made = [house.ask_for_run(key=str(number), timeout_ms=(number % 3 + 1) * 1_000) for number in range(10)]
    for ask_id in made[:4]:
        house.decide(ask_id)
    whole = [ask.id for ask in house.asks()]
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = house.store.read(lambda tx, at=cursor: views.asks(tx, AskFilter(), cursor=at, limit=3))  # type: ignore[misc]
        found += [ask.id for ask in page.asks]
        assert page.open_count == 6
        if (cursor := page.next_cursor) is None:
            break
    assert found == whole
    with pytest.raises(InvalidParameterError, match="take next_cursor"):
        house.store.read(lambda tx: views.asks(tx, AskFilter(), cursor="x", limit=3))


def test_patience_before_an_alarm_can_be_set(open_stores: Any, clock: Any) -> None:
    house = House(open_stores(":memory:", clock=clock), clock, ask_alarm_ms=1_000)
    ask_id = house.ask_for_run()
    house.pass_time(1_000)
    assert house.ask_events(ask_id) == ["opened", "alarmed"]
