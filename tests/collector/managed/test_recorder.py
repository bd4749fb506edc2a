"""Facts into DuckDB: with their position in one transaction, each once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from milepost_collector.errors import StorageUnavailableError
from milepost_collector.protocol.managed import Recorded
from milepost_collector.storage import Database
from milepost_collector.traces.managed import Log
from tests.collector.managed.facts import MIB, NOON, House, attempt, instant, task, transition

COUNTS = """
SELECT (SELECT count(*) FROM task_transitions), (SELECT count(*) FROM task_versions),
    (SELECT count(*) FROM attempt_versions), (SELECT count(*) FROM instant_versions)
"""


async def test_empty_record_has_no_position(house: House) -> None:
    assert await house.ingest.recorder.position() is None


async def test_facts_and_their_position_are_there_together(house: House) -> None:
    await house.record(transitions=[transition(1)], tasks=[task()], attempts=[attempt()], instants=[instant()])
    assert await house.ingest.recorder.position() == "place 1"
    assert house.rows(COUNTS) == [(1, 1, 1, 1)]


async def test_facts_that_begin_elsewhere_are_not_recorded(house: House) -> None:
    await house.record(transitions=[transition(1)], tasks=[task()])
    repeated = Recorded(after=None, position="place 1", transitions=[transition(1)], tasks=[task()])
    ahead = Recorded(after="place 8", position="place 9", transitions=[transition(9)])
    assert await house.ingest.recorder.record(repeated) == "place 1"
    assert await house.ingest.recorder.record(ahead) == "place 1"
    assert house.rows(COUNTS) == [(1, 1, 0, 0)]


async def test_facts_that_cannot_be_stored_leave_no_trace(house: House) -> None:
    wrong = Recorded(after=None, position="place 1", transitions=[transition(1)], tasks=[task(name=None)])
    with pytest.raises(StorageUnavailableError, match="NOT NULL"):
        await house.ingest.recorder.record(wrong)
    assert (await house.ingest.recorder.position(), house.rows(COUNTS)) == (None, [(0, 0, 0, 0)])
    await house.record(transitions=[transition(1)])


def test_recording_goes_on_after_the_database_was_reopened(tmp_path: Path) -> None:
    database, log = Database(tmp_path / "a.duckdb", memory_limit_bytes=512 * MIB), Log()
    first = Recorded(after=None, position="place 1", transitions=[transition(1)])
    assert log.append(database.writer, first) == "place 1"
    database.reopen()  # as the writer does after the disk failed
    second = Recorded(after="place 1", position="place 2", transitions=[transition(2)], tasks=[task()])
    assert log.append(database.writer, second) == "place 2"
    assert database.writer.execute(COUNTS).fetchall() == [(2, 1, 0, 0)]
    database.close()


async def test_transitions_told_again_are_recorded_once(house: House) -> None:
    await house.record(transitions=[transition(1), transition(2)])
    restored = transition(2, time=NOON + 1)  # the same number in another store is another transition
    await house.record(transitions=[transition(1), transition(2), restored, transition(3)], again=True)
    assert house.rows("SELECT sequence FROM task_transitions ORDER BY 1") == [(1,), (2,), (2,), (3,)]


async def test_record_outlives_a_restart(tmp_path: Path) -> None:
    first = House.open(tmp_path)
    await first.record(tasks=[task(status="pending")], transitions=[transition(1)])
    await first.close()
    second = House.open(tmp_path)
    second.position, second.records = await second.ingest.recorder.position(), 1
    await second.record(tasks=[task(status="completed")], transitions=[transition(2)])
    assert second.rows("SELECT status FROM managed_tasks") == [("completed",)]
    assert second.rows(COUNTS) == [(2, 2, 0, 0)]
    await second.close()


async def test_recording_and_ingest_share_the_writer(house: House) -> None:
    body = b'{"producer_id": "p", "sequence": %d, "events": []}'
    sent = [house.ingest.submit(body % number, "application/json") for number in range(20)]
    answers, _ = await asyncio.gather(asyncio.gather(*sent), house.record(tasks=[task()]))
    assert not any(answer.duplicate for answer in answers)
    assert house.rows("SELECT count(*) FROM batches") == [(20,)]


async def test_recording_is_refused_once_the_writer_stops(tmp_path: Path) -> None:
    house = House.open(tmp_path)
    await house.ingest.stop()
    with pytest.raises(StorageUnavailableError, match="the collector stops"):
        await house.record(tasks=[task()])
    house.database.close()
