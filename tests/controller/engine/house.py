"""A controller to play with: an engine on a store, a clock that the test moves, and workers by hand."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from milepost.wire.agents import Limit
from milepost.wire.asks import (
    Ask,
    AskCreate,
    AskDefinition,
    AskFilter,
    CancelAskRequest,
    DecideRequest,
    DelegateRequest,
    ReceivedRequest,
)
from milepost.wire.attempts import Attempt, Transition
from milepost.wire.schedules import Cadence, Instant, Schedule, ScheduleCreate
from milepost.wire.tasks import (
    CancelRequest,
    CompleteRequest,
    PauseRequest,
    RedirectRequest,
    RetryRequest,
    RunRequest,
    Task,
    TaskCreate,
    TaskSettings,
    TaskUpdate,
)
from milepost.wire.worker import (
    AttemptAsked,
    AttemptCompleted,
    AttemptFailed,
    AttemptStarted,
    Held,
    PollAnswer,
    PollRequest,
    RegisterRequest,
    ReportsRequest,
    TaskLease,
)
from milepost_collector.controller import views
from milepost_collector.controller.engine import Created, Effects, Engine
from milepost_collector.controller.service.ids import Ids
from milepost_collector.controller.store.interface import Store, Tx
from tests.controller.conftest import ManualClock

R = TypeVar("R")


class House:
    """A controller. Its clock stands still but for `pass_time`."""

    def __init__(self, store: Store, clock: ManualClock, *, seed: int = 1, **settings: Any) -> None:
        self.store = store
        self.clock = clock
        chance = random.Random(seed)
        self.engine = Engine(new_id=Ids(chance), chance=chance, **settings)
        self.effects = Effects()  # of the newest transaction

    def do(self, work: Callable[[Engine, Tx], R]) -> R:
        """Do something in a transaction."""
        try:
            return self.store.run(lambda tx: work(self.engine, tx))
        finally:
            self.effects = self.engine.take_effects()

    def pass_time(self, milliseconds: int) -> None:
        """Let time pass, and what is due be done."""
        self.clock.advance(milliseconds)
        self.tick()

    def tick(self) -> None:
        """Do what is due."""
        while self.do(lambda engine, tx: engine.tick(tx)):
            pass

    def at(self, milliseconds: int) -> datetime:
        """Return the instant so long after now."""
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.clock.now + milliseconds)

    # Tasks.

    def create(self, name: str = "work", *, settings: dict[str, Any] | None = None, **fields: Any) -> str:
        """Create a task and return its id."""
        request = TaskCreate(name=name, settings=TaskSettings(**(settings or {})), **fields)
        (created,) = self.do(lambda engine, tx: engine.create_all(tx, [request]))
        return created.task_id

    def offer(self, request: TaskCreate) -> Created | Exception:
        """Ask for a task."""
        return self.do(lambda engine, tx: engine.create(tx, [request]))[0]

    def task(self, task_id: str) -> Task:
        """Return a task as clients read it."""
        found = self.store.read(lambda tx: views.task(tx, task_id))
        return msgspec.json.decode(msgspec.json.encode(found), type=Task)

    def status(self, task_id: str) -> str:
        """Return a task's status."""
        return self.task(task_id).status

    def why(self, task_id: str) -> tuple[str, str]:
        """Return code and text of why a task is not running."""
        why = self.task(task_id).why_not_running
        assert why is not None
        return why.code, why.text

    def attempts(self, task_id: str) -> list[Attempt]:
        """Return a task's attempts, the oldest first."""
        found = self.store.read(lambda tx: views.attempts(tx, task_id))
        return msgspec.json.decode(msgspec.json.encode(found.attempts), type=list[Attempt])[::-1]

    def ends(self, task_id: str) -> list[str]:
        """Return the statuses of a task's attempts, the oldest first."""
        return [attempt.status for attempt in self.attempts(task_id)]

    def events(self, task_id: str) -> list[str]:
        """Return what has happened to a task, oldest first."""
        return [row.event for row in self.transitions(task_id)]

    def transitions(self, task_id: str) -> list[Transition]:
        """Return every change of a task, oldest first."""
        return self.store.read(lambda tx: views.transitions(tx, task_id)).transitions

    def update(self, task_id: str, **changes: Any) -> None:
        """Change a task."""
        self.do(lambda engine, tx: engine.update(tx, task_id, TaskUpdate(**changes)))

    def run(self, task_id: str, **given: Any) -> None:
        """Let a task run now."""
        self.do(lambda engine, tx: engine.run(tx, task_id, RunRequest(**given)))

    def cancel(self, task_id: str, **given: Any) -> None:
        """Cancel a task."""
        self.do(lambda engine, tx: engine.cancel(tx, task_id, CancelRequest(**given)))

    def pause(self, task_id: str, **given: Any) -> None:
        """Pause a task."""
        self.do(lambda engine, tx: engine.pause(tx, task_id, PauseRequest(**given)))

    def resume(self, task_id: str) -> None:
        """Let a paused task go on."""
        self.do(lambda engine, tx: engine.resume(tx, task_id, PauseRequest()))

    def retry(self, task_id: str, **given: Any) -> None:
        """Try a task again."""
        self.do(lambda engine, tx: engine.retry(tx, task_id, RetryRequest(**given)))

    def redirect(self, task_id: str, **given: Any) -> None:
        """Give a task to somebody else."""
        self.do(lambda engine, tx: engine.redirect(tx, task_id, RedirectRequest(**given)))

    def complete(self, task_id: str, **given: Any) -> None:
        """Complete a task by hand."""
        self.do(lambda engine, tx: engine.complete(tx, task_id, CompleteRequest(**given)))

    def delete(self, task_id: str) -> None:
        """Remove a task."""
        self.do(lambda engine, tx: engine.delete(tx, task_id))

    def limit(self, scope: Any, value: str, **amounts: int) -> None:
        """Set a limit."""
        self.do(lambda engine, tx: engine.set_limit(tx, Limit(scope=scope, value=value, **amounts)))

    # Workers.

    def worker(self, agent: str = "a", *, tasks: list[str] | None = None, concurrency: int = 8, **given: Any) -> Worker:
        """Return a registered worker; without `tasks` it handles every name."""
        return Worker(self, agent, RegisterRequest(
            agent=agent, concurrency=concurrency, tasks=tasks or [], any=tasks is None, **given
        ))  # fmt: skip

    # Asks.

    def ask(self, ask_id: str) -> Ask:
        """Return an ask as clients read it."""
        found = self.store.read(lambda tx: views.ask(tx, ask_id))
        return msgspec.json.decode(msgspec.json.encode(found), type=Ask)

    def asks(self, **wanted: Any) -> list[Ask]:
        """Return asks in the order of the inbox."""
        found = self.store.read(lambda tx: views.asks(tx, AskFilter(**wanted), cursor=None, limit=500)).asks
        return msgspec.json.decode(msgspec.json.encode(found), type=list[Ask])

    def ask_events(self, ask_id: str) -> list[str]:
        """Return what has happened to an ask, oldest first."""
        rows, _ = self.store.read(lambda tx: tx.ask_events_after("", 10_000))
        return [row.event for row in rows if row.ask_id == ask_id]

    def ask_for_run(self, run_id: str = "0" * 32, *, key: str = "k", title: str = "Go on?", **given: Any) -> str:
        """Ask on behalf of a run; return the ask's id."""
        request = AskCreate(run_id=run_id, key=key, title=title, **given)
        return self.do(lambda engine, tx: engine.ask(tx, request))[0]

    def decide(self, ask_id: str, decision: Any = "approve", **given: Any) -> None:
        """Decide an ask."""
        self.do(lambda engine, tx: engine.decide(tx, ask_id, DecideRequest(decision=decision, **given)))

    def delegate(self, ask_id: str, *to: str, **given: Any) -> None:
        """Let others decide an ask."""
        self.do(lambda engine, tx: engine.delegate(tx, ask_id, DelegateRequest(to=list(to), **given)))

    def cancel_ask(self, ask_id: str, **given: Any) -> None:
        """Take an ask back."""
        self.do(lambda engine, tx: engine.cancel_ask(tx, ask_id, CancelAskRequest(**given)))

    def receive_ask(self, ask_id: str, **given: Any) -> None:
        """Note that an ask has reached somebody."""
        self.do(lambda engine, tx: engine.receive_ask(tx, ask_id, ReceivedRequest(**given)))

    # Schedules.

    def schedule(self, name: str = "nightly", *, every_ms: int = 60_000, **given: Any) -> str:
        """Make a schedule and return its id."""
        what: dict[str, Any] = {"cadence": Cadence(every_ms=every_ms), "task": TaskCreate(name="work")} | given
        request = ScheduleCreate(name=name, **what)
        return self.do(lambda engine, tx: engine.create_schedule(tx, request))

    def ledger(self, schedule_id: str) -> list[Instant]:
        """Return a schedule's ledger, oldest first."""
        found = self.store.read(lambda tx: views.ledger(tx, schedule_id, statuses=(), cursor=None, limit=1_000))
        return found.instants[::-1]

    def lines(self, schedule_id: str) -> list[str]:
        """Return what became of a schedule's instants, oldest first."""
        return [line.status for line in self.ledger(schedule_id)]

    def read_schedule(self, schedule_id: str) -> Schedule:
        """Return a schedule as clients read it."""
        return self.store.read(lambda tx: views.schedule(tx, schedule_id))


