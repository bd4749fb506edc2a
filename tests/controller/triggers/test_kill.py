"""A collector that is killed around deliveries: what was answered is there, and each delivery made one task."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.controller.triggers.senders import Api, GitHub, until
from tests.crash.processes import KillableCollector

KILLS = 4
SENDERS = 3


@pytest.fixture
def killable(tmp_path: Path) -> Iterator[KillableCollector]:
    """Return a collector that can be killed."""
    collector = KillableCollector(tmp_path)
    yield collector
    collector.end()


class Sender(threading.Thread):
    """Sends deliveries one after the other, each until it is answered, as a provider does; now and then one twice."""

    def __init__(self, number: int, endpoint: str, trigger: dict[str, Any], secret: str) -> None:
        super().__init__()
        self.number = number
        self.answered: dict[str, set[str]] = {}
        self.failure: BaseException | None = None
        self.enough = threading.Event()
        self._client = httpx.Client(base_url=endpoint, timeout=10)
        self._github = GitHub(self._client, trigger, secret)
        self._chance = random.Random(number)

    def run(self) -> None:
        try:
            with self._client:
                while not self.enough.is_set():
                    self._deliver(f"{self.number}-{len(self.answered)}")
        except BaseException as error:
            self.failure = error

    def _deliver(self, delivery: str) -> None:
        for _ in range(self._chance.choice((1, 1, 2))):
            answer = until(lambda: self._try(delivery), within_s=60)
            self.answered.setdefault(delivery, set()).add(answer["task_id"])

    def _try(self, delivery: str) -> Any:
        try:
            return self._github.send({"delivery": delivery}, delivery)
        except httpx.TransportError:  # it is dead, or was while it worked: the sender cannot tell
            return None


@pytest.mark.slow
@pytest.mark.crash
@pytest.mark.timeout(150)
def test_every_delivery_makes_one_task_however_often_the_collector_is_killed(killable: KillableCollector) -> None:
    with httpx.Client(base_url=killable.endpoint, timeout=30) as client:
        api = Api(client)
        trigger, secret = api.trigger(signature={"scheme": "github"}, rate_limit=6_000)
        follow, _ = api.trigger(
            event="task.created", where="name:triage", mapping=[{"name": "id", "pointer": "/task/id"}],
            task={"name": "follow"}, rate_limit=6_000,
        )  # fmt: skip
        assert secret is not None
        senders = [Sender(number, killable.endpoint, trigger, secret) for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        chance = random.Random(7)
        for _ in range(KILLS):
            threading.Event().wait(chance.uniform(0.3, 0.9))
            killable.kill()
        for sender in senders:
            sender.enough.set()
        for sender in senders:
            sender.join()
            assert sender.failure is None, sender.failure
        answered = {delivery: tasks for sender in senders for delivery, tasks in sender.answered.items()}
        made = {event["delivery_id"]: event["task_id"] for event in log(api, trigger)}
        assert len(made) == len(log(api, trigger)) == len(answered) > 0
        assert {delivery: {task_id} for delivery, task_id in made.items()} == answered
        assert tasks_named(api, "triage") == set(made.values())
        until(lambda: len(log(api, follow)) >= len(made), within_s=30)
        followed = [event["task_id"] for event in log(api, follow)]
        assert len(set(followed)) == len(followed) == len(made)
        assert tasks_named(api, "follow") == set(followed)
    killable.stop()


def log(api: Api, trigger: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every line about a task that was made."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(f"/triggers/{trigger['id']}/events", outcome="accepted", limit=500, cursor=cursor)
        found += page["events"]
        cursor = page["next_cursor"]
    return found


def tasks_named(api: Api, name: str) -> set[str]:
    """Return the ids of all tasks of a name."""
    found: set[str] = set()
    cursor: str | None = ""
    while cursor is not None:
        page = api.get("/tasks", name=name, limit=1000, cursor=cursor)
        found |= {task["id"] for task in page["tasks"]}
        cursor = page["next_cursor"]
    return found
