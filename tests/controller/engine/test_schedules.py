"""Instants become tasks: each once at most, and each with a line in the ledger."""

from __future__ import annotations

import random
from typing import Any

import pytest

from milepost.wire.schedules import BackfillAnswer, BackfillRequest, Cadence, ScheduleUpdate
from milepost.wire.tasks import PauseRequest, RunRequest, TaskCreate
from milepost_collector.controller.engine import Engine
from milepost_collector.controller.service.ids import Ids
from milepost_collector.errors import ConflictError, InvalidParameterError, NotFoundError
from tests.controller.engine.house import House

pytestmark = pytest.mark.parametrize("place", ["memory", "postgresql"], indirect=True)

MINUTE_MS = 60_000


def update(house: House, schedule_id: str, **changes: Any) -> None:
    """Change a schedule."""
    house.do(lambda engine, tx: engine.update_schedule(tx, schedule_id, ScheduleUpdate(**changes)))


def pause(house: House, schedule_id: str) -> None:
    """Pause a schedule."""
    house.do(lambda engine, tx: engine.pause_schedule(tx, schedule_id, PauseRequest(by="ann")))


def resume(house: House, schedule_id: str) -> None:
    """Let a schedule go on."""
    house.do(lambda engine, tx: engine.resume_schedule(tx, schedule_id, PauseRequest()))


def backfill(house: House, schedule_id: str, since_ms: int, until_ms: int, *, dry_run: bool = False) -> BackfillAnswer:
    """Make up for a stretch, relative to now."""
    request = BackfillRequest(since=house.at(since_ms), until=house.at(until_ms), dry_run=dry_run)
    return house.do(lambda engine, tx: engine.backfill(tx, schedule_id, request))


def complete_oldest(house: House) -> None:
    """Complete the one task that is ready."""
    worker = house.worker("a")
    worker.complete(worker.take())


def test_instant_makes_a_task_in_time(house: House) -> None:
    made = house.schedule(task=TaskCreate(name="report", input=1, type="manual", idempotency_key="k"))
    assert house.effects.due == house.clock.now + MINUTE_MS
    house.pass_time(MINUTE_MS)
    (line,) = house.ledger(made)
    assert (line.status, line.nominal) == ("fired", house.at(0))
    assert line.task_id is not None
    task = house.task(line.task_id)
    assert (task.type, task.schedule_id, task.scheduled_for, task.input) == ("scheduled", made, house.at(0), 1)
    assert task.idempotency_key is None


def test_instant_is_decided_once_however_often_time_is_looked_at(house: House) -> None:
    made = house.schedule()
    house.pass_time(MINUTE_MS)
    house.tick()
    house.pass_time(1_000)
    assert house.lines(made) == ["fired"]


def test_reading_decides_nothing(house: House) -> None:
    made = house.schedule()
    house.clock.advance(MINUTE_MS)
    assert house.read_schedule(made).next[0].nominal == house.at(MINUTE_MS)
    assert house.lines(made) == []
    house.tick()
    assert house.lines(made) == ["fired"]


def test_two_engines_on_one_store_fire_once(house: House) -> None:
    made = house.schedule()
    chance = random.Random(2)
    other = Engine(new_id=Ids(chance), chance=chance)
    for _ in range(3):
        house.pass_time(MINUTE_MS)
        house.store.run(other.tick)
    assert house.lines(made) == ["fired", "skipped", "skipped"]
    assert house.read_schedule(made).fired_count == 1


@pytest.mark.parametrize(
    ("catch_up", "lines"),
    [
        ("latest", ["skipped"] * 4 + ["late"]),
        ("all", ["late"] * 5),
        ("none", ["skipped"] * 5),
    ],
)
def test_instants_of_an_outage_are_made_up_for_by_policy(house: House, catch_up: str, lines: list[str]) -> None:
    made = house.schedule(catch_up=catch_up, overlap="allow")
    house.pass_time(5 * MINUTE_MS + 30_000)
    assert house.lines(made) == lines


def test_instants_before_the_window_are_missed(house: House) -> None:
    made = house.schedule(catch_up="all", overlap="allow", catch_up_window_ms=2 * MINUTE_MS)
    house.pass_time(5 * MINUTE_MS + 30_000)
    assert house.lines(made) == ["missed"] * 3 + ["late"] * 2
    found = house.read_schedule(made)
    assert (found.fired_count, found.skipped_count, found.missed_count) == (2, 0, 3)


def test_long_outage_leaves_a_line_for_every_instant(house: House) -> None:
    made = house.schedule(every_ms=1_000, catch_up_window_ms=0)
    house.pass_time(1_700 * 1_000)
    counts = house.store.read(lambda tx: len(tx.instants_between(made, 0, house.clock.now + 1)))
    assert counts == 1_700
    assert house.lines(made)[-1] == "fired"


