"""Workers that crash, freeze, wake up late, register anew, and report what they should not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from milepost.wire.asks import AskDefinition
from milepost.wire.worker import (
    AttemptAsked,
    AttemptCancelled,
    AttemptCompleted,
    AttemptFailed,
    AttemptPaused,
    AttemptReport,
    AttemptStarted,
    CheckpointSaved,
    Held,
    PollAnswer,
    PollRequest,
    ProgressMade,
    RegisterRequest,
    ReportsRequest,
    StepCompleted,
    StepReused,
)
from tests.controller.simulation.audit import Audit
from tests.controller.simulation.world import Request, World

ENDS = (AttemptCompleted, AttemptFailed, AttemptCancelled, AttemptPaused, AttemptAsked)


@dataclass(slots=True)
class Job:
    """An attempt that a worker holds. sent: a report that has not been answered."""

    started: bool = False
    stop: str | None = None
    checkpoints: int = 0
    sent: AttemptReport | None = None


class Worker:
    """A process that serves an agent, as bad a one as there may be."""

    def __init__(self, world: World, audit: Audit, agent: str, names: list[str]) -> None:
        self._world = world
        self._audit = audit
        self._agent = agent
        self._names = names
        self._concurrency = world.chance.choice((1, 2, 3))
        self._id: str | None = None
        self._jobs: dict[tuple[str, int], Job] = {}
        self._frozen_until = 0

    def request(self) -> Request | None:
        """Return what the worker asks next; None while it is frozen."""
        world = self._world
        if self._frozen_until > world.now:
            return None
        if world.happens(0.02):  # SIGKILL, and a new process
            self._id, self._jobs = None, {}
        elif world.happens(0.03):  # SIGSTOP
            self._frozen_until = world.now + world.chance.randrange(15_000)
            return None
        elif world.happens(0.02):  # it registers anew, and goes on with what it has
            self._id = None
        if self._id is None:
            return self._register()
        if world.happens(0.01):
            return self._unregister(self._id)
        return self._report(self._id) if self._jobs and world.happens(0.6) else self._poll(self._id)

    def thaw(self) -> None:
        """Let it work without a hitch."""
        self._frozen_until = 0

    def work_off(self) -> list[Request]:
        """Return requests that finish what it holds and ask for more."""
        if self._id is None:
            return [self._register()]
        reports = [job.sent or AttemptCompleted(task_id=key[0], attempt=key[1]) for key, job in self._jobs.items()]
        return [*([self._send(self._id, reports)] if reports else []), self._poll(self._id)]

    def _register(self) -> Request:
        request = RegisterRequest(
            agent=self._agent, concurrency=self._concurrency, tasks=self._names, any=not self._names, teams=["red"]
        )

        def answered(result: Any) -> None:
            self._id = result.worker_id

        def committed(result: Any) -> None:
            self._audit.slots[result.worker_id] = self._concurrency

        return Request(lambda engine, tx: engine.register(tx, request), answered, committed, refusable=False)

    def _unregister(self, worker_id: str) -> Request:
        def answered(_: Any) -> None:
            self._id, self._jobs = None, {}

        return Request(lambda engine, tx: engine.unregister(tx, worker_id), answered)

    def _poll(self, worker_id: str) -> Request:
        held = [Held(task_id, attempt, job.started) for (task_id, attempt), job in self._jobs.items()]
        request = PollRequest(worker_id=worker_id, held=held, draining=self._world.happens(0.05))

        def answered(result: Any) -> None:
            if worker_id == self._id:
                self._take(result)

        def committed(result: Any) -> None:
            if isinstance(result, PollAnswer):
                self._audit.leased += result.leases

        return Request(lambda engine, tx: engine.poll(tx, request), answered, committed)

    def _take(self, answer: PollAnswer | Exception) -> None:
        if isinstance(answer, Exception):  # the collector does not know it
            self._id = None
            return
        for lease in answer.leases:
            self._jobs.setdefault((lease.task_id, lease.attempt), Job())
        for command in answer.commands:
            if command.kind == "lost":
                self._jobs.pop((command.task_id, command.attempt), None)
            elif (job := self._jobs.get((command.task_id, command.attempt))) is not None:
                job.stop = command.kind

    def _report(self, worker_id: str) -> Request:
        keys = self._world.chance.sample(list(self._jobs), min(len(self._jobs), self._world.chance.choice((1, 1, 2))))
        reports = []
        for key in keys:
            job = self._jobs[key]
            job.sent = job.sent or self._next_report(key, job)
            reports.append(job.sent)
        return self._send(worker_id, reports)

    def _next_report(self, key: tuple[str, int], job: Job) -> AttemptReport:
        given: Any = {"task_id": key[0], "attempt": key[1]}
        if job.stop is not None and self._world.happens(0.7):
            return (AttemptCancelled if job.stop == "cancel" else AttemptPaused)(**given)
        job.checkpoints += 1
        error = self._world.chance.choice(("Flaky", "Flaky", "lib.Fatal"))
        reports = [
            *[AttemptStarted(**given)] * (0 if job.started else 6),
            ProgressMade(progress=0.5, phase="p", **given),
            CheckpointSaved(sequence=job.checkpoints, state={"n": key[1]}, **given),
            StepCompleted(name="s", input_digest="0", result=1, **given),
            StepReused(name="s", input_digest="0", **given),
            AttemptFailed(error_type=error, **given),
            AttemptFailed(error_type=error, retry_after_ms=500, **given),
            AttemptCancelled(**given),
            AttemptPaused(released=True, **given),
            *[AttemptAsked(ask=self._ask(), **given)] * 3,
        ]
        return self._world.chance.choice([*reports, *[AttemptCompleted(result=key[1], **given)] * 5])

    def _ask(self) -> AskDefinition:
        chance = self._world.chance
        return AskDefinition(
            key=chance.choice(("k0", "k1")),
            title="?",
            action=chance.choice((1, 2)),
            timeout_ms=chance.choice((None, 1_000, 20_000)),
            on_expiry=chance.choice(("continue", "continue", "fail", "cancel")),
        )

    def _send(self, worker_id: str, reports: list[AttemptReport]) -> Request:
        request = ReportsRequest(worker_id=worker_id, reports=reports)  # type: ignore[arg-type]

        def answered(result: Any) -> None:
            for report, outcome in zip(reports, result.results, strict=True):
                self._learn(report, outcome.outcome)

        def committed(result: Any) -> None:
            for report, outcome in zip(reports, result.results, strict=True):
                self._audit.reported(report, outcome.outcome)

        return Request(lambda engine, tx: engine.reports(tx, request), answered, committed, refusable=False)

    def _learn(self, report: AttemptReport, outcome: str) -> None:
        key = (report.task_id, report.attempt)
        if (job := self._jobs.get(key)) is None:
            return
        job.sent = None
        if outcome == "stale" or (isinstance(report, ENDS) and outcome != "refused"):
            del self._jobs[key]
        elif isinstance(report, AttemptStarted):
            job.started = True
