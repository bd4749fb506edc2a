"""From the controller's store into the record: everything, once, whatever fails on the way."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from milepost.wire.schedules import BackfillRequest, Cadence, ScheduleCreate
from milepost.wire.tasks import TaskCreate, TaskSettings
from milepost.wire.worker import AttemptCompleted, AttemptFailed, AttemptStarted
from milepost_collector.controller import facts, follower
from milepost_collector.controller.follower import Follower
from tests.collector.managed.controlled import Control, Faulty, Watched
from tests.collector.managed.facts import House

RECORDED = "SELECT sequence, task_id, event FROM task_transitions ORDER BY ALL"


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "TRANSITIONS_AT_ONCE", 3)
    monkeypatch.setattr(facts, "INSTANTS_AT_ONCE", 2)


async def test_commit_is_recorded_when_it_wakes_the_follower(
    house: House, any_control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = any_control
    monkeypatch.setattr(follower, "LOOK_AGAIN_S", 3600.0)
    watched = Watched(house.ingest.recorder)
    following = Follower(control.controller.read, watched)
    control.controller.on_change(following.wake)
    following.start()
    for count in range(1, 4):
        await control.create()
        await watched.until(count)
    assert house.rows("SELECT status, count(*) FROM managed_tasks GROUP BY ALL") == [("pending", 3)]
    await following.stop()
    await following.stop()


async def test_commit_is_recorded_without_a_wake_too(house: House, control: Control) -> None:
    watched = Watched(house.ingest.recorder)
    following = Follower(control.controller.read, watched)
    following.start()
    await control.create()
    await watched.until(1)
    await following.stop()


async def test_attempt_is_recorded_from_lease_to_end(house: House, any_control: Control) -> None:
    control = any_control
    task_id = await control.create(settings=TaskSettings(max_retries=1))
    (lease,) = await control.leases()
    await control.follow(house.ingest.recorder)
    leased = house.row("SELECT * FROM attempts")
    assert (leased["task_id"], leased["run_id"], leased["status"]) == (task_id, lease.run_id, "running")
    assert (leased["agent"], leased["worker_id"], leased["ended_at"]) == ("etl", control.worker_id, None)
    await control.report(
        AttemptStarted(task_id=task_id, attempt=1),
        AttemptFailed(task_id=task_id, attempt=1, error_type="OSError", error_message="Connection refused"),
    )
    await control.follow(house.ingest.recorder)
    ended = house.row("SELECT * FROM attempts")
    assert (ended["status"], ended["error_type"], ended["started_at"]) == ("failed", "OSError", ended["ended_at"])
    assert house.rows("SELECT status, attempt, failures FROM managed_tasks") == [("pending", 1, 1)]


async def test_attempt_that_ends_with_its_task_is_recorded_too(house: House, control: Control) -> None:
    settings = TaskSettings(completion="any")
    task_id = await control.create(agents=["etl", "etl-too"], settings=settings)
    (mine,) = await control.leases()
    other = Control(control.controller, agent="etl-too")
    (theirs,) = await other.leases()
    await control.follow(house.ingest.recorder)
    await control.report(AttemptCompleted(task_id=task_id, attempt=mine.attempt))
    await control.follow(house.ingest.recorder)
    assert house.rows("SELECT attempt, agent, status FROM attempts ORDER BY 1") == [
        (mine.attempt, "etl", "completed"),
        (theirs.attempt, "etl-too", "cancelled"),
    ]


async def test_task_is_recorded_with_all_its_fields(house: House, control: Control) -> None:
    deadline, run_id = datetime(9999, 12, 31, tzinfo=UTC), "ab" * 16
    origin = {"traceparent": f"00-{run_id}-{'1' * 16}-01"}
    await control.create(
        priority="urgent", agent="etl", app="shop", key="eu", tags=["a", "b"], deadline=deadline, **origin
    )
    await control.follow(house.ingest.recorder)
    found = house.row("SELECT * FROM managed_tasks")
    assert (found["name"], found["priority"], found["agent"], found["app"]) == ("Extract", "urgent", "etl", "shop")
    assert (found["key"], found["tags"], found["origin_run_id"]) == ("eu", ["a", "b"], run_id)
    assert (found["type"], found["deadline"].year, found["finished_at"]) == ("manual", 2262, None)


async def test_deleted_task_is_recorded_as_deleted(house: House, control: Control) -> None:
    task_id = await control.create()
    await control.follow(house.ingest.recorder)
    await control.do(lambda engine, tx: engine.delete(tx, task_id))
    await control.follow(house.ingest.recorder)
    assert house.rows("SELECT name, status FROM managed_tasks") == [("Extract", "deleted")]
    assert house.rows("SELECT event FROM task_transitions ORDER BY sequence") == [("created",), ("deleted",)]


async def test_instants_are_recorded_with_their_schedule(house: House, control: Control, few_at_once: None) -> None:
    schedule = ScheduleCreate(name="nightly", cadence=Cadence(cron="0 3 * * *"), task=TaskCreate(name="Report"))
    past = BackfillRequest(since=datetime(2026, 3, 1, tzinfo=UTC), until=datetime(2026, 3, 6, tzinfo=UTC))
    schedule_id = await control.do(lambda engine, tx: engine.create_schedule(tx, schedule))
    answer = await control.do(lambda engine, tx: engine.backfill(tx, schedule_id, past))
    await control.follow(house.ingest.recorder)
    found = house.rows("SELECT schedule_id, schedule_name, status, task_id FROM schedule_instants ORDER BY nominal")
    assert found == [(schedule_id, "nightly", "backfilled", task_id) for task_id in answer.task_ids]
    tasks = house.rows("SELECT schedule_id, type, scheduled_for FROM managed_tasks ORDER BY scheduled_for")
    assert tasks == [(schedule_id, "scheduled", datetime(2026, 3, day, 3)) for day in range(1, 6)]


@pytest.mark.parametrize("seed", range(6))
async def test_every_transition_is_recorded_once_whatever_fails(
    house: House, any_control: Control, few_at_once: None, seed: int
) -> None:
    control = any_control
    chance = random.Random(seed)
    faulty = Faulty(house.ingest.recorder, chance)
    task_ids = []
    for _ in range(6):
        task_ids += [await control.create() for _ in range(chance.randrange(1, 4))]
        leases = await control.leases()
        await control.report(*[AttemptCompleted(task_id=lease.task_id, attempt=1) for lease in leases])
        await control.follow(faulty)
    await control.follow(house.ingest.recorder)
    assert faulty.failures
    assert house.rows(RECORDED) == await control.transitions(task_ids)
    assert house.rows("SELECT status, count(*) FROM managed_tasks GROUP BY ALL") == [("completed", len(task_ids))]
    assert house.rows("SELECT status, count(*) FROM attempts GROUP BY ALL") == [("completed", len(task_ids))]


async def test_failing_record_is_caught_up_with_by_itself(
    house: House, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "RETRY_S", 0.001)
    monkeypatch.setattr(follower, "LONGEST_RETRY_S", 0.01)
    watched = Watched(house.ingest.recorder)
    faulty = Faulty(watched, random.Random(5))
    following = Follower(control.controller.read, faulty)
    following.start()
    for count in range(1, 6):
        await control.create()
        following.wake()
        await watched.until(count)
    assert faulty.failures
    await following.stop()


async def test_another_store_is_told_from_its_beginning(house: House, control: Control, tmp_path: Path) -> None:
    first = [await control.create() for _ in range(3)]
    await control.follow(house.ingest.recorder)
    other = await Control.open(tmp_path / "other")
    second = [await other.create() for _ in range(2)]
    await other.follow(house.ingest.recorder)
    await other.follow(house.ingest.recorder)
    assert house.rows("SELECT task_id FROM managed_tasks ORDER BY 1") == sorted((one,) for one in first + second)
    assert house.rows("SELECT count(*) FROM task_transitions") == [(5,)]
    await other.controller.stop()


async def test_older_copy_of_a_store_is_told_without_repetition(house: House, tmp_path: Path) -> None:
    before = await Control.open(tmp_path / "store")
    kept = [await before.create() for _ in range(2)]
    await before.controller.stop()
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    after = await Control.open(tmp_path / "store")
    lost = [await after.create() for _ in range(3)]
    await after.follow(house.ingest.recorder)
    await after.controller.stop()
    restored = await Control.open(tmp_path / "copy")
    new = [await restored.create() for _ in range(2)]
    await restored.follow(house.ingest.recorder)
    found = house.rows("SELECT task_id FROM task_transitions ORDER BY 1")
    assert found == sorted((one,) for one in kept + lost + new)
    await restored.controller.stop()


async def test_new_database_is_told_everything(house: House, control: Control, tmp_path: Path) -> None:
    task_ids = [await control.create() for _ in range(2)]
    await control.follow(house.ingest.recorder)
    other = House.open(tmp_path / "other")
    await control.follow(other.ingest.recorder)
    assert other.rows(RECORDED) == await control.transitions(task_ids)
    await other.close()
