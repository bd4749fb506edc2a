"""Webhooks of a collector that is killed at random while tasks are made: every event arrives, each with one id."""

from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.collector.webhooks.sink import Received, Reply, Sink, running_sink
from tests.crash.processes import KillableCollector, rest, until

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(300)]

FAILING = 0.1  # of the answers; those deliveries come again after some seconds


def make_tasks(url: str, made: list[str], stop: threading.Event) -> None:
    """Create tasks until told to stop, and note each that was acknowledged. Its key makes it safe to ask again."""
    number = 0
    with httpx.Client(base_url=url, timeout=5) as client:
        while not stop.is_set():
            with suppress(httpx.HTTPError):
                answer = client.post("/api/tasks", json={"name": "Load"}, headers={"Idempotency-Key": f"k{number}"})
                if answer.is_success:
                    made.append(answer.json()["id"])
                    number += 1


def flaky(request: Received) -> Reply:
    """Answer as a receiver that is not always well."""
    return Reply(500 if random.random() < FAILING else 204)


def test_every_event_arrives_with_one_id_though_the_collector_is_killed(
    tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    kills = max(pytestconfig.getoption("--kills") // 3, 1)  # deliveries that failed come again, which takes its time
    with running_sink() as sink:
        monkeypatch.setenv("MILEPOST_WEBHOOK_ALLOW_HOSTS", sink.host)
        sink.reply = flaky
        collector = KillableCollector(tmp_path)
        try:
            made = under_load(collector, sink, kills)
            sink.reply = lambda _: Reply()
            wanted = set(made)
            until(lambda: wanted <= {one.event["data"]["task_id"] for one in list(sink.received)}, "every event", 120)
        finally:
            collector.end()
        ids = defaultdict(set)
        for one in sink.received:
            ids[one.event["data"]["task_id"]].add(one.id)
        assert {task_id: found for task_id, found in ids.items() if len(found) != 1} == {}
        again = Counter(one.id for one in sink.received)
        print(f"{kills} kills, {len(made)} events, {sum(again.values())} requests, at most {max(again.values())} each")


def under_load(collector: KillableCollector, sink: Sink, kills: int) -> list[str]:
    """Kill the collector while tasks are made; return these."""
    with httpx.Client(base_url=collector.endpoint, timeout=10) as client:
        body = {"name": "ops", "url": sink.url, "events": ["task.created"]}
        assert client.post("/api/webhooks", json=body).status_code == 201
    made: list[str] = []
    stop = threading.Event()
    load = threading.Thread(target=make_tasks, args=(collector.endpoint, made, stop))
    load.start()
    try:
        for _ in range(kills):
            before = len(sink.received)
            until(lambda before=before: len(sink.received) > before + 20, "deliveries")
            rest(random.random() / 2)
            collector.kill()
    finally:
        stop.set()
        load.join()
    return made
