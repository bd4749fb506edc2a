"""The engine's face: one method per operation, each on an open transaction."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from milepost.errors import MilepostError
from milepost.wire.agents import AgentUpdate, Limit
from milepost.wire.asks import AskCreate, CancelAskRequest, DecideRequest, DelegateRequest, ReceivedRequest
from milepost.wire.batches import BatchAnswer, BatchCreate
from milepost.wire.budgets import BudgetLeft, BudgetRaise, BudgetSet, ReserveRequest
from milepost.wire.links import LinkRequest
from milepost.wire.schedules import BackfillAnswer, BackfillRequest, ScheduleCreate, ScheduleUpdate
from milepost.wire.tasks import (
    BulkAction,
    CancelRequest,
    CompleteRequest,
    PauseRequest,
    RedirectRequest,
    RetryRequest,
    RunRequest,
    TaskCreate,
    TaskUpdate,
)
from milepost.wire.teams import MemberRequest, TeamCreate, TeamUpdate
from milepost.wire.worker import (
    PollAnswer,
    PollRequest,
    RegisterAnswer,
    RegisterRequest,
    ReportsAnswer,
    ReportsRequest,
)
from milepost_collector.controller.engine import (
    answering,
    batches,
    commands,
    deliverables,
    fallbacks,
    firing,
    links,
    schedules,
    stalls,
    teams,
    updates,
    workers,
)
from milepost_collector.controller.engine.actions import action_of
from milepost_collector.controller.engine.asks import Asker
from milepost_collector.controller.engine.budgets import freeing, keeping, metering, parking, reservations
from milepost_collector.controller.engine.budgets import time as budgets_time
from milepost_collector.controller.engine.choosing import Chooser, Costs, NoCosts
from milepost_collector.controller.engine.creation import Created, Creator
from milepost_collector.controller.engine.effects import Effects
from milepost_collector.controller.engine.limits import delete_limit, set_limit
from milepost_collector.controller.engine.reports import Reports
from milepost_collector.controller.engine.rounds import Rounds
from milepost_collector.controller.engine.unit import Unit
from milepost_collector.controller.rows import AgentRow, ContentRow, LinkRow
from milepost_collector.controller.store.interface import Tx
from milepost_collector.errors import QueryError
from milepost_collector.protocol.totals import RunTotals

DAY_MS = 86_400_000


class Engine:
    """All operations of the controller.

    new_id: returns an id for an instant; ids rise with time. chance: draws run ids and jitter. ask_alarm_ms: after so
    long an ask that nobody has received is an alarm. costs: of attempts, by which agents are chosen. Keeps nothing
    between transactions but `effects` and, for a moment, what it knows of agents, so any number of engines may work on
    one store. One thread at a time.
    """

    def __init__(
        self,
        *,
        new_id: Callable[[int], str],
        chance: random.Random,
        max_value_bytes: int = 1024 * 1024,
        retention_ms: int = 30 * DAY_MS,
        ask_alarm_ms: int = 300_000,
        costs: Costs | None = None,
    ) -> None:
        self.effects = Effects()
        self._new_id = new_id
        self._chance = chance
        self._max_value_bytes = max_value_bytes
        self._creator = Creator(new_id, max_value_bytes)
        self._asker = Asker(new_id, ask_alarm_ms)
        self._chooser = Chooser(costs or NoCosts())
        self._rounds = Rounds(self._unit, self._creator, chance, retention_ms)

    def take_effects(self) -> Effects:
        """Return what has been changed since the last call; to be called after the commit."""
        taken, self.effects = self.effects, Effects()
        return taken

    # Tasks.

    def create(self, tx: Tx, requests: Sequence[TaskCreate], *, by: str | None = None) -> list[Created | MilepostError]:
        """Make a task of each request; a refused one leaves the others alone."""
        results: list[Created | MilepostError] = []
        with self._unit(tx) as unit:
            for request in requests:
                try:
                    results.append(self._creator.create(unit, request, by=by))
                except QueryError as error:  # a request is checked before anything is written for it
                    results.append(error)
        return results

    def create_all(self, tx: Tx, requests: Sequence[TaskCreate], *, by: str | None = None) -> list[Created]:
        """Make a task of each request, or of none.

        Raises:
            MilepostError: the first refusal.
        """
        with self._unit(tx) as unit:
            return [self._creator.create(unit, request, by=by) for request in requests]

    def create_batch(self, tx: Tx, request: BatchCreate, *, by: str | None = None) -> BatchAnswer:
        """Make a batch's tasks, all or none; the same call again makes nothing."""
        with self._unit(tx) as unit:
            return batches.create(unit, self._creator, request, self._new_id, by=by)

    def update(self, tx: Tx, task_id: str, request: TaskUpdate) -> None:
        """Change a task's definition."""
        with self._unit(tx) as unit:
            updates.update(unit, self._creator, task_id, request)

    def run(self, tx: Tx, task_id: str, request: RunRequest) -> None:
        """Let a task run now."""
        with self._unit(tx) as unit:
            commands.run(unit, self._creator, task_id, request)

    def cancel(self, tx: Tx, task_id: str, request: CancelRequest) -> None:
        """Cancel a task."""
        with self._unit(tx) as unit:
            commands.cancel(unit, task_id, request)

    def pause(self, tx: Tx, task_id: str, request: PauseRequest) -> None:
        """Pause a task."""
        with self._unit(tx) as unit:
            commands.pause(unit, task_id, request)

    def resume(self, tx: Tx, task_id: str, request: PauseRequest) -> None:
        """Let a paused task go on."""
        with self._unit(tx) as unit:
            commands.resume(unit, task_id, request)

    def retry(self, tx: Tx, task_id: str, request: RetryRequest) -> None:
        """Try a failed or cancelled task again."""
        with self._unit(tx) as unit:
            commands.retry(unit, self._creator, task_id, request)

    def redirect(self, tx: Tx, task_id: str, request: RedirectRequest) -> None:
        """Give an unfinished task to somebody else."""
        with self._unit(tx) as unit:
            updates.redirect(unit, self._creator, task_id, request)

    def complete(self, tx: Tx, task_id: str, request: CompleteRequest) -> None:
        """Complete an unfinished task by hand."""
        with self._unit(tx) as unit:
            commands.complete(unit, self._creator, task_id, request)

    def delete(self, tx: Tx, task_id: str) -> None:
        """Remove a task."""
        with self._unit(tx) as unit:
            commands.delete(unit, task_id)

    def bulk(
        self, tx: Tx, action: BulkAction, task_ids: Sequence[str], arguments: dict[str, Any], *, dry_run: bool
    ) -> list[str | None]:
        """Do one thing to several tasks; return for each why it was refused, None when it was not.

        Raises:
            InvalidParameterError: the arguments are not the action's.
        """
        act = action_of(self._creator, action, arguments)
        refusals: list[str | None] = []
        for task_id in task_ids:
            try:
                with self._unit(tx) as unit:
                    updates.allowed(unit.task(task_id), action)
                    if not dry_run:
                        act(unit, task_id)
                refusals.append(None)
            except QueryError as error:
                refusals.append(str(error))
        return refusals

    # Workers.

    def register(self, tx: Tx, request: RegisterRequest) -> RegisterAnswer:
        """Make a worker known."""
        with self._unit(tx) as unit:
            return workers.register(unit, request, self._new_id(unit.now), self._max_value_bytes)

    def unregister(self, tx: Tx, worker_id: str) -> None:
        """Forget a worker; an unknown one is forgotten already."""
        with self._unit(tx) as unit:
            workers.unregister(unit, worker_id)

    def poll(self, tx: Tx, request: PollRequest) -> PollAnswer:
        """Renew leases, tell commands, hand over work. Never waits."""
        with self._unit(tx) as unit:
            return workers.poll(unit, request, self._chance, self._chooser)

    def reports(self, tx: Tx, request: ReportsRequest) -> ReportsAnswer:
        """Apply what a worker says of its attempts."""
        with self._unit(tx) as unit:
            return Reports(unit, self._max_value_bytes, self._chance, self._asker).apply(request)

    # Asks.

    def ask(self, tx: Tx, request: AskCreate) -> tuple[str, bool]:
        """Return the ask of a run that no task stands behind, and whether this made it."""
        with self._unit(tx) as unit:
            return answering.ask_for_run(unit, self._asker, request)

    def decide(self, tx: Tx, ask_id: str, request: DecideRequest) -> None:
        """Take what a person says to an ask."""
        with self._unit(tx) as unit:
            answering.decide(unit, ask_id, request)
            parking.carry_out(unit, ask_id)

    def make_link(self, tx: Tx, ask_id: str, token: str, request: LinkRequest) -> LinkRow:
        """Make a one-time link to an ask; only the digest of its token is kept."""
        with self._unit(tx) as unit:
            return links.make(unit, self._new_id(unit.now), ask_id, token, request)

    def use_link(self, tx: Tx, token: str, request: DecideRequest) -> None:
        """Decide an ask by a link, which is used up by that."""
        with self._unit(tx) as unit:
            parking.carry_out(unit, links.use(unit, token, request))

    def hand_on_link(self, tx: Tx, token: str, request: DelegateRequest, tokens: Mapping[str, str]) -> list[LinkRow]:
        """Let others decide an ask by a link, which is used up by that; they get links of their own."""
        with self._unit(tx) as unit:
            return links.hand_on(unit, token, request, tokens, lambda: self._new_id(unit.now))

    def delegate(self, tx: Tx, ask_id: str, request: DelegateRequest) -> None:
        """Let others decide an ask."""
        with self._unit(tx) as unit:
            answering.delegate(unit, ask_id, request)

    def cancel_ask(self, tx: Tx, ask_id: str, request: CancelAskRequest) -> None:
        """Take an ask back."""
        with self._unit(tx) as unit:
            answering.cancel(unit, ask_id, request)

    def receive_ask(self, tx: Tx, ask_id: str, request: ReceivedRequest) -> None:
        """Note that an ask has reached somebody."""
        with self._unit(tx) as unit:
            answering.received(unit, ask_id, request)

    # Deliverables.

    def check_arrival(self, tx: Tx, owner: deliverables.Owner, attempt: int | None, size: int, quota: int) -> None:
        """Refuse what could not be attached, before its content is sent. size: bytes, as far as it is known.

        Raises:
            MilepostError: why.
        """
        with self._unit(tx) as unit:
            deliverables.check_fence(unit, owner, attempt)
            deliverables.check_room(tx, owner, size, quota)

    def attach(self, tx: Tx, arrival: deliverables.Arrival, quota: int) -> deliverables.Attached:
        """Make a stored content a deliverable. quota: bytes that all of its owner's may have together."""
        with self._unit(tx) as unit:
            return deliverables.attach(unit, arrival, quota)

    def detach(self, tx: Tx, owner: deliverables.Owner, name: str, version: int | None) -> int:
        """Remove a deliverable, or one version of it; return how many versions that were."""
        with self._unit(tx) as unit:
            return deliverables.detach(unit, owner, name, version)

    def forget_contents(self, tx: Tx, grace_ms: int, limit: int) -> list[ContentRow]:
        """Forget contents that nothing has referred to for so long; return them, to be removed from where they lie."""
        found = tx.unreferenced_contents(tx.now - grace_ms, limit)
        if found:
            tx.delete(found)
        return found

    # Time.

    def tick(self, tx: Tx, *, forget: bool = True) -> bool:
        """Do what is due, a bounded amount of it; tell whether there is more to do at once.

        forget: remove too what is older than the retention.
        """
        return self._rounds.make(tx, forget=forget)

    def judge_stalls(self, tx: Tx, them: list[stalls.Still], seen_at: dict[str, int]) -> None:
        """Mark attempts that show no sign of progress for unusually long, and unmark those that move."""
        with self._unit(tx) as unit:
            stalls.judge(unit, them, seen_at)

    # Schedules.

    def create_schedule(self, tx: Tx, request: ScheduleCreate) -> str:
        """Make a schedule; return its id."""
        with self._unit(tx) as unit:
            return schedules.create(unit, request, self._new_id)

    def update_schedule(self, tx: Tx, schedule_id: str, request: ScheduleUpdate) -> None:
        """Change a schedule, once what is due has been decided as it stood."""
        self._decide_due(tx, schedule_id)
        with self._unit(tx) as unit:
            schedules.update(unit, schedule_id, request)

    def delete_schedule(self, tx: Tx, schedule_id: str) -> None:
        """Remove a schedule, once what is due has been decided."""
        self._decide_due(tx, schedule_id)
        with self._unit(tx) as unit:
            schedules.delete(unit, schedule_id)

    def pause_schedule(self, tx: Tx, schedule_id: str, request: PauseRequest) -> None:
        """Let a schedule make no tasks from now on."""
        self._decide_due(tx, schedule_id)
        with self._unit(tx) as unit:
            schedules.pause(unit, schedule_id, request)

    def resume_schedule(self, tx: Tx, schedule_id: str, request: PauseRequest) -> None:
        """Let a schedule make tasks from now on."""
        self._decide_due(tx, schedule_id)
        with self._unit(tx) as unit:
            schedules.resume(unit, schedule_id, request)

    def run_schedule(self, tx: Tx, schedule_id: str, request: RunRequest) -> str:
        """Make a schedule's task now; return the task's id."""
        with self._unit(tx) as unit:
            return schedules.run(unit, self._creator, schedule_id, request)

    def backfill(self, tx: Tx, schedule_id: str, request: BackfillRequest) -> BackfillAnswer:
        """Make tasks for instants of the past that have none."""
        with self._unit(tx) as unit:
            return schedules.backfill(unit, self._creator, schedule_id, request)

    def _decide_due(self, tx: Tx, schedule_id: str) -> None:
        more = True
        while more:
            with self._unit(tx) as unit:
                more = firing.fire_one(unit, self._creator, schedules.find(unit, schedule_id))

    # Agents and limits.

    def pause_agent(self, tx: Tx, name: str, request: PauseRequest) -> None:
        """Give an agent no more work."""
        self._set_agent(tx, name, paused=True, by=request.by)

    def resume_agent(self, tx: Tx, name: str, request: PauseRequest) -> None:
        """Give an agent work again."""
        self._set_agent(tx, name, paused=False, by=None)
        self.effects.freed = True

    def update_agent(self, tx: Tx, name: str, request: AgentUpdate) -> None:
        """Change what an agent is said to be able to."""
        with self._unit(tx) as unit:
            teams.update_agent(unit, name, request)

    def create_team(self, tx: Tx, request: TeamCreate) -> None:
        """Make a team."""
        with self._unit(tx) as unit:
            teams.create(unit, request)

    def update_team(self, tx: Tx, name: str, request: TeamUpdate) -> None:
        """Change a team."""
        with self._unit(tx) as unit:
            teams.update(unit, name, request)

    def delete_team(self, tx: Tx, name: str) -> None:
        """Remove a team."""
        with self._unit(tx) as unit:
            teams.delete(unit, name)

    def add_members(self, tx: Tx, name: str, request: MemberRequest) -> None:
        """Put agents into a team."""
        with self._unit(tx) as unit:
            teams.add_members(unit, name, request.agents)

    def remove_members(self, tx: Tx, name: str, request: MemberRequest) -> None:
        """Take agents out of a team."""
        with self._unit(tx) as unit:
            teams.remove_members(unit, name, request.agents)

    def set_limit(self, tx: Tx, limit: Limit) -> None:
        """Set or replace a limit.

        Raises:
            InvalidParameterError: it limits nothing, or gives half a rate.
        """
        set_limit(tx, limit)
        self.effects.freed = True

    def delete_limit(self, tx: Tx, scope: str, value: str) -> None:
        """Remove a limit.

        Raises:
            NotFoundError: there is none.
        """
        delete_limit(tx, scope, value)
        self.effects.freed = True

    # Budgets.

    def set_budget(self, tx: Tx, wanted: BudgetSet) -> str:
        """Set a budget; return its id."""
        with self._unit(tx) as unit:
            return keeping.put(unit, wanted, self._new_id)

    def raise_budget(self, tx: Tx, budget_id: str, wanted: BudgetRaise) -> None:
        """Allow more in a budget's present period."""
        with self._unit(tx) as unit:
            keeping.raise_by(unit, budget_id, wanted)

    def delete_budget(self, tx: Tx, budget_id: str) -> None:
        """Remove a budget."""
        with self._unit(tx) as unit:
            keeping.delete(unit, budget_id)

    def reserve(self, tx: Tx, request: ReserveRequest) -> BudgetLeft:
        """Reserve for a run that no task stands behind, or give that back."""
        with self._unit(tx) as unit:
            return reservations.for_plain_run(unit, request)

    def charge(self, tx: Tx, totals: Sequence[RunTotals], run_ids: Collection[str], as_of: int) -> bool:
        """Count what runs used, all in all, in their budgets; tell whether one of them is used up."""
        with self._unit(tx) as unit:
            return metering.charge(unit, totals, run_ids, as_of)

    def enforce_budgets(self, tx: Tx) -> None:
        """Stop what runs under used-up budgets."""
        with self._unit(tx) as unit:
            budgets_time.enforce(unit)

    def _set_agent(self, tx: Tx, name: str, *, paused: bool, by: str | None) -> None:
        row = tx.agent(name) or AgentRow(name=name)
        row.paused, row.paused_by = paused, by
        tx.upsert([row])

    @contextmanager
    def _unit(self, tx: Tx) -> Iterator[Unit]:
        unit = Unit(tx, self.effects)
        yield unit
        if unit.ended_under_budgets:
            metering.close(unit, unit.ended_under_budgets)
            parking.after_ends(unit, self._asker, unit.ended_under_budgets)
        if unit.eased_budgets:
            freeing.free(unit, unit.eased_budgets)
        fallbacks.open_asks(unit, self._asker)
        unit.flush()
