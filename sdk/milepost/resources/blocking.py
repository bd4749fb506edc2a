"""Resources of `Client`: each method asks the collector and waits for the answer."""

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
from milepost.resources._batches import Batch
from milepost.resources._bound import Resource, blocking, pages
from milepost.resources._handover import Handover
from milepost.resources._wait import waiting
from milepost.wire.asks import Ask
from milepost.wire.tasks import Task, TaskCreate

__all__ = [
    "Agents",
    "Asks",
    "Budgets",
    "Feedback",
    "Limits",
    "Runs",
    "Schedules",
    "Scores",
    "Tasks",
    "Teams",
    "Triggers",
    "Webhooks",
]


class Tasks(Handover):
    """Managed tasks: work that is queued, given to an agent's workers, retried and kept until it is finished."""

    _kind = "tasks"

    create = blocking(_tasks.create)
    get = blocking(_tasks.get)
    list = pages(_tasks.listing)
    count = blocking(_tasks.count)
    update = blocking(_tasks.update)
    delete = blocking(_tasks.delete)
    run = blocking(_tasks.run)
    cancel = blocking(_tasks.cancel)
    pause = blocking(_tasks.pause)
    resume = blocking(_tasks.resume)
    retry = blocking(_tasks.retry)
    redirect = blocking(_tasks.redirect)
    complete = blocking(_tasks.complete)
    list_runs = blocking(_tasks.list_runs)
    get_run = blocking(_tasks.get_run)
    checkpoints = blocking(_tasks.checkpoints)
    transitions = blocking(_tasks.transitions)
    match = blocking(_tasks.match)
    bulk = blocking(_tasks.bulk)
    get_batch = blocking(_batches.get)
    list_batches = blocking(_batches.list_batches)

    def create_many(self, tasks: Iterable[TaskCreate | Mapping[str, Any]], *, batch: str | None = None) -> Batch:
        """Hand over up to 10,000 tasks in one transaction, all or none, and return them as a batch.

        Each may be a `TaskCreate` or a mapping of its fields, which mean the same as in `create`. batch: what they are
        counted as; the same tasks for the same batch again are the ones that there are. None: a batch of their own.

        Raises:
            InvalidRequestError: a field is malformed or out of range; the message names the task by its place.
            ConflictError: an idempotency key was used for another task.
            UnavailableError: the collector is away or overloaded.
        """
        return Batch(self._sender, self._sender.send(_tasks.create_many(tasks, batch=batch)))

    def wait(self, task: Task | str, *, timeout_s: float | None = None, check: bool = True) -> Task:
        """Wait until a task is finished and return it.

        timeout_s: None: as long as it takes. check: False: return it however it ended.

        Raises:
            TaskNotCompletedError: it failed or was cancelled.
            WaitTimeoutError: it is not finished after timeout_s; it goes on.
            NotFoundError: there is no such task.
        """
        flow = waiting(task, timeout_s=timeout_s, check=check, ask=self._sender.ask, clock=time.monotonic)
        return self._sender.run(flow)


class Asks(Resource):
    """Asks: what tasks and runs put to people, and their answers."""

    list = pages(_asks.listing)
    get = blocking(_asks.get)
    approve = blocking(_asks.approve)
    reject = blocking(_asks.reject)
    edit = blocking(_asks.edit)
    answer = blocking(_asks.answer)
    delegate = blocking(_asks.delegate)
    cancel = blocking(_asks.cancel)
    received = blocking(_asks.received)

    def wait(self, ask: Ask | str, *, timeout_s: float | None = None) -> Ask:
        """Wait until an ask is closed and return it. timeout_s: None: as long as it takes.

        Raises:
            AskNotAnsweredError: it is still open after timeout_s.
            NotFoundError: there is no such ask.
        """
        sender = self._sender
        flow = _asks.waiting(
            ask, timeout_s=timeout_s, patience_s=sender.timeout_s, send=sender.ask, clock=time.monotonic
        )
        return sender.run(flow)


