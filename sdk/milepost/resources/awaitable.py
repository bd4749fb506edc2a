"""Resources of `AsyncClient`: each method is awaited, and asks the collector the same as its twin in `blocking`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from milepost.resources import (
    _agents,
    _asks,
    _batches,
    _budgets,
    _runs,
    _schedules,
    _scores,
    _tasks,
    _teams,
    _triggers,
    _webhooks,
)
from milepost.resources._batches import AsyncBatch
from milepost.resources._bound import AsyncResource, awaited, awaited_pages
from milepost.resources._handover_awaited import AsyncHandover
from milepost.resources._wait import waiting
from milepost.wire.asks import Ask
from milepost.wire.tasks import Task, TaskCreate

__all__ = [
    "AsyncAgents",
    "AsyncAsks",
    "AsyncBudgets",
    "AsyncFeedback",
    "AsyncLimits",
    "AsyncRuns",
    "AsyncSchedules",
    "AsyncScores",
    "AsyncTasks",
    "AsyncTeams",
    "AsyncTriggers",
    "AsyncWebhooks",
]


class AsyncTasks(AsyncHandover):
    """Managed tasks: work that is queued, given to an agent's workers, retried and kept until it is finished."""

    _kind = "tasks"

    create = awaited(_tasks.create)
    get = awaited(_tasks.get)
    list = awaited_pages(_tasks.listing)
    count = awaited(_tasks.count)
    update = awaited(_tasks.update)
    delete = awaited(_tasks.delete)
    run = awaited(_tasks.run)
    cancel = awaited(_tasks.cancel)
    pause = awaited(_tasks.pause)
    resume = awaited(_tasks.resume)
    retry = awaited(_tasks.retry)
    redirect = awaited(_tasks.redirect)
    complete = awaited(_tasks.complete)
    list_runs = awaited(_tasks.list_runs)
    get_run = awaited(_tasks.get_run)
    checkpoints = awaited(_tasks.checkpoints)
    transitions = awaited(_tasks.transitions)
    match = awaited(_tasks.match)
    bulk = awaited(_tasks.bulk)
    get_batch = awaited(_batches.get)
    list_batches = awaited(_batches.list_batches)

    async def create_many(
        self, tasks: Iterable[TaskCreate | Mapping[str, Any]], *, batch: str | None = None
    ) -> AsyncBatch:
        """Hand over up to 10,000 tasks in one transaction, all or none, and return them as a batch.

        Each may be a `TaskCreate` or a mapping of its fields, which mean the same as in `create`. batch: what they are
        counted as; the same tasks for the same batch again are the ones that there are. None: a batch of their own.

        Raises:
            InvalidRequestError: a field is malformed or out of range; the message names the task by its place.
            ConflictError: an idempotency key was used for another task.
            UnavailableError: the collector is away or overloaded.
        """
        return AsyncBatch(self._sender, await self._sender.send(_tasks.create_many(tasks, batch=batch)))

    async def wait(self, task: Task | str, *, timeout_s: float | None = None, check: bool = True) -> Task:
        """Wait until a task is finished and return it.

        timeout_s: None: as long as it takes. check: False: return it however it ended.

        Raises:
            TaskNotCompletedError: it failed or was cancelled.
            WaitTimeoutError: it is not finished after timeout_s; it goes on.
            NotFoundError: there is no such task.
        """
        flow = waiting(task, timeout_s=timeout_s, check=check, ask=self._sender.ask, clock=time.monotonic)
        return await self._sender.run(flow)


class AsyncAsks(AsyncResource):
    """Asks: what tasks and runs put to people, and their answers."""

    list = awaited_pages(_asks.listing)
    get = awaited(_asks.get)
    approve = awaited(_asks.approve)
    reject = awaited(_asks.reject)
    edit = awaited(_asks.edit)
    answer = awaited(_asks.answer)
    delegate = awaited(_asks.delegate)
    cancel = awaited(_asks.cancel)
    received = awaited(_asks.received)

    async def wait(self, ask: Ask | str, *, timeout_s: float | None = None) -> Ask:
        """Wait until an ask is closed and return it. timeout_s: None: as long as it takes.

        Raises:
            AskNotAnsweredError: it is still open after timeout_s.
            NotFoundError: there is no such ask.
        """
        sender = self._sender
        flow = _asks.waiting(
            ask, timeout_s=timeout_s, patience_s=sender.timeout_s, send=sender.ask, clock=time.monotonic
        )
        return await sender.run(flow)


