"""A client that keeps a queue filled, whatever becomes of the collector, and remembers what it was promised."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import milepost
from milepost.wire.tasks import TaskCreate, TaskSettings

# Lost workers must not use up a task, however many are killed; one failure is part of the game.
SETTINGS = TaskSettings(heartbeat_ms=1_000, retry_delay_ms=10, max_losses=1_000)
AGENT = "crew"
NAMES = ("append", "append", "append later", "stumble")
BATCH = 25


class Creator:
    """Creates tasks one by one and in batches; each request is repeated with the same keys until it is acknowledged.

    enough: tells whether so many are queued that it had better wait.
    """

    def __init__(self, endpoint: str, enough: Callable[[int], bool]) -> None:
        self._endpoint = endpoint
        self._enough = enough
        self._chance = random.Random()
        self._stop = threading.Event()
        self.acknowledged: dict[str, str] = {}  # idempotency key → task id
        self.repeated = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        """Create until told to stop."""
        try:
            with milepost.Client(endpoint=self._endpoint) as client:
                while not self._stop.is_set():
                    if self._enough(len(self.acknowledged)):
                        self._stop.wait(0.01)
                    else:
                        self._create(client, 1 if self._chance.random() < 0.8 else BATCH)
        except BaseException as error:
            self.error = error

    def stop(self) -> None:
        """Have `run` return, with everything acknowledged that was asked for."""
        self._stop.set()

    def _create(self, client: milepost.Client, number: int) -> None:
        first = len(self.acknowledged)
        tasks = [self._task(first + place) for place in range(number)]
        while True:
            try:
                ids = client.tasks.create_many(tasks).ids if number > 1 else [_create_one(client, tasks[0])]
            except milepost.UnavailableError:  # whether they were made is unknown, so the same are asked for again
                self.repeated += 1
                self._stop.wait(0.05)
            else:
                self.acknowledged |= {task.idempotency_key or "": id for task, id in zip(tasks, ids, strict=True)}
                return

    def _task(self, number: int) -> TaskCreate:
        return TaskCreate(
            name=self._chance.choice(NAMES),
            agent=AGENT,
            input={"number": number, "work_ms": self._chance.randrange(60)},
            settings=SETTINGS,
            idempotency_key=f"key-{number}",
        )


def _create_one(client: milepost.Client, task: TaskCreate) -> str:
    assert task.agent is not None
    return client.tasks.create(
        task.name,
        agent=task.agent,
        input=task.input,
        settings=task.settings,
        idempotency_key=task.idempotency_key,
    ).id


@contextmanager
def creating(endpoint: str, enough: Callable[[int], bool]) -> Iterator[Creator]:
    """Keep a creator busy for the length of the block; afterwards everything it asked for is acknowledged."""
    creator = Creator(endpoint, enough)
    thread = threading.Thread(target=creator.run)
    thread.start()
    try:
        yield creator
    finally:
        creator.stop()
        thread.join(timeout=60)
    if creator.error is not None:
        raise creator.error
    assert not thread.is_alive(), "the client got no answer"
