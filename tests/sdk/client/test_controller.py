"""Both clients against a real collector: what they ask for happens, and is read back."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tests.sdk.client.hand import Hand

import milepost

if TYPE_CHECKING:
    from tests.sdk.client.conftest import Ask

    from conftest import CollectorProcess
    from milepost.wire.triggers import TryAnswer

_numbers = itertools.count(1)


@pytest.fixture
def ask(ask_at: Callable[[str], Ask], collector: CollectorProcess) -> Ask:
    """Let a client of either kind ask the collector something."""
    return ask_at(collector.url)


@pytest.fixture
def agent() -> str:
    """Return the name of an agent that no other test uses."""
    return f"agent-{next(_numbers)}"


@pytest.fixture
def hand(collector: CollectorProcess, agent: str) -> Iterator[Hand]:
    """Return a worker of the agent that handles `work`."""
    hand = Hand(collector.url, agent, "work")
    yield hand
    hand.close()


def test_task_is_created_as_it_was_described(ask: Ask, agent: str):
    extract = ask(lambda client: client.tasks.create(name="Extract Data", agent=agent))
    made = ask(
        lambda client: client.tasks.create(
            name="Transform Data",
            agent=agent,
            input={"pages": [1, 2]},
            dependencies=[extract.id],
            priority="urgent",
            deadline="2126-12-31T23:59:59Z",
            settings={"max_retries": 3, "timeout_ms": 300_000, "retry_delay_ms": 10_000},
            tags=["nightly"],
        )
    )
    task = ask(lambda client: client.tasks.get(made))
    assert (task.status, task.priority, task.input, task.tags) == ("blocked", "urgent", {"pages": [1, 2]}, ["nightly"])
    assert task.deadline == datetime(2126, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert (task.settings.max_retries, task.settings.timeout_ms, task.settings.retry_delay_ms) == (3, 300_000, 10_000)
    assert [(one.task_id, one.status) for one in task.dependencies] == [(extract.id, "pending")]
    assert extract.id in task.why_not_running.text


def test_same_idempotency_key_makes_one_task(ask: Ask, agent: str):
    first = ask(lambda client: client.tasks.create("work", agent=agent, idempotency_key=f"key of {agent}"))
    second = ask(lambda client: client.tasks.create("work", agent=agent, idempotency_key=f"key of {agent}"))
    assert first.id == second.id
    with pytest.raises(milepost.ConflictError):
        ask(lambda client: client.tasks.create("other", agent=agent, idempotency_key=f"key of {agent}"))


def test_many_tasks_are_created_listed_and_counted(ask: Ask, agent: str):
    ids = ask(lambda client: client.tasks.create_many({"name": f"n{n % 2}", "agent": agent} for n in range(5))).ids
    listed = ask(lambda client: client.tasks.list(agent=agent, page_size=2, sort="created_at"))
    assert sorted(task.id for task in listed) == sorted(ids)
    counts = ask(lambda client: client.tasks.count("name", agent=agent))
    assert {group.value: group.count for group in counts.groups} == {"n0": 3, "n1": 2}
    assert {task.id for task in ask(lambda client: client.tasks.list(ids=ids[:2]))} == set(ids[:2])


def test_waiting_returns_what_the_agent_made_of_it(ask: Ask, agent: str, hand: Hand):
    made = ask(lambda client: client.tasks.create("work", agent=agent, input={"n": 20}))
    lease = hand.take()
    hand.progress(lease, 0.5, "half way")
    seen = ask(lambda client: client.tasks.get(made.id))
    assert (seen.progress, seen.phase, seen.attempt) == (0.5, "half way", 1)
    hand.complete(lease, lease.input["n"] + 1)
    task = ask(lambda client: client.tasks.wait(made, timeout_s=20))
    assert (task.status, task.result, task.last_run_id) == ("completed", 21, lease.run_id)


def test_failed_task_is_retried_with_another_context(ask: Ask, agent: str, hand: Hand):
    made = ask(lambda client: client.tasks.create("work", agent=agent))
    hand.fail(hand.take(), "disk is full", retryable=False)
    with pytest.raises(milepost.TaskNotCompletedError, match="ValueError: disk is full") as caught:
        ask(lambda client: client.tasks.wait(made, timeout_s=20))
    assert caught.value.task.failures == 1
    ask(lambda client: client.tasks.retry(made, context={"hint": "use the other disk"}))
    lease = hand.take()
    assert (lease.attempt, lease.context) == (2, {"hint": "use the other disk"})
    hand.complete(lease)
    attempts = ask(lambda client: client.tasks.list_runs(made)).attempts
    assert [(one.attempt, one.status) for one in attempts] == [(2, "completed"), (1, "failed")]
    assert ask(lambda client: client.tasks.get_run(made, 1)).error_stack == "Traceback: disk is full"


def test_checkpoints_and_transitions_are_read_back(ask: Ask, agent: str, hand: Hand):
    made = ask(lambda client: client.tasks.create("work", agent=agent))
    lease = hand.take()
    hand.checkpoint(lease, {"page": 3})
    hand.complete(lease)
    [saved] = ask(lambda client: client.tasks.checkpoints(made)).checkpoints
    assert (saved.state, saved.attempt) == ({"page": 3}, 1)
    history = ask(lambda client: client.tasks.transitions(made)).transitions
    assert history[0].to_status == "pending"
    assert history[-1].to_status == "completed"


def test_task_is_paused_changed_resumed_cancelled_and_run_again(ask: Ask, agent: str):
    made = ask(lambda client: client.tasks.create("work", agent=agent))
    paused = ask(lambda client: client.tasks.pause(made, reason="look first", by="ada"))
    assert (paused.status, paused.why_not_running.code) == ("paused", "paused")
    changed = ask(lambda client: client.tasks.update(made, priority="high", settings={"max_retries": 9}))
    assert changed.priority == "high"
    assert ask(lambda client: client.tasks.resume(made)).status == "pending"
    cancelled = ask(lambda client: client.tasks.cancel(made, reason="wrong day"))
    assert (cancelled.status, cancelled.reason) == ("cancelled", "wrong day")
    again = ask(lambda client: client.tasks.run(made, input={"day": 2}))
    assert (again.status, again.input, again.settings.max_retries) == ("pending", {"day": 2}, 9)


def test_conflict_names_what_is_legal(ask: Ask, agent: str):
    made = ask(lambda client: client.tasks.create("work", agent=agent))
    with pytest.raises(milepost.ConflictError, match=made.id) as caught:
        ask(lambda client: client.tasks.resume(made))
    assert {"cancel", "pause"} <= set(caught.value.legal)


def test_deleted_task_is_not_found(ask: Ask, agent: str):
    made = ask(lambda client: client.tasks.create("work", agent=agent))
    ask(lambda client: client.tasks.delete(made))
    with pytest.raises(milepost.NotFoundError, match=made.id):
        ask(lambda client: client.tasks.get(made))


def test_refused_field_is_named(ask: Ask):
    with pytest.raises(milepost.InvalidRequestError) as caught:
        ask(lambda client: client.tasks.list(sort="colour"))
    assert (caught.value.status, caught.value.field, caught.value.value) == (400, "sort", "colour")


def test_bulk_counts_before_it_acts(ask: Ask, agent: str):
    ask(lambda client: client.tasks.create_many({"name": "work", "agent": agent} for _ in range(3)))
    would = ask(lambda client: client.tasks.bulk("cancel", agent=agent, dry_run=True))
    assert (would.matched, would.changed, would.dry_run) == (3, 3, True)
    done = ask(lambda client: client.tasks.bulk("cancel", agent=agent, arguments={"reason": "all of it"}))
    assert (done.changed, done.refused) == (3, 0)
    assert {task.status for task in ask(lambda client: client.tasks.list(agent=agent))} == {"cancelled"}


def test_task_created_in_a_run_leads_back_to_it(ask: Ask, agent: str, collector: CollectorProcess):
    with milepost.Client(endpoint=collector.url) as client, client.start_run("parent") as run:
        made = ask(lambda client: client.tasks.create("work", agent=agent))
    assert ask(lambda client: client.tasks.get(made)).origin_run_id == run.run_id
    assert [task.id for task in ask(lambda client: client.tasks.list(origin_run_id=run.run_id))] == [made.id]


def test_schedule_is_made_previewed_held_and_run(ask: Ask, agent: str):
    name = f"nightly of {agent}"
    template = {"name": "work", "agent": agent, "input": {"a": 1}}
    made = ask(lambda client: client.schedules.create(name, cron="0 2 * * *", zone="Europe/Berlin", task=template))
    seen = ask(lambda client: client.schedules.get(name))
    assert (seen.id, seen.task.name, seen.cadence.zone) == (made.id, "work", "Europe/Berlin")
    assert seen.next[0].nominal.astimezone(UTC).hour in (0, 1)
    assert name in [one.name for one in ask(lambda client: client.schedules.list(text=name))]
    assert ask(lambda client: client.schedules.pause(made, by="ada")).paused
    assert not ask(lambda client: client.schedules.resume(made)).paused
    assert (
        ask(lambda client: client.schedules.update(made, overlap="queue", every_ms=60_000)).cadence.every_ms == 60_000
    )
    assert ask(lambda client: client.schedules.run(made)).input == {"a": 1}
    ask(lambda client: client.schedules.delete(made))
    with pytest.raises(milepost.NotFoundError):
        ask(lambda client: client.schedules.get(name))


def test_backfill_fires_what_has_not_fired_and_the_ledger_has_it(ask: Ask, agent: str):
    name = f"daily of {agent}"
    ask(lambda client: client.schedules.create(name, cron="0 2 * * *", task={"name": "work", "agent": agent}))
    until = datetime.now(UTC)
    stretch = {"since": until - timedelta(days=3), "until": until}
    would = ask(lambda client: client.schedules.backfill(name, dry_run=True, **stretch))
    assert (len(would.instants), would.task_ids) == (3, [])
    assert len(ask(lambda client: client.schedules.backfill(name, **stretch)).task_ids) == 3
    ledger = ask(lambda client: client.schedules.instants(name, status="backfilled", page_size=2))
    assert sorted(one.nominal for one in ledger) == sorted(would.instants)
    assert ask(lambda client: client.schedules.backfill(name, **stretch)).task_ids == []


def test_preview_says_what_the_clock_change_does(ask: Ask):
    found = ask(
        lambda client: client.schedules.preview(
            cron="30 2 * * *", zone="America/New_York", after="2026-03-08T00:00:00-05:00", count=2
        )
    )
    assert found.instants[0].nominal == datetime(2026, 3, 8, 7, tzinfo=UTC)
    assert "02:30" in found.instants[0].note


def test_agents_show_their_workers_and_can_be_held(ask: Ask, agent: str, hand: Hand):
    made = ask(lambda client: client.tasks.create("work", agent=agent))
    lease = hand.take()
    seen = ask(lambda client: client.agents.get(agent))
    assert (seen.busy, seen.slots, [one.task_id for one in seen.workers[0].leases]) == (1, 1, [made.id])
    hand.complete(lease)
    assert ask(lambda client: client.agents.pause(agent, reason="the disk", by="ada")).paused
    assert not ask(lambda client: client.agents.resume(seen)).paused
    assert agent in [one.name for one in ask(lambda client: client.agents.list()).agents]


def test_limits_are_set_listed_and_removed(ask: Ask, agent: str):
    key = f"customer/{agent}"
    made = ask(lambda client: client.limits.set("key", key, concurrency=2, rate=10, per_ms=60_000))
    assert made in ask(lambda client: client.limits.list()).limits
    ask(lambda client: client.limits.delete("key", key))
    assert made not in ask(lambda client: client.limits.list()).limits
    with pytest.raises(milepost.NotFoundError):
        ask(lambda client: client.limits.delete("key", key))


def test_recorded_runs_and_sql_are_read(ask: Ask, agent: str, collector: CollectorProcess):
    with milepost.Client(endpoint=collector.url, agent=agent) as client:
        run = client.start_run("report", tags=[agent])
        run.start_task("parse").complete(output=3)
        run.log("half way", page=3)
        run.complete()
        assert client.flush(20)
    assert [one.run_id for one in ask(lambda client: client.runs.list(tag=agent))] == [run.run_id]
    assert ask(lambda client: client.runs.get(run.run_id)).run.task_count == 1
    assert {span.name for span in ask(lambda client: client.runs.spans(run.run_id)).spans} == {"report", "parse"}
    [event] = ask(lambda client: client.runs.events(run.run_id, kind="log"))
    assert (event.message, event.body) == ("half way", {"page": 3})
    answer = ask(lambda client: client.sql(f"SELECT name FROM runs WHERE run_id = '{run.run_id}'"))
    assert answer.records() == [{"name": "report"}]
    with pytest.raises(milepost.InvalidRequestError):
        ask(lambda client: client.sql("DROP TABLE spans"))


def test_trigger_is_tried_without_being_made(ask: Ask):
    def tried(payload: object) -> TryAnswer:
        conditions = [{"pointer": "/action", "equals": "opened"}]
        return ask(
            lambda client: client.triggers.dry_run(
                payload, signature="github", task={"name": "triage"}, conditions=conditions, mapping={"title": "/title"}
            )
        )

    taken = tried({"action": "opened", "title": "It fails"})
    assert taken.task is not None
    assert (taken.outcome, taken.task.name, taken.task.input) == ("accepted", "triage", {"title": "It fails"})
    left = tried({"action": "closed"})
    assert (left.outcome, left.task) == ("filtered", None)
    assert ask(lambda client: client.triggers.list(text="dry run")) == []