class Worker:
    """A worker moved by hand. It names what it holds in each poll, as it should, unless it is told otherwise."""

    def __init__(self, house: House, agent: str, request: RegisterRequest) -> None:
        self._house = house
        self.agent = agent
        self.request = request
        self.id = ""
        self.held: dict[tuple[str, int], bool] = {}
        self.register()

    def register(self) -> None:
        """Get a new id."""
        self.id = self._house.do(lambda engine, tx: engine.register(tx, self.request)).worker_id

    def poll(self, *, loses_answer: bool = False, **given: Any) -> PollAnswer:
        """Ask for work and commands."""
        held = [Held(task_id, attempt, started) for (task_id, attempt), started in self.held.items()]
        request = PollRequest(worker_id=self.id, held=held, **given)
        sent = msgspec.json.encode(self._house.do(lambda engine, tx: engine.poll(tx, request)))
        answer = msgspec.json.decode(sent, type=PollAnswer)
        if not loses_answer:
            self.held |= {(lease.task_id, lease.attempt): False for lease in answer.leases}
            for command in answer.commands:
                if command.kind == "lost":
                    self.held.pop((command.task_id, command.attempt), None)
        return answer

    def take(self) -> TaskLease:
        """Poll and return the one attempt that is handed over."""
        (lease,) = self.poll().leases
        return lease

    def names(self) -> list[str]:
        """Poll and return the names of the tasks that are handed over."""
        return [lease.name for lease in self.poll().leases]

    def commands(self) -> list[str]:
        """Poll and return what is to be done with what it holds."""
        return [command.kind for command in self.poll().commands]

    def report(self, kind: type[Any], lease: TaskLease, **given: Any) -> str:
        """Report something of an attempt; return its outcome."""
        reports = [kind(task_id=lease.task_id, attempt=lease.attempt, **given)]
        request = ReportsRequest(worker_id=self.id, reports=reports)
        (result,) = self._house.do(lambda engine, tx: engine.reports(tx, request)).results
        return str(result.outcome)

    def start(self, lease: TaskLease) -> str:
        """Begin to work on an attempt."""
        self.held[lease.task_id, lease.attempt] = True
        return self.report(AttemptStarted, lease)

    def complete(self, lease: TaskLease, result: Any = None) -> str:
        """Report that an attempt is done."""
        self.held.pop((lease.task_id, lease.attempt), None)
        return self.report(AttemptCompleted, lease, result=result)

    def ask(self, lease: TaskLease, *, key: str = "k", title: str = "Go on?", **given: Any) -> str:
        """End an attempt by asking a person; return the outcome of the report."""
        self.held.pop((lease.task_id, lease.attempt), None)
        return self.report(AttemptAsked, lease, ask=AskDefinition(key=key, title=title, **given))

    def fail(self, lease: TaskLease, error_type: str = "Flaky", **given: Any) -> str:
        """Report that an attempt has failed."""
        self.held.pop((lease.task_id, lease.attempt), None)
        return self.report(AttemptFailed, lease, error_type=error_type, **given)
