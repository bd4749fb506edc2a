"""The public views over the record."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from milepost.wire import Batch, SpanEnded, Usage
from tests.collector.managed.facts import NOON, House, attempt, instant, task, transition

RUN, OTHER_RUN = "ab" * 16, "cd" * 16
NOON_TIME = datetime(1970, 1, 1) + timedelta(milliseconds=NOON)


async def spend(house: House, run_id: str, attempt: int, cost_usd: float) -> None:
    """Store a run of the task t1 that used 100 and 10 tokens."""
    usage = Usage(model="m", input_tokens=100, output_tokens=10, cost_usd=cost_usd)
    root = SpanEnded(
        run_id=run_id, span_id="1" * 16, name="Extract", kind="agent", task_id="t1", attempt=attempt,
        start_time=NOON * 10**6, end_time=NOON * 10**6 + 1,
    )  # fmt: skip
    call = SpanEnded(
        run_id=run_id, span_id="2" * 16, parent_span_id="1" * 16, name="ask", kind="llm", usage=[usage],
        start_time=NOON * 10**6, end_time=NOON * 10**6 + 1,
    )  # fmt: skip
    body = msgspec.msgpack.encode(Batch(producer_id=run_id, sequence=0, events=[root, call]))
    await house.ingest.submit(body, "application/msgpack")


async def test_task_is_shown_as_it_was_told_last(house: House) -> None:
    await house.record(tasks=[task(), task("t2", status="blocked")])
    await house.record(tasks=[task(status="assigned", attempt=1, started_at=NOON + 250)])
    await house.record(tasks=[task(status="completed", attempt=1, started_at=NOON + 250, finished_at=NOON + 1250)])
    found = house.row("SELECT * FROM managed_tasks WHERE task_id = 't1'")
    assert (found["status"], found["attempt"], found["tags"]) == ("completed", 1, [])
    assert (found["waiting_ms"], found["duration_ms"]) == (250, 1000)
    assert (found["created_at"], found["finished_at"]) == (NOON_TIME, NOON_TIME + timedelta(milliseconds=1250))
    assert house.rows("SELECT status FROM managed_tasks WHERE task_id = 't2'") == [("blocked",)]


@pytest.mark.parametrize(
    ("run_at", "started_at", "waiting_ms"),
    [(None, None, None), (None, 250, 250), (200, 250, 50), (60_000, 250, 0)],
    ids=["not started", "at once", "after its time", "by hand before its time"],
)
async def test_waiting_counts_from_when_it_could_run(
    house: House, run_at: int | None, started_at: int | None, waiting_ms: float | None
) -> None:
    run, started = run_at and NOON + run_at, started_at and NOON + started_at
    await house.record(tasks=[task(run_at=run, started_at=started)])
    assert house.rows("SELECT waiting_ms FROM managed_tasks") == [(waiting_ms,)]


async def test_deadline_that_a_timestamp_cannot_hold_is_the_last_it_can(house: House) -> None:
    await house.record(tasks=[task(deadline=253_402_300_799_000), task("t2", deadline=-(10**15))])
    assert house.rows("SELECT year(deadline) FROM managed_tasks ORDER BY task_id") == [(2262,), (1677,)]


async def test_deleted_task_stays_with_what_was_known_of_it(house: House) -> None:
    await house.record(tasks=[task(name="Load"), task("t2")])
    await house.record(tasks=[task(name="Load", status="failed", error_type="OSError")])
    await house.record(transitions=[transition(3, event="deleted")], deleted=["t1", "never recorded"])
    assert house.rows("SELECT task_id, name, status, error_type FROM managed_tasks ORDER BY 1") == [
        ("t1", "Load", "deleted", "OSError"),
        ("t2", "Extract", "pending", None),
    ]


async def test_attempt_runs_until_its_end_is_told(house: House) -> None:
    await house.record(attempts=[attempt(), attempt(number=2, run_id=OTHER_RUN)])
    await house.record(attempts=[attempt(status="failed", started_at=NOON + 10, ended_at=NOON + 40, error_type="E")])
    assert house.rows("SELECT attempt, status, duration_ms, error_type FROM attempts ORDER BY 1") == [
        (1, "failed", 30, "E"),
        (2, "running", None, None),
    ]


async def test_attempts_and_tasks_sum_what_their_runs_used(house: House) -> None:
    await house.record(tasks=[task(), task("t2")], attempts=[attempt(), attempt(number=2, run_id=OTHER_RUN)])
    await spend(house, RUN, 1, 0.25)
    await spend(house, OTHER_RUN, 2, 0.5)
    used = "input_tokens, output_tokens, cost_usd"
    assert house.rows(f"SELECT attempt, {used} FROM attempts ORDER BY 1") == [(1, 100, 10, 0.25), (2, 100, 10, 0.5)]
    assert house.rows(f"SELECT {used} FROM managed_tasks ORDER BY task_id") == [(200, 20, 0.75), (None, None, None)]
    assert house.rows("SELECT runs.cost_usd FROM attempts JOIN runs USING (run_id) WHERE attempts.attempt = 1") == [
        (0.25,)
    ]


async def test_instant_is_shown_as_it_was_decided_last(house: House) -> None:
    await house.record(instants=[instant(status="queued"), instant(NOON + 60_000, "missed", reason="nothing ran")])
    await house.record(instants=[instant(status="fired", task_id="t1")])
    assert house.rows("SELECT schedule_name, status, task_id, reason FROM schedule_instants ORDER BY nominal") == [
        ("nightly", "fired", "t1", None),
        ("nightly", "missed", None, "nothing ran"),
    ]


async def test_transitions_can_be_asked_for(house: House) -> None:
    done = transition(2, event="leased", from_status="pending", to_status="assigned", attempt=1, agent="etl", by="me")
    await house.record(transitions=[transition(1), done])
    found = house.rows('SELECT sequence, event, from_status, to_status, attempt, agent, "by" FROM task_transitions')
    assert found == [
        (1, "created", None, "pending", None, None, None),
        (2, "leased", "pending", "assigned", 1, "etl", "me"),
    ]
