"""What is compared with the model: engine and views on a store, or a collector over HTTP."""

from __future__ import annotations

import random
from typing import Any, Protocol

import httpx
import msgspec

from milepost.wire.agents import Limit
from milepost.wire.asks import AskDefinition, AskFilter, CancelAskRequest, DecideRequest
from milepost.wire.tasks import (
    CancelRequest,
    CompleteRequest,
    Dependency,
    PauseRequest,
    RedirectRequest,
    RetryRequest,
    RunRequest,
    TaskCreate,
    TaskFilter,
    TaskSettings,
    TaskUpdate,
)
from milepost.wire.worker import (
    AttemptAsked,
    AttemptCompleted,
    AttemptFailed,
    AttemptPaused,
    Held,
    PollRequest,
    RegisterRequest,
)
from milepost.wire.worker import ReportsRequest as Reports
from milepost_collector.controller import views
from milepost_collector.controller.engine import Engine
from milepost_collector.controller.service.ids import Ids
from milepost_collector.controller.store.interface import Store
from milepost_collector.errors import ConflictError, NotFoundError
from tests.controller.conftest import ManualClock
from tests.controller.model.model import LEASE_MS, LIMIT, SLOTS, Wanted

AGENTS = ("a", "b")
REPORTS: dict[str, dict[str, Any]] = {
    "ask": {},
    "complete": {},
    "fail": {"error_type": "Flaky"},
    "give_back": {"released": True},
}
KINDS: dict[str, Any] = {
    "ask": AttemptAsked,
    "complete": AttemptCompleted,
    "fail": AttemptFailed,
    "give_back": AttemptPaused,
}


class Refused(Exception):
    """A command that is not legal now. legal: what is."""

    def __init__(self, legal: list[str] | None) -> None:
        super().__init__(str(legal))
        self.legal = legal


def request_of(wanted: Wanted) -> TaskCreate:
    """Return what is asked for."""
    return TaskCreate(
        name="work",
        agent=wanted.agent,
        priority=wanted.priority,  # type: ignore[arg-type]
        key=wanted.key,
        dependencies=[Dependency(task_id=task_id) for task_id in wanted.upstream],
        settings=TaskSettings(
            max_retries=wanted.max_retries,
            retry_delay_ms=wanted.retry_delay_ms,
            backoff="fixed",
            jitter=0,
            heartbeat_ms=LEASE_MS,
            on_upstream_failure=wanted.policy,  # type: ignore[arg-type]
            on_exhausted=wanted.on_exhausted,  # type: ignore[arg-type]
        ),
    )


class Subject(Protocol):
    """A controller with the limit of the model and a worker of each agent."""

    def now(self) -> int: ...
    def create(self, wanted: Wanted) -> str: ...
    def command(self, task_id: str, command: str, priority: str = "low", agent: str | None = None) -> None: ...
    def poll(self, agent: str, held: list[tuple[str, int]]) -> list[tuple[str, int]]: ...
    def report(self, agent: str, kind: str, task_id: str, attempt: int, ask: dict[str, Any] | None = None) -> str: ...
    def answer(self, task_id: str, decision: str, *, again: bool = False) -> None: ...
    def asks(self, task_id: str) -> list[str]: ...
    def pass_time(self, milliseconds: int) -> None: ...
    def statuses(self, ids: list[str]) -> dict[str, str]: ...
    def counts(self) -> dict[str, int]: ...
    def queued(self, agent: str) -> tuple[int, int]: ...