@pytest.mark.parametrize(
    ("overlap", "lines", "open_tasks"),
    [
        ("skip", ["fired", "skipped", "skipped"], 1),
        ("queue", ["fired", "queued", "queued"], 1),
        ("cancel_running", ["fired", "fired", "fired"], 1),
        ("allow", ["fired", "fired", "fired"], 3),
    ],
)
def test_task_that_is_not_finished_is_treated_by_policy(
    house: House, overlap: str, lines: list[str], open_tasks: int
) -> None:
    made = house.schedule(overlap=overlap)
    for _ in range(3):
        house.pass_time(MINUTE_MS)
    assert house.lines(made) == lines
    assert len(house.store.read(lambda tx: tx.unfinished_of(made))) == open_tasks


@pytest.mark.parametrize("overlap", ["skip", "queue", "cancel_running", "allow"])
def test_policies_hold_among_instants_of_one_transaction(house: House, overlap: str) -> None:
    made = house.schedule(overlap=overlap, catch_up="all")
    house.pass_time(3 * MINUTE_MS + 30_000)
    expected = {
        "skip": ["late", "skipped", "skipped"],
        "queue": ["late", "queued", "queued"],
        "cancel_running": ["late"] * 3,
        "allow": ["late"] * 3,
    }
    assert house.lines(made) == expected[overlap]


