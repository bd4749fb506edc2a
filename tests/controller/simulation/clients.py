"""What people and programs ask for: tasks, commands, schedules, limits; again and again until they get an answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import UNSET

from milepost.wire.agents import Limit
from milepost.wire.asks import CancelAskRequest, DecideRequest, DelegateRequest, ReceivedRequest
from milepost.wire.schedules import BackfillRequest, Cadence, ScheduleCreate, ScheduleUpdate
from milepost.wire.tasks import (
    PRIORITIES,
    BulkAction,
    CancelRequest,
    CompleteRequest,
    Dependency,
    PauseRequest,
    RedirectRequest,
    RetryRequest,
    RunRequest,
    TaskCreate,
    TaskSettings,
    TaskUpdate,
)
from milepost_collector.controller.engine import Created, Engine
from milepost_collector.controller.store.interface import Tx
from tests.controller.simulation.audit import Audit
from tests.controller.simulation.world import Request, World, nothing

AGENTS = ("a0", "a1", "a2")
TEAMS = ("red",)
NAMES = ("n0", "n1")
KEYS = (None, "k0", "k1")


def at(now: int) -> datetime:
    """Return an instant as the wire has it."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now)


class Clients:
    """Everybody who asks for tasks."""

    def __init__(self, world: World, audit: Audit) -> None:
        self._world = world
        self._chance = world.chance
        self._audit = audit
        self._unanswered: list[TaskCreate] = []
        self._made = 0
        self._task_ids: list[str] = []
        self._schedules: dict[str, str] = {}  # names by id
        kinds = (
            [self._create] * 12
            + [self._command] * 8
            + [self._answer] * 8
            + [self._bulk, self._update, self._update, self._delete]
        )
        self._kinds: list[Callable[[], Request | None]] = [
            *kinds, self._set_limit, self._drop_limit, self._toggle_agent, self._schedule, self._change_schedule,
        ]  # fmt: skip

    def request(self) -> Request | None:
        """Return what somebody asks for next; None when it would make no sense."""
        if self._unanswered and self._world.happens(0.5):
            return self._send(self._chance.choice(self._unanswered))
        return self._chance.choice(self._kinds)()

    def ask_again(self) -> list[Request]:
        """Return what has not been answered yet."""
        return [self._send(request) for request in self._unanswered]

    # Tasks.

    def _create(self) -> Request:
        self._made += 1
        chance = self._chance
        who: dict[str, Any] = chance.choice(
            [{}, {"agent": chance.choice(AGENTS)}, {"agents": chance.sample(AGENTS, 2)}, {"team": "red"}]
        )
        upstream = chance.sample(self._task_ids, min(len(self._task_ids), chance.choice((0, 0, 1, 2))))
        request = TaskCreate(
            name=chance.choice(NAMES),
            key=chance.choice(KEYS),
            priority=chance.choice(PRIORITIES),  # type: ignore[arg-type]
            settings=self._settings(),
            deadline=at(self._world.now + chance.randrange(60_000)) if self._world.happens(0.1) else None,
            run_at=at(self._world.now + chance.randrange(10_000)) if self._world.happens(0.2) else None,
            dependencies=[Dependency(task_id=task_id, output_as=chance.choice((None, "x"))) for task_id in upstream],
            idempotency_key=f"key-{self._made}",
            **who,
        )
        self._unanswered.append(request)
        return self._send(request)

    def _settings(self) -> TaskSettings:
        chance = self._chance
        return TaskSettings(
            max_retries=chance.randrange(3),
            max_losses=chance.randrange(3),
            retry_delay_ms=chance.randrange(3_000),
            timeout_ms=chance.choice((None, None, 3_000)),
            heartbeat_ms=chance.choice((1_000, 2_000, 5_000)),
            memory=chance.choice((True, False)),
            non_retryable_errors=("Fatal",),
            on_exhausted=chance.choice(("fail", "fail", "pause")),
            cancel_grace_ms=chance.choice((0, 1_000)),
            on_upstream_failure=chance.choice(("block", "skip", "run")),
            completion=chance.choice(("all", "any", 1)),
        )

    def _send(self, request: TaskCreate) -> Request:
        def answered(result: Any) -> None:
            if request in self._unanswered:
                self._unanswered.remove(request)
            found = result if isinstance(result, Exception) else result[0]
            if isinstance(found, Created) and found.task_id not in self._task_ids:
                self._task_ids.append(found.task_id)

        def committed(result: Any) -> None:
            if not isinstance(result, Exception) and isinstance(result[0], Created):
                self._audit.accept(result[0].task_id, request)

        return Request(lambda engine, tx: engine.create(tx, [request]), answered, committed)

    def _command(self) -> Request | None:
        if not self._task_ids:
            return None
        task_id = self._chance.choice(self._task_ids)
        if self._world.happens(0.3):
            return Request(_resume(task_id), committed=self._began_anew([task_id]))
        commands: list[Callable[[Engine, Tx], Any]] = [
            lambda engine, tx: engine.cancel(tx, task_id, CancelRequest(by="p")),
            lambda engine, tx: engine.pause(tx, task_id, PauseRequest(by="p")),
            lambda engine, tx: engine.run(tx, task_id, RunRequest()),
            lambda engine, tx: engine.retry(tx, task_id, RetryRequest(by="p")),
        ]
        reassign: bool | str = self._chance.choice((True, AGENTS[0]))
        commands.append(lambda engine, tx: engine.retry(tx, task_id, RetryRequest(reassign=reassign)))
        to = self._chance.choice((None, *AGENTS))
        commands.append(lambda engine, tx: engine.redirect(tx, task_id, RedirectRequest(agent=to, by="p")))
        change = TaskUpdate(input=self._chance.randrange(10), interrupt=True, by="p")
        commands.append(lambda engine, tx: engine.update(tx, task_id, change))
        if self._world.happens(0.3):
            commands.append(lambda engine, tx: engine.complete(tx, task_id, CompleteRequest(result=1, by="p")))
        return Request(self._chance.choice(commands))

    def _began_anew(self, task_ids: list[str]) -> Callable[[Any], None]:
        """Return what notes that tasks were resumed: also of one that runs, which is no transition, it gives those of
        its agents that had no retries left new ones."""

        def committed(result: Any) -> None:
            if not isinstance(result, Exception):
                for task_id in task_ids:
                    self._audit.begin_anew(task_id)

        return committed

    def _bulk(self) -> Request | None:
        actions: tuple[BulkAction, ...] = ("cancel", "pause", "resume", "run")
        chosen = self._chance.sample(self._task_ids, min(3, len(self._task_ids)))
        action = self._chance.choice(actions)
        dry_run = self._world.happens(0.2)
        resumed = self._began_anew(chosen) if action == "resume" else nothing
        return Request(lambda engine, tx: engine.bulk(tx, action, chosen, {}, dry_run=dry_run), committed=resumed)

    def _update(self) -> Request | None:
        if not self._task_ids:
            return None
        task_id = self._chance.choice(self._task_ids)
        upstream = self._chance.choice(self._task_ids)
        changes: list[dict[str, Any]] = [
            {"priority": self._chance.choice(PRIORITIES)},
            {"tags": ["x"], "agent": self._chance.choice((None, *AGENTS))},
            {"dependencies": self._chance.choice(([], [upstream]))},
            {"run_at": self._chance.choice((None, at(self._world.now + 5_000)))},
            {"settings": {"on_upstream_failure": self._chance.choice(("run", "skip"))}},
        ]
        request = TaskUpdate(**self._chance.choice(changes))

        def committed(result: Any) -> None:
            if isinstance(result, Exception):
                return
            if request.agent is not UNSET:
                self._audit.begin_anew(task_id)
            if request.settings is not UNSET:
                self._audit.loosen(task_id)

        return Request(lambda engine, tx: engine.update(tx, task_id, request), committed=committed)

    def _delete(self) -> Request | None:
        if not self._task_ids or self._world.happens(0.5):
            return None
        task_id = self._chance.choice(self._task_ids)
        return Request(lambda engine, tx: engine.delete(tx, task_id))

    # Asks.

    def _answer(self) -> Request | None:
        asks = list(self._audit.asks.rows)
        waiting = self._audit.asks.open
        if not asks:
            return None
        ask_id = self._chance.choice(waiting if waiting and self._world.happens(0.8) else asks)
        kind = self._chance.choice(("approve", "approve", "reject", "edit", "cancel", "delegate", "receive"))
        if kind == "delegate":
            return Request(lambda engine, tx: engine.delegate(tx, ask_id, DelegateRequest(to=["p", "q"], by="p")))
        if kind == "receive":
            return Request(lambda engine, tx: engine.receive_ask(tx, ask_id, ReceivedRequest()))
        return self._decide(ask_id, kind)

    def _decide(self, ask_id: str, kind: str) -> Request:
        status = {"reject": "rejected", "cancel": "cancelled"}.get(kind, "approved")

        def do(engine: Engine, tx: Tx) -> None:
            if kind == "cancel":
                engine.cancel_ask(tx, ask_id, CancelAskRequest(by="p"))
            elif kind == "edit":
                engine.decide(tx, ask_id, DecideRequest(decision="edit", action=3, by="p"))
            else:
                engine.decide(tx, ask_id, DecideRequest(decision=kind, by="p"))  # type: ignore[arg-type]

        def committed(result: Any) -> None:
            if not isinstance(result, Exception):
                self._audit.asks.decided(ask_id, status)

        return Request(do, committed=committed)

    # Limits and agents.

    def _set_limit(self) -> Request:
        chance = self._chance
        scope, value = chance.choice((("agent", "a0"), ("name", "n0"), ("name", "*"), ("key", "k0"), ("key", "*")))
        rate = chance.choice((None, None, 1, 3))
        limit = Limit(
            scope=scope,  # type: ignore[arg-type]
            value=value,
            concurrency=chance.choice((1, 2, 3)),
            rate=rate,
            per_ms=None if rate is None else chance.choice((1_000, 7_000)),
        )
        return Request(
            lambda engine, tx: engine.set_limit(tx, limit), committed=lambda _: self._audit.limits.set(limit)
        )

    def _drop_limit(self) -> Request | None:
        limits = list(self._audit.limits.known)
        if not limits:
            return None
        scope, value = self._chance.choice(limits)

        def committed(result: Any) -> None:
            if not isinstance(result, Exception):
                self._audit.limits.drop(scope, value)

        return Request(lambda engine, tx: engine.delete_limit(tx, scope, value), committed=committed)

    def _toggle_agent(self) -> Request:
        name, request = self._chance.choice(AGENTS), PauseRequest(by="p")
        if self._world.happens(0.3):
            return Request(lambda engine, tx: engine.pause_agent(tx, name, request))
        return Request(lambda engine, tx: engine.resume_agent(tx, name, request))

    # Schedules.

    def _schedule(self) -> Request | None:
        if len(self._schedules) > 1:
            return self._change_schedule()
        chance = self._chance
        every_ms = chance.choice((1_000, 5_000))
        request = ScheduleCreate(
            name=f"schedule-{len(self._schedules)}",
            cadence=Cadence(every_ms=every_ms),
            task=TaskCreate(name=chance.choice(NAMES), settings=TaskSettings(max_retries=0, heartbeat_ms=1_000)),
            overlap=chance.choice(("skip", "queue", "cancel_running", "allow")),
            catch_up=chance.choice(("latest", "all", "none")),
            catch_up_window_ms=chance.choice((5_000, 60_000)),
            jitter_ms=chance.choice((0, 0, 2_000)),
        )

        def committed(result: Any) -> None:
            if not isinstance(result, Exception):
                self._schedules[result] = request.name
                self._audit.ledger.begin(result, every_ms, self._world.now)

        return Request(lambda engine, tx: engine.create_schedule(tx, request), committed=committed)

    def _change_schedule(self) -> Request | None:
        if not self._schedules:
            return None
        schedule_id, now = self._chance.choice(list(self._schedules)), self._world.now
        change: dict[str, Any] = self._chance.choice(
            [{"overlap": "queue"}, {"overlap": "allow"}, {"catch_up": "all"}, {"cadence": Cadence(every_ms=2_000)}]
        )
        stretch = BackfillRequest(since=at(now - 5_000), until=at(now))
        changes: list[Callable[[Engine, Tx], Any]] = [
            lambda engine, tx: engine.pause_schedule(tx, schedule_id, PauseRequest()),
            lambda engine, tx: engine.resume_schedule(tx, schedule_id, PauseRequest()),
            lambda engine, tx: engine.resume_schedule(tx, schedule_id, PauseRequest()),
            lambda engine, tx: engine.run_schedule(tx, schedule_id, RunRequest()),
            lambda engine, tx: engine.backfill(tx, schedule_id, stretch),
        ]
        if self._world.happens(0.6):
            return Request(self._chance.choice(changes))

        def committed(result: Any) -> None:
            if not isinstance(result, Exception) and "cadence" in change:
                mark_at = self._world.read(lambda tx: tx.schedule(schedule_id, lock=False)).mark_at
                self._audit.ledger.change(schedule_id, 2_000, mark_at)

        update = ScheduleUpdate(**change)
        return Request(lambda engine, tx: engine.update_schedule(tx, schedule_id, update), committed=committed)

    # Healing.

    def heal(self, statuses: dict[str, str]) -> list[Request]:
        """Return requests by which nothing is held back any more: no limit, no pause, no schedule."""
        requests = [Request(_drop(scope, value)) for scope, value in list(self._audit.limits.known)]
        self._audit.limits.known.clear()
        requests += [Request(_resume_agent(name)) for name in AGENTS]
        requests += [Request(_delete_schedule(schedule_id)) for schedule_id in self._schedules]
        self._schedules.clear()
        return requests + self.release(statuses)

    def release(self, statuses: dict[str, str]) -> list[Request]:
        """Return requests by which no task waits for a person."""
        paused = [Request(_resume(task_id)) for task_id, status in statuses.items() if status == "paused"]
        paused += [self._decide(ask_id, "approve") for ask_id in self._audit.asks.open]
        return paused + [Request(_cancel(task_id)) for task_id, status in statuses.items() if status == "blocked"]


def _drop(scope: str, value: str) -> Callable[[Engine, Tx], Any]:
    return lambda engine, tx: engine.delete_limit(tx, scope, value)


def _resume_agent(name: str) -> Callable[[Engine, Tx], Any]:
    return lambda engine, tx: engine.resume_agent(tx, name, PauseRequest())


def _delete_schedule(schedule_id: str) -> Callable[[Engine, Tx], Any]:
    return lambda engine, tx: engine.delete_schedule(tx, schedule_id)


def _resume(task_id: str) -> Callable[[Engine, Tx], Any]:
    return lambda engine, tx: engine.resume(tx, task_id, PauseRequest())


def _cancel(task_id: str) -> Callable[[Engine, Tx], Any]:
    return lambda engine, tx: engine.cancel(tx, task_id, CancelRequest())