class EngineSubject:
    """Engine and views on a store."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self._store = store
        self._clock = clock
        chance = random.Random(1)
        self._engine = Engine(new_id=Ids(chance), chance=chance)
        self._workers: dict[str, str] = {}
        self._answered = ""
        store.run(lambda tx: self._engine.set_limit(tx, Limit(scope="key", value="k", concurrency=LIMIT)))

    def now(self) -> int:
        return self._clock.now

    def create(self, wanted: Wanted) -> str:
        (made,) = self._store.run(lambda tx: self._engine.create_all(tx, [request_of(wanted)]))
        return made.task_id

    def command(self, task_id: str, command: str, priority: str = "low", agent: str | None = None) -> None:
        engine = self._engine
        change = TaskUpdate(priority=priority)  # type: ignore[arg-type]
        does: dict[str, Any] = {
            "update": lambda tx: engine.update(tx, task_id, change),
            "run": lambda tx: engine.run(tx, task_id, RunRequest()),
            "cancel": lambda tx: engine.cancel(tx, task_id, CancelRequest()),
            "pause": lambda tx: engine.pause(tx, task_id, PauseRequest()),
            "resume": lambda tx: engine.resume(tx, task_id, PauseRequest()),
            "retry": lambda tx: engine.retry(tx, task_id, RetryRequest()),
            "redirect": lambda tx: engine.redirect(tx, task_id, RedirectRequest(agent=agent)),
            "complete": lambda tx: engine.complete(tx, task_id, CompleteRequest()),
            "delete": lambda tx: engine.delete(tx, task_id),
        }
        try:
            self._store.run(does[command])
        except ConflictError as error:
            raise Refused(None if error.legal is None else list(error.legal)) from error

    def poll(self, agent: str, held: list[tuple[str, int]]) -> list[tuple[str, int]]:
        if agent not in self._workers:
            register = RegisterRequest(agent=agent, concurrency=SLOTS, any=True)
            self._workers[agent] = self._store.run(lambda tx: self._engine.register(tx, register)).worker_id
        request = PollRequest(worker_id=self._workers[agent], held=[Held(*item, started=False) for item in held])
        try:
            answer = self._store.run(lambda tx: self._engine.poll(tx, request))
        except NotFoundError:  # silent for so long that it was forgotten
            del self._workers[agent]
            return self.poll(agent, held)
        return [(lease.task_id, lease.attempt) for lease in answer.leases]

    def report(self, agent: str, kind: str, task_id: str, attempt: int, ask: dict[str, Any] | None = None) -> str:
        asked = {} if ask is None else {"ask": AskDefinition(**ask)}
        report = KINDS[kind](task_id=task_id, attempt=attempt, **REPORTS[kind], **asked)
        request = Reports(worker_id=self._workers[agent], reports=[report])
        return self._store.run(lambda tx: self._engine.reports(tx, request)).results[0].outcome

    def answer(self, task_id: str, decision: str, *, again: bool = False) -> None:
        """Decide what a task asks, or has asked."""
        if not again:
            wanted = AskFilter(task_id=task_id, status=["open"])
            found = self._store.read(lambda tx: views.asks(tx, wanted, cursor=None, limit=10)).asks
            self._answered = found[0].id
        request = DecideRequest(decision=decision, by="p") if decision != "cancel" else None  # type: ignore[arg-type]
        try:
            if request is None:
                self._store.run(lambda tx: self._engine.cancel_ask(tx, self._answered, CancelAskRequest()))
            else:
                self._store.run(lambda tx: self._engine.decide(tx, self._answered, request))
        except ConflictError as error:
            raise Refused(None) from error

    def asks(self, task_id: str) -> list[str]:
        wanted = AskFilter(task_id=task_id)
        found = self._store.read(lambda tx: views.asks(tx, wanted, cursor=None, limit=500)).asks
        return [ask.status for ask in sorted(found, key=lambda ask: (ask.created_at, ask.id))]

    def pass_time(self, milliseconds: int) -> None:
        self._clock.advance(milliseconds)
        while self._store.run(self._engine.tick):
            pass

    def statuses(self, ids: list[str]) -> dict[str, str]:
        wanted = TaskFilter()
        page = self._store.read(lambda tx: views.tasks(tx, wanted, sort="created_at", cursor=None, limit=1_000))
        found: dict[str, str] = {task.id: task.status for task in page.tasks}
        for whole in self._store.read(lambda tx: [views.task(tx, task_id) for task_id in ids[-3:]]):
            assert found[whole.id] == whole.status
        return found

    def counts(self) -> dict[str, int]:
        found = self._store.read(lambda tx: views.counts(tx, TaskFilter(), group_by="status"))
        return {str(group.value): group.count for group in found.groups}

    def queued(self, agent: str) -> tuple[int, int]:
        found = {item.name: item for item in self._store.read(views.agents).agents}
        return (found[agent].ready, found[agent].delayed) if agent in found else (0, 0)


class HttpSubject:
    """A collector over HTTP. Its clock is the machine's; `now` merely counts what was asked."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=30)
        self._asked = 0
        self._answered = ""
        self._workers: dict[str, str] = {}
        self._send("PUT", "/api/limits", {"scope": "key", "value": "k", "concurrency": LIMIT})

    def close(self) -> None:
        """End the worker processes, as it were, and the connection."""
        for worker_id in self._workers.values():
            self._send("POST", "/api/worker/unregister", {"worker_id": worker_id})
        self._http.close()

    def now(self) -> int:
        return self._asked

    def create(self, wanted: Wanted) -> str:
        return str(self._send("POST", "/api/tasks", msgspec.to_builtins(request_of(wanted)))["id"])

    def command(self, task_id: str, command: str, priority: str = "low", agent: str | None = None) -> None:
        path = f"/api/tasks/{task_id}"
        if command == "update":
            self._send("PATCH", path, {"priority": priority})
        elif command == "delete":
            self._send("DELETE", path)
        else:
            self._send("POST", f"{path}/{command}", {"agent": agent} if command == "redirect" else {})

    def poll(self, agent: str, held: list[tuple[str, int]]) -> list[tuple[str, int]]:
        if agent not in self._workers:
            answer = self._send("POST", "/api/worker/register", {"agent": agent, "concurrency": SLOTS, "any": True})
            self._workers[agent] = answer["worker_id"]
        body = {"worker_id": self._workers[agent], "held": [[*item, False] for item in held], "wait_ms": 0}
        answer = self._send("POST", "/api/worker/poll", body)
        return [(lease["task_id"], lease["attempt"]) for lease in answer.get("leases", [])]

    def answer(self, task_id: str, decision: str, *, again: bool = False) -> None:
        """Decide what a task asks, or has asked."""
        self._answered = self._answered if again else self._open_ask(task_id)
        if decision == "cancel":
            self._send("POST", f"/api/asks/{self._answered}/cancel", {})
        else:
            self._send("POST", f"/api/asks/{self._answered}/decide", {"decision": decision, "by": "p"})

    def asks(self, task_id: str) -> list[str]:
        found = self._send("GET", f"/api/asks?task_id={task_id}")["asks"]
        return [ask["status"] for ask in sorted(found, key=lambda ask: (ask["created_at"], ask["id"]))]

    def _open_ask(self, task_id: str) -> str:
        return str(self._send("GET", f"/api/asks?task_id={task_id}&status=open")["asks"][0]["id"])

    def report(self, agent: str, kind: str, task_id: str, attempt: int, ask: dict[str, Any] | None = None) -> str:
        tag = {"ask": "asked", "complete": "completed", "fail": "failed", "give_back": "paused"}[kind]
        report = {"type": tag, "task_id": task_id, "attempt": attempt, **REPORTS[kind]}
        report |= {} if ask is None else {"ask": ask}
        body = {"worker_id": self._workers[agent], "reports": [report]}
        return str(self._send("POST", "/api/worker/reports", body)["results"][0]["outcome"])

    def pass_time(self, milliseconds: int) -> None:
        """Do nothing: a clock of its own goes on."""

    def statuses(self, ids: list[str]) -> dict[str, str]:
        return {task_id: self._send("GET", f"/api/tasks/{task_id}")["status"] for task_id in ids}

    def counts(self) -> dict[str, int]:
        answer = self._send("GET", "/api/tasks/counts?group_by=status")
        return {group["value"]: group["count"] for group in answer["groups"]}

    def queued(self, agent: str) -> tuple[int, int]:
        found = {item["name"]: item for item in self._send("GET", "/api/agents")["agents"]}
        return (found[agent].get("ready", 0), found[agent].get("delayed", 0)) if agent in found else (0, 0)

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        self._asked += 1
        answer = self._http.request(method, path, json=body) if body is not None else self._http.request(method, path)
        if answer.status_code == 409:
            raise Refused(answer.json().get("legal"))
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None