def test_cancel_running_ends_an_attempt_at_once(house: House) -> None:
    house.schedule(overlap="cancel_running")
    worker = house.worker("a")
    house.pass_time(MINUTE_MS)
    lease = worker.take()
    for _ in range(12):
        house.pass_time(MINUTE_MS // 12)
        worker.poll(draining=True)
    assert worker.complete(lease) == "stale"
    assert house.ends(lease.task_id) == ["cancelled"]


def test_queued_instants_fire_one_after_the_other(house: House) -> None:
    made = house.schedule(overlap="queue")
    for _ in range(3):
        house.pass_time(MINUTE_MS)
    for lines in (["fired", "late", "queued"], ["fired", "late", "late"]):
        complete_oldest(house)
        assert house.store.read(lambda tx: tx.next_due()) == house.clock.now
        house.tick()
        assert house.lines(made) == lines


@pytest.mark.parametrize("how", ["policy", "pause", "deleted task"])
def test_queued_instants_are_not_forgotten(house: House, how: str) -> None:
    made = house.schedule(overlap="queue", every_ms=MINUTE_MS)
    for _ in range(2):
        house.pass_time(MINUTE_MS)
    if how == "policy":
        update(house, made, overlap="skip")
        complete_oldest(house)
    elif how == "pause":
        pause(house, made)
        complete_oldest(house)
        house.tick()
        assert house.lines(made) == ["fired", "queued"]
        resume(house, made)
    else:
        task_id = house.ledger(made)[0].task_id
        assert task_id is not None
        house.delete(task_id)
    house.tick()
    assert house.lines(made) == ["fired", "late"]


def test_pause_skips_instants_and_resuming_floods_nothing(house: House) -> None:
    made = house.schedule(overlap="allow", catch_up="all")
    pause(house, made)
    house.pass_time(3 * MINUTE_MS)
    resume(house, made)
    house.pass_time(MINUTE_MS)
    assert house.lines(made) == ["skipped"] * 3 + ["fired"]
    assert house.ledger(made)[0].reason == "the schedule was paused by ann"


@pytest.mark.parametrize("change", ["pause", "resume", "cadence"])
def test_what_was_due_before_a_change_is_decided_as_it_was(house: House, change: str) -> None:
    made = house.schedule(paused=change == "resume")
    house.clock.advance(MINUTE_MS)
    if change == "pause":
        pause(house, made)
    elif change == "resume":
        resume(house, made)
    else:
        update(house, made, cadence=Cadence(every_ms=7_000))
    house.tick()
    assert house.lines(made) == ["skipped" if change == "resume" else "fired"]


def test_new_cadence_counts_from_now_on(house: House) -> None:
    made = house.schedule(overlap="allow")
    house.pass_time(MINUTE_MS + 30_000)
    update(house, made, cadence=Cadence(every_ms=10_000))
    house.pass_time(10_000)
    assert [line.nominal for line in house.ledger(made)] == [house.at(-40_000), house.at(0)]


def test_schedule_ends(house: House) -> None:
    made = house.schedule(overlap="allow", end=house.at(2 * MINUTE_MS))
    for _ in range(4):
        house.pass_time(MINUTE_MS)
    assert house.lines(made) == ["fired", "fired"]
    assert house.read_schedule(made).next == []


def test_single_instant_fires_once(house: House) -> None:
    made = house.schedule(cadence=Cadence(at=house.at(5_000)))
    house.pass_time(5_000)
    house.pass_time(100_000)
    assert house.lines(made) == ["fired"]


def test_schedule_without_an_instant_to_come_is_refused(house: House) -> None:
    with pytest.raises(InvalidParameterError, match="no instant to come"):
        house.schedule(cadence=Cadence(at=house.at(-1_000)))


@pytest.mark.parametrize("cadence", [Cadence(), Cadence(cron="* * * * *", every_ms=1_000), Cadence(cron="61 * * * *")])
def test_cadence_that_cannot_be_is_refused(house: House, cadence: Cadence) -> None:
    with pytest.raises(InvalidParameterError, match="cadence"):
        house.schedule(cadence=cadence)


def test_refused_cadence_names_the_field_that_was_sent(house: House) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        house.schedule(cadence=Cadence(cron="99"))
    assert (refused.value.field, refused.value.value) == ("cadence.cron", "99")


def test_jitter_delays_the_task_as_the_preview_says(house: House) -> None:
    made = house.schedule(jitter_ms=30_000)
    (planned, *_) = house.read_schedule(made).next
    house.pass_time(MINUTE_MS)
    task_id = house.ledger(made)[0].task_id
    assert task_id is not None
    assert house.task(task_id).run_at == planned.due
    assert planned.nominal < planned.due <= house.at(30_000)


def test_cron_fires_in_its_zone(house: House) -> None:
    made = house.schedule(cadence=Cadence(cron="0 3 * * *", zone="Europe/Berlin"))
    house.pass_time(2 * 3_600_000)  # 02:00 UTC is 03:00 in Berlin in January
    assert [line.nominal for line in house.ledger(made)] == [house.at(0)]


def test_run_now_makes_a_task_beside_the_instants(house: House) -> None:
    made = house.schedule(task=TaskCreate(name="report", input=1))
    task_id = house.do(lambda engine, tx: engine.run_schedule(tx, made, RunRequest(input=2)))
    task = house.task(task_id)
    assert (task.schedule_id, task.scheduled_for, task.input) == (made, None, 2)
    assert house.lines(made) == []


def test_backfill_makes_tasks_of_what_has_none(house: House) -> None:
    made = house.schedule(catch_up="latest", overlap="allow")
    house.pass_time(3 * MINUTE_MS)
    dry = backfill(house, made, -10 * MINUTE_MS, 0, dry_run=True)
    assert house.lines(made) == ["skipped", "skipped", "fired"]
    answer = backfill(house, made, -2 * MINUTE_MS, 0)
    assert answer.instants == [house.at(-2 * MINUTE_MS), house.at(-MINUTE_MS)]
    assert set(answer.instants) <= set(dry.instants)
    assert house.lines(made) == ["backfilled", "backfilled", "fired"]
    assert backfill(house, made, -2 * MINUTE_MS, 0).task_ids == []
    assert house.read_schedule(made).skipped_count == 0


@pytest.mark.parametrize(("since", "until"), [(0, -1_000), (-1_000, 1_000), (-1_000, -1_000)])
def test_backfill_of_what_is_no_stretch_of_the_past_is_refused(house: House, since: int, until: int) -> None:
    made = house.schedule()
    with pytest.raises(InvalidParameterError, match="give a stretch of the past"):
        backfill(house, made, since, until)


def test_task_that_is_refused_leaves_a_line_with_the_reason(house: House) -> None:
    first = house.create()
    made = house.schedule(task=TaskCreate(name="report", dependencies=[first]))
    house.delete(first)
    house.pass_time(MINUTE_MS)
    (line,) = house.ledger(made)
    assert line.status == "skipped"
    assert "its task was refused" in (line.reason or "")


def test_names_are_unique_and_found(house: House) -> None:
    made = house.schedule("nightly")
    with pytest.raises(ConflictError, match="there is a schedule 'nightly'"):
        house.schedule("nightly")
    assert house.read_schedule("nightly").id == made
    with pytest.raises(NotFoundError):
        pause(house, "hourly")


def test_deleted_schedule_leaves_its_ledger_decided(house: House) -> None:
    made = house.schedule(overlap="queue")
    for _ in range(2):
        house.pass_time(MINUTE_MS)
    house.do(lambda engine, tx: engine.delete_schedule(tx, made))
    house.pass_time(MINUTE_MS)
    lines = house.store.read(lambda tx: tx.instants_between(made, 0, house.clock.now + 1))
    assert [line.status for line in lines] == ["fired", "skipped"]
