"""A worker that is killed or frozen: its tasks are begun elsewhere soon, and what it still writes is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

import milepost
from milepost.wire.attempts import Attempt
from milepost.wire.tasks import TaskSettings
from milepost.wire.worker import (
    AttemptCancelled,
    AttemptCompleted,
    AttemptFailed,
    AttemptPaused,
    AttemptStarted,
    CheckpointSaved,
    ProgressMade,
    Report,
    ReportsAnswer,
    ReportsRequest,
    StepCompleted,
    StepReused,
)
from tests.conftest import CollectorProcess
from tests.crash.audit import noted
from tests.crash.processes import WorkerProcess, until
from tests.crash.recovery import recovery_s

TASKS = 20
AGENT = "frozen crew"
TIGHT = TaskSettings(heartbeat_ms=1_000, retry_delay_ms=0)
WRITES = ("checkpoint", "step", "progress", "complete", "fail")
ASYNC_WRITES = ("acheckpoint", "astep")
RETURNED = ("complete", "fail")  # before they could be told


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.parametrize(("settings", "bar_s"), [(TaskSettings(), 20), (TIGHT, 5)], ids=["default", "tightest"])
def test_tasks_of_a_killed_worker_are_begun_elsewhere_soon(
    settings: TaskSettings, bar_s: float, tmp_path: Path, collector: CollectorProcess
) -> None:
    took_s = recovery_s(collector.url, tmp_path, settings, tasks=TASKS)
    print(f"\n{TASKS} tasks of a killed worker, lease {settings.heartbeat_ms:,} ms: begun elsewhere in {took_s:.1f} s")
    assert took_s <= bar_s


class TakenOver:
    """A worker that is frozen with tasks, and one that does them instead. writes: what is written late, by task id."""

    def __init__(self, folder: Path, client: milepost.Client) -> None:
        self.client = client
        self._folder = folder
        self.frozen = self._new_worker()
        self._other: WorkerProcess | None = None
        self.writes: dict[str, str] = {}

    def take_over(self) -> None:
        """Freeze the one with all tasks begun; wait until the other has completed them."""
        self._create()
        until(lambda: len(noted(self._folder, "begun")) == TASKS, "the beginning of all tasks")
        self.frozen.freeze()
        self._other = self._new_worker()
        until(lambda: self._completed() == TASKS, "the end of all tasks elsewhere")

    def let_go_on(self) -> None:
        """Let the frozen worker go on, until its handlers have written."""
        (self._folder / "thawed").touch()
        self.frozen.thaw()
        until(lambda: self.late("told") | self.late("untold") == self.writes.keys(), "the late writes")

    def late(self, file: str) -> set[str]:
        """Return the tasks whose handlers in the frozen worker were `told` that their lease was lost, or `untold`."""
        return {task_id for task_id, _, _, _ in noted(self._folder, file)}

    def attempts(self) -> dict[str, list[Attempt]]:
        """Return the attempts of each task, the first one first."""
        return {task_id: self.client.tasks.list_runs(task_id).attempts[::-1] for task_id in self.writes}

    def snapshot(self) -> list[object]:
        """Return everything that the controller says of the tasks."""
        tasks = self.client.tasks
        ask = (tasks.get, tasks.list_runs, tasks.checkpoints, tasks.transitions)
        return [one(task_id) for task_id in self.writes for one in ask]

    def end(self) -> None:
        """End both workers."""
        self.frozen.kill()
        if self._other is not None:
            self._other.kill()

    def _new_worker(self) -> WorkerProcess:
        return WorkerProcess(AGENT, str(self.client.config.endpoint), self._folder, TASKS)

    def _create(self) -> None:
        kinds = [("freeze", write) for write in WRITES] + [("freeze async", write) for write in ASYNC_WRITES]
        chosen = [kinds[number % len(kinds)] for number in range(TASKS)]
        tasks = [{"name": name, "agent": AGENT, "input": write, "settings": TIGHT} for name, write in chosen]
        ids = self.client.tasks.create_many(tasks).ids
        self.writes = {task_id: write for task_id, (_, write) in zip(ids, chosen, strict=True)}

    def _completed(self) -> int:
        groups = self.client.tasks.count("status", agent=AGENT).groups
        return sum(group.count for group in groups if group.value == "completed")


@pytest.fixture
def taken_over(tmp_path: Path, collector: CollectorProcess) -> Iterator[TakenOver]:
    """Return a worker that was frozen with twenty tasks, all of which another has completed since."""
    with milepost.Client(endpoint=collector.url) as client:
        made = TakenOver(tmp_path, client)
        try:
            made.take_over()
            yield made
        finally:
            made.end()


@pytest.mark.crash
@pytest.mark.slow
def test_worker_that_was_frozen_is_told_and_changes_nothing(taken_over: TakenOver) -> None:
    before = taken_over.snapshot()
    for task_id, (first, second) in taken_over.attempts().items():
        assert [(one.status, one.result) for one in (first, second)] == [("lost", None), ("completed", "in time")]
        assert late_outcomes(taken_over, task_id, first.worker_id) == {"stale"}
        assert late_outcomes(taken_over, task_id, second.worker_id) == {"stale"}
    taken_over.let_go_on()
    untold = {task_id for task_id, write in taken_over.writes.items() if write in RETURNED}
    assert taken_over.late("untold") == untold
    assert taken_over.late("told") == taken_over.writes.keys() - untold
    taken_over.frozen.stop()  # it has heard what became of everything that it reported
    assert taken_over.snapshot() == before


def late_outcomes(taken_over: TakenOver, task_id: str, worker_id: str) -> set[str]:
    """Send a report of every kind for a task's first attempt; return what became of them."""
    request = ReportsRequest(worker_id=worker_id, reports=late_reports(task_id))
    url = f"{taken_over.client.config.endpoint}/api/worker/reports"
    answer = httpx.post(url, content=msgspec.json.encode(request), headers={"content-type": "application/json"})
    results = msgspec.json.decode(answer.content, type=ReportsAnswer).results
    assert len(results) == len(request.reports)
    return {result.outcome for result in results}


def late_reports(task_id: str) -> list[Report]:
    """Return a report of every kind for a task's first attempt."""
    of: dict[str, Any] = {"task_id": task_id, "attempt": 1}
    return [
        AttemptStarted(**of),
        ProgressMade(**of, progress=0.9),
        CheckpointSaved(**of, sequence=1, state="late"),
        StepCompleted(**of, name="late", input_digest="00", result="late"),
        StepReused(**of, name="late", input_digest="00"),
        AttemptCompleted(**of, result="late"),
        AttemptFailed(**of, error_type="Late"),
        AttemptCancelled(**of),
        AttemptPaused(**of, released=True),
    ]
