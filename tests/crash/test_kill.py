"""SIGKILL of the collector at random moments under load: every acknowledged event is there afterwards, exactly once."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import httpx
import msgspec
import pytest

from milepost.wire import Batch, Event, SpanEnded, SpanStarted, WireEvent
from tests.crash.processes import KillableCollector, rest

SENDERS = 3
SPANS_PER_BATCH = 20


@dataclass(slots=True)
class Sender:
    """A producer over plain HTTP that repeats every batch until it is acknowledged, and keeps count of what was."""

    name: str
    endpoint: str
    acknowledged: list[str] = field(default_factory=list)  # run ids, one a batch
    repeated: int = 0
    error: BaseException | None = None

    def run(self, stop: threading.Event) -> None:
        """Send until told to stop; the last batch is acknowledged too."""
        try:
            with httpx.Client(base_url=self.endpoint, timeout=5) as client:
                while not stop.is_set():
                    self._deliver(client, len(self.acknowledged))
        except BaseException as error:
            self.error = error

    def _deliver(self, client: httpx.Client, sequence: int) -> None:
        run_id = f"{random.getrandbits(128) | 1:032x}"
        body = msgspec.msgpack.encode(Batch(producer_id=self.name, sequence=sequence, events=events_of(run_id)))
        pause = threading.Event()
        while True:
            try:
                answer = client.post("/v1/events", content=body, headers={"content-type": "application/msgpack"})
                if answer.status_code == 200:
                    self.acknowledged.append(run_id)
                    return
                assert answer.status_code == 503, answer.text
            except httpx.TransportError:
                pass  # the collector is dead or dying: whether it stored the batch is unknown, so it is sent again
            self.repeated += 1
            pause.wait(0.05)


def events_of(run_id: str) -> list[WireEvent]:
    """Return the events of a run: a root that never ends, tasks that did, a checkpoint each."""
    root = "f" * 16
    events: list[WireEvent] = [SpanStarted(run_id=run_id, span_id=root, name="root", kind="agent", start_time=1)]
    for number in range(1, SPANS_PER_BATCH + 1):
        span_id = f"{number:016x}"
        events.append(
            SpanEnded(run_id=run_id, span_id=span_id, parent_span_id=root, name="task", start_time=1, end_time=2)
        )
        events.append(Event(run_id=run_id, span_id=span_id, time=2, kind="checkpoint", body={"number": number}))
    return events


@contextmanager
def sending(endpoint: str) -> Iterator[list[Sender]]:
    """Keep senders busy for the length of the block; afterwards all their batches are acknowledged."""
    stop = threading.Event()
    senders = [Sender(f"sender-{number}", endpoint) for number in range(SENDERS)]
    threads = [threading.Thread(target=sender.run, args=(stop,)) for sender in senders]
    for thread in threads:
        thread.start()
    try:
        yield senders
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=30)
    for sender in senders:
        if sender.error is not None:
            raise sender.error


@pytest.mark.crash
@pytest.mark.slow
def test_killed_collector_keeps_every_acknowledged_event_exactly_once(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    kills = pytestconfig.getoption("kills")
    collector = KillableCollector(tmp_path)
    endpoint = collector.endpoint
    command = [sys.executable, "-m", "tests.crash.agent", endpoint]
    agent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        with sending(endpoint) as senders:
            moment = random.Random()
            for _ in range(kills):
                rest(moment.uniform(0.02, 0.7))
                collector.kill()
        printed, _ = agent.communicate(timeout=60)
    finally:
        agent.kill()
        agent.communicate()
        collector.stop()
    survivor = json.loads(printed)
    assert survivor["flushed"], survivor
    stored = check_senders(tmp_path, senders) + check_survivor(tmp_path, survivor)
    repeated = sum(sender.repeated for sender in senders)
    print(f"\n{kills} kills, {stored} acknowledged events, {repeated} deliveries repeated, 0 lost, 0 stored twice")


def check_senders(data_dir: Path, senders: list[Sender]) -> int:
    """Compare what was acknowledged with what is stored; return how many events that is."""
    acknowledged = sorted(run_id for sender in senders for run_id in sender.acknowledged)
    assert acknowledged, "no batch was ever acknowledged"
    with duckdb.connect(str(data_dir / "milepost.duckdb"), read_only=True) as database:
        per_run = database.execute(
            "SELECT run_id, count(*), count(DISTINCT span_id) FROM spans WHERE name = 'task' GROUP BY 1 ORDER BY 1"
        ).fetchall()
        events = database.execute(
            "SELECT run_id, count(*), count(DISTINCT span_id) FROM events "
            "WHERE run_id IN (SELECT run_id FROM spans WHERE name = 'task') GROUP BY 1 ORDER BY 1"
        ).fetchall()
        roots = database.execute("SELECT count(*) FROM all_spans WHERE name = 'root'").fetchone()
        sums = database.execute(
            "SELECT count(*) FROM runs WHERE name = 'root' AND span_count <> ?", [SPANS_PER_BATCH + 1]
        )
        wrong_sums = sums.fetchone()
    expected = [(run_id, SPANS_PER_BATCH, SPANS_PER_BATCH) for run_id in acknowledged]
    assert per_run == expected
    assert events == expected
    assert roots == (len(acknowledged),)
    assert wrong_sums == (0,)
    return len(acknowledged) * (2 * SPANS_PER_BATCH + 1)


def check_survivor(data_dir: Path, survivor: dict[str, int]) -> int:
    """Compare what the SDK's process did with what is stored; return how many events that is."""
    with duckdb.connect(str(data_dir / "milepost.duckdb"), read_only=True) as database:
        spans = database.execute(
            "SELECT name, count(*), count(DISTINCT (run_id, span_id)) FROM spans "
            "WHERE agent = 'survivor' GROUP BY 1 ORDER BY 1"
        ).fetchall()
        checkpoints = database.execute(
            "SELECT count(*), count(DISTINCT (run_id, span_id)) FROM checkpoints "
            "WHERE run_id IN (SELECT run_id FROM spans WHERE agent = 'survivor')"
        ).fetchone()
        dropped = database.execute("SELECT max(dropped) FROM batches").fetchone()
        still_running = database.execute("SELECT count(*) FROM live_spans WHERE agent = 'survivor'").fetchone()
    runs, tasks = survivor["runs"], survivor["tasks"]
    assert spans == [("steady", runs, runs), ("step", tasks, tasks)]
    assert dropped == (0,)
    assert checkpoints == (tasks, tasks)
    assert still_running == (0,)
    return runs + 2 * tasks