class Schedules(Resource):
    """Schedules: tasks made by cron, at an interval or once, with a ledger of every instant."""

    create = blocking(_schedules.create)
    get = blocking(_schedules.get)
    list = pages(_schedules.listing)
    update = blocking(_schedules.update)
    delete = blocking(_schedules.delete)
    pause = blocking(_schedules.pause)
    resume = blocking(_schedules.resume)
    run = blocking(_schedules.run)
    backfill = blocking(_schedules.backfill)
    instants = pages(_schedules.instants)
    preview = blocking(_schedules.preview)


class Agents(Resource):
    """Agents: who does the work, by how many workers, and what waits for them."""

    list = blocking(_agents.list_agents)
    get = blocking(_agents.get_agent)
    update = blocking(_agents.update_agent)
    pause = blocking(_agents.pause_agent)
    resume = blocking(_agents.resume_agent)


class Teams(Resource):
    """Teams: agents that tasks may be given to together, and who takes over when they do not get one done."""

    create = blocking(_teams.create)
    list = blocking(_teams.list_teams)
    get = blocking(_teams.get)
    update = blocking(_teams.update)
    delete = blocking(_teams.delete)
    add = blocking(_teams.add)
    remove = blocking(_teams.remove)


class Budgets(Resource):
    """Budgets: what tasks may use in money, tokens, running time and calls of tools, and what they have used."""

    list = pages(_budgets.listing)
    get = blocking(_budgets.get)
    set = blocking(_budgets.set_budget)
    raise_by = blocking(_budgets.raise_by)
    delete = blocking(_budgets.delete)
    reserve = blocking(_budgets.reserve)


class Limits(Resource):
    """Limits: how many attempts of an agent, a task name or a key may run at once or begin in a stretch of time."""

    list = blocking(_agents.list_limits)
    set = blocking(_agents.set_limit)
    delete = blocking(_agents.delete_limit)


class Runs(Handover):
    """Recorded runs: their figures, spans and events."""

    _kind = "runs"

    list = pages(_runs.listing)
    get = blocking(_runs.get)
    spans = blocking(_runs.spans)
    events = pages(_runs.events)


class Scores(Resource):
    """Judgements of recorded work by a measure: by code, models and people."""

    add = blocking(_scores.add_score)
    list = pages(_scores.list_scores)


class Feedback(Resource):
    """What people think of recorded work: ratings, texts, issues."""

    add = blocking(_scores.add_feedback)
    list = pages(_scores.list_feedback)


class Triggers(Resource):
    """Triggers: tasks made of webhooks that others send, and of what happens to runs, tasks, asks and schedules."""

    create = blocking(_triggers.create)
    get = blocking(_triggers.get)
    list = pages(_triggers.listing)
    update = blocking(_triggers.update)
    delete = blocking(_triggers.delete)
    enable = blocking(_triggers.enable)
    disable = blocking(_triggers.disable)
    rotate = blocking(_triggers.rotate)
    events = pages(_triggers.events)
    event = blocking(_triggers.event)
    replay = blocking(_triggers.replay)
    try_out = blocking(_triggers.try_out)
    dry_run = blocking(_triggers.dry_run)


class Webhooks(Resource):
    """Webhooks: who is told what happens, and what became of each delivery."""

    create = blocking(_webhooks.create)
    get = blocking(_webhooks.get)
    list = blocking(_webhooks.listing)
    event_types = blocking(_webhooks.event_types)
    update = blocking(_webhooks.update)
    delete = blocking(_webhooks.delete)
    pause = blocking(_webhooks.pause)
    resume = blocking(_webhooks.resume)
    rotate = blocking(_webhooks.rotate)
    test = blocking(_webhooks.test)
    deliveries = pages(_webhooks.deliveries)
    delivery = blocking(_webhooks.delivery)
    replay = blocking(_webhooks.replay)
    replay_delivery = blocking(_webhooks.replay_delivery)