class AsyncSchedules(AsyncResource):
    """Schedules: tasks made by cron, at an interval or once, with a ledger of every instant."""

    create = awaited(_schedules.create)
    get = awaited(_schedules.get)
    list = awaited_pages(_schedules.listing)
    update = awaited(_schedules.update)
    delete = awaited(_schedules.delete)
    pause = awaited(_schedules.pause)
    resume = awaited(_schedules.resume)
    run = awaited(_schedules.run)
    backfill = awaited(_schedules.backfill)
    instants = awaited_pages(_schedules.instants)
    preview = awaited(_schedules.preview)


class AsyncAgents(AsyncResource):
    """Agents: who does the work, by how many workers, and what waits for them."""

    list = awaited(_agents.list_agents)
    get = awaited(_agents.get_agent)
    update = awaited(_agents.update_agent)
    pause = awaited(_agents.pause_agent)
    resume = awaited(_agents.resume_agent)


class AsyncTeams(AsyncResource):
    """Teams: agents that tasks may be given to together, and who takes over when they do not get one done."""

    create = awaited(_teams.create)
    list = awaited(_teams.list_teams)
    get = awaited(_teams.get)
    update = awaited(_teams.update)
    delete = awaited(_teams.delete)
    add = awaited(_teams.add)
    remove = awaited(_teams.remove)


class AsyncBudgets(AsyncResource):
    """Budgets: what tasks may use in money, tokens, running time and calls of tools, and what they have used."""

    list = awaited_pages(_budgets.listing)
    get = awaited(_budgets.get)
    set = awaited(_budgets.set_budget)
    raise_by = awaited(_budgets.raise_by)
    delete = awaited(_budgets.delete)
    reserve = awaited(_budgets.reserve)


class AsyncLimits(AsyncResource):
    """Limits: how many attempts of an agent, a task name or a key may run at once or begin in a stretch of time."""

    list = awaited(_agents.list_limits)
    set = awaited(_agents.set_limit)
    delete = awaited(_agents.delete_limit)


class AsyncRuns(AsyncHandover):
    """Recorded runs: their figures, spans and events."""

    _kind = "runs"

    list = awaited_pages(_runs.listing)
    get = awaited(_runs.get)
    spans = awaited(_runs.spans)
    events = awaited_pages(_runs.events)


class AsyncScores(AsyncResource):
    """Judgements of recorded work by a measure: by code, models and people."""

    add = awaited(_scores.add_score)
    list = awaited_pages(_scores.list_scores)


class AsyncFeedback(AsyncResource):
    """What people think of recorded work: ratings, texts, issues."""

    add = awaited(_scores.add_feedback)
    list = awaited_pages(_scores.list_feedback)


class AsyncTriggers(AsyncResource):
    """Triggers: tasks made of webhooks that others send, and of what happens to runs, tasks, asks and schedules."""

    create = awaited(_triggers.create)
    get = awaited(_triggers.get)
    list = awaited_pages(_triggers.listing)
    update = awaited(_triggers.update)
    delete = awaited(_triggers.delete)
    enable = awaited(_triggers.enable)
    disable = awaited(_triggers.disable)
    rotate = awaited(_triggers.rotate)
    events = awaited_pages(_triggers.events)
    event = awaited(_triggers.event)
    replay = awaited(_triggers.replay)
    try_out = awaited(_triggers.try_out)
    dry_run = awaited(_triggers.dry_run)


class AsyncWebhooks(AsyncResource):
    """Webhooks: who is told what happens, and what became of each delivery."""

    create = awaited(_webhooks.create)
    get = awaited(_webhooks.get)
    list = awaited(_webhooks.listing)
    event_types = awaited(_webhooks.event_types)
    update = awaited(_webhooks.update)
    delete = awaited(_webhooks.delete)
    pause = awaited(_webhooks.pause)
    resume = awaited(_webhooks.resume)
    rotate = awaited(_webhooks.rotate)
    test = awaited(_webhooks.test)
    deliveries = awaited_pages(_webhooks.deliveries)
    delivery = awaited(_webhooks.delivery)
    replay = awaited(_webhooks.replay)
    replay_delivery = awaited(_webhooks.replay_delivery)
