"""Everything that happens becomes a delivery, once: tasks, schedules, asks and runs, over restarts and by several."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from milepost.wire import SpanEnded, SpanStarted
from milepost.wire.budgets import BudgetRaise, BudgetSet
from milepost.wire.webhooks import EVENT_TYPES
from milepost_collector.controller import lifecycle
from milepost_collector.controller.rows import AskEventRow, AskRow, BudgetEventRow, InstantRow, TransitionRow
from milepost_collector.controller.store.interface import Find
from milepost_collector.webhooks.events import transition_type
from tests.collector.server import StartServer
from tests.collector.webhooks.conftest import House, MakeHouse
from tests.collector.webhooks.sink import Reply, Sink
from tests.controller.store import rows

RUN = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
NS = 1_767_225_600_000_000_000


def ask(ask_id: str, **given: Any) -> AskRow:
    """Return an open ask of no task."""
    return msgspec.structs.replace(rows.ask(ask_id, **given), task_id=None, position=None)


def test_every_transition_of_a_task_has_a_type_that_is_listed() -> None:
    for status, events in lifecycle.TRANSITIONS.items():
        for event, targets in events.items():
            for target in targets:
                row = TransitionRow(time=0, task_id="t", event=event, from_status=status, to_status=target)
                assert (transition_type(row) in EVENT_TYPES) != (event == "attached"), (event, target)
    for event in lifecycle.Event.__args__:
        kind = transition_type(TransitionRow(time=0, task_id="t", event=event, to_status="pending"))
        assert (kind in EVENT_TYPES or str(kind).startswith("task.assignment_")) != (event == "attached"), event


async def test_instants_and_asks_are_told(any_house: House) -> None:
    await any_house.webhook(events=["schedule.*", "ask.opened"])
    now = any_house.clock.now

    def happen(engine: Any, tx: Any) -> None:
        tx.insert([rows.schedule("s1"), InstantRow(schedule_id="s1", nominal=now, status="fired", recorded_at=now)])
        tx.insert([ask("a1"), AskEventRow(ask_id="a1", event="opened", time=now)])
        tx.insert([AskEventRow(ask_id="a1", event="decided", time=now)])

    await any_house.controller.write(happen)
    any_house.webhooks.wake()
    told = {request.event["type"]: request.event["data"] for request in await any_house.received(2)}
    assert told["schedule.fired"]["schedule"] == "s1"
    assert told["ask.opened"]["title"] == "Spend 10 USD?"
    assert len(await any_house.deliveries()) == 2


async def test_budgets_are_told_of_as_they_are_used_up_and_raised(any_house: House) -> None:
    await any_house.webhook(events=["budget.soft", "budget.hard", "budget.raised"])
    await any_house.webhook("amy", events=["budget.*"], agents=["amy"])
    wanted, more = BudgetSet(scope="agent", value="bob", usd=4.0, by="ann"), BudgetRaise(usd=1.0, by="ann", reason="x")
    budget_id = await any_house.controller.write(lambda engine, tx: engine.set_budget(tx, wanted))
    reached = {"key": "agent:bob", "per": "total", "time": any_house.clock.now, "measure": "usd"}
    for event, used in (("soft", 3_200_000_000), ("hard", 4_100_000_000)):
        row = BudgetEventRow(budget_id=budget_id, event=event, used=used, budget_limit=4_000_000_000, **reached)
        await any_house.controller.write(lambda _, tx, row=row: tx.insert([row]))
    await any_house.controller.write(lambda engine, tx: engine.raise_budget(tx, budget_id, more))
    any_house.webhooks.wake()
    told = {request.event["type"]: request.event["data"] for request in await any_house.received(3)}
    assert set(told) == {"budget.soft", "budget.hard", "budget.raised"}
    hard, raised = told["budget.hard"], told["budget.raised"]
    assert (hard["budget"], hard["measure"], hard["used"], hard["limit"]) == ("agent bob", "usd", 4.1, 4.0)
    assert (raised["budget_id"], raised["by"], raised["reason"]) == (budget_id, "ann", "x")
    assert len(await any_house.deliveries()) == 3


async def test_deliverables_of_tasks_and_runs_are_told(any_house: House) -> None:
    await any_house.webhook(events=["deliverable.*", "task.*"], names=["Load"])
    await any_house.webhook("all", events=["deliverable.attached"])
    task_id = await any_house.task()
    of_task = rows.deliverable(task_id, "report.pdf", created_at=any_house.clock.now)
    of_run = msgspec.structs.replace(of_task, owner=f"run:{RUN}", name="trace.txt", task_id=None, run_id=RUN)
    attached = TransitionRow(time=any_house.clock.now, task_id=task_id, event="attached", to_status="pending")
    await any_house.controller.write(lambda _, tx: tx.insert([of_run, of_task, attached]))
    any_house.webhooks.wake()
    found = [request.event for request in await any_house.received(4)]
    told = sorted((event["type"], event["data"].get("deliverable")) for event in found if "event" not in event["data"])
    assert told == [("deliverable.attached", name) for name in ("report.pdf", "report.pdf", "trace.txt")]
    assert {event["data"]["name"] for event in found if event["data"].get("task_id")} == {"Load"}
    assert len(await any_house.deliveries()) == 4


async def test_ask_whose_opening_was_delivered_is_received(any_house: House) -> None:
    await any_house.webhook(events=["ask.opened"])
    now = any_house.clock.now
    await any_house.controller.write(
        lambda _, tx: tx.insert([ask("a1"), AskEventRow(ask_id="a1", event="opened", time=now)])
    )
    any_house.webhooks.wake()
    await any_house.settled()
    (found,) = await any_house.controller.read(lambda tx: tx.find(AskRow, rows_of("a1")))
    assert found.received_at == now
    events, _ = await any_house.controller.read(lambda tx: tx.ask_events_after("", 9))
    assert [(row.event, row.by) for row in events] == [("opened", None), ("received", "webhook ops")]


def rows_of(ask_id: str) -> Any:
    """Return the query for one ask."""
    return Find(equal={"id": ask_id})


async def test_what_happens_while_the_process_is_down_is_told_after_its_start(
    make_house: MakeHouse, tmp_path: Any
) -> None:
    place = str(tmp_path / "shared.sqlite")
    house: House = await make_house(place)
    await house.webhook(events=["task.created"])
    await house.webhooks.stop()
    names = [f"Load {number}" for number in range(20)]
    for name in names:
        await house.task(name)
    await house.webhooks.start()
    await house.received(20)
    assert sorted(request.event["data"]["name"] for request in house.sink.received) == sorted(names)
    assert len(await house.deliveries()) == 20


async def test_several_collectors_on_one_store_tell_each_event_once(make_house: MakeHouse, postgres_url: str) -> None:
    houses: list[House] = [await make_house(postgres_url) for _ in range(2)]
    await houses[0].webhook(events=["task.created"])
    await asyncio.gather(*(houses[number % 2].task(f"Load {number}") for number in range(60)))
    for house in houses:
        house.webhooks.wake()
    await houses[0].received(60)
    await houses[0].until(lambda found: len(found) == 60 and all(row.status == "delivered" for row in found))
    ids = [request.id for request in houses[0].sink.received]
    assert len(ids) == len(set(ids)) == 60


async def test_delivery_of_a_process_that_is_gone_is_taken_over_when_its_lease_is_over(
    house: House, sink: Sink
) -> None:
    sink.reply = lambda _: Reply(stall=True)
    await house.webhook(events=["task.created"])
    await house.task()
    await house.received(1)
    await house.pass_time(59_999)
    assert len(sink.received) == 1
    sink.reply = lambda _: Reply(200)
    await house.pass_time(1)
    await house.until(lambda found: found[0].status == "delivered")
    first, second = sink.received
    assert first.id == second.id
    sink.released.set()  # whoever had it comes back, and changes nothing
    await house.task("Next")
    await house.until(lambda found: len(found) == 2 and found[1].status == "delivered")
    assert [row.number for row in await house.tries()] == [1, 1]


def ended(run_id: str, span_id: str, **given: Any) -> SpanEnded:
    """Return a root span that has ended."""
    values = {"name": "report", "kind": "agent", "status": "completed", "start_time": NS, "end_time": NS + 10**9}
    return SpanEnded(run_id=run_id, span_id=span_id, **{**values, **given})


@pytest.fixture
def told(start_server: StartServer, sink: Sink) -> Any:
    """Return a server whose webhook gets what happens to runs."""
    server = start_server(webhook_allow_hosts=(sink.host,))
    server.send([ended("f" * 32, "e" * 16)])  # before there is anybody to tell
    body = {"name": "ops", "url": sink.url, "events": ["run.*"]}
    assert server.client.post("/api/webhooks", json=body).status_code == 201
    return server


def test_runs_are_told_of_when_they_start_and_end(told: Any, sink: Sink) -> None:
    told.send([SpanStarted(run_id=RUN, span_id=SPAN, name="report", kind="agent", start_time=NS)])
    sink.wait(1)
    told.send([ended(RUN, SPAN, status="failed", agent="amy", error_type="ValueError", error_message="x" * 900)])
    started, failed = (request.event for request in sink.wait(2))
    assert (started["type"], started["data"]["run_id"]) == ("run.started", RUN)
    assert failed["type"] == "run.failed"
    assert failed["data"]["duration_ms"] == 1000
    assert len(failed["data"]["error_message"]) == 500


def test_run_that_is_told_at_once_has_both_its_start_and_its_end(told: Any, sink: Sink) -> None:
    told.send([ended(RUN, SPAN), ended(RUN, "a" * 16, parent_span_id=SPAN)])
    assert sorted(request.event["type"] for request in sink.wait(2)) == ["run.completed", "run.started"]
    told.send([ended("1" * 32, "2" * 16)])
    sink.wait(4)
    assert sorted(sink.types) == ["run.completed", "run.completed", "run.started", "run.started"]
