"""The door: acknowledged means committed, back pressure, and a disk that refuses."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.wire import Batch, SpanEnded
from milepost_collector.config import CollectorConfig
from milepost_collector.errors import MalformedBodyError, QueueFullError, UnsupportedEncodingError
from milepost_collector.storage import Database
from milepost_collector.traces.ingest import Ingest

MSGPACK = "application/msgpack"
OpenIngest = Callable[..., Awaitable[tuple[Ingest, Database]]]


def body_of(sequence: int, spans: int = 1, producer_id: str = "p") -> bytes:
    """Return a batch of ended spans."""
    run_id = f"{sequence + 1:032x}"
    events = [
        SpanEnded(run_id=run_id, span_id=f"{number + 1:016x}", name="s", start_time=1, end_time=2)
        for number in range(spans)
    ]
    return msgspec.msgpack.encode(Batch(producer_id=producer_id, sequence=sequence, events=list(events)))


@pytest.fixture
async def open_ingest(tmp_path: Path) -> AsyncIterator[OpenIngest]:
    opened: list[tuple[Ingest, Database]] = []

    async def open_it(*, start: bool = True, **settings: int) -> tuple[Ingest, Database]:
        config = CollectorConfig(data_dir=tmp_path, **settings)  # type: ignore[arg-type]
        database = Database(config.database_path, memory_limit_bytes=512 * 1024 * 1024)
        ingest = Ingest(database, config)
        if start:
            ingest.start()
        opened.append((ingest, database))
        return ingest, database

    yield open_it
    for ingest, database in opened:
        await ingest.stop()
        database.close()


async def test_acknowledged_batches_are_visible_at_once(open_ingest: OpenIngest) -> None:
    ingest, database = await open_ingest()
    for sequence in range(20):
        answer = await ingest.submit(body_of(sequence, spans=3), MSGPACK)
        assert (answer.accepted, answer.duplicate) == (3, False)
        with database.reader() as connection:
            assert connection.execute("SELECT count(*) FROM spans").fetchone() == (3 * (sequence + 1),)


async def test_concurrent_batches_are_committed_in_groups(open_ingest: OpenIngest) -> None:
    ingest, database = await open_ingest(start=False)
    waiting = [asyncio.ensure_future(ingest.submit(body_of(sequence), MSGPACK)) for sequence in range(50)]
    await asyncio.sleep(0)
    ingest.start()
    answers = await asyncio.gather(*waiting)
    assert all(answer.accepted == 1 for answer in answers)
    assert ingest.stats().commits == 1
    with database.reader() as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (50,)


async def test_full_queue_refuses_and_loses_nothing_it_took(open_ingest: OpenIngest) -> None:
    size = len(body_of(0))
    ingest, database = await open_ingest(start=False, max_waiting_bytes=10 * size)
    waiting = [asyncio.ensure_future(ingest.submit(body_of(sequence), MSGPACK)) for sequence in range(30)]
    await asyncio.sleep(0)
    refused = [task for task in waiting if task.done()]
    assert len(refused) == 20
    assert all(isinstance(task.exception(), QueueFullError) for task in refused)
    ingest.start()
    await asyncio.gather(*(task for task in waiting if task not in refused))
    with database.reader() as connection:
        assert connection.execute("SELECT count(*) FROM spans").fetchone() == (10,)


@settings(max_examples=15, deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=30), limit=st.integers(1, 20_000), pause=st.booleans())
def test_every_batch_is_either_refused_or_stored_whole(sizes: list[int], limit: int, pause: bool) -> None:
    with TemporaryDirectory() as folder:
        stored, refused = asyncio.run(submit_all(Path(folder), sizes, limit, pause))
    accepted = [sequence for sequence in range(len(sizes)) if sequence not in refused]
    assert stored == [(f"{sequence + 1:032x}", sizes[sequence]) for sequence in accepted]
    assert 0 not in refused  # a batch alone is always taken


async def submit_all(folder: Path, sizes: list[int], limit: int, pause: bool) -> tuple[list[tuple[str, int]], set[int]]:
    """Submit batches faster than they are stored; return what is stored by run, and which were refused."""
    config = CollectorConfig(data_dir=folder, max_waiting_bytes=limit)
    database = Database(config.database_path, memory_limit_bytes=512 * 1024 * 1024)
    ingest = Ingest(database, config)
    tasks = [asyncio.ensure_future(ingest.submit(body_of(n, spans=size), MSGPACK)) for n, size in enumerate(sizes)]
    if pause:
        await asyncio.sleep(0)  # all of them reach the queue before the writer starts
    ingest.start()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    await ingest.stop()
    with database.reader() as connection:
        stored = connection.execute("SELECT run_id, count(*) FROM spans GROUP BY 1 ORDER BY 1").fetchall()
    database.close()
    return stored, {number for number, answer in enumerate(answers) if isinstance(answer, QueueFullError)}


async def test_batch_larger_than_the_queue_is_taken_when_nothing_waits(open_ingest: OpenIngest) -> None:
    ingest, _ = await open_ingest(max_waiting_bytes=1)
    assert (await ingest.submit(body_of(0), MSGPACK)).accepted == 1


async def test_stop_commits_what_is_queued(open_ingest: OpenIngest) -> None:
    ingest, database = await open_ingest(start=False)
    waiting = [asyncio.ensure_future(ingest.submit(body_of(sequence), MSGPACK)) for sequence in range(5)]
    await asyncio.sleep(0)
    ingest.start()
    await ingest.stop()
    assert [answer.accepted for answer in await asyncio.gather(*waiting)] == [1] * 5
    with database.reader() as connection:
        assert connection.execute("SELECT count(*) FROM spans").fetchone() == (5,)


@pytest.mark.parametrize("body", [b"", b"\xff\xff", b"[]", b"{}", msgspec.msgpack.encode({"producer_id": "p"})])
async def test_body_that_is_no_batch_is_refused(open_ingest: OpenIngest, body: bytes) -> None:
    ingest, _ = await open_ingest()
    with pytest.raises(MalformedBodyError, match="not a batch"):
        await ingest.submit(body, MSGPACK)


async def test_newer_schema_version_is_refused_with_the_remedy(open_ingest: OpenIngest) -> None:
    ingest, _ = await open_ingest()
    newer = msgspec.json.encode({"producer_id": "p", "sequence": 0, "events": [], "schema_version": 99})
    with pytest.raises(MalformedBodyError, match=r"99 is newer than 1.*upgrade the collector"):
        await ingest.submit(newer, "application/json; charset=utf-8")


async def test_unknown_content_type_is_refused_by_name(open_ingest: OpenIngest) -> None:
    ingest, _ = await open_ingest()
    with pytest.raises(UnsupportedEncodingError, match="'text/plain' is not supported"):
        await ingest.submit(b"", "text/plain")


async def test_lone_surrogates_and_nan_in_json_are_mended(open_ingest: OpenIngest) -> None:
    ingest, database = await open_ingest()
    body = rb'{"producer_id":"p","sequence":0,"events":[{"type":"span_ended","run_id":"%s","span_id":"%s",' % (
        b"a" * 32,
        b"b" * 16,
    )
    body += rb'"name":"bad \ud800 half","start_time":1,"end_time":2,"output":NaN}]}'
    assert (await ingest.submit(body, "application/json")).accepted == 1
    with database.reader() as connection:
        assert connection.execute("SELECT name, output FROM spans").fetchall() == [("bad � half", None)]


FILL_THE_DISK = """
    import asyncio, resource, signal, sys
    from pathlib import Path
    from milepost_collector.config import CollectorConfig
    from milepost_collector.errors import StorageUnavailableError
    from milepost_collector.storage import Database
    from milepost_collector.traces.ingest import Ingest
    from tests.collector.ingest.test_ingest import MSGPACK, body_of

    async def main():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        config = CollectorConfig(data_dir=Path(sys.argv[1]))
        ingest = Ingest(Database(config.database_path, memory_limit_bytes=512 * 1024 * 1024), config)
        ingest.start()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        acknowledged = failed = 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
        sequence = 0
        while failed < 3:
            try:
                acknowledged += (await ingest.submit(body_of(sequence, spans=500), MSGPACK)).accepted
                sequence += 1
            except StorageUnavailableError as error:
                assert "free space" in str(error), error
                failed += 1
        assert not ingest.available
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        deadline = asyncio.get_running_loop().time() + 20
        while True:
            try:
                acknowledged += (await ingest.submit(body_of(sequence, spans=500), MSGPACK)).accepted
                break
            except StorageUnavailableError:
                assert asyncio.get_running_loop().time() < deadline
        assert ingest.available
        await ingest.stop()
        print(acknowledged)

    asyncio.run(main())
"""


@pytest.mark.slow
def test_full_disk_loses_nothing_acknowledged_and_heals(tmp_path: Path, root: Path) -> None:
    program = [sys.executable, "-c", textwrap.dedent(FILL_THE_DISK), str(tmp_path)]
    done = subprocess.run(program, cwd=root, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    acknowledged = int(done.stdout)
    assert acknowledged >= 1000
    database = Database(tmp_path / "milepost.duckdb", memory_limit_bytes=512 * 1024 * 1024)
    with database.reader() as connection:
        counted = connection.execute("SELECT count(*), count(DISTINCT (run_id, span_id)) FROM spans").fetchone()
    database.close()
    assert counted == (acknowledged, acknowledged)
