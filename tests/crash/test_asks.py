"""SIGKILL of workers and collector at random between asks and their answers: no answer is lost, none is told twice."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import milepost
from milepost.wire.asks import Ask
from milepost_collector.controller.rows import AskEventRow, AskRow
from milepost_collector.controller.service.opening import FILE_NAME
from milepost_collector.controller.store import open_store
from milepost_collector.controller.store.interface import Find
from tests.crash.load import AGENT, SETTINGS
from tests.crash.processes import Crew, KillableCollector, rest, running, until

TASKS_AT_ONCE = 6
COLLECTOR_SHARE = 0.5  # of the kills


class Person:
    """Answers whatever is asked, and remembers what was acknowledged. refused: decisions that were made already."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._chance = random.Random()
        self._stop = threading.Event()
        self.told: dict[str, str] = {}  # what each ask was decided as, once that was acknowledged
        self.values: dict[str, int] = {}
        self.refused = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        """Answer until told to stop."""
        try:
            with milepost.Client(endpoint=self._endpoint) as client:
                while not self._stop.is_set():
                    self._answer_all(client)
                    self._stop.wait(0.02)
        except BaseException as error:
            self.error = error

    def stop(self) -> None:
        """Have `run` return."""
        self._stop.set()

    def _answer_all(self, client: milepost.Client) -> None:
        try:
            for ask in client.asks.list(status="open"):
                self._answer(client, ask)
        except milepost.UnavailableError:
            self._stop.wait(0.05)

    def _answer(self, client: milepost.Client, ask: Ask) -> None:
        value = self._chance.randrange(1_000)
        try:
            if ask.kind == "question":
                decided = client.asks.answer(ask, value, by="p")
                self.values[ask.id] = value
            elif self._chance.random() < 0.5:
                decided = client.asks.approve(ask, by="p", action_digest=ask.action_digest)
            else:
                decided = client.asks.reject(ask, by="p")
        except milepost.ConflictError:  # an answer that was lost on its way back had been taken
            self.refused += 1
        else:
            assert self.told.setdefault(ask.id, decided.status) == decided.status


@contextmanager
def answering(endpoint: str) -> Iterator[Person]:
    """Have a person answer in the block."""
    person = Person(endpoint)
    thread = threading.Thread(target=person.run)
    thread.start()
    try:
        yield person
    finally:
        person.stop()
        thread.join(30)
    if person.error is not None:
        raise person.error


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_answers_survive_kills_of_workers_and_collector(
    kind: str,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = str(tmp_path / FILE_NAME)
    if kind == "postgresql":
        place = request.getfixturevalue("own_postgres").url
        monkeypatch.setenv("MILEPOST_CONTROLLER_URL", place)
    kills = pytestconfig.getoption("kills") // (2 if kind == "sqlite" else 4)
    person, results = be_asked_and_killed(tmp_path, kills)
    check(place, person, results)
    print(f"\n{kills} kills, {len(results)} tasks, {len(person.told)} answers, {person.refused} refused")


def be_asked_and_killed(folder: Path, kills: int) -> tuple[Person, dict[str, list[object]]]:
    """Kill while tasks ask and a person answers; return what was answered, and the results of all tasks."""
    chance = random.Random()
    collector = KillableCollector(folder)
    crew = Crew(AGENT, collector.endpoint, folder, workers=2, slots=2)
    made: list[str] = []
    with running(collector, crew), milepost.Client(endpoint=collector.endpoint) as client:
        with answering(collector.endpoint) as person:
            for kill in range(kills):
                for number in range(TASKS_AT_ONCE):
                    made.append(create(client, f"{kill}-{number}", len(made)))
                before = len(person.told)
                until(lambda before=before: len(person.told) > before or person.error, "an answer", within_s=60)  # type: ignore[misc]
                rest(chance.uniform(0, 0.1))
                if chance.random() < COLLECTOR_SHARE:
                    collector.kill()
                else:
                    crew.kill_one(chance)
            until(lambda: is_done(client), "the end of every task", within_s=120)
        results = {task_id: client.tasks.get(task_id).result for task_id in made}
    return person, results


def create(client: milepost.Client, key: str, number: int) -> str:
    """Return a task that asks before it spends."""
    task = client.tasks.create("spend", agent=AGENT, input={"number": number}, settings=SETTINGS, idempotency_key=key)
    return task.id


def is_done(client: milepost.Client) -> bool:
    """Tell whether every task is completed."""
    try:
        return {group.value for group in client.tasks.count("status").groups} == {"completed"}
    except milepost.UnavailableError:
        return False


def check(place: str, person: Person, results: dict[str, list[object]]) -> None:
    """Hold what the store has against what was acknowledged and what the tasks were told."""
    store = open_store(place)
    try:
        rows = store.read(lambda tx: tx.find(AskRow, Find(limit=1_000_000)))
        events, _ = store.read(lambda tx: tx.ask_events_after("", 1_000_000))
    finally:
        store.close()
    asks = {row.id: row for row in rows}
    assert len(asks) == 2 * len(results)  # one of each key of each task
    assert {row.status for row in rows} <= {"approved", "rejected", "answered"}
    assert all(row.consumed_by is not None for row in rows)
    for ask_id, status in person.told.items():
        assert asks[ask_id].status == status
    for first_id, outcome, by, second_id, value in results.values():
        assert (asks[str(first_id)].status, asks[str(first_id)].decided_by) == (outcome, by)
        assert asks[str(second_id)].value == str(value)
        assert person.values.get(str(second_id), value) == value
    check_events(events, len(asks))


def check_events(events: list[AskEventRow], number: int) -> None:
    """Hold that each ask was opened once and decided once."""
    names = [event.event for event in events]
    assert names.count("opened") == number
    assert sum(name in ("approved", "rejected", "answered") for name in names) == number
